"""The plain engine: requests moved one at a time, each told as a story.

A request is a generator. It says until when it waits, and for what kind of moment (`yield time, kind`);
the agenda wakes it then, or earlier if the program that serves it dies. Reading `_request`, `_try`,
`_connect` and `_exchange` from top to bottom is reading what happens to a request (`DESIGN.md`, section 5).

The agenda's order is canonical: time, then kind of moment, then source, client and sequence. So two things
that happen in the same nanosecond happen in the same order in every engine, whoever asked first. The control
half changes the forwarding state between two calls of `advance`, which moves everything strictly before an
instant: a change at t is seen by packets at t.

This engine is the reference: it explains, it is what the compiled engine must equal, bit for bit.

Left out: a client that gives up while its request is still on the wire never loads the server with it;
a SYN's fate is followed to its end before the next one is sent (matters above half a second of delay).

Sources: Linux ip-sysctl (SYN retransmission, tcp_retries2); RFC 9293 (RST for a segment to no connection).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.connection import Connection
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.requests import (
    DNS_FAILURE,
    OK,
    OVERLOADED,
    REQUEST,
    RESET,
    TIMEOUT,
    UNFINISHED,
)
from netsim.dataplane.route import Delivered, Onward, Refused, Silence, arrive, leave
from netsim.dataplane.server import Server
from netsim.dataplane.sources import Client, Source
from netsim.draws import index, uniform
from netsim.proxy.packet import Packet
from netsim.traffic import KeepAlive
from netsim.units import MS

# Kinds of moment, in the order in which they happen when they fall into the same instant.
COMPLETE, ARRIVE, RESPONSE, GIVE_UP, RESEND, BEGIN = range(6)

FOREVER = 1 << 62
TCP_GIVE_UP = 924_600 * MS  # tcp_retries2 = 15: unacknowledged data on a silent connection
FIRST_PORT, PORTS = 32768, 28232  # ip_local_port_range

Wait = tuple[int, int]
Story = Generator[Wait, bool, Any]


class Flight:
    """A story under way: its place in the canonical order, and what its row will say."""

    __slots__ = (
        "attempts", "client", "connect", "ingress", "life", "pod", "queued", "sent", "sequence", "service",
        "source", "stamp", "story",
    )  # fmt: skip

    def __init__(self, source: Source, client: Client, sequence: int) -> None:
        self.source, self.client, self.sequence = source, client, sequence
        self.life: Server | None = None  # the client's own program, where it is a pod
        self.stamp = 0  # raised whenever it waits anew: older agenda entries are void
        self.story: Story | None = None
        self.begin(sequence, -1)

    def begin(self, sequence: int, now: int) -> None:
        """A fresh request."""
        self.sequence, self.sent = sequence, now
        self.pod = self.ingress = -1
        self.attempts = self.connect = self.queued = self.service = 0

    def chance(self, purpose: str) -> int:
        """64 random bits for a choice on this try's way."""
        stream = self.client.endpoint if purpose == "endpoint" else self.client.balancer
        return stream.bits(self.sequence, self.attempts - 1)


