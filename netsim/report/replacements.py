"""Who took the place of the pods that a fault cost, and whose place nobody takes.

A pod that was told to go is missed by its owner, and each owner counts for itself. A ReplicaSet makes another at
once; one that belongs to a Deployment counts with the Deployment's others. A StatefulSet may not: a pod of that name
may still run on a node that does not answer, so it waits until the pod's object is gone. A DaemonSet has no other
node for its pod, and a pod without an owner is missed by nobody. Those that had to wait for their node, or for ever,
are left out of what is repaired, and told apart.

Left out: an owner that was scaled down meanwhile is still expected to make as many.
Source: kubernetes, pkg/controller/{replicaset,statefulset,daemon}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsim.dataplane.history import Change
from netsim.report.strokes import Stroke

_HASH = re.compile("-[bcdfghjklmnpqrstvwxz2456789]{6,10}$")  # what a Deployment adds to its ReplicaSets' names


@dataclass(frozen=True)
class Pods:
    """What is known of every pod of a run, by what history calls it: pod/NAMESPACE/NAME."""

    owners: Mapping[str, str]  # as KIND/NAME; empty: it has none
    told: Mapping[str, int]  # when it was first told to go

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Pods:
        """Those that these changes tell of."""
        owners: dict[str, str] = {}
        told: dict[str, int] = {}
        for change in changes:
            if change.kind == "pod-created":
                owners[change.subject] = change.detail
            elif change.kind == "pod-terminating":
                told.setdefault(change.subject, change.time)
        return cls(owners, told)

    def missed(self, gone: Iterable[Change], since: int) -> list[Change]:
        """Without the pods that had been told to go earlier, and so had been replaced; a StatefulSet waits."""
        return [change for change in gone if not self._replaced_before(change.subject, since)]

    def _replaced_before(self, pod: str, since: int) -> bool:
        return self.told.get(pod, since) < since and kind_of(self.owners.get(pod, "")) != "StatefulSet"


@dataclass(frozen=True, slots=True)
class Left:
    """A pod that went and that nobody could replace, or not before its node was back."""

    pod: str  # as history calls it: pod/NAMESPACE/NAME
    kind: str  # its owner's; empty: none
    created: int | None  # when it was replaced after all

    def data(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        return {"pod": self.pod, "owner": self.kind, "replaced": self.created is not None}


@dataclass(frozen=True)
class Replacements:
    """The pods that took the place of others; none, if not all places that could be taken were."""

    created: Mapping[str, int]  # when each was created
    by: str  # the kind of the owner that made the last of them
    left: tuple[Left, ...] = ()

    def first(self, changes: Iterable[Change], kind: str) -> dict[str, int]:
        """When each of them first changed so."""
        found: dict[str, int] = {}
        for change in changes:
            if change.kind == kind and change.time >= self.created.get(change.subject, change.time + 1):
                found.setdefault(change.subject, change.time)
        return found

    def all(self, changes: Iterable[Change], kind: str) -> int | None:
        """When the last of them had changed so; None if one never did."""
        found = self.first(changes, kind)
        return max(found.values()) if found and len(found) == len(self.created) else None


def kind_of(owner: str) -> str:
    """An owner's kind."""
    return owner.partition("/")[0] if "/" in owner else ""


def replacements(stroke: Stroke, window: Sequence[Change], gone: Sequence[Change], pods: Pods) -> Replacements:
    """Who took the place of the pods that went (`gone`: when each did); of a changed workload, all new pods."""
    created = [change for change in window if change.kind == "pod-created"]
    if stroke.nodes or stroke.pods:
        return _places(stroke, window, pods.missed(gone, stroke.at), created, pods.owners)
    return _of([change for change in created if stroke.concerns(change)], ())


def _places(
    stroke: Stroke, window: Sequence[Change], gone: Sequence[Change], created: Sequence[Change],
    owners: Mapping[str, str],
) -> Replacements:  # fmt: skip
    deleted: dict[str, int] = {}
    for change in window:
        if change.kind == "pod-deleted":
            deleted.setdefault(change.subject, change.time)
    missed: dict[tuple[str, str], list[Change]] = {}
    left = []
    for change in gone:
        owner = owners.get(change.subject, "")
        if _can_be_replaced(stroke, change, kind_of(owner), deleted.get(change.subject)):
            missed.setdefault(_workload(change.subject, owner), []).append(change)
        else:
            later = (c.time for c in created if c.time > change.time and _took(c, change, owner))
            left.append(Left(change.subject, kind_of(owner), next(later, None)))
    fresh = []
    for workload, leavers in missed.items():
        since = min(change.time for change in leavers)
        mine = [c for c in created if c.time >= since and _workload(c.subject, c.detail) == workload][: len(leavers)]
        if len(mine) < len(leavers):
            return _of([], left)
        fresh += mine
    return _of(fresh, left)


def _can_be_replaced(stroke: Stroke, gone: Change, kind: str, deleted: int | None) -> bool:
    """Whether an owner of that kind can replace a pod that went, before its node is back."""
    if kind not in ("StatefulSet", "DaemonSet") or gone.node not in stroke.nodes:
        return kind != ""
    return kind == "StatefulSet" and deleted is not None and (stroke.healed is None or deleted < stroke.healed)


def _took(created: Change, gone: Change, owner: str) -> bool:
    """Whether a pod is the one that its owner makes in place of one that had to wait: of its name, or on its node."""
    if owner == "" or created.detail != owner:
        return False
    return created.subject == gone.subject or kind_of(owner) == "DaemonSet"


def _of(created: Sequence[Change], left: Iterable[Left]) -> Replacements:
    last = max(created, key=lambda change: change.time, default=None)
    return Replacements({c.subject: c.time for c in created}, kind_of(last.detail) if last else "", tuple(left))


def _workload(pod: str, owner: str) -> tuple[str, str]:
    """Whose places are counted together: a pod's namespace, and its owner without a template's hash.

    >>> _workload("pod/default/web-77b9c67898-4xk2p", "ReplicaSet/web-77b9c67898")
    ('default', 'ReplicaSet/web')
    """
    return pod.split("/")[1], _HASH.sub("", owner)
