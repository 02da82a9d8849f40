"""`kubectl`: which verb a line means, and what its words say."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from netsim.console import flags
from netsim.console.kubectl.verb import COMMON, Verb, kubectl_errors
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab


def kubectl(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Do what a kubectl command line says."""
    name, verb, rest = understood(list(words))
    call = flags.parse(rest, (*COMMON, *verb.flags), name)
    if call["help"]:
        output.out(help_text(name, verb))
        return
    with kubectl_errors():
        verb.run(lab, call, output)


def understood(words: list[str]) -> tuple[str, Verb, list[str]]:
    """The verb, and the words that belong to it. Flags may stand before the verb."""
    from netsim.console.kubectl import VERBS

    before: list[str] = []
    while words and words[0].startswith("-"):
        before.append(words.pop(0))
        if before[-1] in ("-n", "--namespace", "--context") and words:
            before.append(words.pop(0))
    if not words:
        raise Failure("kubectl controls the Kubernetes cluster manager. `help` lists its verbs.", 0 if not before else 1)
    for name in (" ".join(words[:count]) for count in (3, 2, 1)):
        if name in VERBS:
            return name, VERBS[name], [*before, *words[len(name.split()) :]]
    groups = {name.partition(" ")[0] for name in VERBS if " " in name}
    if words[0] in groups:
        known = ", ".join(name.partition(" ")[2] for name in VERBS if name.startswith(f"{words[0]} "))
        raise Failure(f"error: kubectl {words[0]} needs one of: {known}")
    near = get_close_matches(words[0], dict.fromkeys(name.split()[0] for name in VERBS), n=2)
    hint = "".join(f"\t{one}\n" for one in near)
    raise Failure(f'error: unknown command "{words[0]}" for "kubectl"' + (f"\n\nDid you mean this?\n{hint}" if near else ""))


def help_text(name: str, verb: Verb) -> str:
    """What `--help` shows of a verb."""
    lines = [verb.summary, "", "Options:"]
    for flag in verb.flags:
        short = f"-{flag.short}, " if flag.short else "    "
        value = {"bool": "false", "text": "''", "int": "0", "list": "[]"}[flag.kind]
        lines.append(f"    {short}--{flag.name}={value}:{f' {flag.help}' if flag.help else ''}")
    lines += ["", "Usage:", f"  kubectl {verb.usage or name} [options]"]
    return "".join(f"{line}\n" for line in lines)
