"""What is said of many requests: counts, percentiles, a histogram, and which failures there were, and when.

A percentile is taken by *nearest rank*: p90 is the smallest latency that at least 90 % of the sample do not
exceed. It is always a latency that some request really had; nothing is interpolated. (Of more than a million
latencies it is one within 0.4 % of that: see `netsim.report.latencies`.) Latencies are those of requests that
went well: the latency of a failure is how patient the client was, which says nothing of the cluster. A request
that the end of the run cut off (`unfinished`) counts as sent, and as neither ok nor failed.

All of it is integer arithmetic on nanoseconds, so the numbers do not depend on the order of additions.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]

PERCENTILES = (50, 90, 99)
"""The percentiles that every summary and series holds."""

_STEPS = (
    (10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91),
    (10, 12, 15, 20, 25, 30, 40, 50, 60, 80),
    (10, 20, 50),
    (10,),
)
"""Round numbers of a decade, fine to coarse; the first row is the E24 series of IEC 60063."""


def rank(count: int, percent: float) -> int:
    """Which of `count` sorted values is the percentile, from 0.

    >>> rank(10, 50), rank(10, 90), rank(10, 99), rank(1, 50), rank(2000, 99.9), rank(10, 0)
    (4, 8, 9, 0, 1997, 0)
    """
    share = Fraction(str(percent)) / 100
    return max(0, -int(-share * count // 1) - 1)


def percentile(values: Times, percent: float) -> int | None:
    """The percentile of a sample by nearest rank; None of an empty one.

    >>> percentile(np.array([30, 10, 20]), 50), percentile(np.array([], dtype=np.int64), 50)
    (20, None)
    """
    if not len(values):
        return None
    at = rank(len(values), percent)
    return int(np.partition(values, at)[at])


def mean(values: Times) -> int | None:
    """The mean, to the nearest nanosecond; None of an empty sample.

    >>> mean(np.array([1, 2, 6]))
    3
    """
    count = len(values)
    return (2 * int(values.sum()) + count) // (2 * count) if count else None


@dataclass(frozen=True, slots=True)
class Bin:
    """How many latencies lie from `low` up to, not including, `high`."""

    low: int
    high: int
    count: int


def histogram(values: Times, most: int = 12, counts: NDArray[np.int64] | None = None) -> tuple[Bin, ...]:
    """The sample in bins between round numbers, wider ones to the right: as fine as `most` bins allow.

    With `counts`, each value is there so many times.

    >>> [(b.low, b.high, b.count) for b in histogram(np.array([110, 145, 147, 225]), most=6)]
    [(100, 120, 1), (120, 150, 2), (150, 200, 0), (200, 250, 1)]
    """
    if not len(values):
        return ()
    edges = _edges(int(values.min()), int(values.max()), most)
    found = np.zeros(len(edges), np.int64)
    at = np.searchsorted(np.array(edges, dtype=np.int64), values, side="right") - 1
    np.add.at(found, at, 1 if counts is None else counts)
    return tuple(Bin(low, high, int(n)) for low, high, n in zip(edges, edges[1:], found, strict=False))


def _edges(low: int, high: int, most: int) -> list[int]:
    """Round numbers from at or below `low` to above `high`."""
    for steps in _STEPS:
        marks = _marks(steps, high)
        first, last = bisect_right(marks, low) - 1, bisect_right(marks, high)
        if last - first <= most:
            break
    return marks[first : last + 1]


def _marks(steps: tuple[int, ...], high: int) -> list[int]:
    """Zero, and the round numbers up to some above `high`."""
    marks, scale = {0}, 1
    while scale <= 10 * max(high, 1):
        marks |= {step * scale // 10 for step in steps}
        scale *= 10
    return sorted(marks)


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which requests failed: how many, and when the first and the last of them were sent."""

    outcome: str
    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a summary says of a set of requests. Times are nanoseconds, None where there is no sample."""

    requests: int
    ok: int
    failed: int
    unfinished: int
    percentiles: dict[int, int | None]
    mean: int | None
    least: int | None
    most: int | None
    failures: tuple[Failure, ...]
    error: float = 0.0  # how far a percentile may be from the exact one, as a part of it

    @property
    def success(self) -> float | None:
        """The share of finished requests that went well; None if none finished."""
        finished = self.ok + self.failed
        return self.ok / finished if finished else None
