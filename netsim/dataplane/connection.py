"""A connection: the road its packets take, and what its ends believe of each other.

Where it leads was decided once, by the machines its first packet passed; they remember (`pins`), so it never
changes. It may be dead without its client knowing: a program that ends says so through its kernel, a
machine that loses power says nothing.
"""

from __future__ import annotations

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.route import Pins
from netsim.dataplane.server import Server


class Connection:
    """One client socket, from its first SYN on."""

    __slots__ = (
        "client", "expires", "ingress", "masqueraded", "pins", "places", "server", "used", "_version", "_way",
    )  # fmt: skip

    server: Server

    def __init__(self, client: Place) -> None:
        self.client = client
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
