"""kube-scheduler: one pod at a time onto one node.

Pods without a node wait in a queue. For each, filters and scores pick a node (`scheduling.py`); the pod is assumed
there at once, so that the next one sees it, and bound a moment later. A pod that fits nowhere waits until
something changes that might help, backs off a little longer each time, and is tried again at the latest
after five minutes.

Left out: priorities and preemption. Source: kubernetes `pkg/scheduler/schedule_one.go`, `backend/queue`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.api.objects import (
    Object,
    controller_of,
    is_finished,
    is_leaving,
    key_of,
    labels_of,
    name_of,
    node_of,
    with_condition,
)
from netsim.api.selectors import matches_labels
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.scheduling import Cache, PodInfo, decide
from netsim.units import MINUTE, MS, S

CYCLE = 2 * MS  # one decision; they are made one after the other
BACKOFF, LONGEST_BACKOFF = 1 * S, 10 * S
LEFTOVER = 5 * MINUTE  # an unschedulable pod is tried again even if nothing seems to have changed


class Scheduler:
    """Binds pods to nodes."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.cache = Cache()
        self.waiting: dict[str, Object] = {}  # by uid, in order
        self.unschedulable: dict[str, Object] = {}  # until something changes
        self.held_back: dict[str, Object] = {}  # something has changed, but they were tried just now
        self.tries: dict[str, tuple[int, int]] = {}  # how often, and when the last time
        self.start = 0
        self._chance = cluster.draws.stream("scheduler")
        self._wake = cluster.env.event()
        cluster.hear("Node", self._node_changed)
        cluster.hear("Pod", self._pod_changed)
        cluster.store.watch(
            "Namespace", self._namespace_changed
        )  # at once: selectors remember what they matched
        for node in cluster.store.list("Node"):
            self.cache.set_node(node)
        cluster.env.process(self.run())

    def run(self) -> Generator[Any, Any, None]:
        """Take the next pod, decide, assume, bind."""
        while True:
            while not self.waiting:
                self._wake = self.cluster.env.event()
                yield self._wake
            yield from self.cluster.plane.led()
            if not self.waiting:
                continue
            uid = next(iter(self.waiting))
            pod = self.cluster.current(self.waiting.pop(uid))
            if pod is None or node_of(pod) or is_leaving(pod):
                continue
            yield self.cluster.env.timeout(CYCLE)
            info = PodInfo.of(pod, self._services(pod), self._owner(pod))
            decision = decide(info, self.cache, self.start, self._chance.next)
            self.start = decision.next_start
            if decision.node is None:
                self._put_aside(pod, decision.message)
                continue
            self.cache.add(info, decision.node)
            self.cluster.after(self._binding_time(), self._bind, pod, decision.node)

    def _binding_time(self) -> int:
        return self.cluster.timings.scheduling.draw(self._chance.next())

    def _bind(self, pod: Object, node: str) -> None:
        cluster = self.cluster
        current = cluster.current(pod)
        if current is None or is_leaving(current):
            self.cache.remove(pod["metadata"]["uid"])
            return
        self.tries.pop(pod["metadata"]["uid"], None)
        bound = {**current, "spec": {**current["spec"], "nodeName": node}}
        cluster.store.update(with_condition(bound, cluster.now, "PodScheduled", "True"))
        text = f"Successfully assigned {'/'.join(key_of(pod))} to {node}"
        cluster.event(pod, "Normal", "Scheduled", text, "default-scheduler")

    def _put_aside(self, pod: Object, message: str) -> None:
        """It fits nowhere now."""
        current, now = self.cluster.current(pod), self.cluster.now
        if current is None:
            return
        uid = pod["metadata"]["uid"]
        self.unschedulable[uid] = current
        self.tries[uid] = self.tries.get(uid, (0, now))[0] + 1, now
        also = {"reason": "Unschedulable", "message": message}
        self.cluster.store.update(with_condition(current, now, "PodScheduled", "False", **also))
        self.cluster.event(pod, "Warning", "FailedScheduling", message, "default-scheduler")
        self.cluster.after(LEFTOVER, self._try_leftover, uid, now)

    def _try_leftover(self, uid: str, since: int) -> None:
        """A pod that has been unschedulable since then is tried, whatever has changed or not."""
        if uid in self.unschedulable and self.tries[uid][1] == since:
            self._queue(self.unschedulable.pop(uid))

    def _something_changed(self) -> None:
        """What did not fit may fit now: it is tried again, but not before its back-off is over."""
        for uid, pod in self.unschedulable.items():
            count, last = self.tries[uid]
            over = last + min(BACKOFF << (count - 1), LONGEST_BACKOFF)
            self.held_back[uid] = pod
            self.cluster.after(max(0, over - self.cluster.now), self._let_go, uid)
        self.unschedulable.clear()

    def _let_go(self, uid: str) -> None:
        if uid in self.held_back:
            self._queue(self.held_back.pop(uid))

    def _queue(self, pod: Object) -> None:
        self.waiting[pod["metadata"]["uid"]] = pod
        if not self._wake.triggered:
            self._wake.succeed()

    # what it hears ------------------------------------------------------------------------------------

    def _node_changed(self, change: Change) -> None:
        if change.type == "DELETED":
            self.cache.remove_node(name_of(change.object))
            return
        node = change.object
        self.cache.set_node(node)
        old = change.old
        helps = old is None or node["spec"] != old["spec"] or labels_of(node) != labels_of(old)
        if helps and self.unschedulable:
            self._something_changed()

    def _namespace_changed(self, change: Change) -> None:
        self.cache.namespaces[name_of(change.object)] = labels_of(change.object)

    def _pod_changed(self, change: Change) -> None:
        pod, uid = change.object, change.object["metadata"]["uid"]
        if change.type == "DELETED" or is_finished(pod):
            for queue in (self.waiting, self.unschedulable, self.held_back, self.tries):
                queue.pop(uid, None)
            self.cache.remove(uid)
            self._something_changed()
        elif not node_of(pod):
            if change.type == "ADDED":
                self._queue(pod)
        elif uid not in self.cache or (change.old is not None and is_leaving(pod) != is_leaving(change.old)):
            self.cache.add(PodInfo.of(pod, self._services(pod), self._owner(pod)))

    def _services(self, pod: Object) -> list[Object]:
        """The Services that select a pod: the scheduler spreads what belongs together."""
        namespace, labels = pod["metadata"]["namespace"], labels_of(pod)
        return [
            service
            for item in labels.items()
            for service in self.cluster.store.find("Service", "selector", (namespace, item))
            if matches_labels(service["spec"]["selector"], labels)
        ]

    def _owner(self, pod: Object) -> Object | None:
        owner = controller_of(pod)
        return (
            self.cluster.store.get(owner["kind"], pod["metadata"]["namespace"], owner["name"])
            if owner
            else None
        )
