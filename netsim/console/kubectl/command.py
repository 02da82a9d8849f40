"""`kubectl`: which verb a line means, and what its words say."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from netsim.build import API_SERVER_PORT
from netsim.console import flags
from netsim.console.kubectl.verb import COMMON, Verb, kubectl_errors
from netsim.console.output import Failure, Output
from netsim.units import S

if TYPE_CHECKING:
    from netsim.console.session import Lab

DIAL_TIMEOUT = 30 * S  # client-go's net.Dialer


def kubectl(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Do what a kubectl command line says."""
    name, verb, rest = understood(list(words))
    if verb.any_flag:
        rest = [word for word in rest if word in ("-h", "--help")]
    call = flags.parse(rest, (*COMMON, *verb.flags), name)
    call.stdin = given
    if call["help"]:
        output.out(help_text(name, verb))
        return
    context = lab.contexts.get(call["context"] or lab.context.name)
    if context is None:
        raise Failure(f'error: context "{call["context"]}" does not exist')
    if call["context"]:
        with lab.speaking_to(context):
            _run(lab, verb, call, output)
    else:
        _run(lab, verb, call, output)


def _run(lab: Lab, verb: Verb, call: flags.Call, output: Output) -> None:
    """Do it, if an API server can be reached."""
    planes = lab.context.control_planes
    if verb.asks_server and planes and not any(planes.values()):
        lab.clock.sleep(DIAL_TIMEOUT)
        host = lab.simulation.forwarding.node_places[next(iter(planes))].address
        raise Failure(f"Unable to connect to the server: dial tcp {host}:{API_SERVER_PORT}: i/o timeout")
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
    if not words or words[0] == "help":
        listed = "".join(f"  {name:<28} {verb.summary}\n" for name, verb in VERBS.items())
        raise Failure(f"kubectl controls the Kubernetes cluster manager.\n\nCommands:\n{listed}", 0)
    for name in (" ".join(words[:count]) for count in (3, 2, 1)):
        if name in VERBS:
            return name, VERBS[name], [*before, *words[len(name.split()) :]]
    groups = {name.partition(" ")[0] for name in VERBS if " " in name}
    if words[0] in groups:
        known = ", ".join(name.partition(" ")[2] for name in VERBS if name.startswith(f"{words[0]} "))
        raise Failure(f"error: kubectl {words[0]} needs one of: {known}")
    near = get_close_matches(words[0], dict.fromkeys(name.split()[0] for name in VERBS), n=2)
    hint = "".join(["\n\nDid you mean this?\n", *(f"\t{one}\n" for one in near)]) if near else ""
    raise Failure(f'error: unknown command "{words[0]}" for "kubectl"{hint}')


def help_text(name: str, verb: Verb) -> str:
    """What `--help` shows of a verb."""
    lines = [verb.summary, "", "Options:"]
    for flag in verb.flags:
        short = f"-{flag.short}, " if flag.short else "    "
        value = {"bool": "false", "text": "''", "duration": "0s", "int": "0", "list": "[]", "array": "[]"}[flag.kind]
        lines.append(f"    {short}--{flag.name}={value}:{f' {flag.help}' if flag.help else ''}")
    lines += ["", "Usage:", f"  kubectl {verb.usage or name} [options]"]
    return "".join(f"{line}\n" for line in lines)
