"""What became of requests step by step of the clock, in counts that add up, whichever runs they come from.

The fate of a request is the bucket of its latency (`netsim.report.buckets`) if it went well, or else that it
failed, or that the end of the run cut it off. How many requests of each source met which fate in which step
is one long list of counts, nearly all of them nothing; those that are something are kept. So memory grows with
the number of steps and of fates that anybody met, and not with the number of requests, and the lists of two runs
add up to what one would have found in the requests of both.

A step is a second, or of a run of more than `MOST_STEPS` seconds a round number of them: which depends on how long
the scenario lasts and on nothing else. Counts are exact. A percentile of a step is within `buckets.ERROR` of the
exact one; those of a single run are in its own series (`netsim.report.series`), exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, UNFINISHED
from netsim.report.buckets import BUCKETS, bucket_of, middle_of
from netsim.report.series import round_step
from netsim.report.statistics import PERCENTILES, Times
from netsim.report.tables import MISSING
from netsim.report.varints import packed, unpacked
from netsim.units import S

if TYPE_CHECKING:
    from netsim.simulation import Part

MOST_STEPS = 600
"""At most so many steps a run."""

Counts = NDArray[np.int64]

_FAILED, _CUT_OFF, _FATES = BUCKETS, BUCKETS + 1, BUCKETS + 2
_ROOM = 1 << 16  # fates that wait, at least, before they are put among the others
_DENSE = 4  # cells a request, up to which counting in a row of all of them is faster than sorting


class Fates:
    """What became of the requests of these sources in the steps of a scenario that lasts `duration` nanoseconds.

    >>> fates = Fates(["a", "b"], 2 * S)
    >>> fates.see(source=np.array([0, 0, 1]), sent=np.array([5, 6, S]), latency=np.array([70, 90, 0]),
    ...           outcome=np.array([OK, OK, 1]))
    >>> fates.outcomes().tolist()
    [[[2, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]]
    >>> fates.percentiles()[0].tolist()
    [[70, 90, 90], [-1, -1, -1]]
    """

    def __init__(self, sources: Sequence[str], duration: int) -> None:
        self.sources, self.duration = tuple(sources), duration
        self.step = round_step(duration, S, MOST_STEPS)
        self.steps = max(1, -(-duration // self.step))
        self._cells = np.empty(0, np.int64)  # (step, source, fate) as one number: in order, each only once
        self._counts = np.empty(0, np.int64)  # how many requests each of them holds
        self._fresh: list[tuple[Counts, Counts]] = []  # more of both, not yet put among them
        self._waiting = 0

    def take(self, part: Part) -> None:
        """The next part of a run's table of requests."""
        rows = part.requests
        if len(rows):
            names = ("source", "sent", "latency", "outcome")
            self.see(**{name: np.ascontiguousarray(rows[name]) for name in names})

    def see(self, source: NDArray[Any], sent: Times, latency: Times, outcome: NDArray[np.int8]) -> None:
        """More requests, in any order: a column for each of these, of the same length; sources as numbers."""
        step = np.minimum(sent // self.step, self.steps - 1)
        lost = np.where(outcome == UNFINISHED, _CUT_OFF, _FAILED)
        fate = np.where(outcome == OK, bucket_of(latency), lost)
        self._note(*_counted((step * len(self.sources) + source) * _FATES + fate))

    def add(self, other: Fates) -> None:
        """Those of another run of the same sources and length."""
        if (other.sources, other.duration) != (self.sources, self.duration):
            raise ValueError("only what has the same sources and the same length adds up")
        self._note(*other._settled())

    def together(self) -> Fates:
        """The same of all sources as if they were one, which has no name."""
        step, _, fate, counts = self._parted()
        one = Fates([""], self.duration)
        one._note(step * _FATES + fate, counts)
        return one

    def outcomes(self) -> Counts:
        """How many went well, failed, and were cut off; shape (sources, steps, 3)."""
        step, source, fate, counts = self._parted()
        found = np.zeros((len(self.sources), self.steps, 3), np.int64)
        np.add.at(found, (source, step, np.maximum(fate - _FAILED + 1, 0)), counts)
        return found

    def percentiles(self) -> Times:
        """`PERCENTILES` of the latencies of those that went well, by nearest rank; shape (sources, steps, 3).

        MISSING where nothing went well.
        """
        parted = self._parted()
        step, source, bucket, counts = (values[parted[2] < _FAILED] for values in parted)
        up_to = np.cumsum(counts)
        first = np.flatnonzero(np.diff(step * len(self.sources) + source, prepend=-1))  # of each step and source
        before = (up_to - counts)[first]
        count = np.diff(before, append=up_to[-1:])
        found = np.full((len(self.sources), self.steps, len(PERCENTILES)), MISSING, np.int64)
        for column, percent in enumerate(PERCENTILES):
            rank = before + np.maximum(-(-count * percent // 100) - 1, 0)
            found[source[first], step[first], column] = middle_of(bucket[np.searchsorted(up_to, rank, side="right")])
        return found

    def data(self) -> dict[str, Any]:
        """Plain values, from which `read` makes an equal object.

        Of each cell that holds any requests, in order: how far it is from the one before, and if it holds several,
        how many, as a negative number.
        """
        cells, counts = self._settled()
        told = np.stack([np.diff(cells, prepend=0), -counts], axis=1)
        said = np.stack([np.ones(len(cells), bool), counts > 1], axis=1)
        return {"sources": list(self.sources), "duration": self.duration, "counts": packed(told[said])}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Fates:
        """What `data` tells of.

        >>> fates = Fates(["a"], S)
        >>> fates.see(np.array([0, 0]), np.array([3, 4]), np.array([70, 70]), np.array([OK, OK]))
        >>> Fates.read(fates.data()) == fates
        True
        """
        told = unpacked(data["counts"])
        cell = told >= 0
        counts = np.ones(int(cell.sum()), np.int64)
        counts[np.cumsum(cell)[~cell] - 1] = -told[~cell]
        fates = cls(data["sources"], data["duration"])
        fates._cells, fates._counts = np.cumsum(told[cell]), counts
        return fates

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fates) and self.data() == other.data()

    __hash__ = None  # type: ignore[assignment]

    def _note(self, cells: Counts, counts: Counts) -> None:
        self._fresh.append((cells, counts))
        self._waiting += len(cells)
        if self._waiting > len(self._cells) + _ROOM:  # seldom, the more there are
            self._settled()

    def _settled(self) -> tuple[Counts, Counts]:
        """All cells that hold any requests, in order, and how many each of them does."""
        if self._fresh:
            cells = np.concatenate([self._cells, *(cells for cells, _ in self._fresh)])
            counts = np.concatenate([self._counts, *(counts for _, counts in self._fresh)])
            order = np.argsort(cells, kind="stable")  # which is quick on what is nearly so
            cells = cells[order]
            first = np.flatnonzero(np.diff(cells, prepend=-1))
            self._cells, self._counts = cells[first], np.add.reduceat(counts[order], first)
            self._fresh, self._waiting = [], 0
        return self._cells, self._counts

    def _parted(self) -> tuple[Counts, Counts, Counts, Counts]:
        """Of each cell that holds any requests, in order: step, source and fate, and how many requests."""
        cells, counts = self._settled()
        place, fate = np.divmod(cells, _FATES)
        step, source = np.divmod(place, max(len(self.sources), 1))
        return step, source, fate, counts


def _counted(cells: Counts) -> tuple[Counts, Counts]:
    """Every number that is there, in order, and how often."""
    least = int(cells.min())
    if int(cells.max()) - least > _DENSE * len(cells):
        return np.unique(cells, return_counts=True)
    often = np.bincount(cells - least)
    there = np.flatnonzero(often)
    return there + least, often[there]
