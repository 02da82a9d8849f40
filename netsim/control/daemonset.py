"""The DaemonSet controller: one pod on every node that will have it.

Which nodes those are the controller decides itself; each pod is then pinned to its node by node affinity, and
the scheduler only binds it. The pods bear what would drive others away: a node that is not ready, unreachable,
cordoned, or short of something. So they are never evicted when a node is lost, and never scheduled elsewhere.

A rolling update deletes old pods, no more at a time than may be unavailable (one by default); a node whose pod
is on its way out or not yet ready counts as unavailable.

Left out: maxSurge. Source: kubernetes `pkg/controller/daemon` (daemon_controller.go, update.go,
util/daemonset_util.go).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
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
    pod_ready,
)  # fmt: skip
from netsim.api.selectors import matches_labels, matches_node_selector
from netsim.api.store import Change
from netsim.control.admission import Admission
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.naming import suffix
from netsim.control.pod_status import is_available
from netsim.control.pod_template import REVISION, pod_of, recorded
from netsim.control.rollout import share_of
from netsim.control.taints import untolerated
from netsim.control.workqueue import WorkQueue
from netsim.units import S

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BORNE = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
BORNE_ON_HOST = ("node.kubernetes.io/network-unavailable", "NoSchedule")  # by pods in the node's own network


@dataclass
class Plan:
    """What to do now: nodes that lack a pod, and pods that must go."""

    create: list[str] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


def belongs(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a pod of the set should run on a node, and whether one that is there may stay."""
    spec = daemon_set["spec"]["template"]["spec"]
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    fits = matches_labels(spec.get("nodeSelector"), labels_of(node)) and matches_node_selector(
        affinity, labels_of(node), name_of(node)
    )
    if not fits or spec.get("nodeName", name_of(node)) != name_of(node):
        return False, False
    taints, borne = node["spec"].get("taints") or (), tolerations(spec)
    return untolerated(taints, borne) is None, untolerated(taints, borne, ("NoExecute",)) is None


def tolerations(spec: Object) -> list[Object]:
    """What the pods of a DaemonSet bear: what their template says, and what all of them do."""
    borne = (*BORNE, BORNE_ON_HOST) if spec.get("hostNetwork") else BORNE
    own = spec.get("tolerations") or []
    return [*own, *({"key": key, "operator": "Exists", "effect": effect} for key, effect in borne)]


def manage(daemon_set: Object, nodes: Sequence[Object], pods: Mapping[str, list[Object]]) -> Plan:
    """Pods that are missing or too many; `pods` are those that exist, by the node they are meant for."""
    plan = Plan()
    names = {name_of(node) for node in nodes}
    for node in nodes:
        here = pods.get(name_of(node), [])
        runs, stays = belongs(daemon_set, node)
        staying = [pod for pod in here if not is_leaving(pod)]
        if runs and not here:
            plan.create.append(name_of(node))
        elif not stays:
            plan.delete += staying
        else:
            failed = [pod for pod in staying if is_finished(pod)]
            alive = sorted((p for p in staying if not is_finished(p)), key=_age)
            plan.delete += [*failed, *alive[1:]]
    plan.delete += [pod for name, here in pods.items() if name not in names for pod in here if not is_leaving(pod)]
    return plan


def _age(pod: Object) -> tuple[int, str]:
    return pod["metadata"]["creationTimestamp"], name_of(pod)


def update(
    daemon_set: Object, nodes: Sequence[Object], pods: Mapping[str, list[Object]], ending: str, now: int
) -> list[Object]:
    """The old pods that a rolling update deletes now."""
    spec = daemon_set["spec"]
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return []
    eligible = [name_of(node) for node in nodes if belongs(daemon_set, node)[0]]
    given = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 1)
    limit = max(1, share_of(given, len(eligible), up=True))
    unavailable = 0
    broken: list[Object] = []
    candidates: list[Object] = []
    for name in eligible:
        staying = [pod for pod in pods.get(name, []) if not is_leaving(pod)]
        new = next((pod for pod in staying if labels_of(pod).get(REVISION) == ending), None)
        pod = new or next(iter(staying), None)
        well = pod is not None and is_available(pod, spec.get("minReadySeconds", 0) * S, now)
        unavailable += not well
        if pod is not None and new is None:
            (candidates if well else broken).append(pod)
    return [*broken, *candidates[: max(0, limit - unavailable)]]


