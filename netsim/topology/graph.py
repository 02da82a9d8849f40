"""The networkx graph of machines and links, and how long a packet takes across it.

Machines (Kubernetes nodes, load balancers, the outside) hang on switches: one a zone, all joined by a
core, with the world beyond the core's edge. A packet takes the path of least latency through switches
that are up; machines never forward for others. When a link or a switch changes, routes are worked out
anew, one Dijkstra search from each switch that is asked about: the cost follows the number of switches,
not of nodes or pods.

A cut (a partition, a firewall gone wrong) loses what some machines send to some others, in that direction. A
machine that stands still neither sends nor receives, not even from itself.

Left out: link-layer detail, routing protocols and the time they take to converge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx

from netsim.topology.network import Links, Nodes
from netsim.topology.quality import WHOLE, Interface, Quality, joined, picoseconds_a_byte

CORE = "core"
OUTSIDE = "outside"
CLOUD = "cloud"  # where load balancers stand


@dataclass(frozen=True, eq=False)
class Cut:
    """What `senders` send to `receivers` is lost."""

    senders: frozenset[str]
    receivers: frozenset[str]


class Topology:
    """The graph, and delays over it that are kept until something changes."""

    def __init__(self) -> None:
        self.graph: nx.Graph = nx.Graph()
        self._from_switch: dict[str, dict[str, int]] = {}
        self._delays: dict[tuple[str, str], int | None] = {}
        self._cuts: list[Cut] = []
        self._still: set[str] = set()
        self._qualities: dict[tuple[str, str], Quality | None] = {}
        self._interfaces: dict[tuple[str, str], int] = {}  # of links with a bandwidth, by direction
        self.perfect = True  # no link has jitter, loss or a bandwidth

    def add_switch(self, name: str) -> None:
        """A switch: it forwards."""
        self.graph.add_node(name, kind="switch", up=True)
        self._forget()

    def add_machine(self, name: str, **attributes: Any) -> None:
        """A machine: packets begin and end here."""
        self.graph.add_node(name, kind="machine", up=True, **attributes)
        self._forget()

    def connect(
        self, a: str, b: str, latency: int, jitter: int = 0, loss: float = 0.0, bandwidth: int | None = None
    ) -> None:
        """A link, with its one-way latency and jitter in nanoseconds and its bandwidth in bits per second."""
        self.graph.add_edge(a, b, latency=latency, jitter=jitter, loss=loss, bandwidth=bandwidth, up=True)
        self.perfect = self.perfect and not (jitter or loss or bandwidth)
        if bandwidth:
            for ends in ((a, b), (b, a)):
                self._interfaces.setdefault(ends, len(self._interfaces))
        self._forget()

    def set_link(self, a: str, b: str, *, up: bool) -> None:
        """A link goes down or comes up."""
        self.graph.edges[a, b]["up"] = up
        self._forget()

    def set_extra(self, a: str, b: str, extra: int) -> None:
        """A link takes so much longer, one way, than it was built to."""
        self.graph.edges[a, b]["extra"] = extra
        self._forget()

    def disturb(self, a: str, b: str, jitter: int, loss: float, bandwidth: int | None) -> None:
        """A link has more jitter and loss, and less bandwidth, than it was built with."""
        self.graph.edges[a, b]["disturbed"] = (jitter, loss, bandwidth)
        self.perfect = False
        self._forget()

    def reserve(self, a: str, b: str) -> None:
        """A link may get a bandwidth later on: its interfaces are counted from the beginning."""
        for ends in ((a, b), (b, a)):
            self._interfaces.setdefault(ends, len(self._interfaces))

    def cut(self, cut: Cut) -> None:
        """Packets in the direction of `cut` are lost from now on."""
        self._cuts.append(cut)
        self._delays.clear()

    def mend(self, cut: Cut) -> None:
        """They get through again, as far as no other cut loses them."""
        self._cuts.remove(cut)
        self._delays.clear()

    @property
    def one_sided(self) -> bool:
        """Whether packets may get through one way and not the other."""
        return bool(self._cuts)

    def stand_still(self, machine: str, *, still: bool) -> None:
        """A machine stands still, or goes on."""
        (self._still.add if still else self._still.discard)(machine)
        self._delays.clear()

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
            return 0 if a not in self._still else None
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
            return nx.shortest_path(usable, a, b, weight=lambda _, __, edge: _latency(edge))
        except nx.NetworkXNoPath:
            return []

    @property
    def interfaces(self) -> int:
        """How many interfaces have a bandwidth."""
        return len(self._interfaces)

    def quality(self, a: str, b: str) -> Quality | None:
        """What the path from machine to machine does to packets besides taking time; None: nothing."""
        if self.perfect or a == b:
            return None
        if (a, b) not in self._qualities:
            hops = pairwise(self.path(a, b))
            self._qualities[a, b] = joined((_latency(self.graph.edges[hop]), self._hop(hop)) for hop in hops)
        return self._qualities[a, b]

    def _hop(self, ends: tuple[str, str]) -> Quality:
        edge = self.graph.edges[ends]
        jitter, loss, narrow = edge.get("disturbed", (0, 0.0, None))
        bandwidth = min((rate for rate in (edge["bandwidth"], narrow) if rate), default=None)
        byte = picoseconds_a_byte(bandwidth) if bandwidth else 0
        queue = (Interface(self._interfaces[ends], 0, byte),) if byte else ()
        return Quality(edge["jitter"] + jitter, int((1 - (1 - edge["loss"]) * (1 - loss)) * WHOLE), queue)

    def _work_out(self, a: str, b: str) -> int | None:
        if a in self._still or b in self._still or any(a in cut.senders and b in cut.receivers for cut in self._cuts):
            return None
        ways = [
            here + across + there
            for first, here in self._uplinks(a)
            for last, there in self._uplinks(b)
            if (across := self._between(first).get(last)) is not None
        ]
        return min(ways, default=None)

    def _uplinks(self, machine: str) -> list[tuple[str, int]]:
        return [(s, _latency(edge)) for s, edge in self.graph.adj[machine].items() if edge["up"]]

    def _between(self, switch: str) -> dict[str, int]:
        if switch not in self._from_switch:
            switches = nx.subgraph_view(
                self.graph,
                filter_node=lambda n: self.graph.nodes[n]["kind"] == "switch",
                filter_edge=lambda u, v: self.graph.edges[u, v]["up"],
            )
            self._from_switch[switch] = nx.single_source_dijkstra_path_length(
                switches, switch, weight=lambda _, __, edge: _latency(edge)
            )
        return self._from_switch[switch]

    def _forget(self) -> None:
        self._from_switch.clear()
        self._delays.clear()
        self._qualities.clear()


def _latency(edge: dict[str, Any]) -> int:
    return int(edge["latency"] + edge.get("extra", 0))


def build(groups: tuple[Nodes, ...], links: Links) -> Topology:
    """The network of a cluster: a switch a zone, a core, the cloud's balancers, and the outside."""
    topology = Topology()
    topology.add_switch(CORE)
    for zone in dict.fromkeys(group.zone for group in groups):
        topology.add_switch(switch_of(zone))
        topology.connect(switch_of(zone), CORE, *links.between("zone"))
    for group in groups:
        for name in group.names():
            topology.add_machine(name, zone=group.zone)
            topology.connect(name, switch_of(group.zone), *links.between("node"))
    for machine, kind in ((CLOUD, "node"), (OUTSIDE, "outside")):
        topology.add_machine(machine, zone="")
        topology.connect(machine, CORE, *links.between(kind))
    return topology


def switch_of(zone: str) -> str:
    """What the switch of a zone is called."""
    return f"switch/{zone}" if zone else "switch"
