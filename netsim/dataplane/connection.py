"""A connection: the road its packets take, and what its ends believe of each other.

Where it leads was decided once, by the machines its first packet passed; they remember (`pins`), so it never
changes. It may be dead without its client knowing: a program that ends says so through its kernel, a
machine that loses power says nothing.
"""

from __future__ import annotations

from dataclasses import replace

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.route import Onward, Pins
from netsim.dataplane.server import Server
from netsim.proxy.conntrack import Conntrack, Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet


class Connection:
    """One client socket, from its first SYN on."""

    __slots__ = (
        "_version",
        "_way",
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
            self._version, self._way = state.version, self._worked_out(state)
        return self._way

    def _worked_out(self, state: Forwarding) -> int | None:
        total = 0
        places = self.places
        for i in range(1, len(places)):
            delay = state.travel(places[i - 1], places[i])
            if delay is None or (i < len(places) - 1 and not state.reachable(places[i].machine)):
                return None
            total += delay
        return total

    def begin(self) -> None:
        """A first packet leaves the client (again): the road is found anew."""
        self.places = [self.client]
        self._version = -1

    def asymmetric(self, server: Server) -> bool:
        """Answers bypass the node that translated: it sits between client and server and did not masquerade.

        The client then hears from an address it never spoke to, and the connection hangs.
        """
        if self.masqueraded or self.ingress < 0 or len(self.places) < 3:
            return False
        return self.places[-2].machine not in (self.client.machine, server.machine)

    def believed(self, state: Forwarding, now: int) -> bool:
        """Whether the client still thinks it open: not idle for too long, and no reset has arrived."""
        if now > self.expires:
            return False
        ended = self.server.ended
        if ended is None or not self.server.farewell:
            return True
        way = self.one_way(state)
        return way is None or now < ended + way

    # what nodes remember of it ----------------------------------------------------------------------------

    def translated(self, state: Forwarding, packet: Packet, hop: Onward) -> str:
        """A node on its way has translated it; returns which."""
        assert hop.endpoint is not None
        machine = self.places[-1].machine
        if self.translator is None:
            self.translator = (machine, packet, hop.endpoint)
            if state.track and packet.protocol == "TCP":
                self._track(state, machine, packet, hop)
        self.masqueraded = hop.masqueraded
        return machine

    def open(self, state: Forwarding, server: Server) -> None:
        """The handshake is done."""
        self.server = server
        if self.translator is not None:
            machine, packet, endpoint = self.translator
            state.kernels[machine].opened(packet, endpoint)
        self._saw(state, "established")

    def refused(self, state: Forwarding) -> None:
        """It was turned away."""
        self._saw(state, "rst")

    def close(self, state: Forwarding) -> None:
        """Its client has closed it."""
        if self.translator is not None:
            machine, packet, endpoint = self.translator
            state.kernels[machine].closed(packet, endpoint)
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

    def _track(self, state: Forwarding, machine: str, packet: Packet, hop: Onward) -> None:
        """Entries for those who look: on the node that translates, and on the server's, where it differs."""
        kernel = state.kernels[machine]
        assert hop.endpoint is not None
        seen = kernel.rules.source_seen(packet, hop.endpoint, hop.verdict)
        self._enter(kernel.conntrack, kernel.conntrack.add(packet, hop.endpoint, state.time, seen))
        if hop.place.machine != machine:
            arriving = replace(hop.packet, source=seen)
            table = state.kernels[hop.place.machine].conntrack
            self._enter(table, table.add(arriving, None, state.time))

    def _enter(self, table: Conntrack, entry: Entry | None) -> None:
        if entry is not None:
            self.tracked.append((table, entry))

    def _saw(self, state: Forwarding, what: str) -> None:
        for table, entry in self.tracked:
            table.saw(entry, what, state.time)
