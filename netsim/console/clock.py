"""The clock of a prompt: after each command it goes on until the cluster has come to rest.

*At rest* means: no pod is about to be bound, started, made ready or ended, and its kubelet has said so; every
node that has power has programmed the newest rules; and for one second nobody has written anything (`QUIET`),
leases and repeated node reports aside, which never end. What will not come by itself is not waited for: a pod
that fits no node, or whose node has no power; one that has not become ready a while after it was bound
(`PATIENCE`); a cloud's load balancer, which takes its time (that is when EXTERNAL-IP says `<pending>`). In a
cluster that never rests the clock stops after two minutes (`HORIZON`). Several clusters have one clock, and rest
when all of them do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netsim.api.objects import Object, condition, is_finished, is_leaving, node_of, pod_ready
from netsim.api.store import Change
from netsim.simulation import Simulation
from netsim.units import MINUTE, MS, S

STEP = 100 * MS
QUIET = 1 * S
PATIENCE = 30 * S
HORIZON = 2 * MINUTE

FOREVER = 100 * 365 * 24 * 60 * MINUTE

HEARD = (
    "Pod", "Service", "EndpointSlice", "Endpoints", "Deployment", "ReplicaSet", "Namespace", "ConfigMap", "Secret",
    "StatefulSet", "DaemonSet", "ServiceExport", "ServiceImport",
)  # fmt: skip
"""The kinds whose writes show that somebody is at work."""


class Clock:
    """Moves simulations on, by a time or until all of them rest."""

    def __init__(self, simulations: Sequence[Simulation], run: Callable[[int], None]) -> None:
        self.simulations = tuple(simulations)
        self._run = run  # moves all of them on, up to an instant
        self._rests = [Rest(simulation) for simulation in self.simulations]
        for simulation in self.simulations:
            simulation.end = FOREVER  # a prompt outlives its scenario

    @property
    def now(self) -> int:
        """Simulated nanoseconds."""
        return self.simulations[0].now

    def sleep(self, time: int) -> None:
        """Let a time pass."""
        self._run(self.now + time)

    def until(self, done: Callable[[], bool], limit: int) -> bool:
        """Go on until something holds, or the time is over; whether it holds."""
        end = self.now + limit
        while not done():
            if self.now >= end:
                return False
            self._run(min(self.now + STEP, end))
        return True

    def settle(self) -> None:
        """Go on until everything rests."""
        self.until(lambda: all(rest.reached() for rest in self._rests), HORIZON)

    def touch(self) -> None:
        """Something was done that the stores do not tell of: rest is at least a moment away."""
        for rest in self._rests:
            rest.written = self.now


class Rest:
    """Knows whether one cluster has come to rest."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.written = 0  # when somebody last wrote something
        self._looked = (-1, -1)  # at which state pods and rules were last looked over ...
        self._busy_until = 0  # ... and until when what was found keeps the cluster busy
        for kind in HEARD:
            simulation.store.watch(kind, self._heard)
        simulation.store.watch("Node", self._node)

    def reached(self) -> bool:
        """Whether nothing is about to happen by itself."""
        simulation = self.simulation
        if simulation.now - self.written < QUIET:
            return False
        state = simulation.store.resource_version, len(simulation.cluster.history.changes)
        if state != self._looked:
            self._looked = state
            self._busy_until = max((self._waits(pod) for pod in simulation.store.list("Pod")), default=0)
        return simulation.now >= self._busy_until and not self._proxies_behind() and not self._kubelets_behind()

    def _heard(self, change: Change) -> None:
        self.written = self.simulation.now

    def _node(self, change: Change) -> None:
        """A node's repeated report says nothing new."""
        old = change.old
        if old is None or change.type == "DELETED" or _says(old) != _says(change.object):
            self.written = self.simulation.now

    def _proxies_behind(self) -> bool:
        machines = self.simulation.built.machines
        return any(
            kernel.rules.revision != kernel.rules.tables.revision
            for node, kernel in self.simulation.forwarding.kernels.items()
            if machines[node].powered
        )

    def _kubelets_behind(self) -> bool:
        """Whether a container has started or ended, and its kubelet has not noticed or not yet said so."""
        kubelets = (machine.kubelet for machine in self.simulation.built.machines.values())
        return any(
            life.reporting or any(one.running != ("running" in one.state) for one in life.containers)
            for kubelet in kubelets
            if kubelet.reaches()
            for life in kubelet.lives.values()
        )

    def _waits(self, pod: Object) -> int:
        """Until when a pod is worth waiting for; zero if nothing will happen to it."""
        node = node_of(pod)
        machine = self.simulation.built.machines.get(node)
        if node and (machine is None or not machine.powered):
            return 0
        if is_leaving(pod):
            return int(pod["metadata"]["deletionTimestamp"]) + PATIENCE
        if is_finished(pod) or pod_ready(pod):
            return 0
        scheduled = condition(pod, "PodScheduled")
        if not node:
            unfit = scheduled is not None and scheduled["status"] == "False"
            return 0 if unfit else int(pod["metadata"]["creationTimestamp"]) + PATIENCE
        return max(_began(pod), scheduled["lastTransitionTime"] if scheduled else 0) + PATIENCE


def _says(node: Object) -> tuple[object, ...]:
    conditions = node.get("status", {}).get("conditions", ())
    return node["spec"], node["metadata"].get("labels"), [(one["type"], one["status"]) for one in conditions]


def _began(pod: Object) -> int:
    """When the pod's containers were started last; else when it was made."""
    states = [one.get("state", {}) for one in pod.get("status", {}).get("containerStatuses") or ()]
    started = [state["running"]["startedAt"] for state in states if "startedAt" in state.get("running", {})]
    return int(max(started, default=pod["metadata"]["creationTimestamp"]))
