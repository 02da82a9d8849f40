"""The cells of `kubectl get events`.

LAST SEEN is the newest of the times an Event carries: its series', its last timestamp, its first.
Source: kubernetes/pkg/printers/internalversion, printers.go, printEvent.
"""

from __future__ import annotations

from netsim.api.objects import Object
from netsim.api.tables.ages import age, micro_age
from netsim.api.tables.columns import Column, View, field, name_cell


def first_seen(event: Object, now: int) -> str:
    """How long ago it happened first."""
    if event.get("firstTimestamp") is not None:
        return age(event["firstTimestamp"], now)
    return micro_age(event.get("eventTime"), now)


def last_seen(event: Object, now: int) -> str:
    """How long ago it happened last."""
    if event.get("series"):
        return micro_age(event["series"].get("lastObservedTime"), now)
    if event.get("lastTimestamp") is not None:
        return age(event["lastTimestamp"], now)
    return first_seen(event, now)


def _last_seen(event: Object, view: View) -> str:
    return last_seen(event, view.now)


def _first_seen(event: Object, view: View) -> str:
    return first_seen(event, view.now)


def _object(event: Object, view: View) -> str:
    about = event.get("involvedObject") or {}
    return "/".join(part for part in (about.get("kind", "").lower(), about.get("name", "")) if part)


def _source(event: Object, view: View) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent", "")
    host = source.get("host") or event.get("reportingInstance", "")
    return f"{component}, {host}" if host else component


def _message(event: Object, view: View) -> str:
    return event.get("message", "").strip()


def _count(event: Object, view: View) -> int:
    if event.get("series"):
        return event["series"].get("count", 0)
    return event.get("count") or 1


COLUMNS = (
    Column("Last Seen", _last_seen),
    Column("Type", field("type")),
    Column("Reason", field("reason")),
    Column("Object", _object),
    Column("Subobject", field("involvedObject", "fieldPath"), wide=True),
    Column("Source", _source, wide=True),
    Column("Message", _message),
    Column("First Seen", _first_seen, wide=True),
    Column("Count", _count, wide=True),
    Column("Name", name_cell, wide=True),
)
