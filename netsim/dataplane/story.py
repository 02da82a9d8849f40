"""What happens to a request, told as a story.

A request is a generator. It says until when it waits, and for what kind of moment (`yield time, kind`); whoever
keeps the clock wakes it then, or earlier if the program that serves it dies. Reading `request`, `_try`, `_connect`
and `_exchange` from top to bottom is reading what happens to a request (`DESIGN.md`, section 5).

Left out: a client that gives up while its request is still on the wire never loads the server with it;
a SYN's fate is followed to its end before the next one is sent (matters above half a second of delay).

Sources: Linux ip-sysctl (SYN retransmission, tcp_retries2); RFC 9293 (RST for a segment to no connection).
"""

from __future__ import annotations

from collections.abc import Sequence

from netsim.dataplane.connection import Connection, road_quality
from netsim.dataplane.flight import Flight, Story
from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.handshake import Sessions, handshake
from netsim.dataplane.moments import (
    ARRIVE,
    BEGIN,
    COMPLETE,
    FIRST_PORT,
    FOREVER,
    GIVE_UP,
    HEADER,
    PORTS,
    RESEND,
    RESPONSE,
    TCP_GIVE_UP,
    resend_after,
)
from netsim.dataplane.requests import DNS_FAILURE, OK, OVERLOADED, RESET, TIMEOUT
from netsim.dataplane.route import Delivered, Onward, Refused, Silence, arrive, leave
from netsim.dataplane.sources import Client
from netsim.draws import index, uniform
from netsim.proxy.packet import Packet
from netsim.topology.quality import Quality
from netsim.traffic import KeepAlive, Tls

End = tuple[int, int, int]
"""How a try ends: when, the kind of moment, and the outcome."""


