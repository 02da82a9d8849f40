"""What a ReplicaSet decides: how many pods are missing, or which ones are too many.

Sources: kubernetes `pkg/controller/replicaset/replica_set.go`, `pkg/controller/controller_utils.go`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cmp_to_key

from netsim.api.objects import Object, condition, is_active, node_of, pod_ready
from netsim.control.pod_status import restarts_of

PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
BURST = 500  # creations or deletions in one go


def batches(count: int, limit: int = BURST) -> Iterator[int]:
    """Slow start: how many pods to create at a time, doubling as long as all goes well.

    >>> list(batches(10))
    [1, 2, 4, 3]
    """
    size, left = 1, min(count, limit)
    while left > 0:
        size = min(size, left)
        yield size
        left -= size
        size *= 2


def victims(
    pods: Sequence[Object], count: int, now: int | None = None, related: Sequence[Object] | None = None
) -> list[Object]:
    """Whom to delete first when there are too many.

    The unassigned before the assigned, the pending before the running, the unready before the ready, the
    cheaper, those with more siblings on their node, the later ready, the more often restarted, the newer.
    `related` are the siblings, pods of the whole Deployment (the pods themselves if not given). Ages are
    compared by powers of two as seen `now`; those of one size count as equal, and uids decide.
    """
    siblings = Counter(node_of(pod) for pod in (pods if related is None else related) if is_active(pod))

    def compare(one: Object, other: Object) -> int:
        first, second = _rank(one, siblings), _rank(other, siblings)
        if first != second:
            return -1 if first < second else 1
        by_age = _by_age(_ready_since(one), _ready_since(other), now, one, other) if pod_ready(one) else 0
        by_restarts = restarts_of(other) - restarts_of(one)
        return by_age or by_restarts or _by_age(_created(one), _created(other), now, one, other)

    return sorted(pods, key=cmp_to_key(compare))[:count]


def _rank(pod: Object, siblings: Counter[str]) -> tuple[int, int, int, int, int]:
    phase = pod.get("status", {}).get("phase", "Pending")
    node = node_of(pod)
    return bool(node), PHASES.get(phase, 0), pod_ready(pod), deletion_cost(pod), -siblings[node]


def deletion_cost(pod: Object) -> int:
    """What the pod's owner says its loss would cost; unreadable costs count as none."""
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    return int(text) if text.removeprefix("-").isdigit() else 0


def _by_age(one: int, other: int, now: int | None, pod: Object, other_pod: Object) -> int:
    """Which of two instants is later, and so goes first."""
    if one == other:
        return 0
    if now is not None:
        sizes = max(0, now - one).bit_length(), max(0, now - other).bit_length()
        if sizes[0] != sizes[1]:
            return sizes[0] - sizes[1]
        return -1 if pod["metadata"].get("uid", "") < other_pod["metadata"].get("uid", "") else 1
    return other - one


def _ready_since(pod: Object) -> int:
    ready = condition(pod, "Ready")
    return ready["lastTransitionTime"] if ready is not None else 0


def _created(pod: Object) -> int:
    return pod["metadata"]["creationTimestamp"]
