"""Node lifecycle: who notices that a node has gone silent, and what follows.

The controller never sees a crash. It sees silence. At every tick it looks at each node's lease and heartbeat
and keeps, *in its own clock*, when it last saw them move. A node silent for longer than the grace has its
Ready condition set to Unknown, and in the same tick the Ready condition of every pod on it is set to False,
one API call after another; that is what takes their endpoints away. The NoExecute taint, which starts the
clock of eviction, comes one tick later, through a queue that is limited per zone and stands still when too
much of a zone is silent at once.

A node whose kubelet itself says that it is not ready (its container runtime is down) is tainted like a silent one, but
its pods are left as they are: what is looked for is a Ready condition that was True when the tick began and is not at
its end, which only the controller's own Unknown can bring about. So such pods keep their endpoints until they are
evicted, and are not marked either if the node falls silent later (kubernetes issue 125331).

Up to Kubernetes 1.12 there was no such taint (profile `legacy`): a node's pods were deleted once it had been
silent for five minutes, counted from its last sign of life, by way of the same limited queue. A controller that
has just become leader gives every node the whole grace anew.

Our ticks are exact, the real ones drift by the milliseconds that a pass takes; hence `>=` where kubernetes
has `>` (facts of the detection window: 40 s to 55 s after the failure with a grace of 50 s).

Source: kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go` (monitorNodeHealth, tryUpdateNodeHealth).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import (
    Object,
    condition,
    controller_of,
    has_taint,
    is_true,
    key_of,
    labels_of,
    name_of,
    pod_ready,
    with_condition,
    with_taints,
)
from netsim.api.store import Change
from netsim.control.client import Client, TokenBucket
from netsim.control.cluster import Cluster
from netsim.control.taints import (
    NOT_READY,
    UNREACHABLE,
    condition_taints,
    eviction_rate,
    no_execute_key,
    zone_key,
    zone_state,
)
from netsim.draws import uniform

SILENT = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")  # conditions that turn Unknown


@dataclass
class Health:
    """What the controller remembers of a node, in its own clock."""

    probe: int  # when it last saw the node move
    heartbeat: int = -1
    renewed: int = -1
    ready: str = "Unknown"  # the Ready condition as seen at the last tick
    turned: int = 0  # when that condition last changed
    evicted: bool = False  # legacy: its pods have been deleted

    def since(self) -> int:
        """Legacy: from when its pods' time counts, its last sign of life or its own word that it is not ready."""
        return self.probe if self.ready == "Unknown" else self.turned


