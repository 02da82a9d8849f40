"""The compiled engine: the requests of the plain engine, millions a second, to the last bit the same.

The loop (`compiled_states.py`) moves requests over arrays. What a packet meets is not told a second time: roads are
worked out by the rules themselves when a packet first takes them, and again when the cluster has changed
(`compiled_roads.py`). This module joins the two, and stands where the plain engine stands: `advance` moves
everything up to an instant, programs start and stop in between, `finish` returns the table.

Left out: UDP, and conntrack tables for those who look; such a run is moved by the plain engine (`engines.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane import compiled_leaves as leaves
from netsim.dataplane import compiled_states as states
from netsim.dataplane.compiled_loop import move
from netsim.dataplane.compiled_programs import Programs
from netsim.dataplane.compiled_records import NEVER, SOURCE, Arena, Memory
from netsim.dataplane.compiled_roads import Roads
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.moments import BEGIN
from netsim.dataplane.requests import UNFINISHED, canonical
from netsim.dataplane.server import Server
from netsim.dataplane.sources import Client, Source
from netsim.proxy.addresses import is_loopback
from netsim.proxy.packet import Packet
from netsim.topology.graph import CLOUD

ROOM = {
    states.MORE_FLIGHTS: "flights",
    states.MORE_TABLE: "table",
    states.MORE_IDLE: "idle",
    states.MORE_PINS: "pins",
    states.MORE_AGENDA: "agenda",
}


MOST = 1 << 24  # rows of the table that memory is set aside for from the beginning; it is taken as it is used


class CompiledEngine:
    """Moves requests through a forwarding state, up to whatever instant it is told."""

    def __init__(
        self, state: Forwarding, sources: Sequence[Source], nodes: Sequence[str], syn_schedule: Sequence[int],
        name_lookup: int, expected: int = 0,
    ) -> None:  # fmt: skip
        self.state = state
        self.sources = sources
        self.now = 0
        self._name_lookup = name_lookup
        *resends, patience = syn_schedule
        self.arena = Arena(resends, state.topology.interfaces, len(state.powered))
        self.programs = Programs(self.arena, state.powered.__getitem__)
        self.roads = Roads(state, self.arena, self.programs, list(nodes))
        clock = self.memory.clock[0]
        clock["syn_patience"] = patience
        clock["counted"] = any(kernel.rules.config.mode == "ipvs" for kernel in state.kernels.values())
        self.arena.grow("sources", len(sources))
        self.arena.grow("clients", sum(source.count for source in sources))
        self.memory.clients["idle"] = -1
        self.arena.grow("table", min(expected + 8 * isqrt(expected), MOST))  # chance may bring that many more
        first = 0
        for source in sources:
            self.memory.sources[source.index] = _described(source, first)
            first += source.count
        state.on_start = self._client_started
        state.on_stop = self._server_stopped
        state.on_drain = self.programs.see_end
        state.on_program = self.roads.programmed
        for source in sources:
            if source.traffic.rate:
                self._open_source(source)
            elif not source.pod or source.life(state) is not None:
                self._start_clients(source)

    @property
    def memory(self) -> Memory:
        """The arrays, as they are now."""
        return self.arena.memory

    @property
    def rows(self) -> NDArray[np.void]:
        """The requests begun and not handed over yet."""
        return self.memory.table[: self.held]

    @property
    def held(self) -> int:
        """How many these are."""
        return int(self.memory.clock[0]["table"])

    # the clock -----------------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Move everything that happens strictly before `until`."""
        agenda, clock = self.memory.agenda, self.memory.clock[0]
        if clock["events"] and agenda[0]["time"] < until:
            self._move(until)
        self.now = self.state.time = max(self.now, until)

    def finish(self, end: int) -> NDArray[np.void]:
        """End the run: what is still under way is unfinished. Returns the table, in canonical order."""
        self.advance(end)
        flights, rows = self.memory.flights, self.rows
        under_way = flights["slot"][(flights["time"] >= 0) & (flights["slot"] >= 0)] - self.memory.clock[0]["first"]
        rows["latency"][under_way] = end - rows["sent"][under_way]
        rows["outcome"][under_way] = UNFINISHED
        return canonical(self.rows) if self.memory.clock[0]["disorder"] else self.rows

    def settled(self) -> NDArray[np.void]:
        """Finished requests that none under way was sent before, in canonical order; each is handed over once.

        Whatever `settled` and at last `finish` return is, one after the other, the table of the whole run.
        """
        clock, flights, rows = self.memory.clock[0], self.memory.flights, self.rows
        first = int(clock["first"])
        under_way = np.flatnonzero((flights["time"] >= 0) & (flights["slot"] >= 0))
        oldest = rows["sent"][flights["slot"][under_way] - first].min(initial=self.now)
        ready = rows["sent"] < oldest
        found = canonical(rows[ready]) if clock["disorder"] else rows[ready]
        place = np.cumsum(~ready) - 1  # of those that stay
        flights["slot"][under_way] = place[flights["slot"][under_way] - first] + first + len(found)
        stay = rows[~ready]
        rows[: len(stay)] = stay
        clock["table"], clock["first"] = len(stay), first + len(found)
        return found

    def _move(self, until: int) -> None:
        """Call the loop until it is done, and get it whatever it asks for."""
        self.memory.clock[0]["elsewhere"] = self.state.elsewhere
        while (what := move(self.memory, until)) != states.DONE:
            if what in ROOM:
                self.arena.grow(ROOM[what])
            else:
                self._answer(what)
        self.roads.write_back()

    def _answer(self, what: int) -> None:
        clock = self.memory.clock[0]
        about, which = int(clock["about"]), int(clock["which"])
        flight = self.memory.flights[int(clock["current"])]
        if what == states.ASK_SOURCE:
            self._look_at(self.sources[about])
        elif what == states.ASK_STATION:
            self.roads.look(about)
        elif what == states.ASK_EDGE:
            self.roads.edge(about, which)
        elif what == states.ASK_PINNED:
            clock["answer"] = self.roads.pinned(about, which) + 2
        elif what == states.ASK_CHOICE:
            flight["chosen"] = self.roads.choose(about, int(clock["bits"]), int(flight["time"]))
            flight["state"] = states.GO_ON
        elif what == states.ASK_WAY:
            self.roads.way(about)
        elif what == states.ASK_POWER:
            self.programs.see_power(about, self.state.elsewhere)
        elif what == states.MORE_STARTS:
            self.programs.lengthen(about)
        else:
            opened = what == states.ASK_OPENED
            self.roads.count(int(flight["translator"]), int(flight["time"]), opened=opened)
            clock["answer"] = 1

    # who sends -----------------------------------------------------------------------------------------------

    def _look_at(self, source: Source) -> None:
        """Where a source is now, and where its packets go first."""
        state = self.state
        place, address, life = source.place(state), source.address(state), source.life(state)
        root = -1
        if place is not None and address is not None:
            own = state.source(place, address)
            packet = Packet(own, 0, address, source.target.port, source.traffic.protocol)
            root = self.roads.root(place, packet)
        record = self.memory.sources[source.index]
        record["stamp"], record["root"], record["here"] = state.elsewhere, root, place is not None
        record["lookup"] = state.lookup(self._name_lookup) if source.target.kind == "dns" else 0
        record["life"] = -1 if life is None else self.programs.row(life)
        record["alone"] = place is not None and not self._crowded(source, place, address)

    def _crowded(self, source: Source, place: Place, address: str | None) -> bool:
        """Whether a source's requests share more than the programs they go to, or arrive when they are sent."""
        if source.traffic.rate is not None and source.traffic.keep_alive is not None:
            return True
        if self.state.topology.interfaces or address is None or is_loopback(address):
            return True
        nearest = Place("balancer", CLOUD, "") if place.kind == "outside" else place
        return not self.state.travel(place, nearest)

    def _open_source(self, source: Source) -> None:
        traffic = source.traffic
        first = source.gap if traffic.arrivals == "constant" else source.arrivals.exponential(0, source.gap)
        if traffic.start + first < source.stop:
            self._begin(source, 1, traffic.start + first, states.ARRIVAL, -1)

    def _start_clients(self, source: Source) -> None:
        life = source.life(self.state)
        program = -1 if life is None else self.programs.row(life)
        self._begin(source, source.count, max(self.now, source.traffic.start), states.WAKE, program)

    def _begin(self, source: Source, count: int, time: int, state: int, life: int) -> None:
        """Flights that wait for their first moment."""
        self.arena.grow("flights", len(self.memory.flights) + count)
        events = int(self.memory.clock[0]["events"])
        if events + count + 2 > len(self.memory.agenda):
            self.arena.grow("agenda", 2 * (events + count))
        leaves.begin(self.memory, source.index, count, time, BEGIN, state, life)

    def _client_started(self, server: Server) -> None:
        for source in self.sources:
            if source.pod == server.name and not source.traffic.rate:
                self._start_clients(source)

    # endings -------------------------------------------------------------------------------------------------

    def _server_stopped(self, server: Server) -> None:
        """A program died: whoever waits inside it is told now; the kernel's RST is then on its way."""
        row = self.programs.known(server)
        self.now = max(self.now, server.ended or 0)
        if row < 0:
            return
        self.programs.see_end(server)
        flights = self.memory.flights
        inside = np.flatnonzero((flights["time"] >= 0) & (flights["inside"] != 0) & (flights["server"] == row))
        order = np.lexsort([flights[name][inside] for name in ("sequence", "client", "source")])
        for flight in inside[order]:
            life = int(self.memory.flights["life"][flight])
            if life >= 0 and self.programs.servers[life].ended is not None:
                self._abandon(int(flight), self.now)
                continue
            record = self.memory.flights[flight]
            record["state"], record["time"] = states.KILLED, self.now
            self.memory.clock[0]["current"] = flight
            self._move(self.now)
        flights = self.memory.flights
        for flight in np.flatnonzero((flights["time"] >= 0) & (flights["life"] == row)):
            self._abandon(int(flight), self.now)
        for source in self.sources:
            if source.pod == server.name:
                self._drop_connections(source)

    def _drop_connections(self, source: Source) -> None:
        """The clients of a source are gone, and with them the connections they kept."""
        first, memory = int(self.memory.sources[source.index]["first"]), self.memory
        if memory.clock[0]["counted"]:
            for client in memory.clients[first : first + source.count]:
                kept = int(client["idle"])
                while kept >= 0:
                    if memory.idle[kept]["translator"] >= 0:
                        translator = int(memory.idle[kept]["translator"])
                        self.roads.count(translator, self.state.time, opened=False)
                    kept = int(memory.idle[kept]["next"])
        leaves.forget_connections(memory, first, source.count)

    def _abandon(self, flight: int, when: int) -> None:
        """The client is gone, or the run over: its request has no end."""
        clock, record = self.memory.clock[0], self.memory.flights[flight]
        if record["slot"] >= 0:
            row = self.memory.table[int(record["slot"]) - int(clock["first"])]
            row["latency"], row["outcome"] = when - row["sent"], UNFINISHED
        leaves.let_go(self.memory, flight)


