"""How long what happens to the victims of a stroke is put down to it.

Until one of them is struck again. Two strokes may hit the same pods in different ways: the one a node, the other a pod
that runs on it, or the workload that the pod belongs to. Such a stroke ends the time of another only once that one is
over: it has let go, and everything that it had hit is up and ready again. So a rollout is no part of what a dead node
costs, unless that node is still dead. A stroke without victims of its own (the control plane is down) has its time
until anybody is struck.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from netsim.dataplane.history import Change
from netsim.report.strokes import Stroke

ILL = {"power-off": "booted", "node-not-ready": "node-ready", "pod-not-ready": "pod-ready"}
"""Changes after which something is not well, and the one after which it is again."""

_WELL = {well: ill for ill, well in ILL.items()}


@dataclass(frozen=True, slots=True)
class Home:
    """Where a pod stands, and from when to when it is there."""

    node: str
    since: float
    until: float = inf


Homes = Mapping[str, Home]
"""Every pod's, by namespace/name."""


def homes(changes: Iterable[Change]) -> Homes:
    """Where every pod of a run stands; of several of one name the last."""
    found: dict[str, Home] = {}
    for change in changes:
        kind, _, name = change.subject.partition("/")
        if kind != "pod":
            continue
        if change.kind == "pod-scheduled" or (change.kind == "pod-created" and change.node):
            found[name] = Home(change.node, change.time)
        elif change.kind == "pod-deleted" and name in found:
            found[name] = Home(found[name].node, found[name].since, change.time)
    return found


def end_of(stroke: Stroke, others: Iterable[Stroke], changes: Sequence[Change], homes: Homes, ended: int) -> int:
    """When the time of a stroke is over, among `others` in their order; at the latest with the run (`ended`)."""
    since = bisect_left(changes, stroke.at, key=lambda change: change.time)
    for other in others:
        if other.at <= stroke.at:
            continue
        if not (stroke.nodes or stroke.pods) or stroke.nodes & other.nodes or stroke.pods & other.pods:
            return other.at
        if _has_let_go(stroke, other.at) and _share_a_pod(stroke, other, homes):
            until = bisect_left(changes, other.at, key=lambda change: change.time)
            if _all_well(change for change in changes[since:until] if stroke.concerns(change)):
                return other.at
    return ended


def _has_let_go(stroke: Stroke, time: int) -> bool:
    return not stroke.lasting if stroke.healed is None else stroke.healed <= time


def _share_a_pod(one: Stroke, other: Stroke, homes: Homes) -> bool:
    """Whether there is a pod, at the time of the later stroke, that both hit; their nodes are not the same."""
    if one.owned is None and other.owned is None:
        pods: Iterable[str] = one.pods | other.pods
    else:
        pods = homes
    return any(
        home.since <= other.at < home.until and _hits(one, pod, home.node) and _hits(other, pod, home.node)
        for pod in pods
        if (home := homes.get(pod)) is not None
    )


def _hits(stroke: Stroke, pod: str, node: str) -> bool:
    owned = stroke.owned is not None and stroke.owned.fullmatch(pod) is not None
    return owned or pod in stroke.pods or node in stroke.nodes


def _all_well(changes: Iterable[Change]) -> bool:
    """Whether everything that these changes are about is up and ready after them, or gone.

    >>> off, up = Change(1, "power-off", "node/a"), Change(2, "booted", "node/a")
    >>> _all_well([off]), _all_well([off, up])
    (False, True)
    """
    ill: set[tuple[str, str]] = set()
    for change in changes:
        if change.kind in ILL:
            ill.add((change.kind, change.subject))
        elif change.kind in _WELL:
            ill.discard((_WELL[change.kind], change.subject))
        elif change.kind == "pod-deleted":
            ill.discard(("pod-not-ready", change.subject))
    return not ill
