"""What a node holds besides API objects: rules, connections, routes, addresses.

It is what packets meet there: the rules that its kube-proxy has programmed, the connections that its kernel
remembers, its routes, its addresses. The prompt shows them on its nodes, `netsim get NAME --node NODE` at an instant.

Left out of the addresses: those of the link layer, and the ends of single pods' links.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.errors import ScenarioError
from netsim.proxy import ipvs_rules
from netsim.topology.network import ENCAPSULATION

if TYPE_CHECKING:
    from netsim.simulation import Simulation

RULE_MODES = {"iptables": "iptables", "nft": "nftables", "ipvs": "ipvs"}
"""The commands that show rules, and the proxy mode that each belongs to."""


def _rules(mode: str) -> Callable[[Simulation, str], str]:
    """The ruleset that kube-proxy has programmed on a node, if it works in that mode.

    IPVS mode has some rules of iptables, too.
    """

    def text(simulation: Simulation, node: str) -> str:
        actual = simulation.scenario.document.cluster.proxy.mode
        if (mode, actual) == ("iptables", "ipvs"):
            return ipvs_rules.render(simulation.forwarding.kernels[node].rules)
        if actual != mode:
            name = next((name for name, one in RULE_MODES.items() if one == actual), None)
            hint = f"; ask for {name}" if name else ""
            raise ScenarioError(f"kube-proxy runs in {actual} mode here, so there are no {mode} rules{hint}")
        return simulation.rules_text(node)

    return text


def _conntrack(simulation: Simulation, node: str) -> str:
    return simulation.conntrack_text(node)


def _routes(simulation: Simulation, node: str) -> str:
    return simulation.routes_text(node)


def addresses(simulation: Simulation, node: str) -> str:
    """A node's addresses as `ip addr` prints them, in short. In IPVS mode those of all Services are among them."""
    spec = simulation.document.cluster
    state = simulation.forwarding
    own = state.node_places[node].address
    pods = ip_network(simulation.store.get("Node", "", node)["spec"]["podCIDR"])  # type: ignore[index]
    lines: list[tuple[str, int, tuple[str, ...]]] = [("lo", 65536, ("127.0.0.1/8 scope host lo",))]
    lines.append(("eth0", 1500, (f"{own}/{spec.addresses.nodes.prefixlen} scope global eth0",)))
    overlay = {"flannel-vxlan": "flannel.1", "calico-vxlan": "vxlan.calico", "calico-ipip": "tunl0"}.get(spec.cni)
    if overlay:
        address = (f"{pods.network_address}/32 scope global {overlay}",)
        lines.append((overlay, 1500 - ENCAPSULATION[spec.cni], address))
    if not state.routed:
        gateway = f"{pods.network_address + 1}/{pods.prefixlen} brd {pods.broadcast_address} scope global cni0"
        lines.append(("cni0", 1500 - ENCAPSULATION.get(spec.cni, 0), (gateway,)))
    if spec.proxy.mode == "ipvs":
        services = [one["spec"].get("clusterIP", "") for one in simulation.store.list("Service")]
        held = tuple(f"{ip}/32 scope global kube-ipvs0" for ip in services if ip and ip != "None")
        lines.append(("kube-ipvs0", 1500, held))
    return "".join(_interface(number, *line) for number, line in enumerate(lines, 1))


def _interface(number: int, name: str, mtu: int, held: Sequence[str]) -> str:
    flags = "LOOPBACK,UP" if name == "lo" else "BROADCAST,NOARP" if name == "kube-ipvs0" else "BROADCAST,MULTICAST,UP"
    return f"{number}: {name}: <{flags}> mtu {mtu}\n" + "".join(f"    inet {one}\n" for one in held)


NODE_STATES: Mapping[str, Callable[[Simulation, str], str]] = MappingProxyType(
    {**{name: _rules(mode) for name, mode in RULE_MODES.items()}, "conntrack": _conntrack, "routes": _routes}
)
"""What a node holds besides API objects, by the names that `netsim get NAME --node NODE` takes."""
