"""Instants as Kubernetes writes them: nanoseconds inside, RFC 3339 at the edges.

A run starts at 2026-01-01T00:00:00Z; inside, every timestamp of an object is an integer count of nanoseconds
since then. Kubernetes knows two kinds of time field: `Time`, cut to whole seconds (creationTimestamp and
nearly all others), and `MicroTime`, with six digits (a Lease's renewTime, an Event's eventTime). Which field
is which is the table below. Source: apimachinery pkg/apis/meta/v1, time.go and micro_time.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from netsim.units import US, S

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When a run starts, by the calendar."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def rfc3339(time: int) -> str:
    """An instant to the second, cut and never rounded.

    >>> rfc3339(35_900_000_000)
    '2026-01-01T00:00:35Z'
    """
    return f"{_second(time).isoformat(timespec='seconds')}Z"


def rfc3339_micro(time: int) -> str:
    """An instant to the microsecond, with all six digits.

    >>> rfc3339_micro(35_000_001_999)
    '2026-01-01T00:00:35.000001Z'
    """
    return f"{_second(time).isoformat(timespec='seconds')}.{time % S // US:06d}Z"


def rfc3339_nano(time: int) -> str:
    """An instant to the nanosecond, without needless zeros, as Go's RFC3339Nano has it.

    >>> rfc3339_nano(35_500_000_000), rfc3339_nano(0)
    ('2026-01-01T00:00:35.5Z', '2026-01-01T00:00:00Z')
    """
    fraction = f".{time % S:09d}".rstrip("0").rstrip(".")
    return f"{_second(time).isoformat(timespec='seconds')}{fraction}Z"


def rfc1123(time: int) -> str:
    """An instant as `kubectl describe` writes it.

    >>> rfc1123(35 * 10**9)
    'Thu, 01 Jan 2026 00:00:35 +0000'
    """
    at = _second(time)
    clock = at.time().isoformat(timespec="seconds")
    return f"{_WEEKDAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year} {clock} +0000"


def parse_rfc3339(text: str) -> int:
    """The nanoseconds since the start of the run that a text says, exactly.

    >>> parse_rfc3339("2026-01-01T00:00:35Z"), parse_rfc3339("2026-01-01T01:00:00.5+01:00")
    (35000000000, 500000000)
    """
    whole, dot, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    zone = rest[len(digits) :] if dot else ""
    at = datetime.fromisoformat(whole + zone)
    if at.tzinfo is None or len(digits) > 9:
        raise ValueError(f"{text!r} is not a time such as 2026-01-01T00:00:35Z")
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * S + int(digits.ljust(9, "0") or "0")


def _second(time: int) -> datetime:
    return (EPOCH + timedelta(seconds=time // S)).replace(tzinfo=None)


TIME_FIELDS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        # every object
        "creationTimestamp": rfc3339,
        "deletionTimestamp": rfc3339,
        # conditions
        "lastTransitionTime": rfc3339,
        "lastHeartbeatTime": rfc3339,
        "lastProbeTime": rfc3339,
        "lastUpdateTime": rfc3339,
        # pods and their containers, jobs
        "startTime": rfc3339,
        "startedAt": rfc3339,
        "finishedAt": rfc3339,
        "completionTime": rfc3339,
        "lastScheduleTime": rfc3339,
        "lastSuccessfulTime": rfc3339,
        # taints
        "timeAdded": rfc3339,
        # events
        "firstTimestamp": rfc3339,
        "lastTimestamp": rfc3339,
        "eventTime": rfc3339_micro,
        "lastObservedTime": rfc3339_micro,
        # leases
        "acquireTime": rfc3339_micro,
        "renewTime": rfc3339_micro,
        # an annotation of EndpointSlices and Endpoints
        "endpoints.kubernetes.io/last-change-trigger-time": rfc3339_nano,
    }
)
"""How each time field is written."""

TIME_MAPS = frozenset({"disruptedPods"})
"""Fields that are maps from a name to a `Time`."""


def with_times(value: Any) -> Any:
    """A copy of an object with its timestamps as text: what leaves the simulation.

    >>> with_times({"metadata": {"name": "a", "creationTimestamp": 0}, "spec": {"replicas": 3}})
    {'metadata': {'name': 'a', 'creationTimestamp': '2026-01-01T00:00:00Z'}, 'spec': {'replicas': 3}}
    """
    if isinstance(value, Mapping):
        return {name: _with_time(name, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [with_times(one) for one in value]
    return value


def _with_time(name: str, value: Any) -> Any:
    if name in TIME_MAPS and isinstance(value, Mapping):
        return {key: rfc3339(time) if type(time) is int else time for key, time in value.items()}
    if type(value) is int and name in TIME_FIELDS:
        return TIME_FIELDS[name](value)
    return with_times(value)
