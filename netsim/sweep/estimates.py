"""What many runs say of a measure: its mean with an interval, the difference to a baseline, quantiles.

Runs under different seeds are independent, so the mean of a measure over n seeds has Student's interval: if
the whole sweep were repeated with other seeds, 95 of 100 such intervals would hold the true mean. Differences
are taken seed by seed (both variants saw the same arrivals and service times) before anything is averaged,
which takes out what the seeds have in common. Each interval stands for itself: among many measures some
miss the truth by chance.

A run that has no value of a measure (the fault was never detected) is left out, and counted. Quantiles are
by nearest rank: values that some run really had. Sums are exact (`math.fsum`), so order does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from netsim.report.statistics import rank

LEVEL = 0.95
"""How sure an interval is."""

Number = int | float


@dataclass(frozen=True)
class Estimate:
    """A mean over runs, and the interval in which the true one lies; none of fewer than two runs."""

    count: int
    mean: float | None
    low: float | None
    high: float | None
    deviation: float | None  # of single runs

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out nothing (zero), so that a difference is not chance."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def within(self, least: float, most: float) -> Estimate:
        """The same, without the part of the interval where no value can be.

        >>> estimate([0.9, 1.0, 1.0]).within(0.0, 1.0).high
        1.0
        """
        if self.low is None or self.high is None:
            return self
        return replace(self, low=max(self.low, least), high=min(self.high, most))


def estimate(values: Sequence[Number]) -> Estimate:
    """The mean of these values with Student's interval.

    >>> found = estimate([4, 5, 6])
    >>> found.mean, round(found.low, 3), round(found.high, 3), found.deviation
    (5.0, 2.516, 7.484, 1.0)
    """
    count = len(values)
    if not count:
        return Estimate(0, None, None, None, None)
    mean = math.fsum(values) / count
    if count == 1:
        return Estimate(1, mean, None, None, None)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = student(count - 1) * deviation / math.sqrt(count)
    return Estimate(count, mean, mean - half, mean + half, deviation)


def paired(values: Iterable[Number | None], others: Iterable[Number | None]) -> Estimate:
    """The mean difference of values to others under the same seeds, where both are known.

    >>> found = paired([10, 20, None, 31], [9, 19, 5, 30])
    >>> found.count, found.mean, found.low, found.high
    (3, 1.0, 1.0, 1.0)
    """
    pairs = zip(values, others, strict=True)
    return estimate([one - other for one, other in pairs if one is not None and other is not None])


def unpaired(values: Sequence[Number], others: Sequence[Number]) -> Estimate:
    """The difference of two means of independent runs, with Welch's interval; `count` is the smaller sample.

    >>> found = unpaired([4, 5, 6], [1, 2, 3])
    >>> found.mean, round(found.low, 3), round(found.high, 3)
    (3.0, 0.733, 5.267)
    """
    one, other = estimate(values), estimate(others)
    count = min(one.count, other.count)
    if one.mean is None or other.mean is None:
        return Estimate(count, None, None, None, None)
    mean = one.mean - other.mean
    if one.deviation is None or other.deviation is None:
        return Estimate(count, mean, None, None, None)
    parts = [each.deviation**2 / each.count for each in (one, other) if each.deviation is not None]
    spread = math.sqrt(math.fsum(parts))
    if not spread:
        return Estimate(count, mean, mean, mean, 0.0)
    weights = parts[0] ** 2 / (one.count - 1) + parts[1] ** 2 / (other.count - 1)
    half = student(max(1, math.floor(spread**4 / weights + 1e-9))) * spread
    return Estimate(count, mean, mean - half, mean + half, spread)


def quantile(values: Sequence[Number], percent: float) -> Number | None:
    """The value that this part of all do not exceed, by nearest rank; None of no values.

    >>> quantile([5, 1, 4, 2, 3], 50), quantile([5, 1, 4, 2, 3], 90)
    (3, 5)
    """
    return sorted(values)[rank(len(values), percent)] if values else None


@cache
def student(degrees: int, level: float = LEVEL) -> float:
    """How many standard errors lie to either side of a mean, with so many degrees of freedom.

    >>> [round(student(degrees), 3) for degrees in (1, 2, 9, 29, 10_000)]
    [12.706, 4.303, 2.262, 2.045, 1.96]
    """
    low, high = 0.0, math.pi / 2  # the angle whose tangent is t / sqrt(degrees)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(degrees, middle) < level else (low, middle)
    return float(f"{math.tan(low) * math.sqrt(degrees):.12g}")  # so many digits are the same everywhere


def _within(degrees: int, angle: float) -> float:
    """The part of Student's distribution within an angle. Source: Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0 if degrees == 1 else term
    for n in range(2 + odd, degrees - 1, 2):
        term *= cosine * cosine * (n - 1) / n
        total += term
    return (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total
