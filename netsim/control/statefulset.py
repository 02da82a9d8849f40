"""The StatefulSet controller: pods with names that last, one after the other.

Pod `db-2` is always called so, and there is never a second one: the controller makes no pod whose name still
exists. That is why a pod on an unreachable node, which is `Terminating` until its kubelet comes back, is not
replaced before somebody forces it out, deletes the node, or marks it out of service.

OrderedReady (the default) makes pod i only when all before it are running and ready, takes them away from the
highest, and stops at the first that is not as it should be. Parallel does not wait. A rolling update replaces
pods from the highest ordinal down to the partition, one at a time, in either case.

Left out: volume claims, maxUnavailable (alpha). Source: kubernetes
`pkg/controller/statefulset` (stateful_set_control.go, stateful_set_utils.go).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object, controller_of, is_finished, is_leaving, key_of, labels_of, name_of, pod_ready
from netsim.api.store import Change, Refused
from netsim.control.admission import Admission
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.pod_status import is_available
from netsim.control.pod_template import REVISION, forget, pod_of, recalled, record
from netsim.control.rollout import Hashes
from netsim.control.workqueue import WorkQueue
from netsim.units import S

RETRY = 1 * S  # after a refused call
POD_NAME, POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: delete `pod`, or make the pod of `ordinal` if there is none."""

    ordinal: int
    pod: Object | None = None


def steps(stateful_set: Object, pods: Mapping[int, Object], update: str, now: int) -> list[Step]:
    """What to do now; `pods` are those that exist, by ordinal, `update` the hash of the present template."""
    spec = stateful_set["spec"]
    one_by_one = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
    wanted = ordinals(stateful_set)
    found: list[Step] = []
    for ordinal in wanted:
        pod = pods.get(ordinal)
        if pod is None:
            found.append(Step(ordinal))
        elif is_finished(pod):
            return [*found, *([] if is_leaving(pod) else [Step(ordinal, pod)])]
        if one_by_one and (pod is None or not _is_well(pod, spec, now)):
            return found
    condemned = sorted((ordinal for ordinal in pods if ordinal not in wanted), reverse=True)
    unwell = min((ordinal for ordinal, pod in pods.items() if not _is_well(pod, spec, now)), default=None)
    for ordinal in condemned:
        pod = pods[ordinal]
        waits = is_leaving(pod) or (not _is_well(pod, spec, now) and ordinal != unwell)
        if not is_leaving(pod) and not (one_by_one and waits):
            found.append(Step(ordinal, pod))
        if one_by_one:
            return found
    stay_old = wanted[: partition(spec)]
    present = [pods[ordinal] for ordinal in reversed(wanted) if ordinal in pods and ordinal not in stay_old]
    return found or _update(spec, present, update, now)


def _update(spec: Object, pods: list[Object], update: str, now: int) -> list[Step]:
    """The next of these pods in a rolling update, the highest first; none while one of those passed is unwell."""
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    for pod in pods:
        if hash_of(pod) != update and not is_leaving(pod):
            return [Step(ordinal_of(pod), pod)]
        if not _is_well(pod, spec, now):
            return []
    return []


def _is_well(pod: Object, spec: Object, now: int) -> bool:
    """Running, ready for as long as is asked, and not leaving."""
    running = pod.get("status", {}).get("phase") == "Running" and not is_leaving(pod)
    return running and is_available(pod, spec.get("minReadySeconds", 0) * S, now)


def ordinals(stateful_set: Object) -> range:
    """The numbers of the pods that there should be."""
    first = (stateful_set["spec"].get("ordinals") or {}).get("start", 0)
    return range(first, first + stateful_set["spec"]["replicas"])


def partition(spec: Object) -> int:
    """How many pods of a StatefulSet, counted from the first, keep the old template."""
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition", 0))


def ordinal_of(pod: Object) -> int:
    """The number at the end of a pod's name.

    >>> ordinal_of({"metadata": {"name": "my-db-12"}})
    12
    """
    return int(name_of(pod).rpartition("-")[2])


def hash_of(pod: Object) -> str:
    """The hash of the template that a pod was made from."""
    return hash_in(labels_of(pod).get(REVISION, ""))


def hash_in(revision: str) -> str:
    """The hash at the end of a ControllerRevision's name.

    >>> hash_in("my-db-6b8f5c9d7")
    '6b8f5c9d7'
    """
    return revision.rpartition("-")[2]


