"""What followed a fault, and how long after: detected, endpoints removed, programmed, replaced, healed.

Each is the time from when the fault struck, or None if that never came. Only what happens before the next
fault of the scenario strikes is put down to this one. Whom it hit is read from the changes of that instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.dataplane.history import Change
from netsim.report.effects import Effects

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Outage, Recording

GOING = ("pod-terminating", "pod-collected", "pod-deleted")
"""Changes by which a pod goes, in the order in which they come; it may skip each but the last."""

_STRIKES = ("fault", "power-off", "link-down")


@dataclass(frozen=True)
class Aftermath:
    """A fault, whom it hit, and what happened from then until the next one."""

    at: int
    nodes: tuple[str, ...]
    changes: tuple[Change, ...]
    effects: Effects  # of the whole run
    outages: tuple[Outage, ...]  # that began in this time
    last_lost: int  # when the last request that failed in this time was sent; `at` if none did

    def of(self, kind: str) -> list[Change]:
        """The changes of a kind that concern the nodes that were hit."""
        return [change for change in self.changes if change.kind == kind and change.node in self.nodes]


def aftermath(recording: Recording, digest: Digest, name: str) -> Aftermath:
    """What followed the fault called `name`."""
    faults = {fault.name: fault.at for fault in recording.scenario.document.faults}
    at = faults[name]
    until = min((other for other in faults.values() if other > at), default=recording.ended + 1)
    lost = (digest.between(source, at, until).last_lost for source in range(len(recording.sources)))
    return Aftermath(
        at,
        victims(recording.changes, name, at),
        tuple(change for change in recording.changes if at <= change.time < until),
        Effects(recording.changes),
        tuple(outage for outage in recording.outages if at <= outage.began < until),
        max((time for time in lost if time is not None), default=at),
    )


def victims(changes: Sequence[Change], name: str, at: int) -> tuple[str, ...]:
    """The nodes that a fault hit: those of the changes it made, if they say its name, or of that instant."""
    strikes = [change for change in changes if change.kind in _STRIKES and change.time == at and change.node]
    own = [change for change in strikes if change.detail == name] or strikes
    return tuple(dict.fromkeys(change.node for change in own))


def detected(after: Aftermath) -> int | None:
    """Until the first of its nodes was NotReady."""
    return min((change.time - after.at for change in after.of("node-not-ready")), default=None)


def endpoints_removed(after: Aftermath) -> int | None:
    """Until the last endpoint on its nodes was no longer ready in its EndpointSlice."""
    removed = _firsts(after.of("endpoint-not-ready"))
    return max(removed) - after.at if removed else None


def programmed(after: Aftermath) -> int | None:
    """Until the last node that had power acted on that."""
    removed = after.of("endpoint-not-ready")
    if not removed:
        return None
    return max((time - after.at for _, time in after.effects.of(removed)), default=None)


def replaced(after: Aftermath) -> int | None:
    """Until as many pods had been created as pods of these nodes had been told to go, or been given up."""
    gone = _firsts(change for kind in GOING[:-1] for change in after.of(kind))
    if not gone:
        return None
    created = [c.time for c in after.changes if c.kind == "pod-created" and c.time >= min(gone)]
    return sorted(created)[len(gone) - 1] - after.at if len(gone) <= len(created) else None


def healed(after: Aftermath) -> int | None:
    """Until the last request that failed was sent; never, if a source still cannot reach its target."""
    if any(outage.ended is None for outage in after.outages):
        return None
    return after.last_lost - after.at


MOMENTS: dict[str, Callable[[Aftermath], int | None]] = {
    "detected": detected,
    "endpoints-removed": endpoints_removed,
    "programmed": programmed,
    "replaced": replaced,
    "healed": healed,
}
"""Every measure of a fault."""


def _firsts(changes: Iterable[Change]) -> list[int]:
    """When each of the things that changed did so first."""
    first: dict[str, int] = {}
    for change in changes:
        first.setdefault(change.subject, change.time)
    return list(first.values())
