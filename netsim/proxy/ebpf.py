"""A balancer at the socket, as Cilium replaces kube-proxy: what it does to a packet, and what it costs.

Processes of the node and of its pods are answered inside connect() (or sendmsg()): the socket's destination
is the endpoint from the start, so nothing is translated on the wire, no conntrack entry is made and no source
is replaced; the choice is made once, at connect time. Packets from outside meet a program at the network
device, which translates them and replaces their source (SNAT, the default). With external policy Local,
outside packets stay on the node and are dropped if it has no endpoint; clients inside may use all endpoints.
Inside, a node port is answered in connect() at the internal address of any node, not only of the client's own.

So netfilter sees a connection from inside as one to the pod. What the device's program keeps of a translation is
in a map of its own (`cilium bpf ct list global`); it is listed with the node's conntrack entries here.

Sources: Cilium's documentation ("Kubernetes Without kube-proxy"); `bpf/bpf_sock.c`, sock4_wildcard_lookup, for the
nodes' addresses. Not verified: what a port that no Service has gets at a service address (it passes here); whether
a node's external address counts as the node's in connect() (not here: it is the cloud's edge that answers), and
whether nodePortAddresses narrows connect() at other nodes (not here).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netsim.proxy.addresses import join
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import NO_MATCH, Query, Step, Verdict
from netsim.proxy.paths import Backends, address_kind, admits, backends, chosen_addresses, families
from netsim.units import MS, US

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules


class EBPF:
    """Choice at connect time."""

    name = "ebpf"
    commits: tuple[str, ...] = ("maps",)

    def node_port_addresses(self, rules: NodeRules, version: int) -> tuple[str, ...] | None:
        """All addresses, loopback too, unless nodePortAddresses names some."""
        return chosen_addresses(rules, version)

    def refuses_loopback(self, rules: NodeRules, query: Query) -> bool:
        """A socket needs no route: node ports work on loopback."""
        return False

    def decide(self, rules: NodeRules, query: Query) -> Verdict:
        """One look-up by address, port and protocol."""
        for version in rules.claims((query.destination, query.port, query.protocol)):
            there = backends(rules, version)
            return _chosen(rules, there, query, address_kind(there.port, query.destination))
        elsewhere = rules.claims_elsewhere(query) if _at_socket(query) else ()
        for version in (*rules.node_port_claims(query), *elsewhere):
            return _chosen(rules, backends(rules, version), query, "node-port")
        return NO_MATCH

    def explain(
        self, rules: NodeRules, query: Query, endpoint: Endpoint | None, remembered: bool
    ) -> tuple[Step, ...]:
        """The service map's entry and the backend taken from it."""
        verdict = self.decide(rules, query)
        if not verdict:
            return ()
        where = "socket: connect()" if _at_socket(query) else "device: from-netdev"
        key = f"{query.protocol} {join(query.destination, query.port)}"
        if verdict.action != "DNAT":
            return (Step(where, f"lookup {key}", verdict.reason),)
        backend = f"backend {endpoint.address}" if endpoint else f"{len(verdict.endpoints)} backends"
        chance = (
            "remembered for the client"
            if remembered
            else f"chosen with probability 1/{len(verdict.endpoints)}"
        )
        steps = [Step(where, f"lookup {key} -> {backend}", chance)]
        if endpoint is not None and verdict.masquerades(endpoint, query.source):
            steps.append(Step("device: to-netdev", "snat", "source becomes the node's address"))
        return tuple(steps)

    def render(self, rules: NodeRules) -> str:
        """The service map, one frontend a line, as `cilium service list` shows it."""
        lines = ["ID   Frontend                    Service Type   Backend"]
        number = 0
        for family in families(rules):
            for version in rules.versions(family):
                there = backends(rules, version)
                for address, port, kind in _frontends(there):
                    number += 1
                    front = f"{join(address, port)}/{there.port.protocol}"
                    found = there.internal if kind == "ClusterIP" else there.external
                    text = ", ".join(f"{i + 1} => {e.address}" for i, e in enumerate(found))
                    lines.append(f"{number:<4} {front:<27} {kind:<14} {text}".rstrip())
        return "\n".join(lines) + "\n"

    def first_packet_cost(self, position: int, services: int) -> int:
        """A look-up in a hash table, inside connect()."""
        return 1 * US

    def sync_cost(self, *, full: bool, services: int, endpoints: int, changed: int) -> int:
        """Map entries are written one by one, about 2 us each."""
        return 1 * MS + (services + endpoints if full else changed) * 2 * US


def _chosen(rules: NodeRules, there: Backends, query: Query, via: str) -> Verdict:
    port = there.port
    if via == "load-balancer-ip" and not admits(rules, port, query.source):
        return Verdict("DROP", port, via=via, reason=f"{port.label}: source not in loadBalancerSourceRanges")
    socket = _at_socket(query)
    local = port.internal_local if via == "cluster-ip" else port.external_local and not socket
    endpoints = there.local if local else there.cluster
    if not endpoints:
        if not there.any:
            return Verdict("REJECT", port, via=via, reason=f"{port.label} has no endpoints")
        return Verdict("DROP", port, via=via, reason=f"{port.label} has no local endpoints")
    verdict = Verdict(
        "DNAT", port, endpoints, affinity=port.affinity, via=via, policy="Local" if local else "Cluster"
    )
    return (
        replace(verdict, on_connect=True) if socket else replace(verdict, masquerade=not local, hairpin=True)
    )


def _at_socket(query: Query) -> bool:
    """Whether the client is a process on this node, in a pod or not: its connect() is answered."""
    return query.from_own_pod or query.from_node


def _frontends(there: Backends) -> list[tuple[str, int, str]]:
    port = there.port
    found = [(port.cluster_ip, port.port, "ClusterIP")]
    found += [(address, port.port, "ExternalIPs") for address in port.external_ips]
    found += [(address, port.port, "LoadBalancer") for address in port.load_balancer_vips]
    if port.node_port:
        found.append(("0.0.0.0" if port.family == 4 else "::", port.node_port, "NodePort"))
    return found