class StatefulSets:
    """Keeps every StatefulSet's pods as they should be."""

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        self.cluster = cluster
        self.admission = admission
        self.client = Client(cluster)
        self.hashes = Hashes()
        self.queue = WorkQueue(cluster, self._sync, workers=5)
        cluster.hear("StatefulSet", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("Pod", self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "StatefulSet":
            self.queue.add((change.object["metadata"]["namespace"], owner["name"]))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        stateful_set = self.cluster.store.get("StatefulSet", *key)
        if stateful_set is None:
            return
        update = self.hashes.of(stateful_set)
        record(self.cluster, stateful_set, update)
        for step in steps(stateful_set, self._pods(stateful_set), update, self.cluster.now):
            yield self.client.call()
            if step.pod is None:
                self._create(stateful_set, step.ordinal, update)
            else:
                self._delete(stateful_set, step.pod)
        yield from self._report(stateful_set, update)
        current = hash_in(stateful_set.get("status", {}).get("currentRevision", ""))
        forget(self.cluster, stateful_set, {update, current, *map(hash_of, self._pods(stateful_set).values())})

    def _create(self, stateful_set: Object, ordinal: int, update: str) -> None:
        cluster, name = self.cluster, f"{name_of(stateful_set)}-{ordinal}"
        below = ordinal in ordinals(stateful_set)[: partition(stateful_set["spec"])]
        current = hash_in(stateful_set.get("status", {}).get("currentRevision", ""))
        used = current if below and current else update
        try:
            self.admission.create(new_pod(stateful_set, ordinal, recalled(cluster, stateful_set, used), used))
        except Refused as error:
            self.queue.add_after(RETRY, key_of(stateful_set))
            text = f"create Pod {name} in StatefulSet {name_of(stateful_set)} failed error: {error}"
            cluster.event(stateful_set, "Warning", "FailedCreate", text, "statefulset-controller")
        else:
            text = f"create Pod {name} in StatefulSet {name_of(stateful_set)} successful"
            cluster.event(stateful_set, "Normal", "SuccessfulCreate", text, "statefulset-controller")

    def _delete(self, stateful_set: Object, pod: Object) -> None:
        current = self.cluster.current(pod)
        if current is not None and not is_leaving(current):
            self.cluster.store.delete(current)
            text = f"delete Pod {name_of(pod)} in StatefulSet {name_of(stateful_set)} successful"
            self.cluster.event(stateful_set, "Normal", "SuccessfulDelete", text, "statefulset-controller")

    def _report(self, stateful_set: Object, update: str) -> Generator[Any, Any, None]:
        """Write the counts into the status, if they have changed."""
        current = self.cluster.current(stateful_set)
        if current is None:
            return
        pods = list(self._pods(current).values())
        patience = current["spec"].get("minReadySeconds", 0) * S
        if any(pod_ready(pod) and not is_available(pod, patience, self.cluster.now) for pod in pods):
            self.queue.add_after(patience, key_of(current))
        status = status_of(current, pods, f"{name_of(current)}-{update}", self.cluster.now)
        if status != current.get("status"):
            yield self.client.call()
            current = self.cluster.current(stateful_set)
            if current is not None:
                self.cluster.store.update({**current, "status": status})

    def _pods(self, stateful_set: Object) -> dict[int, Object]:
        found = self.cluster.store.find("Pod", "owner", stateful_set["metadata"]["uid"])
        return {ordinal_of(pod): pod for pod in found}


def new_pod(stateful_set: Object, ordinal: int, template: Object, ending: str) -> Object:
    """The pod of an ordinal: its name is its host name, and stands in its labels."""
    name = f"{name_of(stateful_set)}-{ordinal}"
    labels = {POD_NAME: name, POD_INDEX: str(ordinal), REVISION: f"{name_of(stateful_set)}-{ending}"}
    spec = {"hostname": name}
    if stateful_set["spec"].get("serviceName"):
        spec["subdomain"] = stateful_set["spec"]["serviceName"]
    return pod_of(stateful_set, template, name, labels, spec)


def status_of(stateful_set: Object, pods: list[Object], update: str, now: int) -> Object:
    """The counts that `kubectl get sts` and `rollout status` read."""
    patience = stateful_set["spec"].get("minReadySeconds", 0) * S
    replicas = stateful_set["spec"]["replicas"]
    current = stateful_set.get("status", {}).get("currentRevision") or update
    staying = [labels_of(pod).get(REVISION) for pod in pods if not is_leaving(pod)]
    ready = sum(pod_ready(pod) for pod in pods)
    status = {
        "observedGeneration": stateful_set["metadata"]["generation"],
        "replicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": sum(is_available(pod, patience, now) for pod in pods),
        "currentReplicas": staying.count(current),
        "updatedReplicas": staying.count(update),
        "currentRevision": current,
        "updateRevision": update,
    }
    if current != update and staying.count(update) == replicas == ready:  # the update is complete
        status |= {"currentRevision": update, "currentReplicas": status["updatedReplicas"]}
    return status
