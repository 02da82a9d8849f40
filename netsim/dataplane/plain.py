"""The plain engine: requests moved one at a time, each told as a story (`story.py`).

The agenda's order is canonical (`moments.py`): time, then kind of moment, then source, client and sequence. The
control half changes the forwarding state between two calls of `advance`, which moves everything strictly before an
instant: a change at t is seen by packets at t.

This engine is the reference: it explains, it is what the compiled engine must equal, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush, heappushpop
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.flight import Flight, Story
from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.moments import BEGIN, BREATH, FOREVER, syn_schedule
from netsim.dataplane.requests import REQUEST, UNFINISHED, canonical
from netsim.dataplane.server import Server
from netsim.dataplane.sources import Source
from netsim.dataplane.story import Stories

Entry = tuple[int, int, tuple[int, int], int, int, Any]
"""Of the agenda: a moment (time, kind, source and client, sequence), and the flight that waits for it.

The flight's stamp says whether it still does."""

END: Entry = (2 * FOREVER, 0, (0, 0), 0, 0, None)  # so there is always another entry


class PlainEngine:
    """Moves requests through a forwarding state, up to whatever instant it is told."""

    def __init__(
        self, state: Forwarding, sources: Sequence[Source], nodes: Sequence[str], syn_schedule: Sequence[int],
        name_lookup: int,
    ) -> None:  # fmt: skip
        self.state = state
        self.sources = sources
        self._stories = Stories(state, nodes, syn_schedule, name_lookup)
        self._agenda: list[Entry] = [END]
        self._stamps = count()
        self._flights: dict[Flight, None] = {}
        state.on_start = self._client_started
        state.on_stop = self._server_stopped
        for source in sources:
            self._open_source(source) if source.traffic.rate else self._start_clients(source)

    @property
    def now(self) -> int:
        """Up to when everything has been moved, in nanoseconds."""
        return self._stories.now

    @property
    def rows(self) -> NDArray[np.void]:
        """The requests that are finished and not handed over yet, as they were finished."""
        return np.frombuffer(b"".join(self._stories.rows), REQUEST)

    @property
    def held(self) -> int:
        """How many these are."""
        return len(self._stories.rows)

    # the clock -----------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Move everything that happens strictly before `until`."""
        agenda, state, stories = self._agenda, self.state, self._stories
        entry = heappop(agenda)
        while entry[0] < until:
            time, _, _, _, stamp, flight = entry
            following = None
            if flight.stamp == stamp:
                stories.now = state.time = time
                following = self._resume(flight, False)
            entry = heappushpop(agenda, following) if following else heappop(agenda)
        heappush(agenda, entry)
        stories.now = state.time = max(stories.now, until)

    def finish(self, end: int) -> NDArray[np.void]:
        """End the run: what is still under way is unfinished. Returns the table, in canonical order."""
        heappush(self._agenda, END)  # whoever interrupted `advance` may have done so while it had the only one
        self.advance(end)
        for flight in list(self._flights):
            self._abandon(flight, end)
        return canonical(self.rows)

    def settled(self) -> NDArray[np.void]:
        """Finished requests that none under way was sent before, in canonical order; each is handed over once.

        Whatever `settled` and at last `finish` return is, one after the other, the table of the whole run.
        """
        oldest = min((flight.sent for flight in self._flights if flight.sent >= 0), default=self.now)
        rows = self.rows
        ready = rows["sent"] < oldest
        self._stories.rows = [row.tobytes() for row in rows[~ready]]
        return canonical(rows[ready])

    def _tell(self, flight: Flight, story: Story) -> None:
        """Begin a story."""
        flight.story = story
        self._flights[flight] = None
        self._wake(flight, None)

    def _wake(self, flight: Flight, killed: bool | None) -> None:
        """Let a story go on, whether or not its moment has come."""
        following = self._resume(flight, killed)
        if following:
            heappush(self._agenda, following)

    def _resume(self, flight: Flight, killed: bool | None) -> Entry | None:
        """Let a story go on to its next wait: the entry for that, or None if there is no more."""
        life = flight.life
        if life is not None and life.ended is not None:
            self._abandon(flight, life.ended)
            return None
        try:
            time, kind = flight.story.send(killed)  # type: ignore[union-attr, arg-type]
        except StopIteration:
            self._flights.pop(flight, None)
            flight.story, flight.stamp = None, -1
            return None
        flight.stamp = stamp = next(self._stamps)
        return time, kind, flight.lane, flight.sequence, stamp, flight

    def _abandon(self, flight: Flight, when: int) -> None:
        """The client is gone, or the run over: its request has no end."""
        assert flight.story is not None
        flight.story.close()
        if flight.inside is not None:
            flight.inside.flights.pop(flight, None)
        flight.stamp = -1
        self._flights.pop(flight, None)
        if flight.sent >= 0:
            self._stories.rows.append(flight.row(UNFINISHED, when))

    # who sends -----------------------------------------------------------------------------------------

    def _open_source(self, source: Source) -> None:
        flight = Flight(source, source.clients[0], None)
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
                fresh = Flight(source, client, source.life(self.state), sequence, time)
                self._tell(fresh, self._stories.request(fresh))

    def _start_clients(self, source: Source) -> None:
        life = source.life(self.state)
        if life is not None or not source.pod:
            for client in source.clients:
                flight = Flight(source, client, life)
                self._tell(flight, self._closed_client(source, flight))

    def _closed_client(self, source: Source, flight: Flight) -> Story:
        """A closed client: ask, wait for the outcome, think, ask again."""
        client, stories = flight.client, self._stories
        yield max(stories.now, source.traffic.start), BEGIN
        while stories.now < source.stop and source.place(self.state) is not None:
            began = stories.now
            flight.begin(client.asked, began)
            client.asked += 1
            yield from stories.request(flight)
            flight.begin(client.asked, -1)
            pause = source.traffic.think
            yield stories.now + (pause if pause or stories.now > began else BREATH), BEGIN

    def _client_started(self, server: Server) -> None:
        for source in self.sources:
            if source.pod == server.name and not source.traffic.rate:
                self._start_clients(source)

    # endings ----------------------------------------------------------------------------------------------

    def _server_stopped(self, server: Server) -> None:
        """A program died: whoever waits inside it is told now; the kernel's RST is then on its way."""
        self._stories.now = max(self.now, server.ended or 0)
        flights = sorted(server.flights, key=lambda f: (f.lane, f.sequence))
        server.flights.clear()
        for flight in flights:
            self._wake(flight, True)
        theirs = [source for source in self.sources if source.pod == server.name]
        if theirs:
            for flight in [f for f in self._flights if f.life is server]:
                self._abandon(flight, self.now)
        for source in theirs:
            for client in source.clients:
                while client.idle:
                    client.idle.pop().close(self.state)


__all__ = ["PlainEngine", "syn_schedule"]
