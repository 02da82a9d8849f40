"""A kubelet's word that its node lives: the lease, and the node's status.

Every ten seconds, a little late each time, the kubelet renews its node's lease; that is all the control plane
hears of a healthy node. It also works out the node's conditions every ten seconds, but writes them only when
they have changed, or every five minutes. A container runtime that does not answer is held to be down after
30 s; the node says that it is not Ready the next time its conditions are worked out.

While the kubelet cannot reach the API server nothing is said; afterwards it goes on at its own next turn.
Sources: kubernetes `pkg/kubelet` (kubelet.go, kubelet_node_status.go, runtime.go, nodestatus/setters.go),
`component-helpers/apimachinery/lease/controller.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from netsim.api.objects import Object, with_condition
from netsim.control.cluster import Cluster
from netsim.draws import Stream, uniform
from netsim.units import S

JITTER = 0.04
RUNTIME_PATIENCE = 30 * S  # maxWaitForContainerRuntime


class Heartbeat:
    """What one kubelet says of its node, as long as `reaches` says that it can be heard."""

    def __init__(self, cluster: Cluster, node: str, chance: Stream, reaches: Callable[[], bool]) -> None:
        self.cluster = cluster
        self.node = node
        self.reaches = reaches
        self.problem = ""  # why the node is not Ready, in the kubelet's words
        self._chance = chance
        self._wanted = cluster.env.event()

    def renew_lease(self, *, fresh: bool) -> Generator[Any, Any, None]:
        """Renew the lease again and again; a kubelet that has run for long is anywhere in its period."""
        cluster, period = self.cluster, self.cluster.timings.lease_renew
        if not fresh:
            yield cluster.env.timeout(int(uniform(self._chance.next()) * period))
        while True:
            lease = cluster.store.get("Lease", "kube-node-lease", self.node)
            if lease is not None and self.reaches():
                cluster.store.update({**lease, "spec": {**lease["spec"], "renewTime": cluster.now}})
            yield cluster.env.timeout(int(period * (1 + JITTER * uniform(self._chance.next()))))

    def report_node(self, *, fresh: bool) -> Generator[Any, Any, None]:
        """Write the node's status; an unchanged one is repeated only now and then."""
        cluster, env, timings = self.cluster, self.cluster.env, self.cluster.timings
        began, period = cluster.now, timings.node_status_update
        if not fresh:
            began += int(uniform(self._chance.next()) * timings.node_status_report)
            yield env.any_of([env.timeout(began - cluster.now), self._wanted])
            yield env.timeout((began - cluster.now) % period)
        while True:
            self._write()
            self._wanted = env.event()
            yield env.any_of([env.timeout(timings.node_status_report), self._wanted])
            yield env.timeout((began - cluster.now) % period)

    def say(self, problem: str) -> None:
        """The node's condition is another from now on; it is written at the next turn."""
        if problem != self.problem:
            self.problem = problem
            self.hurry()

    def hurry(self) -> None:
        """Write the status at the next turn, whatever was written last."""
        if not self._wanted.triggered:
            self._wanted.succeed()

    def _write(self) -> None:
        node = self.cluster.store.get("Node", "", self.node)
        if node is not None and self.reaches():
            self.cluster.store.update(reported(node, self.cluster.now, self.problem))


def ready_node(node: Object, now: int) -> Object:
    """The node with the conditions that its healthy kubelet reports."""
    return reported(node, now, "")


def reported(node: Object, now: int, problem: str) -> Object:
    """The node with the conditions that its kubelet reports; with a problem it is not Ready."""
    conditions = {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
    }
    if problem:
        conditions["Ready"] = ("False", "KubeletNotReady", problem)
    for kind, (status, reason, message) in conditions.items():
        node = with_condition(node, now, kind, status, lastHeartbeatTime=now, reason=reason, message=message)
    return node
