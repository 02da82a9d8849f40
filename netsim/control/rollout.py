"""The arithmetic of a Deployment: how many replicas of the new template, how many of the old, and when.

Source: kubernetes `pkg/controller/deployment` (rolling.go, util/deployment_util.go).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from netsim.api.objects import Object
from netsim.control.naming import safe_encoded

RESTART_HASH = 0x811C9DC5  # FNV-1a, 32 bits


def template_hash(template: Object) -> str:
    """What tells one pod template from another: ten safe characters at the most.

    >>> template_hash({"spec": {}}) == template_hash({"spec": {}})
    True
    """
    value = RESTART_HASH
    for byte in json.dumps(template, sort_keys=True, separators=(",", ":")).encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return safe_encoded(value)


class Hashes:
    """The hash of the template of each owner, worked out once for each template."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Object, str]] = {}  # by the owner's uid

    def of(self, owner: Object) -> str:
        """The hash of the owner's present template."""
        uid, template = owner["metadata"]["uid"], owner["spec"]["template"]
        known = self._known.get(uid)
        if known is None or known[0] is not template:
            known = self._known[uid] = template, template_hash(template)
        return known[1]


def share_of(value: int | str, total: int, *, up: bool) -> int:
    """An int-or-percent of the replicas: surge rounds up, unavailable rounds down.

    >>> share_of("25%", 10, up=True), share_of("25%", 10, up=False), share_of(2, 10, up=True)
    (3, 2, 2)
    """
    if isinstance(value, int):
        return value
    parts = int(value.rstrip("%")) * total
    return -(-parts // 100) if up else parts // 100


def surge_and_unavailable(deployment: Object) -> tuple[int, int]:
    """maxSurge and maxUnavailable as numbers; they are never both zero.

    >>> surge_and_unavailable({"spec": {"replicas": 10}}), surge_and_unavailable({"spec": {"replicas": 1}})
    ((3, 2), (1, 0))
    """
    replicas = deployment["spec"]["replicas"]
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge = share_of(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share_of(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return surge, min(unavailable if surge or unavailable else 1, replicas)


def new_replicas(desired: int, surge: int, total: int, current: int) -> int:
    """How large the new ReplicaSet may be now; `total` is what all ReplicaSets are to have together.

    >>> new_replicas(desired=4, surge=1, total=4, current=0), new_replicas(3, surge=1, total=9, current=5)
    (1, 3)
    """
    if current >= desired:
        return desired
    return current + max(0, min(desired + surge - total, desired - current))


def old_replicas(
    desired: int, unavailable: int, new: tuple[int, int], old: Sequence[tuple[int, int]]
) -> list[int]:
    """How large each old ReplicaSet may be now; pairs are (replicas, available), oldest first.

    Unhealthy replicas go first, then the oldest sets shrink, as long as enough stay available.

    >>> old_replicas(4, 1, (1, 0), [(4, 4)])
    [3]
    """
    sizes = [replicas for replicas, _ in old]
    least = desired - unavailable
    spare = sum(sizes) + new[0] - least - (new[0] - new[1])
    if spare <= 0:
        return sizes
    for i, (replicas, available) in enumerate(old):
        cut = max(0, min(spare, replicas - available))
        sizes[i] -= cut
        spare -= cut
    spare = sum(available for _, available in old) + new[1] - least
    for i, size in enumerate(sizes):
        cut = max(0, min(spare, size))
        sizes[i] -= cut
        spare -= cut
    return sizes


def proportional(desired: int, surge: int, sizes: Sequence[int], before: int) -> list[int]:
    """How large each ReplicaSet becomes when a Deployment is scaled while it rolls; oldest first.

    Each grows or shrinks in proportion, the larger first; what rounding leaves over goes to the largest, which
    may have too little to give.
    `before` is what the Deployment could have at the most until now (its replicas and its surge).

    >>> proportional(desired=15, surge=3, sizes=[8, 5], before=13)
    [11, 7]
    """
    allowed = desired + surge if desired else 0
    missing, before = allowed - sum(sizes), before or sum(sizes)
    result, added = list(sizes), 0
    order = sorted(range(len(sizes)), key=lambda i: (-sizes[i], -i if missing > 0 else i))
    for i in order:
        change = _proportion(sizes[i], allowed, before, missing - added) if missing - added else 0
        result[i] += change
        added += change
    if order:
        result[order[0]] = max(0, result[order[0]] + missing - added)
    return result


def _proportion(size: int, allowed: int, before: int, left: int) -> int:
    """By how much one ReplicaSet changes, if `left` is all that may still change."""
    if not size:
        return 0
    wanted = (2 * size * allowed + before) // (2 * before) - size if allowed else -size
    return min(wanted, left) if left > 0 else max(wanted, left)
