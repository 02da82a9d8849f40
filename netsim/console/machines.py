"""What one types on a machine: `curl`, `iptables-save`, `nft list ruleset`, `conntrack -L`, `ip route`...

`ssh NODE` goes to a node and stays there; `ssh NODE COMMAND` does one thing there. The prompt's own machine is
outside of the cluster. What a node shows is in `node_states.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.console import network
from netsim.console.docker_hosts import DOCKER_HOSTS, curl_docker, is_docker_host, on_docker
from netsim.console.node_states import NODE_STATES, addresses
from netsim.console.output import Failure, Output
from netsim.console.routing import ip_route
from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.console.session import Lab

Program = Callable[["Lab", str, Sequence[str], Output], None]  # lab, node, the words behind the first, output


def _shows(name: str, *forms: str) -> Program:
    """A program that shows what a node holds; `forms` are the words that it understands."""

    def program(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
        if " ".join(words) not in forms:
            raise Failure(f"this shell knows it as: {' or '.join(form for form in forms if form)}", 2)
        output.out(_held(name, lab, node))

    return program


def _held(name: str, lab: Lab, node: str) -> str:
    """What a node holds of something, or that it holds none of it."""
    try:
        return NODE_STATES[name](lab.simulation, node)
    except ScenarioError as error:
        raise Failure(str(error)) from None


def _iptables_save(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    """All tables, or the one that `-t` names."""
    text = _held("iptables", lab, node)
    table = words[1] if len(words) == 2 and words[0] in ("-t", "--table") else ""
    if words and not table:
        raise Failure(f"iptables-save: unknown option: {words[0]}; -t TABLE is known", 1)
    if not table:
        output.out(text)
        return
    found = [part for part in text.split("COMMIT\n") if part.lstrip().startswith(f"*{table}\n")]
    if not found:
        raise Failure(f"iptables-save: Cannot initialize: Table does not exist (do you need to insmod {table}?)", 1)
    output.out("".join(f"{part}COMMIT\n" for part in found))


FIELDS = {
    "-s": "src", "--src": "src", "--orig-src": "src", "-d": "dst", "--dst": "dst", "--orig-dst": "dst",
    "--sport": "sport", "--dport": "dport", "-p": "", "--proto": "",
}  # fmt: skip
"""What `conntrack -L` can be narrowed by: where its first direction says so."""


def _conntrack_list(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    """`conntrack -L`, perhaps narrowed by protocol, address or port."""
    action, *rest = words or [""]
    if action not in ("-L", "--dump") or len(rest) % 2 or any(name not in FIELDS for name in rest[::2]):
        known = ", ".join(FIELDS)
        raise Failure(f"conntrack v1.4.8 (conntrack-tools): -L is known here, with {known}", 2)
    wanted = {FIELDS[name]: value for name, value in zip(rest[::2], rest[1::2], strict=True)}
    entries = [line for line in _held("conntrack", lab, node).splitlines() if _fits(line.split(), wanted)]
    for line in entries:
        output.line(line)
    output.warn(f"conntrack v1.4.8 (conntrack-tools): {len(entries)} flow entries have been shown.")


def _fits(entry: Sequence[str], wanted: Mapping[str, str]) -> bool:
    first = dict(reversed([word.split("=") for word in entry if word.count("=") == 1]))
    return all((first.get(name) if name else entry[0]) == value for name, value in wanted.items())


def _ip(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    what, *rest = [word for word in words if not word.startswith("-")] or [""]
    if what and "route".startswith(what):
        output.out(ip_route(lab.simulation, node, rest))
    elif what and "address".startswith(what):
        output.out(addresses(lab.simulation, node))
    else:
        raise Failure(f'Object "{what}" is unknown, try "ip route" or "ip addr".')


def _curl(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    network.curl(lab, f"node/{node}", words, output)


def _nslookup(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    network.nslookup(lab, f"node/{node}", words, output)


def _hostname(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    output.line(node)


NODE_PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "curl": _curl,
        "nslookup": _nslookup,
        "iptables-save": _iptables_save,
        "nft": _shows("nft", "list ruleset"),
        "ipvsadm": _shows("ipvs", "-Ln", "-L -n"),
        "conntrack": _conntrack_list,
        "ip": _ip,
        "hostname": _hostname,
    }
)
"""Every program of a node."""


@dataclass
class OnNode:
    """The person is logged in on a node."""

    node: str

    @property
    def prompt(self) -> str:
        """As a root shell has it."""
        return f"[root@{self.node} ~]# "

    def variables(self, lab: Lab) -> Mapping[str, str]:
        """What its shell knows."""
        return {"HOME": "/root", "HOSTNAME": self.node}

    def execute(self, lab: Lab, words: list[str], output: Output) -> None:
        """Do a command on the node."""
        if words[0] in ("exit", "logout"):
            lab.leave()
            output.warn("logout")
            return
        on_node(lab, self.node, words, output)


def on_node(lab: Lab, node: str, words: Sequence[str], output: Output) -> None:
    """Do one command on a node, if it can be reached."""
    if node in DOCKER_HOSTS:
        on_docker(lab, node, words, output)
        return
    if not lab.simulation.forwarding.powered[node]:
        raise Failure(f"ssh: connect to host {node} port 22: No route to host", 255)
    words = list(words[1:] if words[0] == "sudo" else words)
    program = NODE_PROGRAMS.get(words[0]) if words else None
    if program is None:
        known = ", ".join(NODE_PROGRAMS)
        raise Failure(f"bash: {words[0] if words else 'sudo'}: command not found; on a node there are {known}", 127)
    program(lab, node, words[1:], output)


def ssh(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Go to a node, or do one command there."""
    rest = list(words)
    while rest and rest[0] in ("-t", "--"):
        rest.pop(0)
    if not rest:
        raise Failure("usage: ssh NODE [COMMAND...]", 255)
    node, *command = rest
    node = node.rpartition("@")[2]
    home = lab.home_of(node)
    if home is None and node not in DOCKER_HOSTS:
        raise Failure(f"ssh: Could not resolve hostname {node}: Name or service not known", 255)
    with lab.speaking_to(home or lab.context):
        if command:
            on_node(lab, node, command, output)
        elif home is not None and not home.simulation.forwarding.powered[node]:
            raise Failure(f"ssh: connect to host {node} port 22: No route to host", 255)
        else:
            lab.enter(OnNode(node))