class Stories:
    """The stories of one run's requests. Whoever moves them keeps `now`."""

    def __init__(
        self, state: Forwarding, nodes: Sequence[str], syn_schedule: Sequence[int], name_lookup: int
    ) -> None:
        self.state = state
        self.now = 0
        self._nodes = {name: i for i, name in enumerate(nodes)}
        self.rows: list[bytes] = []  # of finished requests
        self._free = [0] * state.topology.interfaces  # when each interface with a bandwidth is free again
        *self._resends, self._syn_patience = syn_schedule
        self._name_lookup = name_lookup

    def request(self, flight: Flight) -> Story:
        """One request: tries, and pauses between them, until an answer or no patience is left."""
        retries = flight.source.traffic.retries
        for attempt in range(retries.attempts + 1):
            if attempt:
                pause = min(retries.backoff << (attempt - 1), retries.max_backoff)
                if retries.jitter:
                    draw = uniform(flight.client.pause.bits(flight.sequence, attempt))
                    pause = pause // 2 + int(draw * (pause - pause // 2))
                yield self.now + pause, BEGIN
            flight.attempts, flight.packets = attempt + 1, 0
            outcome = yield from self._try(flight)
            if outcome == OK:
                break
        self.rows.append(flight.row(outcome, self.now))
        flight.sent = -1

    def _try(self, flight: Flight) -> Story:
        """One try: on a kept connection or a new one, until the outcome or the deadline."""
        client, traffic = flight.client, flight.source.traffic
        deadline = self.now + traffic.timeout if traffic.timeout else FOREVER
        flight.connect = 0
        if traffic.protocol == "UDP":
            return (yield from self._datagram(flight, deadline))
        connection = self._kept(client) if client.idle else None
        if connection is None:
            connection = yield from self._connect(flight, deadline)
            if isinstance(connection, int):
                return connection
            if traffic.tls is not None:
                secured = yield from self._secure(flight, connection, traffic.tls, deadline)
                if secured != OK:
                    connection.close(self.state)
                    return secured
        flight.pod = connection.server.index
        flight.ingress = connection.ingress
        outcome = yield from self._exchange(flight, connection, deadline)
        if not self._keep(traffic.keep_alive, client, connection, outcome):
            connection.close(self.state)
        return outcome

    # connecting -------------------------------------------------------------------------------------------

    def _resolve(self, flight: Flight, patience: int) -> Story:
        """Turn the target's name into an address, or None; False if that took too long."""
        state, source = self.state, flight.source
        if source.target.kind != "dns":
            return source.address(state)
        if state.resolution is not None:
            return (yield from self._ask(flight, patience))
        lookup = state.lookup(self._name_lookup)
        if self.now + lookup > patience:
            yield patience, GIVE_UP
            return False
        if lookup:
            yield self.now + lookup, ARRIVE
        return source.address(state)

    def _ask(self, flight: Flight, patience: int) -> Story:
        """Ask the cluster's DNS, query by query (`control/lookup.py`): the address, or None if nobody knew in time."""
        assert self.state.resolution is not None
        queries = self.state.resolution(flight.source, flight.client, flight.sequence, flight.attempts - 1)
        try:
            while True:
                wait = next(queries)
                if self.now + wait > patience:
                    yield patience, GIVE_UP
                    return None
                yield self.now + wait, ARRIVE
        except StopIteration as answered:
            return answered.value

    def _socket(self, flight: Flight, address: str | None) -> Connection | None:
        """A fresh socket, with the first packet it would send; None if there is nowhere to send it."""
        state, source, client = self.state, flight.source, flight.client
        place = source.place(state)
        if address is None or place is None:
            return None
        protocol, port = source.traffic.protocol, client.socket or FIRST_PORT
        if not client.socket and (state.track or protocol == "UDP"):  # else nobody looks at it
            port += index(client.port.bits(flight.sequence, flight.attempts - 1), PORTS)
        own = state.source(place, address)
        return Connection(place, Packet(own, port, address, source.target.port, protocol))

    def _connect(self, flight: Flight, deadline: int) -> Story:
        """Resolve the name and open a connection; returns it, or the outcome that came instead."""
        began, limit = self.now, flight.source.traffic.connect_timeout
        patience = min(deadline, began + limit) if limit else deadline
        if flight.source.target.kind == "dns":
            address = yield from self._resolve(flight, patience)
            if address is False:
                return TIMEOUT
        else:
            address = flight.source.address(self.state)
        connection = self._socket(flight, address)
        if connection is None:
            return DNS_FAILURE
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
        state, packet = self.state, connection.packet
        connection.begin(state)
        hop = leave(state, connection.client, packet, connection.pins, flight.chance)
        while isinstance(hop, Onward):
            translated = self._passes(flight, connection, packet, hop)
            delay: int | None = hop.delay
            if not state.topology.perfect:
                delay = self._crosses(flight, road_quality(state, connection.places[-2:]), HEADER, hop.delay)
            if delay is None:
                return None
            if self.now + delay > patience:
                yield patience, GIVE_UP
                return TIMEOUT
            yield self.now + delay, ARRIVE
            packet = hop.packet
            hop = arrive(state, hop.place, packet, connection.pins, flight.chance, translated=translated)
        if isinstance(hop, Silence):
            return None
        back = connection.one_way(state)
        if isinstance(hop, Delivered):
            flight.pod = hop.server.index
            if state.track:
                connection.passed(state, arrived=True)
            if back is None or connection.asymmetric(hop.server):
                return None
        elif back is None:
            return None
        else:
            back += hop.after
        if not state.topology.perfect:
            back = self._crosses(flight, connection.quality(state, back=True), HEADER, back)
            if back is None:
                return None
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

    def _secure(self, flight: Flight, connection: Connection, tls: Tls, deadline: int) -> Story:
        """The TLS handshake on a new connection (`handshake.py`)."""
        client, server, began = flight.client, connection.server, self.now
        sessions = client.sessions = client.sessions or Sessions()
        way = connection.one_way(self.state)
        resumed = tls.resume and sessions.knows(server, began)
        cost = handshake(tls.version, tls.key, resumed=resumed, early=tls.early)
        if way is None or (done := began + cost.time(2 * way, server.slowness)) > deadline:
            return (yield from self._wait((deadline, GIVE_UP, TIMEOUT)))
        yield done, RESPONSE
        if server.ended is not None:
            return (yield from self._finds_closed(flight, connection, deadline))
        flight.connect += self.now - began
        sessions.begin(server, self.now)
        return OK

    def _passes(self, flight: Flight, connection: Connection, packet: Packet, hop: Onward) -> bool:
        """A first packet goes on to the next place; whether it was translated on leaving."""
        translated = hop.endpoint is not None
        if translated:
            translator = connection.translated(self.state, packet, hop)
            connection.ingress = flight.ingress = self._nodes.get(translator, -1)
        connection.goes_on(hop)
        if self.state.track:
            connection.passed(self.state, arrived=False)
        return translated

    # asking -----------------------------------------------------------------------------------------------

    def _datagram(self, flight: Flight, deadline: int) -> Story:
        """A request in one UDP datagram. Nobody repeats it, and a socket that is kept keeps its endpoint."""
        state = self.state
        if flight.source.traffic.keep_alive is not None and not flight.client.socket:
            flight.client.socket = FIRST_PORT + index(flight.client.port.bits(flight.sequence), PORTS)
        deadline = min(deadline, self.now + TCP_GIVE_UP)
        address = yield from self._resolve(flight, deadline)
        if address is False:
            return TIMEOUT
        connection = self._socket(flight, address)
        if connection is None:
            return DNS_FAILURE
        packet = connection.packet
        connection.begin(state)
        hop = leave(state, connection.client, packet, connection.pins, flight.chance)
        while isinstance(hop, Onward):
            translated = self._passes(flight, connection, packet, hop)
            size = flight.source.traffic.request + HEADER
            delay = self._crosses(flight, road_quality(state, connection.places[-2:]), size, hop.delay)
            if delay is None or self.now + delay > deadline:
                break
            yield self.now + delay, ARRIVE
            packet = hop.packet
            hop = arrive(state, hop.place, packet, connection.pins, flight.chance, translated=translated)
        if isinstance(hop, Delivered) and not connection.asymmetric(hop.server):
            flight.pod = hop.server.index
            connection.server = hop.server
            outcome = yield from self._serve(flight, connection, deadline)
            if outcome == OK:
                connection.answered(state)
            return outcome
        if isinstance(hop, Refused):
            return (yield from self._refuse(flight, connection, hop.outcome, deadline, hop.after))
        return (yield from self._wait((deadline, GIVE_UP, TIMEOUT)))

    def _exchange(self, flight: Flight, connection: Connection, deadline: int) -> Story:
        """Send the request on an open connection and wait for the answer."""
        deadline = min(deadline, self.now + TCP_GIVE_UP)
        if connection.used and connection.strayed(self.state):
            return (yield from self._wait(self._is_turned_back(connection, deadline)))
        arrived = yield from self._sends(
            flight, connection, ARRIVE, flight.source.traffic.request + HEADER, deadline
        )
        if not arrived:
            return TIMEOUT
        if connection.closed:
            return (yield from self._finds_closed(flight, connection, deadline))
        return (yield from self._serve(flight, connection, deadline))

    def _serve(self, flight: Flight, connection: Connection, deadline: int) -> Story:
        """The request is at the program: it waits for a worker, is worked on, and is answered."""
        server = connection.server
        drawn = server.serving.service_time.draw_from(flight.client.service, flight.sequence, flight.attempts - 1)
        service = int(drawn * server.slowness)
        slot = server.queue.enter(self.now, service)
        if slot is None:
            return (yield from self._refuse(flight, connection, OVERLOADED, deadline))
        start, done = slot
        flight.queued, flight.service = start - self.now, service
        server.flights[flight] = None
        flight.inside = server
        killed = yield (done, COMPLETE) if done <= deadline else (deadline, GIVE_UP)
        flight.inside = None
        if killed:
            return (yield from self._finds_closed(flight, connection, deadline))
        del server.flights[flight]
        if self.now < done:
            return TIMEOUT
        size = flight.source.traffic.response + HEADER
        return OK if (yield from self._sends(flight, connection, RESPONSE, size, deadline)) else TIMEOUT

    def _finds_closed(self, flight: Flight, connection: Connection, deadline: int) -> Story:
        """The program is gone, or has hung up: a living kernel resets the connection, a dead machine says nothing."""
        if not self.state.powered[connection.server.machine]:
            return (yield from self._wait((deadline, GIVE_UP, TIMEOUT)))
        return (yield from self._refuse(flight, connection, RESET, deadline))

    def _is_turned_back(self, connection: Connection, deadline: int) -> End:
        """The load balancer resets an open connection, or a node behind it that has never heard of it."""
        way = self.state.travel(connection.places[0], connection.places[1])
        if way is None or self.now + 2 * way > deadline:
            return deadline, GIVE_UP, TIMEOUT
        return self.now + 2 * way, RESPONSE, RESET

    def _refuse(
        self, flight: Flight, connection: Connection, outcome: int, deadline: int, after: int = 0
    ) -> Story:
        """A refusal leaves the far end now (or `after` a while): the outcome, as the client comes to see it."""
        heard = yield from self._sends(flight, connection, RESPONSE, HEADER, deadline, after)
        return outcome if heard else TIMEOUT

    def _sends(
        self, flight: Flight, connection: Connection, kind: int, size: int, deadline: int, after: int = 0
    ) -> Story:
        """Send data from end to end, by TCP again and again until it is there; False if it is not in time."""
        resend = 0
        while True:
            way = connection.one_way(self.state)
            if way is None or self.now + after + way > deadline:
                break
            delay: int | None = after + way
            if not self.state.topology.perfect:
                quality = connection.quality(self.state, back=kind == RESPONSE)
                delay = self._crosses(flight, quality, size, after + way)
            if delay is not None:
                if self.now + delay > deadline:
                    break
                yield self.now + delay, kind
                return True
            resend = resend_after(way, resend)
            if self.now + resend > deadline or flight.source.traffic.protocol == "UDP":
                break
            yield self.now + resend, RESEND
        if deadline > self.now:
            yield deadline, GIVE_UP
        return False

    def _crosses(self, flight: Flight, quality: Quality | None, size: int, delay: int) -> int | None:
        """How long a packet that is sent now takes on a road that takes `delay` at best; None if it is lost."""
        if quality is None:
            return delay
        bits = flight.packet() if quality.loss or quality.jitter else 0
        extra = quality.cross(size, self.now, bits, self._free)
        return None if extra is None else delay + extra

    def _wait(self, end: End) -> Story:
        """Wait for how a try ends. What has run out already needs no wait."""
        when, kind, outcome = end
        if kind != GIVE_UP or when > self.now:
            yield when, kind
        return outcome

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
