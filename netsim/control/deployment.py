"""The Deployment controller: one ReplicaSet per pod template, and a careful change from the old to the new.

Source: kubernetes `pkg/controller/deployment` (sync.go, rolling.go, recreate.go).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.api.objects import Object, controller_of, key_of, name_of, owned_by, with_condition
from netsim.api.store import Change
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.rollout import new_replicas, old_replicas, surge_and_unavailable, template_hash
from netsim.control.workqueue import WorkQueue

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"


class Deployments:
    """Rolls every Deployment towards its template and its number of replicas."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=5)
        cluster.hear("Deployment", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("ReplicaSet", self._replica_set_changed)

    def _replica_set_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "Deployment":
            self.queue.add((change.object["metadata"]["namespace"], owner["name"]))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        deployment = self.cluster.store.get("Deployment", *key)
        if deployment is None:
            return
        new, old = self._sets(deployment)
        if new is None:
            yield self.client.call()
            new = self.cluster.store.create(new_replica_set(deployment, old))
        yield from self._roll(deployment, new, old)
        yield from self._report(deployment)

    def _roll(self, deployment: Object, new: Object, old: list[Object]) -> Generator[Any, Any, None]:
        """Take one step: grow the new set as far as it may, shrink the old ones as far as they may."""
        desired = deployment["spec"]["replicas"]
        total = _size(new) + sum(_size(rs) for rs in old)
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            sizes = [0] * len(old)
            gone = not any(rs.get("status", {}).get("replicas", 0) for rs in old)
            yield from self._scale(new, desired if gone else _size(new))
        else:
            surge, unavailable = surge_and_unavailable(deployment)
            target = desired if not any(map(_size, old)) else new_replicas(desired, surge, total, _size(new))
            if target > _size(new):
                yield from self._scale(new, target)
                return
            yield from self._scale(new, target)
            # One that was just told to shrink still reports its old count; the real controller can be
            # misled by that for a few milliseconds, ours counts what will be left.
            pairs = [(_size(rs), min(_size(rs), _available(rs))) for rs in old]
            sizes = old_replicas(desired, unavailable, (_size(new), _available(new)), pairs)
        for rs, size in zip(old, sizes, strict=True):
            yield from self._scale(rs, size)

    def _scale(self, replica_set: Object, size: int) -> Generator[Any, Any, None]:
        if _size(replica_set) == size:
            return
        yield self.client.call()
        current = self.cluster.current(replica_set)
        if current is not None:
            self.cluster.store.update({**current, "spec": {**current["spec"], "replicas": size}})

    def _report(self, deployment: Object) -> Generator[Any, Any, None]:
        current = self.cluster.current(deployment)
        if current is None:
            return
        new, old = self._sets(current)
        status = deployment_status(current, new, [new, *old] if new else old, self.cluster.now)
        if status != current.get("status"):
            yield self.client.call()
            current = self.cluster.current(deployment)
            if current is not None:
                self.cluster.store.update({**current, "status": status})

    def _sets(self, deployment: Object) -> tuple[Object | None, list[Object]]:
        """The ReplicaSet of the present template, and the others, oldest first."""
        mine = self.cluster.store.find("ReplicaSet", "owner", deployment["metadata"]["uid"])
        wanted = template_hash(deployment["spec"]["template"])
        new = next((rs for rs in mine if rs["metadata"]["labels"].get(HASH) == wanted), None)
        return new, [rs for rs in mine if rs is not new]


def new_replica_set(deployment: Object, old: list[Object]) -> Object:
    """The ReplicaSet for a Deployment's template, still empty."""
    template = deployment["spec"]["template"]
    ending = template_hash(template)
    labels = {**(template.get("metadata", {}).get("labels") or {}), HASH: ending}
    selector = deployment["spec"]["selector"]
    revision = 1 + max((int(rs["metadata"]["annotations"][REVISION]) for rs in old), default=0)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{ending}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [owned_by(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": deployment["spec"].get("minReadySeconds", 0),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: ending}},
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        },
    }


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
    whole = {**deployment, "status": status}
    reasons = ("MinimumReplicasAvailable", "MinimumReplicasUnavailable")
    whole = with_condition(
        whole, now, "Available", "True" if enough else "False", reason=reasons[0 if enough else 1]
    )
    done = count("updatedReplicas", []) == 0 and status["updatedReplicas"] == desired == available
    reason = "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"
    return with_condition(whole, now, "Progressing", "True", reason=reason)["status"]


def _size(replica_set: Object) -> int:
    return replica_set["spec"]["replicas"]


def _available(replica_set: Object) -> int:
    return replica_set.get("status", {}).get("availableReplicas", 0)
