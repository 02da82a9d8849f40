"""When the change happened that an update of endpoints answers: the start of the network programming latency.

For each Service it is remembered when its pods last became ready or unready, and when it was created; the
earliest of those instants that is new since the last look is the one. Kubernetes notes it on the slices
(`endpoints.kubernetes.io/last-change-trigger-time`), and kube-proxy measures from there.

Source: kubernetes `staging/src/k8s.io/endpointslice/trigger_time_tracker.go`.
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.objects import Object, condition, key_of


class TriggerTimes:
    """What was seen of one Service and its pods."""

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], tuple[Object, int]] = {}  # each as it was seen, and when it last turned
        self._service: int | None = None

    def look(self, service: Object, pods: Iterable[Object]) -> int | None:
        """The instant of the earliest change since the last look; None if none has left a trace."""
        created = service["metadata"]["creationTimestamp"]
        before, self._pods = self._pods, {}
        changed: list[int] = []
        for pod in pods:
            key = key_of(pod)
            known = before.get(key)
            if known is None or known[0] is not pod:
                known = self._turned(pod, known, changed)
            if known is not None:
                self._pods[key] = known
        first = self._service is None
        if first or created > (self._service or 0):
            changed.append(created)
        self._service = created
        return created if first else min(changed, default=None)

    @staticmethod
    def _turned(pod: Object, known: tuple[Object, int] | None, changed: list[int]) -> tuple[Object, int] | None:
        """When the pod last became ready, or stopped being so; among what has `changed` if that is new."""
        ready = condition(pod, "Ready")
        time = ready.get("lastTransitionTime") if ready is not None else None
        if time is None:
            return None
        if time > (known[1] if known is not None else -1):
            changed.append(time)
        return pod, time
