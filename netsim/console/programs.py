"""What one types in a container: printenv, hostname, cat, curl, nslookup. Every image has them here.

`kubectl exec` does one of them; `kubectl run -it` and `kubectl exec -it POD -- sh` stay inside until `exit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.api.objects import Object, key_of
from netsim.console import network
from netsim.console.containers import hostname
from netsim.console.output import Failure, Output
from netsim.units import parse_duration

if TYPE_CHECKING:
    from netsim.console.session import Lab

SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash", "ash")


@dataclass(frozen=True)
class Inside:
    """A container that somebody is in, or does one thing in."""

    pod: Object
    container: Object

    @property
    def origin(self) -> str:
        """As requests from there are written."""
        namespace, name = key_of(self.pod)
        return f"pod/{name}.{namespace}"


def _printenv(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    variables = lab.containers.environment(inside.pod, inside.container) or {}
    names = [word for word in words if not word.startswith("-")]
    for name, value in variables.items():
        if not names:
            output.line(f"{name}={value}")
    for name in names:
        if name in variables:
            output.line(variables[name])
        else:
            output.code = 1


def _hostname(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    if any(word in ("-i", "-I") for word in words):
        output.line(" ".join(lab.containers.addresses(inside.pod)))
        return
    output.line(hostname(inside.pod))


def _cat(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    for path in words:
        text = lab.containers.read(inside.pod, path)
        if text is None:
            output.warn(f"cat: {path}: No such file or directory")
            output.code = 1
        else:
            output.out(text)


def _curl(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    network.curl(lab, inside.origin, words, output)


def _nslookup(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    network.nslookup(lab, inside.origin, words, output)


def _echo(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    output.line(" ".join(words))


def _sleep(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    try:
        lab.clock.sleep(sum(parse_duration(f"{word}s" if word.isdecimal() else word) for word in words))
    except ValueError:
        raise Failure(f"sleep: invalid number '{' '.join(words)}'") from None


Program = Callable[["Lab", Inside, Sequence[str], Output], None]

PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "printenv": _printenv, "env": _printenv, "hostname": _hostname, "cat": _cat, "curl": _curl,
        "nslookup": _nslookup, "echo": _echo, "sleep": _sleep,
    }
)  # fmt: skip
"""Every program of a container."""


def execute(lab: Lab, inside: Inside, words: Sequence[str], output: Output) -> None:
    """Run a program in a container."""
    if words and words[0] in SHELLS and list(words[1:2]) == ["-c"]:
        output.add(lab.within(InContainer(inside, "", lambda said: None), " ".join(words[2:3])))
        return
    program = PROGRAMS.get(words[0].rpartition("/")[2]) if words else None
    if program is None:
        raise Failure(
            f'OCI runtime exec failed: exec failed: unable to start container process: exec: "{words[0]}": executable '
            f"file not found in $PATH: unknown (here there are {', '.join(PROGRAMS)})",
            127,
        )
    program(lab, inside, words[1:], output)


@dataclass
class InContainer:
    """The person sits in a container. `leaving` is what happens when they go."""

    inside: Inside
    prompt: str
    leaving: Callable[[Output], None]

    def variables(self, lab: Lab) -> Mapping[str, str]:
        """What its shell knows: the container's environment."""
        return lab.containers.environment(self.inside.pod, self.inside.container) or {}

    def execute(self, lab: Lab, words: list[str], output: Output) -> None:
        """Do a command in the container."""
        if words[0] in ("exit", "logout"):
            lab.leave()
            self.leaving(output)
            return
        if lab.containers.environment(self.inside.pod, self.inside.container) is None:
            lab.leave()
            raise Failure("command terminated with exit code 137", 137)
        if words[0] not in PROGRAMS:
            raise Failure(f"sh: {words[0]}: not found; here there are {', '.join(PROGRAMS)}, exit", 127)
        execute(lab, self.inside, words, output)
