"""The compiled engine's loop: the same story as the plain engine's, as a table of states over arrays.

`move` takes moments off the agenda in canonical order, up to an instant. What a flight does at a moment is a
chain of steps; a step either leads to the next at once, or to a wait. Steps that need what only Python can work
out (a road that has not been taken since the cluster last changed) or more room stop the loop and say so; it is
then called again and goes on with the same step: nothing a step has changed is changed twice.

A moment that touches nothing but its own flight need not wait for its turn: it is lived through at once
as long as the cluster stays as it is until then. So most requests are two entries of the agenda:
when they are sent, and when they reach the program that serves them.

One function on purpose: cut into parts that hand the state about, it is three times slower.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import numpy as np

from netsim.dataplane import compiled_states as states
from netsim.dataplane.compiled_cache import cached
from netsim.dataplane.compiled_draws import draw_bits, draw_duration, draw_index, drop_first, schedule
from netsim.dataplane.compiled_leaves import (
    begin_row,
    cross,
    enter_queue,
    indifferent,
    keep,
    key_of,
    known,
    next_arrival,
    pause_before_retry,
    pin,
    pin_of,
    release,
    take,
    transmit,
    unpin,
)
from netsim.dataplane.compiled_records import NEVER
from netsim.dataplane.moments import ARRIVE, BEGIN, BREATH, COMPLETE, GIVE_UP, HEADER, RESEND, RESPONSE, TCP_GIVE_UP
from netsim.dataplane.requests import DNS_FAILURE, OK, OVERLOADED, REFUSED, RESET, TIMEOUT


@cached
def move(w, until):
    """Move everything strictly before `until`; returns states.DONE, or what is needed to go on."""
    clock = w.clock[0]
    agenda, flights, table, sources, clients = w.agenda, w.flights, w.table, w.sources, w.clients
    idle, pins, servers, stations, choices, resends = w.idle, w.pins, w.servers, w.stations, w.choices, w.resends
    nodes, workers, starts = w.nodes, w.workers, w.starts
    elsewhere, counted = clock.elsewhere, clock.counted
    events, f, hole = clock.events, clock.current, False
    ask = states.DONE
    while True:
        if events + 2 > len(agenda):
            ask = states.MORE_AGENDA
            break
        if f < 0:
            if hole:
                hole = False
                events -= 1
                drop_first(agenda, events)
            if events == 0 or agenda[0].time >= until:
                break
            hole = True  # the first place is free: whatever is put on the agenda next takes it
            f = agenda[0].flight
            if flights[f].time != agenda[0].time or flights[f].key != agenda[0].key:
                f = np.int64(-1)  # it was woken earlier, or is gone
                continue
        flight = flights[f]
        source = sources[flight.source]
        now, state = flight.time, flight.state
        alone = source.alone and not counted and source.stamp == elsewhere
        alone = alone and indifferent(stations[source.root], elsewhere, nodes)
        wait, then, kind = np.int64(-1), states.WAITS, 0

        if state == states.ARRIVAL:
            if source.stamp != elsewhere:
                clock.about, ask = flight.source, states.ASK_SOURCE
                break
            if clock.free_flight < 0:
                ask = states.MORE_FLIGHTS
                break
            if clock.table >= len(table):
                ask = states.MORE_TABLE
                break
            begun = clock.free_flight if source.here else np.int64(-1)
            fresh = flights[clock.free_flight]
            if source.here:
                clock.free_flight = fresh.done
                fresh.time, fresh.key, fresh.sequence, fresh.source = now, 0, flight.sequence, flight.source
                fresh.client, fresh.life, fresh.pins, fresh.inside = 0, source.life, -1, 0
            next_arrival(source, flight)
            if flight.time < source.stop:
                flight.key = key_of(BEGIN, flight.source, flight.sequence)
                events = schedule(agenda, events, hole, flight.time, flight.key, f)
                hole = False
            else:
                release(clock, flights, f)
            f = begun
            if f < 0:
                continue
            flight = fresh
            begin_row(clock, table, flight, now)
            flight.state = state = states.TRY_BEGINS
        elif state == states.WAKE:
            if source.stamp != elsewhere:
                clock.about, ask = flight.source, states.ASK_SOURCE
                break
            if clock.table >= len(table):
                ask = states.MORE_TABLE
                break
            if now >= source.stop or not source.here:
                release(clock, flights, f)
                f = np.int64(-1)
                continue
            asking = clients[source.first + flight.client]
            flight.sequence = asking.asked
            asking.asked += 1
            begin_row(clock, table, flight, now)
            flight.state = state = states.TRY_BEGINS

        row = table[flight.slot - clock.first]

        if state == states.RETRY:
            flight.attempts, flight.packets = flight.attempts + 1, 0
            row.attempts = flight.attempts
            flight.state = state = states.TRY_BEGINS
        if state == states.TRY_BEGINS:
            flight.deadline = min(now + source.timeout, NEVER)
            row.connect = 0
            client = clients[source.first + flight.client]
            if client.idle >= 0:
                kept = idle[client.idle]
                server = servers[kept.server]
                believed = now <= kept.expires
                if believed and server.hung_up >= 0:
                    station = stations[kept.station]
                    if station.way_stamp != elsewhere:
                        clock.about, ask = kept.station, states.ASK_WAY
                        break
                    way = station.hidden_way if kept.masqueraded else station.way
                    believed = way < 0 or now < server.hung_up + way
                flight.translator = kept.translator
                if not believed and counted and flight.translator >= 0 and clock.answer != 1:
                    ask = states.ASK_CLOSED
                    break
                clock.answer = 0
                take(clock, idle, flight, client)
                if not believed:
                    continue
                row.pod, row.ingress = server.pod, flight.ingress
                flight.state = state = states.EXCHANGE
            else:
                if source.stamp != elsewhere:
                    clock.about, ask = flight.source, states.ASK_SOURCE
                    break
                flight.began = now
                flight.patience = min(flight.deadline, now + source.connect_timeout)
                if source.lookup == 0:
                    flight.state = state = states.RESOLVE
                elif now + source.lookup > flight.patience:
                    wait, kind, then = flight.patience, GIVE_UP, states.LOOKUP_GAVE_UP
                    state = states.WAITS
                else:
                    wait, kind, then = now + source.lookup, ARRIVE, states.LOOKED_UP
                    state = states.WAITS
        if state == states.LOOKED_UP or state == states.RESOLVE:
            if source.stamp != elsewhere:
                clock.about, ask = flight.source, states.ASK_SOURCE
                break
            if source.root < 0:
                flight.outcome = DNS_FAILURE
                flight.state = state = states.TRY_ENDS
            else:
                flight.root, flight.first, flight.syn = source.root, now, 0
                flight.patience = min(flight.patience, now + clock.syn_patience)
                flight.only = len(resends) < 2 or now + resends[1] >= flight.patience
                flight.ingress, flight.translator, flight.masqueraded, flight.used = -1, -1, 0, 0
                flight.state = state = states.NEXT_SYN
        if state == states.SILENCE:
            flight.syn += 1
            flight.state = state = states.NEXT_SYN
        if state == states.NEXT_SYN:
            if flight.syn >= len(resends) or flight.first + resends[flight.syn] >= flight.patience:
                wait, kind, then = max(now, flight.patience), GIVE_UP, states.CONNECT_GAVE_UP
                state = states.WAITS
            elif flight.first + resends[flight.syn] > now:
                wait, kind, then = flight.first + resends[flight.syn], RESEND, states.SYN_AGAIN
                state = states.WAITS
            else:
                state = states.SYN_AGAIN
        if state == states.SYN_AGAIN:
            flight.station = flight.root
            flight.state = state = states.LOOK
        if state == states.SYN_ARRIVES or state == states.LOOK or state == states.GO_ON:
            station = stations[flight.station]
            if not known(station, elsewhere, nodes):
                clock.about, ask = flight.station, states.ASK_STATION
                break
            held = station.keeps and state != states.GO_ON and pin_of(pins, flight, station.machine) >= 0
            if station.does == states.REFUSES and not held:
                flight.outcome, flight.after = station.outcome, station.after
                flight.state = state = states.TURNED_AWAY
            elif station.does == states.SILENT and not held:
                flight.state = states.SILENCE
                continue
            elif station.does == states.DELIVERS and not held:
                if station.way_stamp != elsewhere:
                    clock.about, ask = flight.station, states.ASK_WAY
                    break
                flight.server = station.server
                row.pod = servers[station.server].pod
                way = station.hidden_way if flight.masqueraded else station.way
                if flight.ingress >= 0 and flight.masqueraded == 0 and station.bypassed:
                    way = np.int64(-1)
                elif way >= 0 and station.back >= 0:
                    extra = cross(w, flight, source, station.back, HEADER, now)
                    way = way + extra if extra >= 0 else np.int64(-1)
                if way < 0:
                    flight.state = states.SILENCE
                    continue
                if now + way > flight.patience:
                    wait, kind, then = flight.patience, GIVE_UP, states.CONNECT_GAVE_UP
                    state = states.WAITS
                elif way == 0 or (alone and now + way < until):
                    now += way
                    flight.time = now
                    flight.state = state = states.SYN_ANSWERED
                else:
                    wait, kind, then = now + way, RESPONSE, states.SYN_ANSWERED
                    state = states.WAITS
            else:
                which, onward = np.int64(0), np.int64(-1)
                if held or station.does != states.PASSES:
                    pinned = pin_of(pins, flight, station.machine)
                    if pinned >= 0 and state != states.GO_ON:
                        if clock.answer == 0:
                            clock.about, clock.which, ask = flight.station, pinned, states.ASK_PINNED
                            break
                        onward = clock.answer - 2  # -1: that choice does not stand any more
                        clock.answer = 0
                    if onward < 0 and station.does == states.REMEMBERS:
                        if state != states.GO_ON and station.bound >= 0 and now - station.since < station.affinity:
                            station.since, flight.chosen = now, station.bound
                        elif state != states.GO_ON:
                            clock.bits = draw_bits(source.endpoint, flight.sequence, flight.client, flight.attempts - 1)
                            clock.about, ask = flight.station, states.ASK_CHOICE
                            break
                        which = np.int64(flight.chosen)
                    elif onward < 0:
                        stream = source.balancer if station.does == states.BALANCES else source.endpoint
                        bits = draw_bits(stream, flight.sequence, flight.client, flight.attempts - 1)
                        which = draw_index(bits, station.count)
                if which < 0:
                    flight.outcome, flight.after = REFUSED, 0
                    flight.state = state = states.TURNED_AWAY
                else:
                    if onward < 0:
                        onward = np.int64(choices[station.first + which])
                        if onward < 0 or stations[onward].edge_stamp != station.edition:
                            clock.about, clock.which, ask = flight.station, which, states.ASK_EDGE
                            break
                        if station.does != states.PASSES and not flight.only:
                            if clock.free_pin < 0:
                                ask = states.MORE_PINS
                                break
                            pin(clock, pins, flight, station.machine, stations[onward].choice)
                    there = stations[onward]
                    delay = np.int64(-1)
                    if there.edge == states.PASSES:
                        if there.ingress >= 0:
                            flight.ingress = there.ingress
                            if there.masqueraded >= 0:
                                flight.masqueraded = there.masqueraded
                            row.ingress = there.ingress
                            if flight.translator < 0:
                                flight.translator = onward
                        delay = there.delay + station.cost + nodes[there.toller].toll
                        if there.wire >= 0:
                            extra = cross(w, flight, source, there.wire, HEADER, now)
                            delay = delay + extra if extra >= 0 else np.int64(-1)
                    if there.edge == states.REFUSES:
                        flight.outcome, flight.after = there.edge_outcome, 0
                        flight.state = state = states.TURNED_AWAY
                    elif delay < 0:
                        flight.state = states.SILENCE
                        continue
                    elif now + delay > flight.patience:
                        wait, kind, then = flight.patience, GIVE_UP, states.CONNECT_GAVE_UP
                        state = states.WAITS
                    else:
                        flight.station = onward
                        wait, kind, then = now + delay, ARRIVE, states.SYN_ARRIVES
                        state = states.WAITS
                        if alone and wait < until and indifferent(there, elsewhere, nodes):
                            flight.time, flight.state = wait, then
                            continue
        if state == states.TURNED_AWAY:
            station = stations[flight.station]
            if station.way_stamp != elsewhere:
                clock.about, ask = flight.station, states.ASK_WAY
                break
            way = station.hidden_way if flight.masqueraded else station.way
            back = way + flight.after
            if way >= 0 and station.back >= 0:
                way = cross(w, flight, source, station.back, HEADER, now)  # lost is as good as no way
                back += way
            if way < 0:
                flight.state = states.SILENCE
                continue
            if now + back > flight.patience:
                wait, kind, then = flight.patience, GIVE_UP, states.CONNECT_GAVE_UP
                state = states.WAITS
            elif back:
                wait, kind, then = now + back, RESPONSE, states.SYN_REFUSED
                state = states.WAITS
            else:
                state = states.SYN_REFUSED
        if state == states.SYN_REFUSED or state == states.CONNECT_GAVE_UP or state == states.LOOKUP_GAVE_UP:
            if state != states.LOOKUP_GAVE_UP:
                row.connect = now - flight.began
            if state != states.SYN_REFUSED:
                flight.outcome = TIMEOUT
            flight.state = state = states.TRY_ENDS
        if state == states.SYN_ANSWERED:
            if counted and flight.translator >= 0:
                if clock.answer != 1:
                    ask = states.ASK_OPENED
                    break
                clock.answer = 0
            row.connect = now - flight.began
            row.pod, row.ingress = servers[flight.server].pod, flight.ingress
            flight.state = state = states.EXCHANGE
        if state == states.EXCHANGE:
            flight.deadline, flight.resend = min(flight.deadline, now + TCP_GIVE_UP), 0
            flight.state = state = states.SEND
        if state == states.REQUEST_ARRIVES:
            server = servers[flight.server]
            if server.waiting >= server.room and server.waiting < server.backlog:
                clock.about, ask = flight.server, states.MORE_STARTS
                break
            flight.resend = 0
            if server.ended >= 0 or (server.hung_up >= 0 and flight.used):
                flight.state = state = states.FIND_CLOSED
            else:
                bits = draw_bits(source.service, flight.sequence, flight.client, flight.attempts - 1)
                service = draw_duration(server.kind, server.shortest, server.longest, bits)
                if server.slowness != 1.0:
                    service = np.int64(service * server.slowness)
                start = enter_queue(workers, starts, server, now, service)
                if start < 0:
                    flight.outcome = OVERLOADED
                    flight.state = state = states.HEAR_BACK
                else:
                    row.queued, row.service = start - now, service
                    flight.inside, flight.done = 1, start + service
                    if flight.done > flight.deadline:
                        wait, kind, then = flight.deadline, GIVE_UP, states.LEFT_QUEUE
                        state = states.WAITS
                    elif alone and flight.done < until:
                        now = flight.done
                        flight.time = now
                        flight.state = state = states.SERVED
                    else:
                        wait, kind, then = flight.done, COMPLETE, states.SERVED
                        state = states.WAITS
        if state == states.SERVED:
            flight.inside, flight.outcome = 0, OK
            flight.state = state = states.HEAR_BACK
        if state == states.KILLED or state == states.FIND_CLOSED:
            server = servers[flight.server]
            if server.stamp != elsewhere:
                clock.about, ask = flight.server, states.ASK_POWER
                break
            flight.inside, flight.outcome = 0, RESET
            flight.state = state = states.HEAR_BACK if server.powered else states.HEAR_NOTHING
        if state == states.SEND or state == states.HEAR_BACK:
            station = stations[flight.station]
            if station.way_stamp != elsewhere:
                clock.about, ask = flight.station, states.ASK_WAY
                break
            way = station.hidden_way if flight.masqueraded else station.way
            if way >= 0 and now + way <= flight.deadline:
                if state == states.SEND:
                    road, size = station.forth, HEADER + source.request
                    kind, then = ARRIVE, states.REQUEST_ARRIVES
                else:
                    road, size = station.back, HEADER + (source.response if flight.outcome == OK else 0)
                    kind, then = RESPONSE, states.ANSWERED
                delay = transmit(w, flight, source, road, size, now, way)
                if delay < 0:
                    delay, kind, then = -delay, RESEND, state
                if now + delay <= flight.deadline:
                    wait = now + delay
            if wait < 0:
                then = states.WAITS
                flight.state = state = states.HEAR_NOTHING
            elif then == states.ANSWERED and alone and wait < until:
                now = wait
                flight.time = now
                flight.state = state = states.ANSWERED
            else:
                state = states.WAITS
        if state == states.HEAR_NOTHING and flight.deadline > now:
            wait, kind, then = flight.deadline, GIVE_UP, states.GAVE_UP
            state = states.WAITS
        if state == states.HEAR_NOTHING or state == states.GAVE_UP or state == states.LEFT_QUEUE:
            flight.inside, flight.outcome = 0, TIMEOUT
            flight.state = state = states.ANSWERED
        if state == states.ANSWERED:
            client = clients[source.first + flight.client]
            good = flight.outcome == OK or flight.outcome == OVERLOADED
            if good and client.count < source.kept and flight.used + 1 < source.carries:
                if clock.free_idle < 0:
                    ask = states.MORE_IDLE
                    break
                keep(clock, idle, flight, client, now + source.idle)
            elif counted and flight.translator >= 0:
                if clock.answer != 1:
                    ask = states.ASK_CLOSED
                    break
                clock.answer = 0
            flight.state = state = states.TRY_ENDS
        if state == states.TRY_ENDS:
            unpin(clock, pins, flight)
            if flight.outcome != OK and flight.attempts <= source.retries:
                wait, kind, then = now + pause_before_retry(source, flight), BEGIN, states.RETRY
            else:
                row.latency, row.outcome = now - row.sent, flight.outcome
                flight.slot = -1
                if source.open:
                    release(clock, flights, f)
                    f = np.int64(-1)
                    continue
                pause = source.think if source.think or now > row.sent else np.int64(BREATH)
                wait, kind, then = now + pause, BEGIN, states.WAKE

        flight.time, flight.state = wait, then
        if alone and wait < until and then != states.REQUEST_ARRIVES and then != states.SYN_ARRIVES:  # its own
            continue
        flight.key = key_of(kind, flight.source, flight.sequence if source.open else np.int64(flight.client))
        events = schedule(agenda, events, hole, wait, flight.key, f)
        f, hole = np.int64(-1), False
    if hole:
        events -= 1
        drop_first(agenda, events)
    clock.events, clock.current = events, f
    return ask
