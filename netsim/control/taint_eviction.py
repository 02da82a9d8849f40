"""Taint eviction: a pod that does not tolerate its node's NoExecute taint goes, at once or after its time.

The countdown starts when the controller sees the taint, and is called off when the taint goes. At its end the
pod is deleted like any other, with its own grace; PodDisruptionBudgets are not asked.

Source: kubernetes `pkg/controller/tainteviction/taint_eviction.go`.
"""

from __future__ import annotations

from typing import Any

from netsim.api.objects import Object, is_leaving, key_of, name_of, node_of, with_condition
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.taints import eviction_delay


class TaintEviction:
    """One countdown for each pod on a tainted node."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.deadlines: dict[str, int] = {}  # pod uid -> when it goes
        cluster.hear("Node", self._node_changed)
        cluster.hear("Pod", self._pod_changed)

    def _node_changed(self, change: Change) -> None:
        old = _no_execute(change.old) if change.old else []
        taints = _no_execute(change.object) if change.type != "DELETED" else []
        if [t["key"] for t in taints] != [t["key"] for t in old]:
            for pod in self.cluster.store.find("Pod", "node", name_of(change.object)):
                self._judge(pod, taints)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        if change.type == "DELETED":
            self.deadlines.pop(pod["metadata"]["uid"], None)
            return
        moved = change.old is None or node_of(change.old) != node_of(pod)
        if node_of(pod) and moved:
            node = self.cluster.store.get("Node", "", node_of(pod))
            self._judge(pod, _no_execute(node) if node else [])

    def _judge(self, pod: Object, taints: list[Object]) -> None:
        uid = pod["metadata"]["uid"]
        delay = eviction_delay(taints, pod["spec"].get("tolerations") or ()) if taints else None
        if delay is None:
            if self.deadlines.pop(uid, None) is not None:
                self._say(pod, "Cancelling deletion of Pod")
            return
        due = self.cluster.now + delay
        if uid in self.deadlines and self.deadlines[uid] <= due:
            return
        self.deadlines[uid] = due
        self.cluster.after(delay, self._evict, pod, due)

    def _evict(self, pod: Object, due: int) -> None:
        uid = pod["metadata"]["uid"]
        if self.deadlines.get(uid) != due:
            return
        del self.deadlines[uid]
        current = self.cluster.current(pod)
        if current is None or is_leaving(current):
            return
        self._say(pod, "Marking for deletion Pod")
        message = "Taint manager: deleting due to NoExecute taint"
        current = self.cluster.store.update(
            with_condition(
                current, self.cluster.now, "DisruptionTarget", "True",
                reason="DeletionByTaintManager", message=message,
            )
        )  # fmt: skip
        self.cluster.store.delete(current)

    def _say(self, pod: Object, what: str) -> None:
        text = f"{what} {'/'.join(key_of(pod))}"
        self.cluster.event(pod, "Normal", "TaintManagerEviction", text, "taint-eviction-controller")


def _no_execute(node: Object) -> list[dict[str, Any]]:
    return [taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute"]
