"""The prompt's own commands: time, help, history, leaving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netsim.api.times import rfc1123
from netsim.console.output import Failure, Output
from netsim.units import S, parse_duration

if TYPE_CHECKING:
    from netsim.console.session import Lab


def sleep(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Let simulated time pass: `sleep 40s`."""
    lab.clock.sleep(sum(_duration("sleep", word) for word in words))
    output.timed = True


def timeout(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Give a command that would go on for ever so long: `timeout 6m kubectl get pods -w`."""
    if len(words) < 2:
        raise Failure("usage: timeout DURATION COMMAND...", 125)
    before, lab.limit = lab.limit, _duration("timeout", words[0])
    try:
        lab.execute(list(words[1:]), output)
    finally:
        lab.limit = before
    output.timed = True


def _duration(name: str, text: str) -> int:
    try:
        return parse_duration(f"{text}s" if text.replace(".", "").isdecimal() else text)
    except ValueError:
        raise Failure(f"{name}: invalid time interval '{text}'") from None


def date(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Say what time it is in the cluster, and how long it has run."""
    output.line(f"{rfc1123(lab.now)} ({lab.now / S:.1f} s since the start)")


def echo(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Say the words."""
    output.line(" ".join(words))


def history(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """List the lines so far."""
    for number, line in enumerate(lab.history, 1):
        output.line(f"{number:5}  {line}")


def leave(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Leave the prompt."""
    lab.leave()


def read(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Show files: of the scenario's folder, or made at this prompt."""
    if not words:
        output.out(given)
    for word in words:
        held = lab.read(word)
        if held is None:
            raise Failure(f"cat: {word}: No such file or directory")
        output.out(held.decode("utf-8", "replace"))


def helped(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Say what there is."""
    from netsim.console.table import COMMANDS, KUBECTL

    if words and words[0] in COMMANDS and words[0] != "kubectl":
        command = COMMANDS[words[0]]
        output.line(f"{command.usage or words[0]}\n  {command.summary}")
        return
    output.line("Commands (each one ends when the cluster has come to rest; with & behind it, at once):")
    for name, command in COMMANDS.items():
        output.line(f"  {command.usage or name:<36} {command.summary}")
    output.line("\nkubectl:")
    for name, verb in KUBECTL.items():
        output.line(f"  {name:<36} {verb.summary}")
    output.line(
        "\nLines may use ; && || | $NAME $(command) and NAME=value. In a container: printenv, hostname, cat, curl,\n"
        "nslookup. On a node (ssh NODE ...): curl, nslookup, iptables-save, nft list ruleset, ipvsadm -Ln,\n"
        "conntrack -L, ip route, ip addr, hostname."
    )
