"""Pod garbage collection (PodGC): pods that no kubelet will ever end, because their node's object is gone, or because
their node has failed and an operator has said that it is out of service.

It looks at all pods once a period. A node that it misses is given a quarantine, lest a node that is only registered
anew lose its pods; then they are taken away one after the other. Those of a node that is out of service go side by
side, as soon as they are leaving. Each is first marked as failed, so that controllers stop counting on it, and then
deleted by force.

Left out: finished pods beyond a number (12,500), and pods that leave before they were ever bound.
Source: kubernetes `pkg/controller/podgc/gc_controller.go`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from netsim.api.objects import (
    Object,
    has_taint,
    is_finished,
    is_leaving,
    is_true,
    key_of,
    name_of,
    node_of,
    with_condition,
)
from netsim.control.client import Client
from netsim.control.cluster import Cluster

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
NO_NODE = "PodGC: node no longer exists"


class PodGC:
    """Takes away, each period, the pods that nobody else can."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.missing: dict[str, int] = {}  # nodes that pods name and that are not there -> since when
        cluster.env.process(self.run())

    def run(self) -> Generator[Any, Any, None]:
        """Look, and take away; a new leader knows of no missing node."""
        cluster = self.cluster
        while True:
            yield cluster.env.timeout(cluster.timings.pod_gc_period)
            if not cluster.plane.leads:
                self.missing = {}
                continue
            nodes = {name_of(node): node for node in cluster.store.list("Node")}
            pods = [(node_of(pod), pod) for pod in cluster.store.list("Pod")]
            given_up = {name for name, node in nodes.items() if is_given_up(node)}
            leaving = [pod for name, pod in pods if name in given_up and is_leaving(pod)]
            yield cluster.env.all_of([cluster.env.process(self._collect(pod)) for pod in leaving])
            gone = self._gone(name for name, _ in pods if name and name not in nodes)
            for pod in [pod for name, pod in pods if name in gone]:
                yield from self._collect(pod, NO_NODE)

    def _gone(self, unknown: Iterable[str]) -> set[str]:
        """Which nodes, of those that are not there, have been missed for the whole quarantine."""
        now, quarantine = self.cluster.now, self.cluster.timings.pod_gc_quarantine
        self.missing = {name: self.missing.get(name, now) for name in unknown}
        return {name for name, since in self.missing.items() if now - since >= quarantine}

    def _collect(self, pod: Object, why: str = "") -> Generator[Any, Any, None]:
        """Mark a pod as failed, if it has not run to its end, then delete it by force."""
        if not is_finished(pod):
            yield self.client.call()
            self._fail(pod, why)
        yield self.client.call()
        if self.cluster.current(pod) is not None:
            self.cluster.store.delete(pod, grace=0)

    def _fail(self, pod: Object, why: str) -> None:
        """Say that a pod has failed, and why, if nobody has told it to go."""
        cluster, current = self.cluster, self.cluster.current(pod)
        if current is None:
            return
        failed = {**current, "status": {**current["status"], "phase": "Failed"}}
        if why:
            said = {"reason": "DeletionByPodGC", "message": why}
            failed = with_condition(failed, cluster.now, "DisruptionTarget", "True", **said)
        cluster.history.record(cluster.now, "pod-collected", f"pod/{'/'.join(key_of(pod))}", node_of(pod))
        cluster.store.update(failed)


def is_given_up(node: Object) -> bool:
    """Whether a node is not ready, and has been said to be out of service."""
    return not is_true(node, "Ready") and any(
        has_taint(node, OUT_OF_SERVICE, effect) for effect in ("NoExecute", "NoSchedule")
    )
