"""The last part of every description: what happened to the object, oldest first.

An Event that was counted says so: `3m (x5 over 10m)` is three minutes since the last of five, ten since
the first. Source: kubectl pkg/describe, DescribeEvents and searchEvents.
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.describe.page import Page
from netsim.api.objects import Object
from netsim.api.tables.ages import age, micro_age
from netsim.api.tables.columns import NONE


def events_of(obj: Object, events: Iterable[Object]) -> list[Object]:
    """The events that are about this very object, in the order in which they happened last."""
    return sorted((event for event in events if _is_about(event, obj)), key=_last)


def write_events(page: Page, events: list[Object], now: int) -> None:
    """The events as a table, or that there are none."""
    if not events:
        page.line("Events:", NONE)
        return
    page.line("Events:")
    page.table(("Type", "Reason", "Age", "From", "Message"), (_row(event, now) for event in events))


def event_age(event: Object, now: int) -> str:
    """When it happened, and how often since when."""
    at = event.get("eventTime")
    first = age(event.get("firstTimestamp"), now) if at is None else micro_age(at, now)
    series = event.get("series")
    if series:
        return f"{micro_age(series.get('lastObservedTime'), now)} (x{series.get('count', 0)} over {first})"
    if event.get("count", 0) > 1:
        return f"{age(event.get('lastTimestamp'), now)} (x{event['count']} over {first})"
    return first


def _is_about(event: Object, obj: Object) -> bool:
    about, metadata = event.get("involvedObject") or {}, obj["metadata"]
    if about.get("kind") != obj["kind"] or about.get("name") != metadata["name"]:
        return False
    if about.get("namespace", "") not in ("", metadata.get("namespace", "")):
        return False
    # a kubelet calls its node by name where others write the uid
    return about.get("uid", "") in ("", metadata.get("uid", ""), metadata["name"])


def _last(event: Object) -> int:
    return event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or 0


def _row(event: Object, now: int) -> tuple[str, ...]:
    source = (event.get("source") or {}).get("component") or event.get("reportingComponent", "")
    part = (event.get("involvedObject") or {}).get("fieldPath", "")
    message = event.get("message", "").strip()
    return (
        event.get("type", ""),
        event.get("reason", ""),
        event_age(event, now),
        source,
        f"{part}: {message}" if part else message,
    )
