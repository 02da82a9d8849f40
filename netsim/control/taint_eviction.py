"""Taint eviction: a pod that does not tolerate its node's NoExecute taint goes, at once or after its time.

When a pod's time begins, and when it is called off, is worked out in `evictions.py`; here the clock runs. At its
end the pod is deleted like any other, with its own grace; PodDisruptionBudgets are not asked. A new leader of the
control plane knows nothing of the countdowns of the old one: it finds the taints, and counts from then.

Source: kubernetes `pkg/controller/tainteviction/taint_eviction.go`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from netsim.api.objects import Object, is_leaving, key_of, name_of, node_of, with_condition
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.evictions import Evictions

MESSAGE = "Taint manager: deleting due to NoExecute taint"


class TaintEviction:
    """Lets the countdowns run out, and deletes whose time is up."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.plan = Evictions()
        self.pods: dict[str, Object] = {}  # those with a countdown, by uid
        cluster.hear("Node", self._node_changed)
        cluster.hear("Pod", self._pod_changed)
        cluster.plane.on_elected.append(self._start_over)

    def _node_changed(self, change: Change) -> None:
        name = name_of(change.object)
        self._see(name, None if change.type == "DELETED" else change.object)

    def _see(self, name: str, node: Object | None) -> None:
        pods = self.cluster.store.find("Pod", "node", name)
        self._follow(self.plan.node_changed(self.cluster.now, name, node, pods), pods)

    def _pod_changed(self, change: Change) -> None:
        pod, old = change.object, change.old
        if change.type == "DELETED":
            self.plan.pod_gone(pod)
            self.pods.pop(pod["metadata"]["uid"], None)
        elif old is None or node_of(old) != node_of(pod) or _tolerations(old) != _tolerations(pod):
            self._follow(self.plan.pod_changed(self.cluster.now, pod), [pod])

    def _follow(self, changed: Iterable[str], pods: Iterable[Object]) -> None:
        """Start the clocks of new countdowns, and say which were called off."""
        known = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid in changed:
            running = self.plan.running.get(uid)
            if running is None:
                self.pods.pop(uid, None)
                self._say(known[uid], "Cancelling deletion of Pod")
            else:
                self.pods[uid] = known[uid]
                self.cluster.after(running.due - self.cluster.now, self._evict_due)

    def _evict_due(self) -> None:
        if not self.cluster.plane.leads:
            self.cluster.env.process(self._evict_once_led())
            return
        for uid in self.plan.due(self.cluster.now):
            self._evict(self.pods.pop(uid))

    def _evict_once_led(self) -> Generator[Any, Any, None]:
        yield from self.cluster.plane.led()
        self._evict_due()

    def _evict(self, pod: Object) -> None:
        current, now = self.cluster.current(pod), self.cluster.now
        if current is None or is_leaving(current):
            return
        self._say(pod, "Marking for deletion Pod")
        said = {"reason": "DeletionByTaintManager", "message": MESSAGE}
        self.cluster.store.delete(
            self.cluster.store.update(with_condition(current, now, "DisruptionTarget", "True", **said))
        )

    def _start_over(self) -> None:
        """A new leader: it looks at all nodes for the first time."""
        self.plan, self.pods = Evictions(), {}
        for node in self.cluster.store.list("Node"):
            self._see(name_of(node), node)

    def _say(self, pod: Object, what: str) -> None:
        text = f"{what} {'/'.join(key_of(pod))}"
        self.cluster.event(pod, "Normal", "TaintManagerEviction", text, "taint-eviction-controller")


def _tolerations(pod: Object) -> list[Object]:
    return pod["spec"].get("tolerations") or []