class PlainEngine:
    """Moves requests through a forwarding state, up to whatever instant it is told."""

    def __init__(
        self, state: Forwarding, sources: Sequence[Source], nodes: Sequence[str], syn_schedule: Sequence[int],
        name_lookup: int,
    ) -> None:  # fmt: skip
        self.state = state
        self.sources = sources
        self.now = 0
        self.rows: list[tuple[int, ...]] = []
        self._nodes = {name: i for i, name in enumerate(nodes)}
        *self._resends, self._syn_patience = syn_schedule
        self._name_lookup = name_lookup
        self._agenda: list[tuple[int, int, int, int, int, int, Flight]] = []
        self._flights: dict[Flight, None] = {}
        state.on_start = self._client_started
        state.on_stop = self._server_stopped
        for source in sources:
            self._open_source(source) if source.traffic.rate else self._start_clients(source)

    # the clock -----------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Move everything that happens strictly before `until`."""
        agenda, state = self._agenda, self.state
        while agenda and agenda[0][0] < until:
            time, _, _, _, _, stamp, flight = heappop(agenda)
            if flight.stamp == stamp:
                self.now = state.time = time
                self._resume(flight, False)
        self.now = state.time = max(self.now, until)

    def finish(self, end: int) -> NDArray[np.void]:
        """End the run: what is still under way is unfinished. Returns the table, in canonical order."""
        self.advance(end)
        for flight in list(self._flights):
            self._abandon(flight, end)
        table = np.array(self.rows, dtype=REQUEST)
        order = np.lexsort((table["sequence"], table["client"], table["source"], table["sent"]))
        return table[order]

    def _tell(self, flight: Flight, story: Story) -> None:
        """Begin a story."""
        flight.story = story
        self._flights[flight] = None
        self._resume(flight, None)

    def _resume(self, flight: Flight, killed: bool | None) -> None:
        """Let a story go on to its next wait."""
        if flight.life is not None and flight.life.ended is not None:
            self._abandon(flight, flight.life.ended)
            return
        assert flight.story is not None
        try:
            time, kind = flight.story.send(killed)  # type: ignore[arg-type]
        except StopIteration:
            self._flights.pop(flight, None)
            return
        flight.stamp += 1
        heappush(
            self._agenda,
            (time, kind, flight.source.index, flight.client.index, flight.sequence, flight.stamp, flight),
        )

    def _abandon(self, flight: Flight, when: int) -> None:
        """The client is gone, or the run over: its request has no end."""
        assert flight.story is not None
        flight.story.close()
        flight.stamp += 1
        self._flights.pop(flight, None)
        if flight.sent >= 0:
            self._write(flight, UNFINISHED, when)

    # who sends -----------------------------------------------------------------------------------------

    def _open_source(self, source: Source) -> None:
        flight = Flight(source, source.clients[0], -1)
        self._tell(flight, self._arrivals(source, flight))

    def _arrivals(self, source: Source, flight: Flight) -> Story:
        """An open source: a request each time one arrives, whatever became of the others."""
        traffic, client = source.traffic, source.clients[0]
        constant = traffic.arrivals == "constant"
        time = traffic.start
        for sequence in count():
            time += source.gap if constant else source.arrivals.exponential(sequence, source.gap)
            if time >= source.stop:
                return
            flight.sequence = sequence
            yield time, BEGIN
            if source.place(self.state) is not None:
                fresh = Flight(source, client, sequence)
                fresh.life = source.life(self.state)
                self._tell(fresh, self._request(fresh))

    def _start_clients(self, source: Source) -> None:
        for client in source.clients:
            flight = Flight(source, client, -1)
            flight.life = source.life(self.state)
            if flight.life is not None or not source.pod:
                self._tell(flight, self._closed_client(source, flight))

    def _closed_client(self, source: Source, flight: Flight) -> Story:
        """A closed client: ask, wait for the outcome, think, ask again."""
        client = flight.client
        yield max(self.now, source.traffic.start), BEGIN
        while self.now < source.stop and source.place(self.state) is not None:
            flight.begin(client.asked, self.now)
            client.asked += 1
            yield from self._request(flight)
            flight.begin(client.asked, -1)
            yield self.now + source.traffic.think, BEGIN

    def _client_started(self, server: Server) -> None:
        for source in self.sources:
            if source.pod == server.name and not source.traffic.rate:
                self._start_clients(source)

    # what happens to a request -------------------------------------------------------------------------

    def _request(self, flight: Flight) -> Story:
        """One request: tries, and pauses between them, until an answer or no patience is left."""
        retries = flight.source.traffic.retries
        flight.begin(flight.sequence, self.now)
        for attempt in range(retries.attempts + 1):
            if attempt:
                pause = min(retries.backoff << (attempt - 1), retries.max_backoff)
                if retries.jitter:
                    draw = uniform(flight.client.pause.bits(flight.sequence, attempt))
                    pause = pause // 2 + int(draw * (pause - pause // 2))
                yield self.now + pause, BEGIN
            flight.attempts = attempt + 1
            outcome = yield from self._try(flight)
            if outcome == OK:
                break
        self._write(flight, outcome, self.now)
        flight.sent = -1

    def _try(self, flight: Flight) -> Story:
        """One try: on a kept connection or a new one, until the outcome or the deadline."""
        source, client = flight.source, flight.client
        deadline = self.now + source.traffic.timeout if source.traffic.timeout else FOREVER
        flight.connect = 0
        if source.traffic.protocol == "UDP":
            return (yield from self._datagram(flight, deadline))
        connection = self._kept(client) if client.idle else None
        if connection is None:
            connection = yield from self._connect(flight, deadline)
            if isinstance(connection, int):
                return connection
        flight.pod = connection.server.index
        flight.ingress = connection.ingress
        outcome = yield from self._exchange(flight, connection, deadline)
        if not self._keep(source.traffic.keep_alive, client, connection, outcome):
            connection.close(self.state)
        return outcome

    def _resolve(self, flight: Flight, patience: int) -> Story:
        """Turn the target's name into an address: the first packet to it, or the outcome that came instead."""
        source = flight.source
        if self._name_lookup and source.target.kind == "dns":
            if self.now + self._name_lookup > patience:
                yield patience, GIVE_UP
                return TIMEOUT
            yield self.now + self._name_lookup, ARRIVE
        address, client = source.address(self.state), source.place(self.state)
        if address is None or client is None:
            return DNS_FAILURE
        port = flight.client.socket
        if not port:
            port = FIRST_PORT + index(flight.client.port.bits(flight.sequence, flight.attempts - 1), PORTS)
        return Connection(client, Packet(client.address, port, address, source.target.port, source.traffic.protocol))

    def _connect(self, flight: Flight, deadline: int) -> Story:
        """Resolve the name and open a connection; returns it, or the outcome that came instead."""
        began, limit = self.now, flight.source.traffic.connect_timeout
        patience = min(deadline, began + limit) if limit else deadline
        connection = yield from self._resolve(flight, patience)
        if isinstance(connection, int):
            return connection
        first = self.now
        patience = min(patience, first + self._syn_patience)
        for offset in self._resends:
            if first + offset >= patience:
                break
            if first + offset > self.now:
                yield first + offset, RESEND
            answer = yield from self._knock(flight, connection, patience)
            if answer is not None:
                flight.connect = self.now - began
                return answer
        yield max(self.now, patience), GIVE_UP
        flight.connect = self.now - began
        return TIMEOUT

    def _knock(self, flight: Flight, connection: Connection, patience: int) -> Story:
        """Send one SYN and follow it: the open connection, an outcome, or None for silence."""
        state = self.state
        hop = yield from self._road(flight, connection, patience)
        if hop is None:
            return TIMEOUT
        back = None if isinstance(hop, Silence) else connection.one_way(state)
        if back is None or (isinstance(hop, Delivered) and connection.asymmetric(hop.server)):
            return None
        if isinstance(hop, Refused):
            back += hop.after
        if self.now + back > patience:
            yield patience, GIVE_UP
            return TIMEOUT
        if back:
            yield self.now + back, RESPONSE
        if isinstance(hop, Refused):
            connection.refused(state)
            return hop.outcome
        connection.open(state, hop.server)
        return connection

    def _road(self, flight: Flight, connection: Connection, patience: int) -> Story:
        """Follow a first packet to where it ends: Delivered, Refused, Silence; None if patience ends before."""
        state, packet = self.state, connection.packet
        connection.begin()
        hop = leave(state, connection.client, packet, connection.pins, flight.chance)
        while isinstance(hop, Onward):
            if hop.endpoint is not None:
                translator = connection.translated(state, packet, hop)
                connection.ingress = flight.ingress = self._nodes.get(translator, -1)
            connection.places.append(hop.place)
            if self.now + hop.delay > patience:
                yield patience, GIVE_UP
                return None
            yield self.now + hop.delay, ARRIVE
            packet, translated = hop.packet, hop.endpoint is not None
            hop = arrive(state, hop.place, packet, connection.pins, flight.chance, translated=translated)
        if isinstance(hop, Delivered):
            flight.pod = hop.server.index
        return hop

    def _datagram(self, flight: Flight, deadline: int) -> Story:
        """A request in one UDP datagram. Nobody repeats it, and a socket that is kept keeps its endpoint."""
        if flight.source.traffic.keep_alive is not None and not flight.client.socket:
            flight.client.socket = FIRST_PORT + index(flight.client.port.bits(flight.sequence), PORTS)
        deadline = min(deadline, self.now + TCP_GIVE_UP)
        connection = yield from self._resolve(flight, deadline)
        if isinstance(connection, int):
            return connection
        hop = yield from self._road(flight, connection, deadline)
        if isinstance(hop, Refused):
            return (yield from self._hear_back(connection, hop.outcome, deadline, hop.after))
        if not isinstance(hop, Delivered) or connection.asymmetric(hop.server):
            return (yield from self._hear_nothing(deadline))
        connection.server = hop.server
        outcome = yield from self._serve(flight, connection, deadline)
        if outcome == OK:
            connection.answered(self.state)
        return outcome

    def _exchange(self, flight: Flight, connection: Connection, deadline: int) -> Story:
        """Send the request on an open connection and wait for the answer."""
        deadline = min(deadline, self.now + TCP_GIVE_UP)
        way = connection.one_way(self.state)
        if way is None or self.now + way > deadline:
            return (yield from self._hear_nothing(deadline))
        yield self.now + way, ARRIVE
        if connection.server.ended is not None:
            return (yield from self._find_closed(connection, deadline))
        return (yield from self._serve(flight, connection, deadline))

    def _serve(self, flight: Flight, connection: Connection, deadline: int) -> Story:
        """The request is at the program: it waits for a worker, is worked on, and is answered."""
        server = connection.server
        service = server.serving.service_time.draw_from(
            flight.client.service, flight.sequence, flight.attempts - 1
        )
        slot = server.enter(self.now, service)
        if slot is None:
            return (yield from self._hear_back(connection, OVERLOADED, deadline))
        start, done = slot
        flight.queued, flight.service = start - self.now, service
        server.flights[flight] = None
        killed = yield (done, COMPLETE) if done <= deadline else (deadline, GIVE_UP)
        if killed:
            return (yield from self._find_closed(connection, deadline))
        del server.flights[flight]
        if self.now < done:
            return TIMEOUT
        return (yield from self._hear_back(connection, OK, deadline))

    def _find_closed(self, connection: Connection, deadline: int) -> Story:
        """The program is gone: a living kernel resets the connection, a dead machine says nothing."""
        if not self.state.powered[connection.server.machine]:
            return (yield from self._hear_nothing(deadline))
        return (yield from self._hear_back(connection, RESET, deadline))

    def _hear_back(self, connection: Connection, outcome: int, deadline: int, after: int = 0) -> Story:
        """Wait for an answer that leaves the far end now (or `after` a while); it may not come in time."""
        way = connection.one_way(self.state)
        if way is None or self.now + after + way > deadline:
            return (yield from self._hear_nothing(deadline))
        yield self.now + after + way, RESPONSE
        return outcome

    def _hear_nothing(self, deadline: int) -> Story:
        if deadline > self.now:
            yield deadline, GIVE_UP
        return TIMEOUT

    # connections that live on -----------------------------------------------------------------------------

    def _kept(self, client: Client) -> Connection | None:
        """An idle connection that the client still believes in, the latest used first."""
        while client.idle:
            connection: Connection = client.idle.pop()
            if connection.believed(self.state, self.now):
                return connection
            connection.close(self.state)
        return None

    def _keep(self, keep: KeepAlive | None, client: Client, connection: Connection, outcome: int) -> bool:
        """Put a connection back into the pool, if it may live on."""
        connection.used += 1
        if keep is None or outcome not in (OK, OVERLOADED) or len(client.idle) >= keep.connections:
            return False
        if keep.requests is not None and connection.used >= keep.requests:
            return False
        connection.expires = self.now + keep.idle
        client.idle.append(connection)
        return True

    # endings ----------------------------------------------------------------------------------------------

    def _server_stopped(self, server: Server) -> None:
        """A program died: whoever waits inside it is told now; the kernel's RST is then on its way."""
        self.now = max(self.now, server.ended or 0)
        flights = sorted(server.flights, key=lambda f: (f.source.index, f.client.index, f.sequence))
        server.flights.clear()
        for flight in flights:
            self._resume(flight, True)
        if any(source.pod == server.name for source in self.sources):
            for flight in [f for f in self._flights if f.life is server]:
                self._abandon(flight, self.now)

    def _write(self, flight: Flight, outcome: int, when: int) -> None:
        self.rows.append(
            (
                flight.sent, when - flight.sent, flight.connect, flight.queued, flight.service, flight.sequence,
                flight.client.index, flight.pod, flight.ingress, flight.source.index, outcome, flight.attempts,
            )
        )  # fmt: skip


def syn_schedule(retries: int, linear: int) -> list[int]:
    """When Linux sends a SYN and its retransmissions, and when it gives up (last), from the first, in ns.

    The first `linear` waits are a second each, then they double; each of the `retries + linear` retransmissions
    is followed by one more wait. Source: Linux ip-sysctl, tcp_syn_retries and tcp_syn_linear_timeouts.

    >>> [t // 1_000_000_000 for t in syn_schedule(6, 0)]
    [0, 1, 3, 7, 15, 31, 63, 127]
    >>> [t // 1_000_000_000 for t in syn_schedule(6, 4)]
    [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131]
    """
    return list(_syn_times(retries, linear))


def _syn_times(retries: int, linear: int) -> Iterator[int]:
    time, wait = 0, 1000 * MS
    for sent in range(retries + linear + 1):
        yield time
        time += wait
        if sent >= linear:
            wait *= 2
    yield time


__all__ = ["Place", "PlainEngine", "syn_schedule"]