class DaemonSets:
    """Keeps one pod of every DaemonSet on each of its nodes."""

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        self.cluster = cluster
        self.admission = admission
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=2)
        self._chance = cluster.draws.stream("daemon-pod-names")
        cluster.hear("DaemonSet", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("Pod", self._pod_changed)
        cluster.hear("Node", self._node_changed)

    def _pod_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "DaemonSet":
            self.queue.add((change.object["metadata"]["namespace"], owner["name"]))

    def _node_changed(self, change: Change) -> None:
        """A node came, went, or changed in what decides where pods may run."""
        old, new = change.old, change.object
        moved = old is None or labels_of(old) != labels_of(new) or old["spec"] != new["spec"]
        if change.type == "DELETED" or moved:
            for daemon_set in self.cluster.store.list("DaemonSet"):
                self.queue.add(key_of(daemon_set))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        store = self.cluster.store
        daemon_set = store.get("DaemonSet", *key)
        if daemon_set is None:
            return
        ending = recorded(self.cluster, daemon_set)
        plan = manage(daemon_set, store.list("Node"), self._pods(daemon_set))
        for node in plan.create:
            yield self.client.call()
            name = f"{name_of(daemon_set)}-{suffix(self._chance.next())}"
            self.admission.create(new_pod(daemon_set, name, node, ending))
            self._say(daemon_set, "SuccessfulCreate", f"Created pod: {name}")
        yield from self._delete(daemon_set, plan.delete)
        old = update(daemon_set, store.list("Node"), self._pods(daemon_set), ending, self.cluster.now)
        yield from self._delete(daemon_set, old)
        yield from self._report(daemon_set, ending)

    def _delete(self, daemon_set: Object, pods: list[Object]) -> Generator[Any, Any, None]:
        for pod in pods:
            yield self.client.call()
            current = self.cluster.current(pod)
            if current is not None and not is_leaving(current):
                self.cluster.store.delete(current)
                self._say(daemon_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _report(self, daemon_set: Object, ending: str) -> Generator[Any, Any, None]:
        """Write the counts into the status, if they have changed."""
        current = self.cluster.current(daemon_set)
        if current is None:
            return
        pods, now = self._pods(current), self.cluster.now
        patience = current["spec"].get("minReadySeconds", 0) * S
        if any(pod_ready(p) and not is_available(p, patience, now) for here in pods.values() for p in here):
            self.queue.add_after(patience, key_of(current))
        status = status_of(current, self.cluster.store.list("Node"), pods, ending, now)
        if status != current.get("status"):
            yield self.client.call()
            current = self.cluster.current(daemon_set)
            if current is not None:
                self.cluster.store.update({**current, "status": status})

    def _pods(self, daemon_set: Object) -> dict[str, list[Object]]:
        """The set's pods by the node they are meant for."""
        found: dict[str, list[Object]] = {}
        for pod in self.cluster.store.find("Pod", "owner", daemon_set["metadata"]["uid"]):
            found.setdefault(node_of(pod) or _target(pod), []).append(pod)
        return found

    def _say(self, daemon_set: Object, reason: str, text: str) -> None:
        self.cluster.event(daemon_set, "Normal", reason, text, "daemonset-controller")


def new_pod(daemon_set: Object, name: str, node: str, ending: str) -> Object:
    """A pod for one node, pinned to it: every term of its node affinity is about that node's name alone."""
    template = daemon_set["spec"]["template"]
    affinity = template["spec"].get("affinity") or {}
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    pinned = {**(affinity.get("nodeAffinity") or {}), REQUIRED: {"nodeSelectorTerms": [term]}}
    labels = {REVISION: ending, "pod-template-generation": str(daemon_set["metadata"]["generation"])}
    spec = {"affinity": {**affinity, "nodeAffinity": pinned}, "tolerations": tolerations(template["spec"])}
    return pod_of(daemon_set, template, name, labels, spec)


def _target(pod: Object) -> str:
    """The node that a pod which is not bound yet is pinned to."""
    terms = pod["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    return str(terms[0]["matchFields"][0]["values"][0])


def status_of(
    daemon_set: Object, nodes: Sequence[Object], pods: Mapping[str, list[Object]], ending: str, now: int
) -> Object:
    """The counts that `kubectl get ds` shows, one pod a node (the oldest)."""
    patience = daemon_set["spec"].get("minReadySeconds", 0) * S
    wanted = [name_of(node) for node in nodes if belongs(daemon_set, node)[0]]
    oldest = {name: min(here, key=_age) for name, here in pods.items() if here}
    there = [oldest[name] for name in wanted if name in oldest]
    available = sum(is_available(pod, patience, now) for pod in there)
    return {
        "observedGeneration": daemon_set["metadata"]["generation"],
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(there),
        "numberMisscheduled": sum(name not in wanted for name in oldest),
        "numberReady": sum(pod_ready(pod) for pod in there),
        "updatedNumberScheduled": sum(labels_of(pod).get(REVISION) == ending for pod in there),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
