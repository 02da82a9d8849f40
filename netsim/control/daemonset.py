"""The DaemonSet controller: one pod on every node that will have it.

Which nodes those are the controller decides itself (`daemons.py`); each pod is then pinned to its node by node
affinity, and the scheduler only binds it. Pods are made and taken away in step with the nodes, and replaced by
rolling updates.

Left out: the back-off after pods that a node keeps refusing. Source: kubernetes `pkg/controller/daemon`
(daemon_controller.go, update.go).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object, controller_of, is_leaving, key_of, labels_of, name_of, node_of, pod_ready
from netsim.api.store import Change
from netsim.control.admission import Admission
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.daemons import REQUIRED, Plan, belongs, manage, status_of, tolerations, update
from netsim.control.pod_status import is_available
from netsim.control.pod_template import REVISION, forget, new_name, pod_of, record
from netsim.control.rollout import Hashes
from netsim.control.workqueue import WorkQueue
from netsim.units import S


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a node fits a template, and what that was judged by."""

    template: Object
    spec: Object
    labels: dict[str, str]
    fits: tuple[bool, bool]

    def holds(self, template: Object, node: Object) -> bool:
        """Whether nothing has changed since."""
        return self.template is template and self.spec is node["spec"] and self.labels is labels_of(node)


class DaemonSets:
    """Keeps one pod of every DaemonSet on each of its nodes."""

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        self.cluster = cluster
        self.admission = admission
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=2)
        self.hashes = Hashes()
        self._judged: dict[str, dict[str, Judged]] = {}  # by the set's uid and the node
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
        daemon_set = self.cluster.store.get("DaemonSet", *key)
        if daemon_set is None:
            return
        ending = self.hashes.of(daemon_set)
        record(self.cluster, daemon_set, ending)
        for decide in (manage, update):
            plan = decide(daemon_set, self.fits(daemon_set), self._pods(daemon_set), ending, self.cluster.now)
            yield from self._carry_out(daemon_set, plan, ending)
        forget(self.cluster, daemon_set, {ending, *self._hashes_in_use(daemon_set)})
        yield from self._report(daemon_set, ending)

    def _carry_out(self, daemon_set: Object, plan: Plan, ending: str) -> Generator[Any, Any, None]:
        for node in plan.create:
            yield self.client.call()
            name = new_name(self.cluster, daemon_set, self._chance)
            self.admission.create(new_pod(daemon_set, name, node, ending))
            self._say(daemon_set, "SuccessfulCreate", f"Created pod: {name}")
        for pod in plan.delete:
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
        status = status_of(current, self.fits(current), pods, ending, now)
        if status != current.get("status"):
            yield self.client.call()
            current = self.cluster.current(daemon_set)
            if current is not None:
                self.cluster.store.update({**current, "status": status})

    def fits(self, daemon_set: Object) -> dict[str, tuple[bool, bool]]:
        """Where the set's pods belong; a node is looked at again only when it or the template has changed."""
        template, uid = daemon_set["spec"]["template"], daemon_set["metadata"]["uid"]
        before, judged = self._judged.get(uid, {}), {}
        for node in self.cluster.store.list("Node"):
            known = before.get(name_of(node))
            if known is None or not known.holds(template, node):
                known = Judged(template, node["spec"], labels_of(node), belongs(daemon_set, node))
            judged[name_of(node)] = known
        self._judged[uid] = judged
        return {name: known.fits for name, known in judged.items()}

    def _pods(self, daemon_set: Object) -> dict[str, list[Object]]:
        """The set's pods by the node they are meant for."""
        found: dict[str, list[Object]] = {}
        for pod in self.cluster.store.find("Pod", "owner", daemon_set["metadata"]["uid"]):
            found.setdefault(node_of(pod) or _target(pod), []).append(pod)
        return found

    def _hashes_in_use(self, daemon_set: Object) -> list[str]:
        return [labels_of(pod).get(REVISION, "") for here in self._pods(daemon_set).values() for pod in here]

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