def _described(source: Source, first: int) -> Any:
    """A source as a record; what depends on the cluster is found when it is first asked for."""
    traffic, retries, keep = source.traffic, source.traffic.retries, source.traffic.keep_alive
    client = Client(source.draws, source.name, 0)  # the others have the same streams, in lanes of their own
    record = np.zeros(1, SOURCE)[0]
    for name, value in {
        "stamp": -1,
        "arrival": source.arrivals.key,
        "endpoint": client.endpoint.key,
        "balancer": client.balancer.key,
        "service": client.service.key,
        "pause": client.pause.key,
        "wire": client.wire.key,
        "request": traffic.request,
        "response": traffic.response,
        "gap": source.gap,
        "stop": source.stop,
        "think": traffic.think,
        "timeout": traffic.timeout or NEVER,
        "connect_timeout": traffic.connect_timeout or NEVER,
        "retries": retries.attempts,
        "backoff": retries.backoff,
        "max_backoff": retries.max_backoff,
        "jitter": retries.jitter,
        "idle": keep.idle if keep else 0,
        "kept": keep.connections if keep else 0,
        "carries": (keep and keep.requests) or NEVER,
        "first": first,
        "root": -1,
        "life": -1,
        "open": traffic.rate is not None,
        "constant": traffic.arrivals == "constant",
    }.items():
        record[name] = value
    return record
