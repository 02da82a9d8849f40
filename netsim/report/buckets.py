"""Percentiles of billions of latencies in constant memory: counts in buckets that widen with the value.

Every power of two is cut into `PARTS` buckets of equal width; below that each nanosecond has its own. A
bucket stands for its middle, so a percentile is within `ERROR` (0.4 %) of the latency that the exact one
would name, however many there are. Count, mean, least and most are exact. Two sets of buckets add up to the
buckets of both samples, whichever run, process or machine they come from.

Source of the idea: Gil Tene's HdrHistogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netsim.report.statistics import rank

_BITS = 7
PARTS = 1 << _BITS
"""Buckets in each power of two."""

ERROR = 0.5 / PARTS
"""How far a percentile may be from the exact one, as a part of it."""

BUCKETS = (63 - _BITS + 1) * PARTS
"""How many there are, up to the largest time there is."""


class Buckets:
    """A sample of non-negative integers, of which only the buckets are remembered.

    >>> sample = Buckets.of(range(1, 1001))
    >>> sample.count, sample.mean, sample.least, sample.most
    (1000, 501, 1, 1000)
    >>> sample.percentile(50), sample.percentile(99), sample.percentile(100)
    (501, 990, 1000)
    """

    __slots__ = ("_counts", "count", "least", "most", "total")

    def __init__(self) -> None:
        self._counts = np.zeros(BUCKETS, dtype=np.int64)
        self.count = 0
        self.total = 0  # the sum of all values: a Python integer, which never overflows
        self.least: int | None = None
        self.most: int | None = None

    @classmethod
    def of(cls, values: Any) -> Buckets:
        """The buckets of these values."""
        buckets = cls()
        buckets.add(np.asarray(values, dtype=np.int64))
        return buckets

    @property
    def mean(self) -> int | None:
        """The mean, to the nearest nanosecond; None of an empty sample."""
        return (2 * self.total + self.count) // (2 * self.count) if self.count else None

    def add(self, values: NDArray[np.int64]) -> None:
        """Take more values in."""
        if not len(values):
            return
        low, high = int(values.min()), int(values.max())
        if low < 0:
            raise ValueError("a latency is not negative")
        self._counts += np.bincount(bucket_of(values), minlength=BUCKETS)
        self.count += len(values)
        self.total += _exact_sum(values, high)
        self._stretch(low, high)

    def __add__(self, other: Buckets) -> Buckets:
        both = Buckets()
        both._counts = self._counts + other._counts
        both.count, both.total = self.count + other.count, self.total + other.total
        for part in (self, other):
            if part.least is not None and part.most is not None:
                both._stretch(part.least, part.most)
        return both

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buckets) and self.data() == other.data()

    __hash__ = None  # type: ignore[assignment]

    def percentile(self, percent: float) -> int | None:
        """The percentile by nearest rank, within `ERROR` of the exact one; None of an empty sample."""
        if self.least is None or self.most is None:
            return None
        if percent in (0, 100):
            return self.most if percent else self.least
        at = int(np.searchsorted(np.cumsum(self._counts), rank(self.count, percent), side="right"))
        return min(max(int(middle_of(np.array([at]))[0]), self.least), self.most)

    def weighted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What each bucket stands for, and how many values it holds; of those that hold any."""
        filled = np.flatnonzero(self._counts)
        return np.clip(middle_of(filled), self.least, self.most), self._counts[filled]

    def _stretch(self, low: int, high: int) -> None:
        self.least = low if self.least is None else min(self.least, low)
        self.most = high if self.most is None else max(self.most, high)

    def data(self) -> dict[str, Any]:
        """Plain values, from which `read` makes equal buckets."""
        filled = np.flatnonzero(self._counts)
        pairs = [[int(at), int(self._counts[at])] for at in filled]
        return {"total": self.total, "least": self.least, "most": self.most, "buckets": pairs}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Buckets:
        """The buckets that `data` tells of.

        >>> Buckets.read(Buckets.of([3, 70_000]).data()) == Buckets.of([70_000, 3])
        True
        """
        buckets = cls()
        pairs: Sequence[Sequence[int]] = data["buckets"]
        for at, count in pairs:
            buckets._counts[at] = count
        buckets.count = int(buckets._counts.sum())
        buckets.total, buckets.least, buckets.most = data["total"], data["least"], data["most"]
        return buckets


def bucket_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each value's bucket.

    >>> bucket_of(np.array([0, 255, 256, 257, 258, 511, 512])).tolist()
    [0, 255, 256, 256, 257, 383, 384]
    """
    _, length = np.frexp(values.astype(np.float64))  # of a huge value one too much, which leads to the same
    shift = np.maximum(length.astype(np.int64) - (_BITS + 1), 0)
    return shift * PARTS + (values >> shift)


def middle_of(buckets: NDArray[np.int64]) -> NDArray[np.int64]:
    """What each of these buckets stands for: its middle.

    >>> middle_of(np.array([0, 255, 256, 257, 383, 384])).tolist()
    [0, 255, 257, 259, 511, 514]
    """
    shift = np.maximum(buckets // PARTS - 1, 0)
    return ((buckets - shift * PARTS) << shift) + ((1 << shift) >> 1)


def _exact_sum(values: NDArray[np.int64], high: int) -> int:
    """The sum, in as many pieces as it takes not to overflow."""
    piece = max(1, (1 << 62) // max(high, 1))
    return sum(int(values[at : at + piece].sum()) for at in range(0, len(values), piece))
