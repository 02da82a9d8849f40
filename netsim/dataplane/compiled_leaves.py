"""Small things the compiled engine does to its memory: begin and end flights, pin choices, enter a queue."""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import numpy as np
from numba import njit

from netsim.dataplane.compiled_cache import cached
from netsim.dataplane.compiled_draws import LOW, SHIFT, draw_bits, draw_exponential, draw_uniform, push
from netsim.dataplane.compiled_states import REMEMBERS
from netsim.dataplane.moments import MAX_TIMEOUT, MIN_TIMEOUT
from netsim.topology.quality import PICOSECONDS


@njit(inline="always")
def key_of(kind, source, lane):
    return (np.int64(kind) << 60) | (np.int64(source) << 45) | np.int64(lane)


@njit(inline="always")
def known(station, elsewhere, nodes):
    """Whether what happens at a station has been worked out since anything changed that it depends on."""
    return station.stamp == elsewhere + nodes[station.ruler].syncs


@njit(inline="always")
def indifferent(station, elsewhere, nodes):
    """Whether what happens at a station is known, and the same whoever came by before."""
    return known(station, elsewhere, nodes) and station.does != REMEMBERS


@njit(inline="always")
def release(clock, flights, f):
    """A flight is over."""
    flight = flights[f]
    flight.time = -1
    flight.done = clock.free_flight
    clock.free_flight = f


@njit(inline="always")
def pin_of(pins, flight, machine):
    """What a machine has chosen for a connection, or -1."""
    p = flight.pins
    while p >= 0:
        if pins[p].machine == machine:
            return pins[p].choice
        p = pins[p].next
    return -1


@njit(inline="always")
def pin(clock, pins, flight, machine, choice):
    """A machine remembers what it has chosen for a connection."""
    p = clock.free_pin
    clock.free_pin = pins[p].next
    pins[p].machine, pins[p].choice, pins[p].next = machine, choice, flight.pins
    flight.pins = p


@njit(inline="always")
def unpin(clock, pins, flight):
    """The machines forget a connection that is open, or will never be."""
    while flight.pins >= 0:
        p = flight.pins
        flight.pins = pins[p].next
        pins[p].next = clock.free_pin
        clock.free_pin = p


@njit
def cross(w, flight, source, road, size, now):
    """How much longer a packet takes that is sent now, -1 if it is lost (`Quality.cross`)."""
    quality = w.qualities[road]
    extra = np.int64(0)
    for i in range(quality.first, quality.first + quality.count):
        interface = w.interfaces[i]
        at = now + interface.offset
        done = max(at + extra, w.lines[interface.number]) + size * interface.byte // PICOSECONDS
        w.lines[interface.number] = done
        extra = done - at
    if quality.loss or quality.jitter:
        flight.packets += 1
        bits = draw_bits(source.wire, flight.sequence, flight.client, (flight.attempts << 16) + flight.packets)
        if np.int64(bits >> SHIFT) < quality.loss:
            return np.int64(-1)
        extra += (np.int64(bits & LOW) * quality.jitter) >> 32
    return extra


@njit(inline="always")
def transmit(w, flight, source, road, size, now, way):
    """How long data takes that is sent now; if it is lost, how long until it is sent again, as a negative number."""
    if road < 0:
        return way
    extra = cross(w, flight, source, road, size, now)
    if extra >= 0:
        return way + extra
    if flight.resend:
        flight.resend = min(2 * flight.resend, MAX_TIMEOUT)
    else:
        flight.resend = 2 * way + max(4 * way, MIN_TIMEOUT)
    return -flight.resend


@njit(inline="always")
def begin_row(clock, table, flight, now):
    """A request has its row in the table from its beginning on: they are in order, unless clients run ahead."""
    slot = clock.table
    clock.table += 1
    row = table[slot]
    row.sent, row.sequence, row.client, row.source = now, flight.sequence, flight.client, flight.source
    row.latency, row.connect, row.queued, row.service = -1, 0, 0, 0
    row.pod, row.ingress, row.attempts, row.outcome = -1, -1, 1, -1
    flight.slot = slot + clock.first
    flight.attempts, flight.packets = 1, 0
    if slot:
        last = table[slot - 1]
        if last.sent > now or (
            last.sent == now
            and (last.source > row.source or (last.source == row.source and last.client > row.client))
        ):
            clock.disorder = 1


