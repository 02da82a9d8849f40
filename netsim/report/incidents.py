"""What became of each fault: who noticed it, who did what about it and when, and what it cost.

An incident is one stroke of a fault (one that strikes again and again has many), with everything that is put down to
it: what concerns the nodes or pods it hit, until they are struck again (`windows.py`); and the requests that fail until
the next stroke of any fault, among them those that were under way when it struck. Its four times are those of the
literature on availability:

    reaction  from the failure to the first thing that Kubernetes does about it
    repair    from the reaction until what failed, or its replacement, is ready again
    recovery  from the reaction until every source reaches its target again
    outage    from the moment at which a source was first cut off, wholly or in part, until then; where that is the
              failure itself, outage = reaction + recovery

What counts as being cut off, and as being well again for good, is told in `spells.py`; who replaces whom, in
`replacements.py`.

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
from netsim.dataplane.requests import OK, OUTCOMES
from netsim.report.effects import Effects
from netsim.report.moments import GOING
from netsim.report.replacements import Left, Pods, kind_of, replacements
from netsim.report.spells import Spell, felt, held, of_sources, of_victims, over
from netsim.report.stages import Stage, stages
from netsim.report.strokes import Stroke, strokes
from netsim.report.windows import end_of, homes
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Recording

Time = int | None


@dataclass(frozen=True, slots=True)
class Loss:
    """What a fault cost one traffic source."""

    source: str
    first: Time  # when the first request that failed was sent
    last: Time  # and the last
    lost: int
    outcomes: tuple[tuple[str, int], ...]  # how they failed, and how many so
    availability: float | None  # the part that ended ok of these and of those that did, sent until the next fault

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
    created: Time  # as many pods as went have taken their place, of those that can be replaced
    created_by: str  # the kind of the owner that made the last of them
    scheduled: Time
    ready: Time
    in_rules: Time  # on every node
    cut_off: Time  # a source first could not reach its target
    back: Time  # every source reaches its target again
    led: Time  # controllers lead again
    repaired: Time  # what failed, or its replacement, is ready
    repaired_by: str
    left: tuple[Left, ...]  # pods that went and could not be replaced, or not before their node was back
    losses: tuple[Loss, ...] = ()
    kept: tuple[str, ...] = ()  # pods that were to be evicted and were not: the API server refused until the end

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
    def never_replaced(self) -> tuple[Left, ...]:
        """Pods that went, and in whose place no other came."""
        return tuple(left for left in self.left if left.created is None)

    @property
    def replaced_late(self) -> tuple[Left, ...]:
        """Pods in whose place another came, but only when their node was back."""
        return tuple(left for left in self.left if left.created is not None)

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
            "createdBy": self.created_by, "left": [left.data() for left in self.left],
            "lost": sum(loss.lost for loss in self.losses), "notEvicted": list(self.kept),
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

LEFT = {
    "never_replaced": "pods that went, and in whose place no other came",
    "replaced_late": "pods in whose place another came only when their node was back",
}
"""The pods that are not part of an incident's repair, and why not."""

NOTICES = {
    "node-not-ready": "node lifecycle",
    "pod-not-ready": "kubelet",
    "endpoint-not-ready": "EndpointSlice",
    "pod-created": "",
    "pod-terminating": "taint eviction",
    "pod-collected": "PodGC",
    "sandbox-lost": "kubelet",
    "leader-lost": "leader election",
}
"""Changes by which a component of Kubernetes shows that it has noticed something, and which one (empty: the owner)."""

BY_TAINT = "DeletionByTaintManager"
"""Why a pod is told to go, where that shows that taint eviction has noticed something."""


def incidents(recording: Recording, digest: Digest) -> tuple[Incident, ...]:
    """Every incident of a run, in the order in which they began."""
    every, effects, pods = strokes(recording), Effects(recording.changes), Pods.of(recording.changes)
    times, where = [change.time for change in recording.changes], homes(recording.changes)
    found = []
    for stroke in every:
        until = min((other.at for other in every if other.at > stroke.at), default=recording.ended)
        again = end_of(stroke, every, recording.changes, where, recording.ended + 1)
        window = recording.changes[bisect_left(times, stroke.at) : bisect_left(times, again)]
        found.append(_incident(recording, digest, stroke, until, window, effects, pods))
    return tuple(found)


# one incident ------------------------------------------------------------------------------------------


