"""What became of each fault: who noticed it, who did what about it and when, and what it cost.

An incident is one stroke of a fault (one that strikes again and again has many), with everything that is put down to
it: what concerns the nodes or pods it hit, until they are struck again (or, where it hit neither, everything, until
the next stroke of any fault); and the requests that are lost until the next stroke of any fault. Its four times are
those of the literature on availability:

    reaction  from the failure to the first thing that Kubernetes does about it
    repair    from the reaction until what failed, or its replacement, is ready again
    recovery  from the reaction until every source reaches its target again
    outage    from the moment at which a source was first cut off until then; where that is the failure itself,
              outage = reaction + recovery

Which component spent the time in between is told by the stages (`stages.py`).

Source of the terms: Vayghan, Saied, Toeroe, Khendek, "Deploying Microservice Based Applications with Kubernetes:
Experiments and Lessons Learned" (IEEE CLOUD 2018).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.dataplane.history import Change
from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.effects import Effects
from netsim.report.stages import Stage, stages
from netsim.report.strokes import Stroke, strokes
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Outage, Recording

Time = int | None

STEADY = 30 * S
"""A source that is cut off again sooner than this was not back."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a fault cost one traffic source."""

    source: str
    first: Time  # when the first request that failed was sent
    last: Time  # and the last
    lost: int
    outcomes: tuple[tuple[str, int], ...]  # how they failed, and how many so
    availability: float | None  # the part of the requests sent from the fault until the next one that ended ok

    def data(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        times = {"firstLost": _seconds(self.first), "lastLost": _seconds(self.last)}
        return {"source": self.source, **times, "lost": self.lost, "outcomes": dict(self.outcomes),
                "availability": self.availability}  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """One stroke of a fault, and what followed. Times are nanoseconds of the run; None: it never came."""

    fault: str
    action: str
    victims: tuple[str, ...]  # as history calls them: node/NAME, pod/NAMESPACE/NAME
    injected: int
    healed: Time  # when the fault let go
    until: int  # when the next fault struck, or the run ended
    noticed: Time
    noticed_by: str
    endpoints_gone: Time  # the last of the victims' endpoints has left its EndpointSlice
    rules_first: Time  # the first node acted on that
    rules_last: Time
    rules_nodes: tuple[str, str]  # which they were
    turned_away: Time  # the last of the victims that a load balancer no longer sends to
    tainted: Time  # NoExecute: from here on tolerations are counted
    evicted: Time  # the last of the victims' pods was told to go
    created: Time  # as many pods as went have taken their place
    scheduled: Time
    ready: Time
    in_rules: Time  # on every node
    cut_off: Time  # a source first could not reach its target
    back: Time  # every source reaches its target again
    led: Time  # controllers lead again
    repaired: Time  # what failed, or its replacement, is ready
    losses: tuple[Loss, ...] = ()

    @property
    def reaction(self) -> Time:
        """From the failure to the first thing that Kubernetes does about it."""
        return None if self.noticed is None else self.noticed - self.injected

    @property
    def repair(self) -> Time:
        """From the reaction until what failed is ready again."""
        return _after(self.repaired, self.noticed)

    @property
    def recovery(self) -> Time:
        """From the reaction until every source reaches its target again."""
        return _after(self.back, self.noticed)

    @property
    def outage(self) -> Time:
        """From when a source was first cut off until every one reaches its target again; nothing if none was."""
        return 0 if self.cut_off is None else _after(self.back, self.cut_off)

    @property
    def let_go(self) -> Time:
        """When the fault let go, if that came before the repair: nothing could be repaired until then."""
        late = self.healed is None or self.repaired is None or self.healed > self.repaired
        return None if late else self.healed

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Where the seconds went."""
        return stages(self)

    def data(self) -> dict[str, Any]:
        """The incident as `summary.json` holds it, with times in seconds since the run began."""
        moments = {name: _seconds(getattr(self, name)) for name in MOMENTS}
        lengths = {name: _seconds(getattr(self, name)) for name in LENGTHS}
        return {
            "fault": self.fault, "action": self.action, "victims": list(self.victims), **moments,
            "noticedBy": self.noticed_by, "rulesNodes": list(self.rules_nodes), **lengths,
            "lost": sum(loss.lost for loss in self.losses),
            "sources": [loss.data() for loss in self.losses],
            "stages": [stage.data() for stage in self.stages],
        }  # fmt: skip


MOMENTS = {
    "injected": "when it struck",
    "healed": "when it let go",
    "noticed": "when Kubernetes first did something about it",
    "endpoints_gone": "when the last of its victims' endpoints had left its EndpointSlice",
    "rules_first": "when the first node had that in its rules",
    "rules_last": "when the last node had",
    "turned_away": "when a load balancer last turned away from one of its victims",
    "tainted": "when the last of its victims was tainted NoExecute",
    "evicted": "when the last of their pods was told to go",
    "created": "when as many pods had been created as were to go",
    "scheduled": "when all of these had a node",
    "ready": "when all of these were ready",
    "in_rules": "when the last node had them in its rules",
    "led": "when controllers led again",
    "repaired": "when what failed, or its replacement, was ready",
    "cut_off": "when a source first could not reach its target",
    "back": "when every source could reach its target again",
}
"""Every moment of an incident, and what it says."""

LENGTHS = {
    "reaction": "from the failure to the first thing that Kubernetes did about it",
    "repair": "from the reaction until what failed was ready again",
    "recovery": "from the reaction until every source reached its target again",
    "outage": "from when a source was first cut off until then",
}
"""Every length of time that an incident has."""

NOTICES = {
    "node-not-ready": "node lifecycle",
    "pod-not-ready": "kubelet",
    "endpoint-not-ready": "EndpointSlice",
    "pod-created": "ReplicaSet",
    "leader-lost": "leader election",
}
"""Changes by which a component of Kubernetes shows that it has noticed something, and which component that is."""


def incidents(recording: Recording, digest: Digest) -> tuple[Incident, ...]:
    """Every incident of a run, in the order in which they began."""
    every, effects = strokes(recording), Effects(recording.changes)
    times = [change.time for change in recording.changes]
    found = []
    for stroke in every:
        until = min((other.at for other in every if other.at > stroke.at), default=recording.ended)
        again = stroke.again(every, recording.ended + 1)
        window = recording.changes[bisect_left(times, stroke.at) : bisect_left(times, again)]
        found.append(_incident(recording, digest, stroke, until, window, effects))
    return tuple(found)


# one incident ------------------------------------------------------------------------------------------


def _incident(
    recording: Recording, digest: Digest, stroke: Stroke, until: int, window: Sequence[Change], effects: Effects
) -> Incident:
    own = [change for change in window if stroke.concerns(change)]
    by_kind: dict[str, list[Change]] = {}
    for change in own:
        by_kind.setdefault(change.kind, []).append(change)
    notice = next((c for c in window if c.kind in NOTICES and _is_reaction(stroke, c)), None)
    gone = _firsts(by_kind.get("endpoint-not-ready", ()))
    acted = effects.of(gone) if gone else ()
    fresh = _replacements(stroke, window, by_kind)
    entered = [c for c in _of(window, "endpoint-ready") if c.subject.rpartition("/")[2] in {n for _, n in fresh}]
    joined = effects.of(_firsts(entered)) if entered and len(_firsts(entered)) == len(fresh) else ()
    ready = _all_of(window, "pod-ready", fresh)
    led = next((c.time for c in _of(window, "leader-elected")), None)
    repaired = next((time for time in (ready, _well_again(by_kind), led) if time is not None), None)
    sources = stroke.sources(recording)
    outages = [o for o in recording.outages if stroke.at <= o.began < until and o.source in sources]
    tainted = [c for c in by_kind.get("taint-added", ()) if c.detail.endswith(":NoExecute")]
    evicted = _leavers(by_kind) if stroke.nodes and tainted else []
    return Incident(
        fault=stroke.fault,
        action=stroke.action,
        victims=stroke.victims,
        injected=stroke.at,
        healed=stroke.healed,
        until=until,
        noticed=notice.time if notice else None,
        noticed_by=_noticer(notice) if notice else "",
        endpoints_gone=max((c.time for c in gone), default=None),
        rules_first=acted[0][1] if acted else None,
        rules_last=acted[-1][1] if acted else None,
        rules_nodes=(acted[0][0], acted[-1][0]) if acted else ("", ""),
        turned_away=max((c.time for c in by_kind.get("lb-node-out", ())), default=None),
        tainted=max((c.time for c in _firsts(tainted)), default=None),
        evicted=max((c.time for c in evicted), default=None),
        created=_all_of(window, "pod-created", fresh),
        scheduled=_all_of(window, "pod-scheduled", fresh),
        ready=ready,
        in_rules=joined[-1][1] if joined else None,
        cut_off=min((outage.began for outage in outages), default=None),
        back=_back(outages, stroke.at),
        led=led,
        repaired=repaired,
        losses=_losses(recording, digest, sources, stroke.at, until),
    )


def _of(changes: Iterable[Change], kind: str) -> list[Change]:
    return [change for change in changes if change.kind == kind]


def _firsts(changes: Iterable[Change]) -> list[Change]:
    """The first change of each thing that changed."""
    first: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.subject, change)
    return list(first.values())


def _is_reaction(stroke: Stroke, change: Change) -> bool:
    """Whether a change shows that somebody has noticed: not part of the stroke itself, and about its victims."""
    if change.detail == stroke.fault:
        return False
    replaces = change.kind == "pod-created" and stroke.owned is None
    return stroke.concerns(change) or replaces or change.kind in ("leader-lost", "node-not-ready")


def _noticer(notice: Change) -> str:
    if notice.kind == "node-not-ready" and notice.detail.startswith("False"):
        return "kubelet"
    return NOTICES[notice.kind]


def _leavers(by_kind: dict[str, list[Change]]) -> list[Change]:
    """The victims' pods that were told to go, or that went without being told."""
    return _firsts([*by_kind.get("pod-terminating", ()), *by_kind.get("pod-deleted", ())])


def _replacements(
    stroke: Stroke, window: Sequence[Change], by_kind: dict[str, list[Change]]
) -> list[tuple[str, str]]:
    """The pods that took the place of those that went, as namespace and name; none if not all places were taken."""
    created = by_kind.get("pod-created", []) if stroke.owned else _of(window, "pod-created")
    if stroke.nodes or stroke.pods:
        gone = _leavers(by_kind)
        if not gone:
            return []
        created = [c for c in created if c.time >= min(g.time for g in gone)][: len(gone)]
        if len(created) < len(gone):
            return []
    return [(c.subject.split("/")[1], c.subject.split("/")[2]) for c in created]


def _all_of(window: Sequence[Change], kind: str, pods: Sequence[tuple[str, str]]) -> Time:
    """When the last of the pods had first changed so; None if one never did."""
    subjects = {f"pod/{namespace}/{name}" for namespace, name in pods}
    first = [change for change in _firsts(_of(window, kind)) if change.subject in subjects]
    return max((c.time for c in first), default=None) if len(first) == len(subjects) else None


def _well_again(by_kind: dict[str, list[Change]]) -> Time:
    """When the victims' pods were ready again themselves (or the nodes, if no pod had ceased to be)."""
    for off, on in (("pod-not-ready", "pod-ready"), ("node-not-ready", "node-ready")):
        failed_first = {c.subject: c.time for c in reversed(by_kind.get(off, ()))}
        again = {
            c.subject: c.time
            for c in reversed(by_kind.get(on, ()))
            if c.subject in failed_first and c.time >= failed_first[c.subject]
        }
        if failed_first:
            return max(again.values()) if len(again) == len(failed_first) else None
    return None


def _back(outages: Sequence[Outage], at: int) -> Time:
    """When every source could reach its target again, for a while; never if one still cannot.

    Where none was cut off that is at once.
    """
    back = at
    for outage in outages:  # in the order in which they began
        if back > at and outage.began > back + STEADY:
            break
        if outage.ended is None:
            return None
        back = max(back, outage.ended)
    return back


def _losses(recording: Recording, digest: Digest, sources: Sequence[str], at: int, until: int) -> tuple[Loss, ...]:
    found = []
    for code, source in enumerate(recording.sources):
        if source not in sources:
            continue
        sent = digest.between(code, at, max(until, at + 1))
        failures = [(i, int(number)) for i, number in enumerate(sent.counts) if number and i not in (OK, UNFINISHED)]
        found.append(
            Loss(
                source,
                sent.first_lost,
                sent.last_lost,
                sent.lost,
                tuple((OUTCOMES[i], number) for i, number in failures),
                int(sent.counts[OK]) / sent.finished if sent.finished else None,
            )
        )
    return tuple(found)


def _after(time: Time, since: Time) -> Time:
    return None if time is None or since is None else max(0, time - since)


def _seconds(time: Time) -> float | None:
    return None if time is None else time / S