class NodeLifecycle:
    """The controller: its monitor, its two taint passes."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.health: dict[str, Health] = {}
        self.queues: dict[tuple[str, str], dict[str, None]] = {}  # zone -> nodes that wait for taint or eviction
        self.limits: dict[tuple[str, str], TokenBucket] = {}
        self.all_silent = False
        cluster.hear("Node", self._node_changed)
        cluster.plane.on_elected.append(self._start_over)
        cluster.env.process(self.run())

    def run(self) -> Generator[Any, Any, None]:
        """Look at all nodes, then hand on what the taint queues let through, again and again."""
        timings, env = self.cluster.timings, self.cluster.env
        phase = uniform(self.cluster.draws.stream("node-monitor").next())
        yield env.timeout(int(phase * timings.node_monitor_period))
        passes = max(1, timings.node_monitor_period // timings.taint_pass)
        while True:
            yield from self.cluster.plane.led()
            self.look()
            for _ in range(passes):
                if any(self.queues.values()):
                    env.process(self.taint_pass())
                yield env.timeout(timings.node_monitor_period // passes)

    # watching for silence ------------------------------------------------------------------------------

    def look(self) -> None:
        """One tick: what was Ready when we came is what the taints follow; silence is noted for the next."""
        cluster, timings = self.cluster, self.cluster.timings
        for node in cluster.store.list("Node"):
            health = self._observe(node)
            if health.ready == "True":
                self._want_no_taint(node)
            elif timings.eviction == "taints":
                self._want_taint(node, health.ready)
            elif not health.evicted and cluster.now >= health.since() + timings.pod_eviction_timeout:
                self._queue(node)
            if self._is_silent(node):
                self._give_up_on(node)
        self._mind_zones(cluster.store.list("Node"))

    def _observe(self, node: Object) -> Health:
        """Move the node's probe time if its lease or its heartbeat has moved."""
        name, now = name_of(node), self.cluster.now
        ready = condition(node, "Ready")
        lease = self.cluster.store.get("Lease", "kube-node-lease", name)
        heartbeat = ready["lastHeartbeatTime"] if ready else -1
        renewed = lease["spec"]["renewTime"] if lease else -1
        health = self.health.setdefault(name, Health(now))
        if heartbeat != health.heartbeat or renewed > health.renewed:
            health.probe, health.heartbeat, health.renewed = now, heartbeat, renewed
        health.ready = ready["status"] if ready else "Unknown"
        health.turned = ready["lastTransitionTime"] if ready else now
        return health

    def _is_silent(self, node: Object) -> bool:
        ready = condition(node, "Ready")
        grace = self.cluster.timings.node_monitor_grace if ready else self.cluster.timings.node_startup_grace
        health = self.health[name_of(node)]
        return self.cluster.now >= health.probe + grace and (ready is None or ready["status"] != "Unknown")

    def _give_up_on(self, node: Object) -> None:
        """Say that nobody knows how the node is, and, if it was Ready until now, that its pods are not ready."""
        cluster = self.cluster
        current = cluster.current(node)
        if current is None:
            return
        for kind in SILENT:
            known = condition(current, kind)
            if known is not None or kind == "Ready":
                current = with_condition(
                    current, cluster.now, kind, "Unknown",
                    lastHeartbeatTime=known["lastHeartbeatTime"] if known else cluster.now,
                    reason="NodeStatusUnknown", message="Kubelet stopped posting node status.",
                )  # fmt: skip
        current = cluster.store.update(current)
        name = name_of(node)
        self.health[name].heartbeat = condition(current, "Ready")["lastHeartbeatTime"]  # type: ignore[index]
        if self.health[name].ready == "True":
            said = f"Node {name} status is now: NodeNotReady"
            cluster.event(node, "Normal", "NodeNotReady", said, "node-controller")
            cluster.env.process(self._mark_pods(name))

    def _mark_pods(self, node: str) -> Generator[Any, Any, None]:
        """Take Ready from each pod of a silent node; phase and container states are left as they were."""
        cluster = self.cluster
        for pod in cluster.store.find("Pod", "node", node):
            yield self.client.call()
            current = cluster.current(pod)
            if current is not None and pod_ready(current):
                cluster.store.update(with_condition(current, cluster.now, "Ready", "False"))
                cluster.event(current, "Warning", "NodeNotReady", "Node is not ready", "node-controller")

    # taints -----------------------------------------------------------------------------------------------

    def _node_changed(self, change: Change) -> None:
        """NoSchedule taints follow the conditions at once, without any limit."""
        node = self.cluster.current(change.object) if change.type != "DELETED" else None
        if node is None:
            self.health.pop(name_of(change.object), None)
            return
        wanted, unwanted = condition_taints(node)
        tainted = with_taints(node, add=wanted, remove=unwanted)
        if {(t["key"], t["effect"]) for t in tainted["spec"]["taints"]} != {
            (t["key"], t["effect"]) for t in node["spec"].get("taints") or ()
        }:
            self.cluster.store.update(tainted)

    def _want_taint(self, node: Object, ready: str) -> None:
        key = UNREACHABLE if ready == "Unknown" else NOT_READY
        if not has_taint(node, key, "NoExecute"):
            self._queue(node)

    def _queue(self, node: Object) -> None:
        self.queues.setdefault(zone_key(labels_of(node)), {})[name_of(node)] = None

    def _want_no_taint(self, node: Object) -> None:
        """A node that is back loses its NoExecute taints at this tick, and its place in the queue."""
        self.queues.get(zone_key(labels_of(node)), {}).pop(name_of(node), None)
        self.health[name_of(node)].evicted = False
        off = [(key, "NoExecute") for key in (NOT_READY, UNREACHABLE) if has_taint(node, key, "NoExecute")]
        if off:
            self.cluster.store.update(with_taints(self.cluster.store.get("Node", *key_of(node)), remove=off))  # type: ignore[arg-type]

    def taint_pass(self) -> Generator[Any, Any, None]:
        """Taint (or evict) whom the zones' limits let through."""
        act = self._taint if self.cluster.timings.eviction == "taints" else self._evict
        for zone, queue in list(self.queues.items()):
            limit = self.limits.get(zone)
            while queue and limit is not None and limit.period and limit.wait(self.cluster.now) == 0:
                limit.take(self.cluster.now)
                name = next(iter(queue))
                del queue[name]
                yield from act(name)

    def _taint(self, name: str) -> Generator[Any, Any, None]:
        node = self.cluster.store.get("Node", "", name)
        key = no_execute_key(node) if node is not None else None
        if node is None or key is None:
            return
        other = NOT_READY if key == UNREACHABLE else UNREACHABLE
        taint = {"key": key, "effect": "NoExecute", "timeAdded": self.cluster.now}
        self.cluster.store.update(with_taints(node, add=[taint], remove=[(other, "NoExecute")]))
        yield self.client.call()

    def _evict(self, name: str) -> Generator[Any, Any, None]:
        """Legacy: delete the pods of a node, those of DaemonSets apart."""
        store = self.cluster.store
        node = store.get("Node", "", name)
        if node is None or is_true(node, "Ready"):
            return
        self.health[name].evicted = True
        text = f"Marking for deletion Pods of Node {name}"
        self.cluster.event(node, "Normal", "TerminatingEvictedPod", text, "node-controller")
        for pod in store.find("Pod", "node", name):
            owner = controller_of(pod)
            if owner is None or owner["kind"] != "DaemonSet":
                yield self.client.call()
                store.delete(pod)

    # zones ------------------------------------------------------------------------------------------------

    def _mind_zones(self, nodes: list[Object]) -> None:
        """Set each zone's rate by its state; when no node anywhere is ready, evict nobody."""
        timings = self.cluster.timings
        zones: dict[tuple[str, str], list[Object]] = {}
        for node in nodes:
            zones.setdefault(zone_key(labels_of(node)), []).append(node)
        states = {zone: zone_state(members, timings) for zone, members in zones.items()}
        all_silent = bool(states) and all(state == "FullDisruption" for state in states.values())
        for zone, members in zones.items():
            rate = 0.0 if all_silent else eviction_rate(states[zone], len(members), timings)
            old = self.limits.get(zone)
            if old is None or old.period != TokenBucket(rate, 1).period:
                self.limits[zone] = TokenBucket(rate, 1)
        if all_silent and not self.all_silent:
            self._call_off()
        if self.all_silent and not all_silent:
            for health in self.health.values():
                health.probe = self.cluster.now
        self.all_silent = all_silent

    def _start_over(self) -> None:
        """A new leader: it has not seen any node yet."""
        self.health.clear()
        self.queues.clear()
        self.limits.clear()
        self.all_silent = False

    def _call_off(self) -> None:
        """Every node of every zone is silent: it is more likely us. Take back what was ordered."""
        self.queues.clear()
        for node in self.cluster.store.list("Node"):
            off = [(key, "NoExecute") for key in (NOT_READY, UNREACHABLE) if has_taint(node, key, "NoExecute")]
            if off:
                self.cluster.store.update(with_taints(node, remove=off))
