"""Every command there is, each once: what it is called, what it says of itself, and what does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from netsim.console import builtins, filters, lookups, machines, openssl
from netsim.console.kubectl import VERBS
from netsim.console.kubectl.command import kubectl
from netsim.console.output import Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

KUBECTL = VERBS

Run = Callable[["Lab", Sequence[str], Output, str], None]  # lab, words, output, what a pipe gives


class Place(Protocol):
    """Where a person may be: in a container, on a node."""

    @property
    def prompt(self) -> str: ...

    def variables(self, lab: Lab) -> Mapping[str, str]: ...

    def execute(self, lab: Lab, words: list[str], output: Output) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the prompt."""

    run: Run
    summary: str
    usage: str = ""
    filters: bool = False  # it reads what stands before a pipe


def _filter(name: str) -> Command:
    act = filters.FILTERS[name]

    def run(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
        act(words, given, output)

    summary = (act.__doc__ or "").partition("\n")[0]
    return Command(run, summary, f"... | {name}", filters=True)


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "kubectl": Command(kubectl, "Ask and tell the API server; its verbs are below.", "kubectl VERB ..."),
        "ssh": Command(machines.ssh, "Go to a node, or do one command there.", "ssh NODE [COMMAND...]"),
        "curl": Command(machines.outside_curl, "Ask for a URL from outside of the cluster.", "curl URL"),
        "nslookup": Command(machines.outside_nslookup, "Look a name up outside of the cluster.", "nslookup NAME"),
        "trace": Command(machines.trace, "Explain where a packet would go, hop by hop.", "trace FROM TO"),
        "lookup": Command(lookups.lookup, "Look a name up there, and show every query.", "lookup FROM NAME"),
        "power": Command(machines.power, "Cut or restore the power of nodes.", "power off|on NODE..."),
        "sleep": Command(builtins.sleep, "Let simulated time pass.", "sleep 40s"),
        "timeout": Command(builtins.timeout, "Let a command go on for so long.", "timeout 6m COMMAND..."),
        "date": Command(builtins.date, "Say what time it is in the cluster."),
        "openssl": Command(openssl.openssl, "Make a certificate and its key, or show one.", "openssl req -x509 ..."),
        "make": Command(openssl.make, "Make a certificate and its key.", "make keys KEY=FILE CERT=FILE"),
        "cat": Command(builtins.read, "Show files of the scenario's folder.", "cat FILE..."),
        "echo": Command(builtins.echo, "Say the words.", "echo WORDS..."),
        **{name: _filter(name) for name in filters.FILTERS},
        "history": Command(builtins.history, "List the lines so far."),
        "help": Command(builtins.helped, "Say what there is.", "help [COMMAND]"),
        "exit": Command(builtins.leave, "Leave the pod, the node, or the prompt."),
    }
)
"""The command table."""
