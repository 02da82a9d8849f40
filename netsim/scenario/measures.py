"""What a check can measure: each measure's name, of whom it is taken, and its unit.

Only names and units live here, so that a scenario can be checked without running it; how each number is
computed from a run's tables is in `report/checks.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from netsim.units import (
    exact_duration,
    format_rate,
    format_share,
    parse_duration,
    parse_rate,
    parse_share,
)

Unit = Literal["share", "count", "duration", "rate"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a run. `of` says whose it is.

    A traffic source's (if a check names none: of all together), or a fault's (of the only one).
    """

    of: Literal["source", "fault"]
    unit: Unit
    says: str


MEASURES = MappingProxyType(
    {
        "success": Measure("source", "share", "the part of its requests that ended ok"),
        "availability": Measure("source", "share", "the part of the run outside its outages"),
        "requests": Measure("source", "count", "requests sent"),
        "failed": Measure("source", "count", "requests with any outcome but ok"),
        "refused": Measure("source", "count", "requests whose outcome was refused"),
        "timeouts": Measure("source", "count", "requests whose outcome was timeout"),
        "resets": Measure("source", "count", "requests whose outcome was reset"),
        "lost": Measure("source", "count", "requests that never got an answer"),
        "rate": Measure("source", "rate", "requests that ended ok, per second"),
        "mean": Measure("source", "duration", "mean latency of the requests that ended ok"),
        "p50": Measure("source", "duration", "median latency of the requests that ended ok"),
        "p90": Measure("source", "duration", "latency that 90 % of them do not exceed"),
        "p99": Measure("source", "duration", "latency that 99 % of them do not exceed"),
        "max": Measure("source", "duration", "the longest latency among them"),
        "outage": Measure("source", "duration", "its longest interval of loss"),
        "detected": Measure("fault", "duration", "from the fault to the cluster's first reaction"),
        "endpoints-removed": Measure("fault", "duration", "from the fault to the last endpoint taken out"),
        "programmed": Measure("fault", "duration", "from the fault to the last node that knows"),
        "replaced": Measure("fault", "duration", "from the fault to the replacement pods' creation"),
        "healed": Measure("fault", "duration", "from the fault to the last request it cost"),
        "reaction": Measure("fault", "duration", "from the fault to the first thing Kubernetes does about it"),
        "repair": Measure("fault", "duration", "from the reaction until what failed is ready again"),
        "recovery": Measure("fault", "duration", "from the reaction until every source reaches its target"),
        "downtime": Measure("fault", "duration", "from when a source is cut off until every one is back"),
    }
)
"""Every measure that `checks` may name."""


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a count; write a whole number")
    return value


def _duration(value: Any) -> int:
    if not isinstance(value, str) and value != 0:
        raise ValueError(f"{value!r} is not a duration; write 200ms, 40s or 1m30s")
    return parse_duration(value)


def _rate(value: Any) -> float:
    return 0.0 if value in (0, "0/s") else parse_rate(str(value))


_PARSERS: dict[Unit, Callable[[Any], int | float]] = {
    "share": parse_share,
    "count": _count,
    "duration": _duration,
    "rate": _rate,
}
_FORMATS: dict[Unit, Callable[[Any], str]] = {
    "share": format_share,
    "count": str,
    "duration": exact_duration,
    "rate": lambda rate: format_rate(rate) if rate else "0/s",
}


def parse_bound(measure: str, value: str | float | int) -> int | float:
    """A check's bound in its measure's unit: nanoseconds, a share from 0 to 1, a count, times per second.

    >>> parse_bound("p99", "40ms"), parse_bound("success", "99.9%"), parse_bound("failed", 0)
    (40000000, 0.999, 0)
    """
    return _PARSERS[MEASURES[measure].unit](value)


def format_bound(measure: str, value: int | float) -> str:
    """A number in a measure's unit, as people write it.

    >>> format_bound("p99", 40_000_000), format_bound("success", 0.999), format_bound("failed", 3)
    ('40ms', '99.9%', '3')
    """
    return _FORMATS[MEASURES[measure].unit](value)
