"""The Deployment controller: one ReplicaSet per pod template, and a careful change from the old to the new.

A new template is rolled out step by step (`rollout.py`); Recreate first waits until every old pod is gone. A
new size is shared out among the ReplicaSets there are, and so is everything while the Deployment is paused.

Source: kubernetes `pkg/controller/deployment` (sync.go, rolling.go, recreate.go).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.api.objects import Object, controller_of, is_finished, key_of, name_of, with_condition
from netsim.api.store import Change
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.progress import due, is_complete, progress
from netsim.control.revisions import (
    HASH,
    MOST,
    in_use,
    new_replica_set,
    noted,
    revision_of,
    sizes_of,
    was_scaled,
    with_revision,
)
from netsim.control.rollout import Hashes, new_replicas, old_replicas, proportional, surge_and_unavailable
from netsim.control.workqueue import WorkQueue


class Deployments:
    """Rolls every Deployment towards its template and its number of replicas."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=5)
        self.hashes = Hashes()
        self.late: dict[str, int] = {}  # when a Deployment, by uid, is looked at for being late
        cluster.hear("Deployment", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("ReplicaSet", self._replica_set_changed)
        cluster.hear("Pod", self._pod_changed)

    def _replica_set_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "Deployment":
            self.queue.add((change.object["metadata"]["namespace"], owner["name"]))

    def _pod_changed(self, change: Change) -> None:
        """The last pod of a Deployment that recreates has gone: its new ones may come."""
        owner = controller_of(change.object) if change.type == "DELETED" else None
        rs = owner and self.cluster.store.get(owner["kind"], change.object["metadata"]["namespace"], owner["name"])
        above = controller_of(rs) if rs else None
        if above is not None:
            self.queue.add((change.object["metadata"]["namespace"], above["name"]))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        deployment = self.cluster.store.get("Deployment", *key)
        if deployment is None:
            return
        new, old = self._sets(deployment)
        paused = deployment["spec"].get("paused", False)
        if new is not None:
            yield from self._number(new, in_use(deployment, new, old))
            new, old = self._sets(deployment)
        elif not paused:
            yield self.client.call()
            new = self.cluster.store.create(new_replica_set(deployment, old, self.hashes.of(deployment)))
        sets = [*old, new] if new is not None else old
        if paused or was_scaled(deployment, sets):
            yield from self._resize(deployment, sets, new)
        elif new is not None:
            yield from self._roll(deployment, new, old)
        yield from self._report(deployment)
        yield from self._clean_up(deployment)

    def _number(self, known: Object, wanted: Object) -> Generator[Any, Any, None]:
        """The ReplicaSet of the present template is taken up (again)."""
        if wanted != known:
            yield self.client.call()
            if self.cluster.current(known) is known:
                self.cluster.store.update(wanted)

    def _roll(self, deployment: Object, new: Object, old: list[Object]) -> Generator[Any, Any, None]:
        """Take one step: grow the new set as far as it may, shrink the old ones as far as they may."""
        desired = deployment["spec"]["replicas"]
        total = _size(new) + sum(_size(rs) for rs in old)
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            sizes = [0] * len(old)
            gone = not any(map(self._has_pods, old))
            yield from self._scale(deployment, new, desired if gone else _size(new))
        else:
            surge, unavailable = surge_and_unavailable(deployment)
            target = desired if not any(map(_size, old)) else new_replicas(desired, surge, total, _size(new))
            yield from self._scale(deployment, new, target)
            if target > _size(new):
                return
            # One that was just told to shrink still reports its old count; the real controller can be
            # misled by that for a few milliseconds, ours counts what will be left.
            pairs = [(_size(rs), min(_size(rs), _available(rs))) for rs in old]
            sizes = old_replicas(desired, unavailable, (_size(new), _available(new)), pairs)
        for rs, size in zip(old, sizes, strict=True):
            yield from self._scale(deployment, rs, size)

    def _has_pods(self, replica_set: Object) -> bool:
        """Whether a pod of the set is still there, leaving or not: a new one has to wait for it."""
        pods = self.cluster.store.find("Pod", "owner", replica_set["metadata"]["uid"])
        return any(not is_finished(pod) for pod in pods)

    def _resize(
        self, deployment: Object, sets: list[Object], new: Object | None
    ) -> Generator[Any, Any, None]:
        """The number of replicas has changed (or nothing else may): each set gets its part, oldest first."""
        desired = deployment["spec"]["replicas"]
        active = [rs for rs in sets if _size(rs)]
        if len(active) <= 1:
            for rs in active or ([new] if new is not None else sets[-1:]):
                yield from self._scale(deployment, rs, desired)
            return
        recreates = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
        if (new is not None and _size(new) == desired == _available(new)) or recreates:
            sizes = [_size(rs) if rs is new else 0 for rs in active]
        else:
            before = max(int(noted(rs, MOST) or 0) for rs in active)
            surge = surge_and_unavailable(deployment)[0]
            sizes = proportional(desired, surge, [_size(rs) for rs in active], before)
        for rs, size in zip(active, sizes, strict=True):
            yield from self._scale(deployment, rs, size)

    def _scale(self, deployment: Object, replica_set: Object, size: int) -> Generator[Any, Any, None]:
        """Give a ReplicaSet its size, and note on it how large the Deployment is."""
        notes = sizes_of(deployment)
        if _size(replica_set) == size and notes.items() <= replica_set["metadata"]["annotations"].items():
            return
        yield self.client.call()
        current = self.cluster.current(replica_set)
        if current is None:
            return
        if _size(current) != size:
            word = "up" if size > _size(current) else "down"
            text = f"Scaled {word} replica set {name_of(current)} from {_size(current)} to {size}"
            self.cluster.event(deployment, "Normal", "ScalingReplicaSet", text, "deployment-controller")
        metadata = {**current["metadata"], "annotations": {**current["metadata"]["annotations"], **notes}}
        self.cluster.store.update({**current, "metadata": metadata, "spec": {**current["spec"], "replicas": size}})

    def _clean_up(self, deployment: Object) -> Generator[Any, Any, None]:
        """Of a Deployment that has come through, the oldest empty sets go beyond its history limit."""
        current = self.cluster.current(deployment)
        if current is None or not (current["spec"].get("paused") or is_complete(current, current["status"])):
            return
        old = sorted(self._sets(current)[1], key=revision_of)
        empty = [rs for rs in old if not _size(rs) and not self._has_pods(rs)]
        for rs in empty[: max(0, len(empty) - current["spec"].get("revisionHistoryLimit", 10))]:
            yield self.client.call()
            self.cluster.store.remove("ReplicaSet", *key_of(rs))

    def _report(self, deployment: Object) -> Generator[Any, Any, None]:
        current = self.cluster.current(deployment)
        if current is None:
            return
        new, old = self._sets(current)
        status = deployment_status(current, new, [new, *old] if new else old, self.cluster.now)
        if status != current.get("status") or (new and revision_of(new) != revision_of(current)):
            yield self.client.call()
            current = self.cluster.current(deployment)
            if current is not None:
                said = with_revision(current, new) if new else current
                current = self.cluster.store.update({**said, "status": status})
        late = due(current) if current is not None else None
        if late is not None and self.late.get(deployment["metadata"]["uid"]) != late:
            self.late[deployment["metadata"]["uid"]] = late
            self.queue.add_after(max(0, late - self.cluster.now), key_of(deployment))

    def _sets(self, deployment: Object) -> tuple[Object | None, list[Object]]:
        """The ReplicaSet of the present template, and the others, oldest first."""
        mine = self.cluster.store.find("ReplicaSet", "owner", deployment["metadata"]["uid"])
        wanted = self.hashes.of(deployment)
        new = next((rs for rs in mine if rs["metadata"]["labels"].get(HASH) == wanted), None)
        return new, [rs for rs in mine if rs is not new]


def deployment_status(deployment: Object, new: Object | None, sets: list[Object], now: int) -> Object:
    """The counts and conditions that `kubectl get deploy` and `rollout status` read."""

    def count(field: str, of: list[Object]) -> int:
        return sum(rs.get("status", {}).get(field, 0) for rs in of)

    desired = deployment["spec"]["replicas"]
    available = count("availableReplicas", sets)
    status = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": count("replicas", sets),
        "updatedReplicas": count("replicas", [new] if new else []),
        "readyReplicas": count("readyReplicas", sets),
        "availableReplicas": available,
        "unavailableReplicas": max(0, desired - available),
        "conditions": deployment.get("status", {}).get("conditions", []),
    }
    enough = available >= desired - surge_and_unavailable(deployment)[1]
    whole = with_condition(
        {**deployment, "status": status}, now, "Available", "True" if enough else "False",
        reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        message=f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    )  # fmt: skip
    said = progress(deployment, status, new, now)
    if said is not None:
        truth, reason, message, seen = said
        also = {"reason": reason, "message": message, "lastUpdateTime": seen}
        whole = with_condition(whole, now, "Progressing", truth, **also)
    return whole["status"]


def _size(replica_set: Object) -> int:
    return replica_set["spec"]["replicas"]


def _available(replica_set: Object) -> int:
    return replica_set.get("status", {}).get("availableReplicas", 0)
