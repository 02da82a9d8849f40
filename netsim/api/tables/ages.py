"""How long ago: the AGE column.

kubectl shows two units at most, and fewer the longer it is; what is left over is cut off, never rounded.
A timestamp of the API has whole seconds while the clock runs on between them, so an object made at 0.9 s is
35 s old at 35.0 s: the timestamp is cut to its second first, as the API server cuts it.
Source: apimachinery pkg/util/duration, HumanDuration.
"""

from __future__ import annotations

from netsim.units import US, S

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}

SHAPES = (
    # shorter than (s)  unit  and the rest in
    (120, "s", ""),
    (600, "m", "s"),
    (180 * 60, "m", ""),
    (8 * 3600, "h", "m"),
    (48 * 3600, "h", ""),
    (8 * 86_400, "d", "h"),
    (2 * 365 * 86_400, "d", ""),
    (8 * 365 * 86_400, "y", "d"),
)
"""Which units a length of time is told in."""

UNKNOWN = "<unknown>"
"""The age of what has no timestamp."""


def human_duration(duration: int) -> str:
    """A length of time (nanoseconds) in kubectl's short form.

    >>> [human_duration(s * S) for s in (119, 121, 600, 10_860, 176_400)]
    ['119s', '2m1s', '10m', '3h1m', '2d1h']
    """
    seconds = abs(duration) // S
    if duration < 0:
        return "<invalid>" if seconds > 1 else "0s"
    unit, rest = next(((u, r) for limit, u, r in SHAPES if seconds < limit), ("y", ""))
    count, left = divmod(seconds, UNITS[unit])
    more = left // UNITS[rest] if rest else 0
    return f"{count}{unit}{more}{rest}" if more else f"{count}{unit}"


def age(timestamp: int | None, now: int) -> str:
    """How long ago a timestamp is that has whole seconds, which are nearly all of them.

    >>> age(900_000_000, 35 * S), age(None, 0)
    ('35s', '<unknown>')
    """
    return UNKNOWN if timestamp is None else human_duration(now - timestamp // S * S)


def micro_age(timestamp: int | None, now: int) -> str:
    """How long ago a timestamp is that has microseconds: an Event's eventTime.

    >>> micro_age(900_000_000, 35 * S)
    '34s'
    """
    return UNKNOWN if timestamp is None else human_duration(now - timestamp // US * US)
