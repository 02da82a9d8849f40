"""The networkx graph of machines and links, and how long a packet takes across it.

Machines (Kubernetes nodes, load balancers, the outside) hang on switches: one a zone, all joined by a
core, with the world beyond the core's edge. A packet takes the path of least latency through switches
that are up; machines never forward for others. When a link or a switch changes, routes are worked out
anew, one Dijkstra search from each switch that is asked about: the cost follows the number of switches,
not of nodes or pods.

Left out: link-layer detail, routing protocols and the time they take to converge.
"""

from __future__ import annotations

from typing import Any

import networkx as nx

from netsim.topology.network import Links, Nodes

CORE = "core"
OUTSIDE = "outside"
CLOUD = "cloud"  # where load balancers stand


class Topology:
    """The graph, and delays over it that are kept until something changes."""

    def __init__(self) -> None:
        self.graph: nx.Graph = nx.Graph()
        self._from_switch: dict[str, dict[str, int]] = {}
        self._delays: dict[tuple[str, str], int | None] = {}

    def add_switch(self, name: str) -> None:
        """A switch: it forwards."""
        self.graph.add_node(name, kind="switch", up=True)
        self._forget()

    def add_machine(self, name: str, **attributes: Any) -> None:
        """A machine: packets begin and end here."""
        self.graph.add_node(name, kind="machine", up=True, **attributes)
        self._forget()

    def connect(self, a: str, b: str, latency: int) -> None:
        """A link, with its one-way latency in nanoseconds."""
        self.graph.add_edge(a, b, latency=latency, up=True)
        self._forget()

    def set_link(self, a: str, b: str, *, up: bool) -> None:
        """A link goes down or comes up."""
        self.graph.edges[a, b]["up"] = up
        self._forget()

    def machines(self) -> list[str]:
        """All machines, in the order they were added."""
        return [name for name, kind in self.graph.nodes(data="kind") if kind == "machine"]

    def delay(self, a: str, b: str) -> int | None:
        """One-way latency from machine to machine in nanoseconds; None where no path is up.

        >>> from netsim.topology.network import Links, Nodes
        >>> rack = build((Nodes(name="a"), Nodes(name="b", zone="other")), Links())
        >>> rack.delay("a", "a"), rack.delay("a", "b")
        (0, 600000)
        """
        if a == b:
            return 0
        known = self._delays.get((a, b), -1)
        if known == -1:
            known = self._delays[a, b] = self._work_out(a, b)
        return known

    def attached(self, machine: str) -> bool:
        """Whether any link of a machine is up: without one its own kernel has no route."""
        return bool(self._uplinks(machine))

    def path(self, a: str, b: str) -> list[str]:
        """The machines and switches a packet passes, ends included; empty without a path."""
        if a == b:
            return [a]
        usable = nx.subgraph_view(
            self.graph,
            filter_node=lambda n: n in (a, b) or self.graph.nodes[n]["kind"] == "switch",
            filter_edge=lambda u, v: self.graph.edges[u, v]["up"],
        )
        try:
            return nx.shortest_path(usable, a, b, weight="latency")
        except nx.NetworkXNoPath:
            return []

    def _work_out(self, a: str, b: str) -> int | None:
        ways = [
            here + across + there
            for first, here in self._uplinks(a)
            for last, there in self._uplinks(b)
            if (across := self._between(first).get(last)) is not None
        ]
        return min(ways, default=None)

    def _uplinks(self, machine: str) -> list[tuple[str, int]]:
        return [(s, edge["latency"]) for s, edge in self.graph.adj[machine].items() if edge["up"]]

    def _between(self, switch: str) -> dict[str, int]:
        if switch not in self._from_switch:
            switches = nx.subgraph_view(
                self.graph,
                filter_node=lambda n: self.graph.nodes[n]["kind"] == "switch",
                filter_edge=lambda u, v: self.graph.edges[u, v]["up"],
            )
            self._from_switch[switch] = nx.single_source_dijkstra_path_length(
                switches, switch, weight="latency"
            )
        return self._from_switch[switch]

    def _forget(self) -> None:
        self._from_switch.clear()
        self._delays.clear()


def build(groups: tuple[Nodes, ...], links: Links) -> Topology:
    """The network of a cluster: a switch a zone, a core, the cloud's balancers, and the outside."""
    topology = Topology()
    topology.add_switch(CORE)
    for zone in dict.fromkeys(group.zone for group in groups):
        topology.add_switch(switch_of(zone))
        topology.connect(switch_of(zone), CORE, links.zone)
    for group in groups:
        for name in group.names():
            topology.add_machine(name, zone=group.zone)
            topology.connect(name, switch_of(group.zone), links.node)
    for machine, latency in ((CLOUD, links.node), (OUTSIDE, links.outside)):
        topology.add_machine(machine, zone="")
        topology.connect(machine, CORE, latency)
    return topology


def switch_of(zone: str) -> str:
    """What the switch of a zone is called."""
    return f"switch/{zone}" if zone else "switch"