@njit(inline="always")
def keep(clock, idle, flight, client, expires):
    """A client keeps its connection for the next request."""
    spare = clock.free_idle
    kept = idle[spare]
    clock.free_idle = kept.next
    kept.expires, kept.used = expires, flight.used + 1
    kept.station, kept.server, kept.ingress = flight.station, flight.server, flight.ingress
    kept.translator, kept.masqueraded, kept.next = flight.translator, flight.masqueraded, client.idle
    client.idle, client.count = spare, client.count + 1


@njit(inline="always")
def pause_before_retry(source, flight):
    """How long a client waits after a try that failed."""
    pause = source.backoff
    for _ in range(flight.attempts - 1):
        pause = min(pause * 2, source.max_backoff)
    pause = min(pause, source.max_backoff)
    if source.jitter:
        drawn = draw_uniform(draw_bits(source.pause, flight.sequence, flight.client, flight.attempts))
        pause = pause // 2 + np.int64(drawn * (pause - pause // 2))
    return pause


@njit(inline="always")
def take(clock, idle, flight, client):
    """A client takes the connection it used last out of its pool."""
    spare = client.idle
    kept = idle[spare]
    flight.station, flight.server, flight.used = kept.station, kept.server, kept.used
    flight.ingress, flight.translator, flight.masqueraded = kept.ingress, kept.translator, kept.masqueraded
    client.idle, client.count = kept.next, client.count - 1
    kept.next = clock.free_idle
    clock.free_idle = spare


@njit(inline="always")
def next_arrival(source, flight):
    """When the next request of an open source arrives."""
    flight.sequence += 1
    if source.constant:
        flight.time += source.gap
    else:
        flight.time += draw_exponential(draw_bits(source.arrival, flight.sequence, 0, 0), source.gap)


@cached
def begin(w, source, count, time, kind, state, life):
    """Flights of a source's clients that wait for their first moment. There must be room."""
    clock = w.clock[0]
    for client in range(count):
        f = clock.free_flight
        flight = w.flights[f]
        clock.free_flight = flight.done
        flight.time, flight.key, flight.state = time, key_of(kind, source, client), state
        flight.source, flight.client, flight.life = source, client, life
        flight.sequence, flight.slot, flight.pins, flight.inside = 0, -1, -1, 0
        push(w.agenda, clock.events, flight.time, flight.key, f)
        clock.events += 1


@cached
def let_go(w, f):
    """A flight ends, whatever it was waiting for."""
    unpin(w.clock[0], w.pins, w.flights[f])
    release(w.clock[0], w.flights, f)


@cached
def forget_connections(w, first, count):
    """Some clients' kept connections are gone."""
    clock = w.clock[0]
    for c in range(first, first + count):
        client = w.clients[c]
        while client.idle >= 0:
            spare = client.idle
            client.idle = w.idle[spare].next
            w.idle[spare].next = clock.free_idle
            clock.free_idle = spare
        client.count = 0


@njit(inline="always")
def enter_queue(workers, starts, server, now, service):
    """A request enters a program's queue: when it will start, or -1 when the backlog is full."""
    ring, mask = server.ring, server.room - 1
    while server.waiting and starts[ring + (server.head & mask)] <= now:
        server.head += 1
        server.waiting -= 1
    free, first, count = workers, server.first, server.workers
    start = max(now, free[first])
    if start > now:
        if server.waiting >= server.backlog:
            return np.int64(-1)
        starts[ring + ((server.head + server.waiting) & mask)] = start
        server.waiting += 1
    done, at, below = start + service, 0, 1
    while below < count:  # the heap's first worker is busy now
        if below + 1 < count and free[first + below + 1] < free[first + below]:
            below += 1
        if free[first + below] >= done:
            break
        free[first + at] = free[first + below]
        at, below = below, 2 * below + 1
    free[first + at] = done
    return start


@cached
def enter(w, server, now, service):
    """The same, for Python."""
    return enter_queue(w.workers, w.starts, server, now, service)
