"""All that a report says of the requests of a run, taken in part by part: memory does not grow with their number.

Parts come in the order of the table; how it was cut into parts changes nothing. Everything is exact, but for
percentiles of more than a million latencies (`latencies.py`). The table itself may be kept, written or
forgotten: the report is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.latencies import Latencies
from netsim.report.losses import Losses
from netsim.report.series import Series, round_step
from netsim.report.statistics import PERCENTILES, Failure, Statistics, Times
from netsim.report.stretches import Instants, Stretch, Stretches
from netsim.units import MS, S

if TYPE_CHECKING:
    from netsim.dataplane.history import Change
    from netsim.scenario.scenario import Scenario
    from netsim.simulation import Part, Recording

APART = 4
"""So many sources have percentiles of their own in a figure; more are shown together."""

POINTS = 20_000
"""At most so many requests are drawn as points."""

_STEPS = 320  # at most so many steps along a figure's clock

POINT = np.dtype([("sent", np.int64), ("latency", np.int64), ("source", np.int16), ("outcome", np.int8)])
"""A request as a point of a figure."""


class Thinned:
    """Every so-manieth request of a sequence: never more than `most`, whatever its length."""

    def __init__(self, most: int) -> None:
        self.most, self.stride = most, 1
        self._seen = 0
        self._points = np.empty(0, POINT)

    def add(self, rows: NDArray[np.void]) -> None:
        """The next of the sequence."""
        chosen = rows[-self._seen % self.stride :: self.stride]
        points = np.empty(len(chosen), POINT)
        for name in POINT.names or ():
            points[name] = chosen[name]
        self._seen += len(rows)
        self._points = np.concatenate([self._points, points])
        while len(self._points) > self.most:
            self._points, self.stride = self._points[::2], self.stride * 2

    @property
    def points(self) -> NDArray[np.void]:
        """Those chosen: the first, and every `stride`th after it."""
        return self._points


class Tally:
    """What is said of the requests of one source."""

    def __init__(self, instants: Instants, strikes: Instants) -> None:
        self.counts = np.zeros(len(OUTCOMES), np.int64)
        self.first = np.full(len(OUTCOMES), -1, np.int64)  # when the first and the last with this outcome were sent
        self.last = np.full(len(OUTCOMES), -1, np.int64)
        self.latencies = Latencies()
        self.losses = Losses()
        self.stretches = Stretches(instants)
        self.failures = Stretches(strikes)  # what was lost, by when it failed

    def add(self, sent: Times, latency: Times, outcome: NDArray[np.int8]) -> None:
        """More of them, in the order of sending."""
        counts = np.bincount(outcome, minlength=len(OUTCOMES))
        for code in np.flatnonzero(counts):
            if code != OK:
                times = sent[outcome == code]
                self.first[code] = times[0] if self.first[code] < 0 else self.first[code]
                self.last[code] = times[-1]
        self.counts += counts
        self.latencies.add(latency[outcome == OK])
        finished = outcome != UNFINISHED
        lost = finished & (outcome != OK)
        self.losses.add(sent, lost, finished)
        self.stretches.add(sent, outcome, lost)
        self.failures.failed(sent[lost], sent[lost] + latency[lost], outcome[lost])


class Digest:
    """The requests of so many sources in a run of a scenario that lasts until `until`."""

    def __init__(self, scenario: Scenario, until: int, count: int) -> None:
        sources = range(count)
        self.step = step = round_step(until, MS, _STEPS)
        self._length = steps = max(1, -(-until // step))
        self.instants, self.strikes = Instants(), Instants()
        for instants in (self.instants, self.strikes):
            instants.add(fault.at for fault in scenario.document.faults)
        self.tallies = [Tally(self.instants, self.strikes) for _ in sources]
        self.seconds = [Series(S, max(1, -(-until // S))) for _ in sources]
        self.steps = [Series(step, steps) for _ in sources]
        self.together = Series(step, steps) if count > APART else None
        self.points, self.lost_points = Thinned(POINTS), Thinned(POINTS)
        self._changes = 0  # changes looked through

    @classmethod
    def of(cls, recording: Recording) -> Digest:
        """The digest of a recording that has all its requests."""
        digest = cls(recording.scenario, recording.ended, len(recording.sources))
        digest._strikes(recording.changes)
        digest.instants.add(time for outage in recording.outages for time in (outage.began, outage.ended) if time)
        digest._take(recording.requests)
        return digest

    def take(self, part: Part) -> None:
        """The next part of the table."""
        self._strikes(part.changes)
        self.instants.add(part.instants)
        self._take(part.requests)

    def _strikes(self, changes: Sequence[Change]) -> None:
        """Faults struck, perhaps when nobody knew beforehand."""
        fresh = changes[self._changes :]
        strikes = [change.time for change in fresh if change.kind == "fault"]
        self.instants.add(strikes)
        self.strikes.add(strikes)
        self._changes = len(changes)

    def _take(self, rows: NDArray[np.void]) -> None:
        if not len(rows):
            return
        sent, latency, outcome = (np.ascontiguousarray(rows[name]) for name in ("sent", "latency", "outcome"))
        self.points.add(rows)
        self.lost_points.add(rows[(outcome != OK) & (outcome != UNFINISHED)])
        if self.together is not None:
            self.together.add(sent, latency, outcome)
        for code, mine in enumerate(_by_source(rows["source"], len(self.tallies))):
            if len(mine):
                columns = sent[mine], latency[mine], outcome[mine]
                self.tallies[code].add(*columns)
                self.seconds[code].add(*columns)
                self.steps[code].add(*columns)

    @property
    def count(self) -> int:
        """How many requests there were."""
        return sum(int(tally.counts.sum()) for tally in self.tallies)

    def latencies(self, sources: Sequence[int]) -> Latencies:
        """The latencies of the requests of these sources that went well."""
        return sum((self.tallies[source].latencies for source in sources), Latencies())

    def statistics(self, sources: Sequence[int]) -> Statistics:
        """Counts and percentiles of the requests of these sources together."""
        tallies = [self.tallies[source] for source in sources]
        counts = sum((tally.counts for tally in tallies), np.zeros(len(OUTCOMES), np.int64))
        latency = self.latencies(sources)
        sent, ok, unfinished = int(counts.sum()), int(counts[OK]), int(counts[UNFINISHED])
        return Statistics(
            requests=sent,
            ok=ok,
            failed=sent - ok - unfinished,
            unfinished=unfinished,
            percentiles={percent: latency.percentile(percent) for percent in PERCENTILES},
            mean=latency.mean,
            least=latency.least,
            most=latency.most,
            failures=_failures(tallies, counts),
            error=latency.error,
        )

    def edges(self, ended: int) -> Times:
        """Where the steps of a figure's clock begin and end, in a run that ended then."""
        step = self.step
        return np.arange(0, ended + step, step, dtype=np.int64)[: max(2, -(-ended // step) + 1)]

    def counts(self, source: int | None) -> NDArray[np.int64]:
        """Requests by outcome, step by step of a figure's clock, of one source or of all; shape (steps, outcomes)."""
        series = self.steps if source is None else [self.steps[source]]
        return sum((each.counts for each in series), np.zeros((self._length, len(OUTCOMES)), np.int64))

    def percentiles(self, source: int | None) -> NDArray[np.int64]:
        """Latencies step by step of a figure's clock: see `Series.latencies`."""
        series = self.together if source is None else self.steps[source]
        return (series or Series(self.step, self._length)).latencies()

    def between(self, source: int, begin: int, end: int) -> Stretch:
        """What became of the requests that a source sent from one instant to before another."""
        return self.tallies[source].stretches.between(begin, end)

    def failed(self, source: int, begin: int, end: int) -> Stretch:
        """What a source lost between two strikes of faults, by when it failed; never one that went well."""
        return self.tallies[source].failures.between(begin, end)


def _by_source(source: NDArray[np.int16], sources: int) -> Iterable[NDArray[np.intp]]:
    """Of each source the rows, in order."""
    order = np.argsort(source, kind="stable")
    bounds = np.searchsorted(source[order], np.arange(sources + 1))
    return (order[begin:end] for begin, end in pairwise(bounds.tolist()))


def _failures(tallies: Sequence[Tally], counts: NDArray[np.int64]) -> tuple[Failure, ...]:
    """What went wrong, most frequent first. `unfinished` is no failure."""
    found = []
    for code, name in enumerate(OUTCOMES):
        if code not in (OK, UNFINISHED) and counts[code]:
            some = [tally for tally in tallies if tally.counts[code]]
            first = min(int(tally.first[code]) for tally in some)
            found.append(Failure(name, int(counts[code]), first, max(int(tally.last[code]) for tally in some)))
    return tuple(sorted(found, key=lambda failure: -failure.count))
