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
    """maxSurge and maxUnavailable as numbers; they are never both zero."""
    replicas = deployment["spec"]["replicas"]
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge = share_of(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share_of(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return surge, unavailable if surge or unavailable else 1


def new_replicas(desired: int, surge: int, total: int, current: int) -> int:
    """How large the new ReplicaSet may be now.

    >>> new_replicas(desired=4, surge=1, total=4, current=0)
    1
    """
    if total >= desired + surge:
        return current
    return current + min(desired + surge - total, desired - current)


def old_replicas(
    desired: int, unavailable: int, new: tuple[int, int], old: Sequence[tuple[int, int]]
) -> list[int]:
    """How large each old ReplicaSet may be now; pairs are (replicas, available), oldest first.

    Unhealthy replicas go first, then the oldest sets shrink.

    >>> old_replicas(4, 1, (1, 0), [(4, 4)])
    [3]
    """
    sizes = [replicas for replicas, _ in old]
    total = sum(sizes) + new[0]
    spare = total - (desired - unavailable) - (new[0] - new[1])
    for i, (replicas, available) in enumerate(old):
        cut = min(spare, replicas - available)
        if cut > 0:
            sizes[i] -= cut
            spare -= cut
    available = sum(a for _, a in old) + new[1]
    spare = min(spare, available - (desired - unavailable))
    for i in range(len(sizes)):
        cut = min(max(spare, 0), sizes[i])
        sizes[i] -= cut
        spare -= cut
    return sizes