def _incident(
    recording: Recording, digest: Digest, stroke: Stroke, until: int, window: Sequence[Change], effects: Effects,
    pods: Pods,
) -> Incident:  # fmt: skip
    own = [change for change in window if stroke.concerns(change)]
    by_kind = _by_kind(own)
    notice = next((c for c in window if c.kind in NOTICES and _is_reaction(stroke, c, until)), None)
    gone = _firsts(by_kind.get("endpoint-not-ready", ()))
    acted = effects.of(gone) if gone else ()
    leavers = _leavers(by_kind)
    fresh = replacements(stroke, window, leavers, pods)
    ready = fresh.all(window, "pod-ready")
    entered = _firsts(c for c in _of(window, "endpoint-ready") if c.time >= fresh.created.get(_pod(c), c.time + 1))
    joined = effects.of(entered) if entered and ready is not None else ()
    led, deposed = _led(recording, stroke, window, until)
    others = notice is not None and notice.kind == "node-not-ready" and not stroke.concerns(notice)
    readied_by, ill = of_victims(_by_kind(window) if others else by_kind)
    ends = ((ready, "kubelet"), (_well_again(ill, stroke), readied_by), (led if deposed else None, "leader election"))
    repaired, repaired_by = next((end for end in ends if end[0] is not None), (None, ""))
    sources = stroke.sources(recording)
    spells = of_sources(recording, digest, stroke, until, sources)
    tainted = [c for c in by_kind.get("taint-added", ()) if c.detail.endswith(":NoExecute")]
    evicted = _of(leavers, "pod-terminating") if stroke.nodes and tainted else []
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
        created=max(fresh.created.values(), default=None),
        created_by=fresh.by,
        scheduled=fresh.all(window, "pod-scheduled"),
        ready=ready,
        in_rules=joined[-1][1] if joined else None,
        cut_off=min((began for began, _ in spells), default=None),
        back=over(spells, stroke.at, felt(by_kind, held(stroke, recording.ended))),
        led=led,
        repaired=repaired,
        repaired_by=repaired_by,
        left=fresh.left,
        losses=_losses(recording, digest, sources, stroke.at, until),
        kept=_kept(by_kind, stroke.healed),
    )


def _kept(by_kind: dict[str, list[Change]], healed: Time) -> tuple[str, ...]:
    """The victims' pods that the API server would not let go, and that were still there when the fault let go."""
    gone = {change.subject for change in _leavers(by_kind) if healed is None or change.time <= healed}
    asked = [change.subject for change in _firsts(by_kind.get("refused", ()))]
    return tuple(subject for subject in asked if subject.startswith("pod/") and subject not in gone)


def _of(changes: Iterable[Change], kind: str) -> list[Change]:
    return [change for change in changes if change.kind == kind]


def _by_kind(changes: Iterable[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.kind, []).append(change)
    return found


def _led(recording: Recording, stroke: Stroke, window: Sequence[Change], until: int) -> tuple[Time, bool]:
    """When controllers led again, whatever struck meanwhile; and whether it was this stroke that deposed them."""
    lost = next((c.time for c in _of(window, "leader-lost") if c.time < until), None)
    changes = window if lost is None else recording.changes
    since = stroke.at if lost is None else lost
    return next((c.time for c in _of(changes, "leader-elected") if c.time >= since), None), lost is not None


def _firsts(changes: Iterable[Change]) -> list[Change]:
    """The first change of each thing that changed."""
    first: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.subject, change)
    return list(first.values())


def _is_reaction(stroke: Stroke, change: Change, until: int) -> bool:
    """Whether a change shows that somebody has noticed: not part of the stroke itself, and about its victims.

    What follows from it elsewhere, only until the next fault strikes (`until`).
    """
    if change.detail == stroke.fault or (change.kind == "pod-terminating" and change.detail != BY_TAINT):
        return False
    replaces = change.kind == "pod-created" and stroke.owned is None
    follows = replaces or change.kind in ("leader-lost", "node-not-ready")
    return stroke.concerns(change) or (follows and change.time < until)


def _pod(endpoint: Change) -> str:
    """The pod behind an endpoint, as history calls it."""
    _, namespace, _, name = endpoint.subject.split("/", 3)
    return f"pod/{namespace}/{name}"


def _noticer(notice: Change) -> str:
    if notice.kind == "node-not-ready" and notice.detail.startswith("False"):
        return "kubelet"
    return NOTICES[notice.kind] or kind_of(notice.detail)


def _leavers(by_kind: dict[str, list[Change]]) -> list[Change]:
    """The victims' pods that were told to go, or that went without being told."""
    return _firsts(change for kind in GOING for change in by_kind.get(kind, ()))


def _well_again(ill: Sequence[Spell], stroke: Stroke) -> Time:
    """When what failed was ready again itself, for good: never while the fault is at work."""
    if not ill or stroke.lasting:
        return None
    since = stroke.at if stroke.healed is None else stroke.healed
    each = over(ill, stroke.at, since)
    return None if each is None else max(each, since)


def _losses(recording: Recording, digest: Digest, sources: Sequence[str], at: int, until: int) -> tuple[Loss, ...]:
    found = []
    for code, source in enumerate(recording.sources):
        if source not in sources:
            continue
        ok = int(digest.between(code, at, max(until, at + 1)).counts[OK])
        failed = digest.failed(code, at, max(until, at + 1))
        failures = [(i, int(number)) for i, number in enumerate(failed.counts) if number]
        found.append(
            Loss(
                source,
                failed.first_lost,
                failed.last_lost,
                failed.lost,
                tuple((OUTCOMES[i], number) for i, number in failures),
                ok / (ok + failed.lost) if ok or failed.lost else None,
            )
        )
    return tuple(found)


def _after(time: Time, since: Time) -> Time:
    return None if time is None or since is None else max(0, time - since)


def _seconds(time: Time) -> float | None:
    return None if time is None else time / S
