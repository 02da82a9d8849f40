"""The latencies of requests that went well: each of them while they are few, in buckets once they are many.

Up to `EXACT` latencies are kept as they are, so whatever is said of them is exact. One more, and all go into
buckets (`netsim.report.buckets`): from then on a percentile is within `error` of the exact one, and memory no
longer grows. Which of the two it is depends on their number alone, never on how they came.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netsim.report.buckets import ERROR, Buckets
from netsim.report.statistics import Times, mean, rank

EXACT = 1 << 20
"""So many latencies (8 MiB) are kept as they are."""


class Latencies:
    """A sample of latencies in nanoseconds.

    >>> sample = Latencies()
    >>> sample.add(np.array([30, 10, 20]))
    >>> sample.count, sample.percentile(50), sample.most, sample.error
    (3, 20, 30, 0.0)
    """

    __slots__ = ("_buckets", "_parts", "count")

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[Times] = []
        self._buckets: Buckets | None = None

    def add(self, values: Times) -> None:
        """Take more values in."""
        if not len(values):
            return
        self.count += len(values)
        if self._buckets is None and self.count > EXACT:
            self._buckets = self.buckets()
            self._parts = []
        if self._buckets is None:
            self._parts.append(values)
        else:
            self._buckets.add(values)

    def __add__(self, other: Latencies) -> Latencies:
        both = Latencies()
        both.count = self.count + other.count
        if self._buckets is None and other._buckets is None and both.count <= EXACT:
            both._parts = [*self._parts, *other._parts]
        else:
            both._buckets = self.buckets() + other.buckets()
        return both

    @property
    def error(self) -> float:
        """How far a percentile may be from the exact one, as a part of it."""
        return 0.0 if self._buckets is None else ERROR

    @property
    def mean(self) -> int | None:
        """The mean, to the nearest nanosecond; None of an empty sample."""
        return mean(self.exact()) if self._buckets is None else self._buckets.mean

    @property
    def least(self) -> int | None:
        """The shortest."""
        return self.percentile(0)

    @property
    def most(self) -> int | None:
        """The longest."""
        return self.percentile(100)

    def percentile(self, percent: float) -> int | None:
        """The percentile by nearest rank, within `error` of the exact one; None of an empty sample."""
        if self._buckets is not None:
            return self._buckets.percentile(percent)
        return int(self.exact()[rank(self.count, percent)]) if self.count else None

    def exact(self) -> Times:
        """All values in order; only while they are kept."""
        values = np.concatenate(self._parts) if self._parts else np.empty(0, np.int64)
        if (values[1:] < values[:-1]).any():
            values = np.sort(values)
        self._parts = [values]
        return values

    def weighted(self) -> tuple[Times, NDArray[np.int64]]:
        """Values in order, and how often each is there: once, or as often as its bucket holds."""
        if self._buckets is None:
            values = self.exact()
            return values, np.ones(len(values), np.int64)
        return self._buckets.weighted()

    def buckets(self) -> Buckets:
        """All of them in buckets."""
        if self._buckets is not None:
            return self._buckets
        return Buckets.of(np.concatenate(self._parts) if self._parts else [])
