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
        self._pods: dict[tuple[str, str], int] = {}
        self._service: int | None = None

    def look(self, service: Object, pods: Iterable[Object]) -> int | None:
        """The instant of the earliest change since the last look; None if none has left a trace."""
        created = service["metadata"]["creationTimestamp"]
        times = {key_of(pod): time for pod in pods if (time := _turned(pod)) is not None}
        changed = [time for key, time in times.items() if time > self._pods.get(key, -1)]
        first, self._pods = self._service is None, times
        if first or created > (self._service or 0):
            changed.append(created)
        self._service = created
        return created if first else min(changed, default=None)


def _turned(pod: Object) -> int | None:
    """When the pod last became ready, or stopped being so."""
    ready = condition(pod, "Ready")
    return ready.get("lastTransitionTime") if ready is not None else None
