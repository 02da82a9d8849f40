"""The ReplicaSet controller: as many active pods as wanted, no more and no fewer.

A pod counts while it is neither finished nor leaving. So a pod on a dead node, marked for deletion but never
gone, is replaced at once.

Source: kubernetes `pkg/controller/replicaset/replica_set.go`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.api.objects import Object, controller_of, is_active, key_of, labels_of, name_of, pod_ready
from netsim.api.selectors import matches
from netsim.api.store import Change
from netsim.control.admission import Admission
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.pod_status import is_available
from netsim.control.pod_template import new_name, pod_of
from netsim.control.replicas import batches, victims
from netsim.control.workqueue import WorkQueue
from netsim.units import S


class ReplicaSets:
    """Keeps every ReplicaSet at its number."""

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        self.cluster = cluster
        self.admission = admission
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=5)
        self._chance = cluster.draws.stream("pod-names")
        cluster.hear("ReplicaSet", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("Pod", self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "ReplicaSet":
            self.queue.add((change.object["metadata"]["namespace"], owner["name"]))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        replica_set = self.cluster.store.get("ReplicaSet", *key)
        if replica_set is None:
            return
        yield from self._release(replica_set)
        active = [pod for pod in self._pods(replica_set) if is_active(pod)]
        missing = replica_set["spec"]["replicas"] - len(active)
        if missing > 0:
            yield from self._create(replica_set, missing)
        elif missing < 0:
            yield from self._delete(replica_set, active, -missing)
        yield from self._report(replica_set)

    def _release(self, replica_set: Object) -> Generator[Any, Any, None]:
        """Let pods go that are not selected any more."""
        for pod in self._pods(replica_set):
            if not matches(replica_set["spec"].get("selector"), labels_of(pod)):
                yield self.client.call()
                current = self.cluster.current(pod)
                if current is not None:
                    owners = [one for one in current["metadata"]["ownerReferences"] if not one.get("controller")]
                    metadata = {**current["metadata"], "ownerReferences": owners}
                    self.cluster.store.update({**current, "metadata": metadata})

    def _create(self, replica_set: Object, count: int) -> Generator[Any, Any, None]:
        """In batches that double, each made of parallel calls."""
        for size in batches(count):
            for call in [self.client.call() for _ in range(size)]:
                yield call
                name = new_name(self.cluster, replica_set, self._chance)
                self.admission.create(pod_of(replica_set, replica_set["spec"]["template"], name))
                self._say(replica_set, "SuccessfulCreate", f"Created pod: {name}")

    def _delete(self, replica_set: Object, active: list[Object], count: int) -> Generator[Any, Any, None]:
        """All at once, and those first that would be missed least."""
        chosen = victims(active, count, now=self.cluster.now, related=self._siblings(replica_set))
        for pod, call in [(pod, self.client.call()) for pod in chosen]:
            yield call
            self.cluster.store.delete(pod)
            self._say(replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _report(self, replica_set: Object) -> Generator[Any, Any, None]:
        """Write the counts into the status, if they have changed."""
        current = self.cluster.current(replica_set)
        if current is None:
            return
        active = [pod for pod in self._pods(replica_set) if is_active(pod)]
        ready = [pod for pod in active if pod_ready(pod)]
        patience = current["spec"].get("minReadySeconds", 0) * S
        available = [pod for pod in ready if is_available(pod, patience, self.cluster.now)]
        status = {
            "replicas": len(active),
            "fullyLabeledReplicas": len(active),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "observedGeneration": current["metadata"]["generation"],
        }
        if len(available) < len(ready):
            self.queue.add_after(patience, key_of(replica_set))
        if status != current.get("status"):
            yield self.client.call()
            current = self.cluster.current(replica_set)
            if current is not None:
                self.cluster.store.update({**current, "status": status})

    def _say(self, replica_set: Object, reason: str, text: str) -> None:
        self.cluster.event(replica_set, "Normal", reason, text, "replicaset-controller")

    def _siblings(self, replica_set: Object) -> list[Object]:
        """The pods of all ReplicaSets of the same Deployment."""
        owner = controller_of(replica_set)
        sets = self.cluster.store.find("ReplicaSet", "owner", owner["uid"]) if owner else [replica_set]
        return [pod for one in sets for pod in self._pods(one)]

    def _pods(self, replica_set: Object) -> list[Object]:
        return self.cluster.store.find("Pod", "owner", replica_set["metadata"]["uid"])
