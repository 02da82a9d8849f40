"""When something was well again for good: spells in which it was not, one after the other.

A service that is cut off again at once was not back, and neither was a container that its fault goes on killing: a
spell that begins soon after the last one, or while the fault can still be felt, belongs to the same interruption. It
can be felt until it lets go; by those who ask for a Service, until the last of its victims' endpoints is gone.

A source's spells are the union of two views (`reachability.py`): by the rules, while new connections were lost,
wholly or in part; and by its requests, while they failed. Rules show no spell of a slow pod or of a lossy network,
and requests none of a time in which nobody asked. A spell of requests cannot be said to be over as long as nothing
went well after it, nor while the fault is at work and the run ended on losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from netsim.dataplane.history import Change
from netsim.report.losses import GAP
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.report.strokes import Stroke
    from netsim.simulation import Recording

Spell = tuple[int, int | None]
"""From when to when; None: it was not over when the run ended."""

STEADY = 30 * S
"""What is ill again sooner than this was not well."""


def over(spells: Iterable[Spell], since: int, held: int) -> int | None:
    """When the last spell of the interruption that began after `since` was over; `held`: when the fault let go.

    >>> over([(1 * S, 2 * S), (42 * S, 43 * S)], 0, 0) // S, over([(1 * S, 2 * S), (42 * S, 43 * S)], 0, 60 * S) // S
    (2, 43)
    """
    end = since
    for began, ended in sorted(spells, key=lambda spell: spell[0]):
        if end > since and began > max(end + STEADY, held):
            break
        if ended is None:
            return None
        end = max(end, ended)
    return end


def held(stroke: Stroke, ended: int) -> int:
    """Until when a fault was at work, in a run that ended then; one that struck once, no longer."""
    if stroke.healed is not None:
        return stroke.healed
    return ended if stroke.lasting else stroke.at


def felt(by_kind: Mapping[str, list[Change]], held: int) -> int:
    """Until when sources feel a fault that is at work until `held`."""
    last = {
        kind: max((change.time for change in by_kind.get(kind, ()) if change.time < held), default=-1)
        for kind in ("endpoint-ready", "endpoint-not-ready")
    }
    out = last["endpoint-not-ready"]
    return out if out > last["endpoint-ready"] else held


def of_sources(
    recording: Recording, digest: Digest, stroke: Stroke, until: int, sources: Sequence[str]
) -> list[Spell]:
    """When one of the sources could not, or not always, reach its target, from a stroke until the next of any fault."""
    found: list[Spell] = [
        (outage.began, outage.ended)
        for outage in recording.outages
        if stroke.at <= outage.began < until and outage.source in sources
    ]
    for tally, source in zip(digest.tallies, recording.sources, strict=True):
        if source not in sources:
            continue
        for span in tally.losses.spans:
            if span.ended >= stroke.at and span.began < until:
                going = stroke.healed is None and recording.ended - span.ended <= GAP
                endless = until == recording.ended and (going or span.done == tally.losses.finished)
                found.append((max(span.began, stroke.at), None if endless else max(min(span.ended, until), stroke.at)))
    return found


def of_victims(by_kind: Mapping[str, list[Change]]) -> tuple[str, list[Spell]]:
    """When the victims' pods were not ready (or the nodes, or the endpoints, if no pod was); and who readies those."""
    for thing, component in (("pod", "kubelet"), ("node", "kubelet"), ("endpoint", "EndpointSlice")):
        offs, ons = by_kind.get(f"{thing}-not-ready", []), by_kind.get(f"{thing}-ready", [])
        if offs:
            return component, [(off.time, _next(off, ons)) for off in offs]
    return "", []


def _next(off: Change, ons: Sequence[Change]) -> int | None:
    return next((on.time for on in ons if on.subject == off.subject and on.time >= off.time), None)
