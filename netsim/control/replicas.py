"""What a ReplicaSet decides: how many pods are missing, or which ones are too many.

Source: kubernetes `pkg/controller/replicaset`, `pkg/controller/controller_utils.go`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from netsim.api.objects import Object, condition, node_of, pod_ready
from netsim.control.pod_status import restarts_of

PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def batches(count: int, limit: int = 500) -> Iterator[int]:
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


def victims(pods: Sequence[Object], count: int) -> list[Object]:
    """Whom to delete first when there are too many.

    The unassigned before the assigned, the pending before the running, the unready before the ready, the
    cheaper, those with more siblings on their node, the later ready, the more often restarted, the newer.
    """
    crowded = Counter(node_of(pod) for pod in pods if pod_ready(pod))

    def rank(pod: Object) -> tuple[Any, ...]:
        ready = condition(pod, "Ready")
        since = ready["lastTransitionTime"] if ready and ready["status"] == "True" else 0
        cost = int((pod["metadata"].get("annotations") or {}).get(DELETION_COST, 0))
        return (
            bool(node_of(pod)),
            PHASES.get(pod.get("status", {}).get("phase", "Pending"), 0),
            pod_ready(pod),
            cost,
            -crowded[node_of(pod)],
            -since,
            -restarts_of(pod),
            -pod["metadata"]["creationTimestamp"],
        )

    return sorted(pods, key=rank)[:count]
