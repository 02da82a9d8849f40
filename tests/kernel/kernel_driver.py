"""A cluster out of network namespaces, and its driver: runs inside fresh namespaces, reads commands, answers.

Every node, every pod, the router and the outside are a network namespace each, held open by a file descriptor
of this one process; nothing has a name outside and nothing has to be cleaned up: when the process ends, all of
it is gone. Nodes hang on a switch (a bridge in the driver's own namespace) with the router; pods hang on their
node's bridge cni0, whose ports reflect frames (hairpin), and nodes reach each other's pods by plain routes, as
the bridge plugin and flannel's host-gw do it. The outside lies behind the router, and whatever the router does
not know vanishes there, as it would on the Internet.

Commands are JSON, one a line: `build` a description, `run` a program in a namespace, `cross` flows, `open`,
`ask` and `close` a single connection. Only the standard library is used.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from kernel_traffic import Client, Held, serve

CLONE_NEWNET = 0x40000000
LINK = {4: ("169.254.255.1", "169.254.255.2", 30), 6: ("fd00:ff::1", "fd00:ff::2", 126)}
QUIET = {
    "ipv4/icmp_ratelimit": 0,  # otherwise only six refusals come at once, then one a second
    "ipv6/icmp/ratelimit": 0,
    "ipv4/icmp_msgs_per_sec": 1_000_000,
    "ipv4/icmp_msgs_burst": 1_000_000,
    "ipv6/conf/all/accept_dad": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/all/disable_ipv6": 0,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv4/tcp_tw_reuse": 1,
    "ipv4/ip_local_port_range": "33000 60999",
    "netfilter/nf_conntrack_udp_timeout": 30,
}
FORWARDS = {
    "ipv4/ip_forward": 1,
    "ipv6/conf/all/forwarding": 1,
    "bridge/bridge-nf-call-iptables": 1,
    "bridge/bridge-nf-call-ip6tables": 1,
}
ROUTER = {
    **FORWARDS,
    "ipv4/fib_multipath_hash_policy": 1,  # by ports too: each connection is balanced anew
    "ipv6/fib_multipath_hash_policy": 1,
    "ipv4/conf/all/send_redirects": 0,
    "ipv4/conf/default/send_redirects": 0,
}

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


class Spaces:
    """The network namespaces by name, each an open file descriptor."""

    def __init__(self) -> None:
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.fds: dict[str, int] = {}

    def make(self, name: str, *settings: dict[str, Any]) -> None:
        """A new namespace, with these kernel settings."""
        _call("unshare", CLONE_NEWNET)
        self.fds[name] = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            for setting in settings:
                tune(setting)
        finally:
            _call("setns", self.home, CLONE_NEWNET)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """What happens in here happens in that namespace."""
        _call("setns", self.fds[name] if name else self.home, CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", self.home, CLONE_NEWNET)

    def run(self, name: str, argv: list[str], text: str = "", check: bool = True) -> str:
        """Run a program in a namespace (\"\": the switch) and return what it prints."""
        with self.inside(name):
            done = subprocess.run(
                argv, input=text, capture_output=True, text=True, timeout=60, pass_fds=tuple(self.fds.values())
            )
        if check and done.returncode:
            raise RuntimeError(f"{name}: {' '.join(argv)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def ip(self, name: str, lines: list[str]) -> None:
        """Run `ip` commands in a namespace."""
        self.run(name, ["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def file(self, name: str) -> str:
        """How `ip` is told of a namespace."""
        return f"/proc/self/fd/{self.fds[name]}"


def tune(settings: dict[str, Any]) -> None:
    """Write kernel settings; those this kernel does not have are left out."""
    for key, value in settings.items():
        path = Path("/proc/sys/net") / key
        if path.exists():
            path.write_text(str(value))


class Builder:
    """Builds what a description says."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.what = description
        self.spaces = Spaces()

    def build(self) -> Spaces:
        """Namespaces first, then links, then addresses and routes."""
        spaces, what = self.spaces, self.what
        tune({**QUIET, "bridge/bridge-nf-call-iptables": 0, "bridge/bridge-nf-call-ip6tables": 0})
        spaces.make("router", QUIET, ROUTER)
        spaces.make("outside", QUIET)
        for node in what["nodes"]:
            own = {"ipv4/conf/all/route_localnet": 1} if what["localhost_node_ports"] else {}
            spaces.make(node["name"], QUIET, FORWARDS, own)
        for pod in what["pods"]:
            spaces.make(pod["name"], QUIET)
        self._switch()
        self._router()
        self._outside()
        for node in what["nodes"]:
            self._node(node)
        for pod in what["pods"]:
            self._pod(pod)
        return spaces

    def _switch(self) -> None:
        lines = ["link set lo up", "link add sw0 type bridge", "link set sw0 up"]
        for number, name in enumerate(["router", *(node["name"] for node in self.what["nodes"])]):
            lines += [
                f"link add port{number} type veth peer name eth0 netns {self.spaces.file(name)}",
                f"link set port{number} master sw0 up",
            ]
        self.spaces.ip("", lines)

    def _gateway(self, network: str) -> str:
        """The router's address in a network of nodes: the last one."""
        return str(ip_network(network)[-2])

    def _router(self) -> None:
        lines = ["link set lo up", "link set eth0 up"]
        lines.append(f"link add out0 type veth peer name eth0 netns {self.spaces.file('outside')}")
        lines.append("link set out0 up")
        for network in self.what["node_networks"]:
            length = ip_network(network).prefixlen
            lines.append(f"address add {self._gateway(network)}/{length} dev eth0{_nodad(network)}")
        for near, _, length in LINK.values():
            lines += [f"address add {near}/{length} dev out0{_nodad(near)}"]
        lines += ["route add blackhole 0.0.0.0/0", "route add blackhole ::/0"]
        for address in self.what["outside"]:
            lines.append(f"route add {address} via {LINK[_family(address)][1]}")
        for node in self.what["nodes"]:
            primary = self._primary(node)
            lines += [f"route add {network} via {primary[_family(network)]}" for network in node["pod_cidrs"]]
        nodes = {node["name"]: self._primary(node) for node in self.what["nodes"]}
        for vip, targets in self.what["balanced"].items():
            hops = " ".join(f"nexthop via {nodes[target][_family(vip)]}" for target in targets)
            lines.append(f"route add {vip} {hops}")
        self.spaces.ip("router", lines)

    def _outside(self) -> None:
        lines = ["link set lo up", "link set eth0 up"]
        for near, far, length in LINK.values():
            lines.append(f"address add {far}/{length} dev eth0{_nodad(far)}")
            own = [address for address in self.what["outside"] if _family(address) == _family(near)]
            lines += [f"address add {address} dev lo{_nodad(address)}" for address in own]
            lines += [f"route add default via {near} src {address}" for address in own[:1]]
        self.spaces.ip("outside", lines)

    def _primary(self, node: dict[str, Any]) -> dict[int, str]:
        """A node's address in each network of nodes."""
        return {
            _family(address): address
            for network in self.what["node_networks"]
            for address in node["addresses"]
            if _family(address) == _family(network) and ip_interface(address).ip in ip_network(network)
        }

    def _node(self, node: dict[str, Any]) -> None:
        primary = self._primary(node)
        lines = ["link set lo up", "link set eth0 up", "link add cni0 type bridge", "link set cni0 up"]
        for network in self.what["node_networks"]:
            own, length = primary[_family(network)], ip_network(network).prefixlen
            lines.append(f"address add {own}/{length} dev eth0{_nodad(own)}")
            lines.append(f"route add default via {self._gateway(network)} dev eth0")
        for network, bridge in zip(node["pod_cidrs"], node["bridges"], strict=True):
            lines.append(f"address add {bridge}/{ip_network(network).prefixlen} dev cni0{_nodad(bridge)}")
        for other in self.what["nodes"]:
            if other is not node:
                there = self._primary(other)
                lines += [f"route add {n} via {there[_family(n)]} dev eth0" for n in other["pod_cidrs"]]
        for number, pod in enumerate(p for p in self.what["pods"] if p["node"] == node["name"]):
            lines += [
                f"link add veth{number} type veth peer name eth0 netns {self.spaces.file(pod['name'])}",
                f"link set veth{number} master cni0 up",
                f"link set veth{number} type bridge_slave hairpin on",
            ]
        self.spaces.ip(node["name"], lines)

    def _pod(self, pod: dict[str, Any]) -> None:
        node = next(node for node in self.what["nodes"] if node["name"] == pod["node"])
        lines = ["link set lo up", "link set eth0 up"]
        for address in pod["addresses"]:
            network, bridge = next(
                (n, b)
                for n, b in zip(node["pod_cidrs"], node["bridges"], strict=True)
                if ip_interface(address).ip in ip_network(n)
            )
            lines.append(f"address add {address}/{ip_network(network).prefixlen} dev eth0{_nodad(address)}")
            lines.append(f"route add default via {bridge}")
        self.spaces.ip(pod["name"], lines)


def _family(address: str) -> int:
    return 6 if ":" in address else 4


def _nodad(address: str) -> str:
    """IPv6 addresses are usable at once, without asking whether somebody else has them."""
    return " nodad" if ":" in address else ""


class Driver:
    """Obeys commands."""

    def __init__(self) -> None:
        self.spaces = Spaces()
        self.client = Client(self.spaces.inside)
        self.held: dict[str, Held] = {}

    def build(self, description: dict[str, Any]) -> None:
        """Build the lab and start its servers."""
        self.spaces = Builder(description).build()
        self.client = Client(self.spaces.inside)
        serve(self.spaces.inside, description["listeners"])

    def run(self, space: str, argv: list[str], text: str = "", check: bool = True) -> str:
        """Run a program in a namespace."""
        return self.spaces.run(space, argv, text, check)

    def cross(self, flows: list[dict[str, Any]]) -> list[list[tuple[list[str], int]]]:
        """Send all flows; what became of each, counted by outcome."""
        return [[(list(o), n) for o, n in sorted(c.items())] for c in self.client.cross(flows)]

    def open(self, name: str, flow: dict[str, Any]) -> list[str]:
        """Open one connection and keep it."""
        self.held[name] = Held(self.spaces.inside, flow)
        return list(self.held[name].ask())

    def ask(self, name: str) -> list[str]:
        """Ask on a connection that was kept."""
        return list(self.held[name].ask())

    def port(self, name: str) -> int:
        """The local port of a connection that was kept."""
        return self.held[name].port

    def close(self, name: str) -> None:
        """Let go of a connection."""
        self.held.pop(name).close()


def main() -> None:
    """Read commands until there are no more."""
    driver = Driver()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"answer": getattr(driver, command.pop("do"))(**command)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
