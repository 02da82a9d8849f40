"""What became of a source's requests between the instants that matter: when faults struck, when outages began.

The instants become known while the run goes on, always before the first request that was sent after them. So
the counts between any two of them are exact, and take no more room than there are instants.

What was lost is counted by when it failed, too: a request that was under way when a fault struck is lost to that.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.statistics import Times

Counts = NDArray[np.int64]


class Instants:
    """Instants in order, each once; time zero is one of them.

    >>> known = Instants()
    >>> known.add([60, 5, 60])
    >>> known.times
    [0, 5, 60]
    """

    def __init__(self) -> None:
        self.times = [0]
        self._known = {0}

    def add(self, times: Iterable[int]) -> None:
        """More of them."""
        for time in times:
            if time not in self._known:
                self._known.add(time)
                insort(self.times, time)


@dataclass
class Stretch:
    """Requests sent from one instant to before another: counts by outcome, and when the first and last were lost."""

    counts: Counts
    first_lost: int | None = None
    last_lost: int | None = None

    @property
    def lost(self) -> int:
        """How many of them failed."""
        return int(self.counts.sum() - self.counts[OK] - self.counts[UNFINISHED])

    @property
    def finished(self) -> int:
        """How many of them have an outcome."""
        return int(self.counts.sum() - self.counts[UNFINISHED])


def nothing() -> Stretch:
    """No requests at all."""
    return Stretch(np.zeros(len(OUTCOMES), np.int64))


class Stretches:
    """The requests of one source, from instant to instant."""

    def __init__(self, instants: Instants) -> None:
        self.instants = instants
        self._found: dict[int, Stretch] = {}  # by the instant with which it begins

    def add(self, sent: Times, outcome: NDArray[np.int8], lost: NDArray[np.bool_]) -> None:
        """More requests, in the order of sending."""
        times = self.instants.times
        begun = times[bisect_right(times, int(sent[0])) - 1 : bisect_right(times, int(sent[-1]))]
        cuts = np.searchsorted(sent, begun[1:]).tolist()
        for time, (begin, end) in zip(begun, pairwise([0, *cuts, len(sent)]), strict=True):
            stretch = self._found.setdefault(time, nothing())
            stretch.counts += np.bincount(outcome[begin:end], minlength=len(OUTCOMES))
            when = sent[begin:end][lost[begin:end]]
            if len(when):
                first = int(when[0]) if stretch.first_lost is None else stretch.first_lost
                stretch.first_lost, stretch.last_lost = first, int(when[-1])

    def failed(self, sent: Times, ended: Times, outcome: NDArray[np.int8]) -> None:
        """More requests that were lost, in the order of sending: sorted by the instant after which they failed."""
        at = np.maximum(np.searchsorted(self.instants.times, ended) - 1, 0)
        for index in np.unique(at).tolist():
            mine = np.flatnonzero(at == index)
            stretch = self._found.setdefault(self.instants.times[index], nothing())
            stretch.counts += np.bincount(outcome[mine], minlength=len(OUTCOMES))
            first, last = int(sent[mine[0]]), int(sent[mine[-1]])
            stretch.first_lost = first if stretch.first_lost is None else min(first, stretch.first_lost)
            stretch.last_lost = last if stretch.last_lost is None else max(last, stretch.last_lost)

    def between(self, begin: int, end: int) -> Stretch:
        """The requests of `begin` to before `end`, both of them instants (or the end of the run)."""
        whole = nothing()
        for start, stretch in self._found.items():
            if begin <= start < end:
                whole.counts += stretch.counts
                if stretch.first_lost is not None and stretch.last_lost is not None:
                    first, last = whole.first_lost, whole.last_lost
                    whole.first_lost = stretch.first_lost if first is None else min(first, stretch.first_lost)
                    whole.last_lost = stretch.last_lost if last is None else max(last, stretch.last_lost)
        return whole
