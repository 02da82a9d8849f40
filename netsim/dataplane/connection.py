"""A connection: the road its packets take, and what its ends believe of each other.

Where it leads was decided once, by the machines its first packet passed; they remember (`pins`), so it never
changes. It may be dead without its client knowing: a program that ends says so through its kernel, a
machine that loses power says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.route import Onward, Pins, Translation, strayed
from netsim.dataplane.server import Server
from netsim.proxy.conntrack import Conntrack, Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet
from netsim.topology.quality import Quality, joined


def one_way(state: Forwarding, places: Sequence[Place], *, masqueraded: bool) -> int | None:
    """How long a packet takes from the first of these places to the last now; None where the road is broken.

    `masqueraded` says that answers come back through the place before the last, which put its own address in.
    """
    total = 0
    for i in range(1, len(places)):
        delay = state.travel(places[i - 1], places[i])
        if delay is None or (i < len(places) - 1 and not state.reachable(places[i].machine)):
            return None
        total += delay
    if state.topology.one_sided and not _answers(state, places, masqueraded):
        return None
    return total


def _answers(state: Forwarding, places: Sequence[Place], masqueraded: bool) -> bool:
    """Whether answers find their way back: straight, or through the node that put its own address in."""
    *before, last = places
    through = before[-1:] if masqueraded and len(before) > 1 else []
    return all(state.travel(a, b) is not None for a, b in pairwise([last, *through, places[0]]))


def road_quality(state: Forwarding, places: Sequence[Place]) -> Quality | None:
    """What a road from place to place does to packets besides taking time; None: nothing."""
    if state.topology.perfect:
        return None
    legs = ((a.machine, b.machine) for a, b in pairwise(places))
    return joined((state.topology.delay(a, b) or 0, state.topology.quality(a, b)) for a, b in legs)


class Connection:
    """One client socket, from its first SYN on."""

    __slots__ = (
        "_version",
        "_way",
        "arriving",
        "client",
        "expires",
        "ingress",
        "masqueraded",
        "packet",
        "pins",
        "places",
        "server",
        "tracked",
        "translator",
        "used",
    )  # fmt: skip

    server: Server

    def __init__(self, client: Place, packet: Packet) -> None:
        self.client = client
        self.packet = packet  # the first one, as the client sends it
        self.arriving = packet  # and as it comes to the server's node
        self.translator: tuple[str, Packet, Endpoint] | None = None  # who translated, what, and to whom
        self.tracked: list[tuple[Conntrack, Entry]] = []  # its entries in the nodes' tables, where those are kept
        self.places = [client]  # client, load balancer, ingress node, server: those it passes
        self.pins: Pins = {}
        self.ingress = -1
        self.masqueraded = False
        self.used = 0
        self.expires = 0
        self._version = -1  # of the forwarding state for which the way was worked out
        self._way: int | None = None

    def one_way(self, state: Forwarding) -> int | None:
        """How long a packet takes from end to end now; None where the road is broken."""
        if self._version != state.version:
            self._version, self._way = state.version, one_way(state, self.places, masqueraded=self.masqueraded)
        return self._way

    def quality(self, state: Forwarding, *, back: bool) -> Quality | None:
        """What its road does to packets besides taking time, on the way to the server or back."""
        return road_quality(state, self.places[::-1] if back else self.places)

    def begin(self, state: Forwarding) -> None:
        """A first packet leaves the client (again): the road is found anew, and measured as it is walked."""
        self.places = [self.client]
        self._version, self._way = -1 if state.topology.one_sided else state.version, 0

    def goes_on(self, hop: Onward) -> None:
        """The first packet goes on to another place."""
        self.places.append(hop.place)
        if self._way is not None:
            self._way += hop.way

    def asymmetric(self, server: Server) -> bool:
        """Answers bypass the node that translated, and the connection hangs."""
        if self.ingress < 0 or len(self.places) < 3:
            return False
        return Translation(self.places[-2], self.masqueraded).bypassed(self.client, server)

    def strayed(self, state: Forwarding) -> bool:
        """Whether it led through a load balancer that has other plans for it now."""
        return len(self.places) > 1 and self.places[1].kind == "balancer" and strayed(state, self.places[1], self.pins)

    def believed(self, state: Forwarding, now: int) -> bool:
        """Whether the client still thinks it open: not idle for too long, and neither FIN nor RST has arrived."""
        if now > self.expires:
            return False
        hung_up = self.server.hung_up
        if hung_up is None:
            return True
        way = self.one_way(state)
        return way is None or now < hung_up + way

    @property
    def closed(self) -> bool:
        """Whether its far end takes no request any more: the program has ended, or hung up while this was idle."""
        server = self.server
        return server.ended is not None or (server.hung_up is not None and self.used > 0)

    # what nodes remember of it ----------------------------------------------------------------------------

    def translated(self, state: Forwarding, packet: Packet, hop: Onward) -> str:
        """A node on its way has translated it; returns which."""
        assert hop.endpoint is not None
        machine = self.places[-1].machine
        if self.translator is None:
            self.translator = (machine, packet, hop.endpoint)
            if state.track and packet.protocol == "TCP":
                self._track(state.kernels[machine], packet, hop, state.time)
        if hop.masqueraded is not None:
            self.masqueraded = hop.masqueraded
        return machine

    def open(self, state: Forwarding, server: Server) -> None:
        """The handshake is done."""
        self.server = server
        if self.translator is not None:
            machine, packet, endpoint = self.translator
            state.kernels[machine].opened(packet, endpoint)
        if state.track:
            self.passed(state, arrived=True)
            self._saw(state, "established")

    def refused(self, state: Forwarding) -> None:
        """It was turned away."""
        if self.places[-1].kind == "pod":
            self.passed(state, arrived=True)
        self._saw(state, "rst")

    def close(self, state: Forwarding) -> None:
        """Its client has closed it."""
        if self.translator is not None:
            machine, packet, endpoint = self.translator
            state.kernels[machine].closed(packet, endpoint, state.time)
        if self.tracked:
            for what in ("fin", "ack", "fin", "ack"):
                self._saw(state, what)

    def answered(self, state: Forwarding) -> None:
        """UDP: an answer has passed the node that translated."""
        if self.translator is not None:
            machine, packet, _ = self.translator
            kernel = state.kernels[machine]
            entry = kernel.conntrack.find(packet, state.time)
            if entry is not None:
                kernel.conntrack.saw(entry, "data", state.time, reply=True)

    def _track(self, kernel: Kernel, packet: Packet, hop: Onward, now: int) -> None:
        """The entry of the node that translates."""
        assert hop.endpoint is not None
        seen = kernel.rules.source_seen(packet, hop.endpoint, hop.verdict)
        self.arriving = replace(hop.packet, source=seen)
        at_socket = hop.verdict is not None and hop.verdict.on_connect
        entry = kernel.conntrack.add(packet, hop.endpoint, now, seen, at_socket=at_socket)
        self._enter(kernel.conntrack, entry)

    def passed(self, state: Forwarding, *, arrived: bool) -> None:
        """The entries of the nodes that let it pass untranslated: the client's and (`arrived`) the server's."""
        if not state.track or self.packet.protocol != "TCP":
            return
        ends = [(self.client.machine, self.packet)]
        if arrived and self.places[-1].machine != self.client.machine:
            ends.append((self.places[-1].machine, self.arriving))
        for machine, packet in ends:
            table = state.kernels[machine].conntrack if machine in state.kernels else None
            if table is not None and not any(table is one for one, _ in self.tracked):
                self._enter(table, table.add(packet, None, state.time))

    def _enter(self, table: Conntrack, entry: Entry | None) -> None:
        if entry is not None:
            self.tracked.append((table, entry))

    def _saw(self, state: Forwarding, what: str) -> None:
        for table, entry in self.tracked:
            table.saw(entry, what, state.time)