def power(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Cut a node's power, or restore it. Nobody is told."""
    if len(words) < 2 or words[0] not in ("off", "on"):
        raise Failure("usage: power off|on NODE...", 2)
    state = words[0]
    for node in words[1:]:
        home = lab.home_of(node)
        if home is None:
            known = ", ".join(lab.simulation.levers.node_names())
            raise Failure(f'power: there is no node "{node}"; there are {known}')
        if home.simulation.built.machines[node].powered == (state == "on"):
            output.line(f"node/{node} is {state} already")
            continue
        home.simulation.levers.power(node, on=state == "on")
        lab.clock.touch()
        output.line(f"node/{node} powered {state}")


def trace(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Explain the first packet of a connection hop by hop; nothing is sent."""
    if len(words) != 2:
        raise Failure("usage: trace pod/NAME|node/NAME|outside svc/NAME:PORT|pod/NAME:PORT|ADDRESS:PORT", 2)
    try:
        found = lab.simulation.trace(*words)
    except ScenarioError as error:
        raise Failure(f"trace: {error}") from None
    output.out(f"{found}\n")


def outside_curl(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Ask for a URL from outside of the cluster."""
    if any(is_docker_host(word) for word in words):
        curl_docker(lab, words, output)
        return
    network.curl(lab, network.OUTSIDE, words, output)


def outside_nslookup(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Look a name up outside of the cluster."""
    network.nslookup(lab, network.OUTSIDE, words, output)
