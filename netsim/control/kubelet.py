"""The kubelet: one node's agent. It makes pods of what is bound to its node, and says how they are.

It hears of pods, has each worked on (`pod_workers.py`) by the container runtime (`runtime.py`), writes what it
sees into their status, and says that the node lives (`heartbeat.py`).

*What may happen to it*, for faults to use: its process (`stop`, `start`), its network to the API server
(`isolate`, `rejoin`), its container runtime (`break_runtime`, `mend_runtime`), the machine (`halt`; `start` after
the boot: see `machine.py`). To a pod: `crash_container`, `kill_sandbox`; and by `life_of(pod)`: `fail_readiness`,
`fail_liveness`, `slow`.

*Its own failures.* Stopped, or cut off from the API server, it leaves containers running, and nobody hears of
them. What others wrote into a pod's status meanwhile (Ready=False, by node lifecycle) it corrects at one of its
passes, every ten seconds. A kubelet that starts again takes containers with a readiness probe for not ready
until it has asked them. When the machine loses power everything on it ends; after the boot pods that were
deleted meanwhile are let go, the others start afresh in a new sandbox.

Left out: image pulls, init containers, what volumes hold, resource limits, graceful node shutdown.
Sources: kubernetes `pkg/kubelet` (kubelet.go, status/status_manager.go); for restarts KEP-4781.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from netsim.api.objects import Object, is_finished, is_leaving, key_of, pod_ready
from netsim.api.store import Change, pod_grace
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.containers import Backoff
from netsim.control.heartbeat import RUNTIME_PATIENCE, Heartbeat
from netsim.control.heartbeat import ready_node as ready_node
from netsim.control.life import Life
from netsim.control.pod_status import gates, observed
from netsim.control.pod_workers import PodWorkers
from netsim.control.runtime import Runtime, Steps
from netsim.dataplane.serving import Serving
from netsim.draws import uniform
from netsim.topology.allocators import HostLocal
from netsim.units import S

PASS = 10 * S  # how often the status manager compares what it said with what the API server says
QPS, BURST = 50.0, 100
LOST = 255  # the exit code of what was found dead after a boot


class Kubelet:
    """The agent of one node."""

    def __init__(
        self,
        cluster: Cluster,
        node: str,
        address: str,
        ipam: HostLocal,
        behaviour: Callable[[Object], Serving],
        number: Callable[[str], int],
    ) -> None:
        self.cluster = cluster
        self.node = node
        self.address = address
        self.alive = False  # the kubelet's process runs
        self.connected = True  # the network between it and the API server works
        self.lives: dict[str, Life] = {}  # by pod uid
        self.client = Client(cluster, QPS, BURST)
        chance = cluster.draws.stream("kubelet", node)
        self.runtime = Runtime(cluster, node, address, ipam, behaviour, number, chance)
        self._pass_phase = int(uniform(cluster.draws.stream("kubelet-pass", node).next()) * PASS)
        self._processes: dict[Any, None] = {}
        self.workers = PodWorkers(cluster, node, self.runtime, self._run, self._report, self._forget)
        self.heart = Heartbeat(cluster, node, chance, self.reaches)

    def reaches(self) -> bool:
        """Whether the API server hears it."""
        return self.alive and self.connected

    # what happens to it -------------------------------------------------------------------------------

    def start(self, *, booted: bool = True) -> None:
        """Its process starts: it reports the node, and takes up what it finds. Not `booted`: it has long run."""
        if self.alive or not self.cluster.forwarding.powered[self.node]:
            return
        self.alive = True
        self.workers.began = self.cluster.now if booted else -PASS
        self._run(self.heart.renew_lease(fresh=booted))
        self._run(self.heart.report_node(fresh=booted))
        for life in list(self.lives.values()):
            self._resume(life)
        self._list_pods()

    def stop(self) -> None:
        """Its process stops; containers go on running, and nobody hears of them."""
        self.alive = False
        for process in list(self._processes):
            if process.is_alive:
                process.interrupt()
        self._processes.clear()

    def halt(self) -> None:
        """The machine is gone: the kubelet, and everything it kept. (Packets learn of it from the machine.)"""
        self.stop()
        self.mend_runtime()
        for life in self.lives.values():
            life.sandbox = False
            for container in life.containers:
                if container.running:
                    container.stop(self.cluster.now, LOST, "Unknown")

    def isolate(self) -> None:
        """The API server is out of reach; the kubelet goes on with what it knows."""
        self.connected = False

    def rejoin(self) -> None:
        """The API server can be reached again: the node's status at its next turn, the pods' at the next pass."""
        if self.connected:
            return
        self.connected = True
        if self.alive:
            self.heart.hurry()
            self._list_pods()
            self.cluster.after(self._until_pass(), self._correct)

    def break_runtime(self) -> None:
        """The container runtime stops answering: containers run on, none is started, stopped or looked at."""
        self.runtime.fail()
        self.cluster.after(RUNTIME_PATIENCE, self._look_at_runtime, self.runtime.failures)

    def mend_runtime(self) -> None:
        """The container runtime answers again."""
        if self.runtime.broken:
            self.runtime.mend()
            self.heart.say("")
            self.cluster.after(self._until_pass(), self._correct)

    def _look_at_runtime(self, failures: int) -> None:
        if self.runtime.broken and self.runtime.failures == failures:
            self.heart.say("container runtime is down")

    # what happens to pods -----------------------------------------------------------------------------

    def life_of(self, pod: Object) -> Life | None:
        """The pod as it is kept here, if it is."""
        return self.lives.get(pod["metadata"]["uid"])

    def crash_container(self, pod: Object, exit_code: int = 1, container: str | None = None) -> None:
        """A container's process exits (the pod's main one unless named)."""
        life = self.life_of(pod)
        if life is not None:
            named = (c for c in life.containers if c.name == container)
            self.runtime.stop(life, life.main if container is None else next(named), exit_code)

    def kill_sandbox(self, pod: Object) -> None:
        """The process that holds the pod's sandbox is killed; its network stays until the kubelet tears it down."""
        life = self.life_of(pod)
        if life is not None and life.sandbox:
            life.sandbox = False
            life.broke.succeed()

    # hearing of pods ----------------------------------------------------------------------------------

    def pod_changed(self, change: Change) -> None:
        """A pod of this node was written."""
        if not self.reaches():
            return
        if change.type == "DELETED":
            life = self.life_of(change.object)
            if life is not None:
                self._gone(life)
        else:
            self._see(change.object)

    def _list_pods(self) -> None:
        """Compare what it keeps with what is bound to its node."""
        if not self.reaches():
            return
        for life in list(self.lives.values()):
            if self.cluster.current(life.pod) is None:
                self._gone(life)
        for pod in self.cluster.store.find("Pod", "node", self.node):
            self._see(pod)

    def _gone(self, life: Life) -> None:
        """The pod object is gone already (a forced deletion, or it had finished): clean up at leisure."""
        if not life.leaving:
            self._run(self.workers.end(life, pod_grace(life.pod)))

    def _see(self, pod: Object) -> None:
        life = self.life_of(pod)
        if life is None:
            if is_finished(pod):
                return
            chance = self.cluster.draws.stream("pod", f"{'/'.join(key_of(pod))}/{self.cluster.now}")
            life = self.lives[pod["metadata"]["uid"]] = Life(pod, chance)
            if not is_leaving(pod):
                life.process = self._run(self.workers.live(life))
        if is_leaving(pod) and not life.leaving:
            life.pod = pod
            self._run(self.workers.end(life, pod["metadata"].get("deletionGracePeriodSeconds", 30) * S))
        elif life.seen and not life.reporting and not self.runtime.broken:
            self._compare(life, pod)

    def _compare(self, life: Life, pod: Object) -> None:
        """Somebody else has written into a pod's status: a readiness gate counts at once, the rest waits."""
        if pod_ready(pod) != pod_ready(self._observed(life, pod)):
            wait = 0 if gates(pod) else self._until_pass()
            self.cluster.after(wait, self._push, life)

    def _resume(self, life: Life) -> None:
        """Take a pod up again that another kubelet process has kept."""
        life.reporting = False
        for container in life.containers:
            container.backoff = Backoff()
        if life.leaving:
            self._run(self.workers.end(life, pod_grace(life.pod)))
        elif not self._is_to_go(life):
            life.process = self._run(self.workers.live(life))

    def _is_to_go(self, life: Life) -> bool:
        """Whether the API server, if it can be asked, wants a pod gone: then the list of pods has it ended at once."""
        current = self.cluster.current(life.pod)
        return self.reaches() and (current is None or is_leaving(current))

    # its own doings -----------------------------------------------------------------------------------

    def _run(self, steps: Steps) -> Any:
        """Run a process that ends quietly when it is called off."""

        def until_called_off() -> Steps:
            try:
                yield from steps
            except simpy.Interrupt:
                return
            finally:
                self._processes.pop(process, None)

        process = self.cluster.env.process(until_called_off())
        self._processes[process] = None
        return process

    def _forget(self, life: Life) -> Steps:
        """A pod is over: tell the API server, as soon as it can be told, that its object may go."""
        yield self.cluster.env.timeout(self.cluster.timings.status_write.draw(life.chance.next()))
        while not self.connected:
            yield self.cluster.env.timeout(self._until_pass() or PASS)
        self.lives.pop(life.uid, None)
        if self.cluster.current(life.pod) is not None:
            self.cluster.store.remove("Pod", *key_of(life.pod))

    def _until_pass(self) -> int:
        return (self._pass_phase - self.cluster.now) % PASS

    def _observed(self, life: Life, pod: Object) -> Object:
        """The pod with the status that this kubelet would write."""
        statuses = [container.status() for container in life.containers]
        return observed(pod, self.cluster.now, self.address, life.addresses, statuses, sandbox=life.sandbox)

    def _report(self, life: Life, takes: int | None = None) -> None:
        """Write the pod's status, in a moment: what has changed until then goes with it."""
        if life.reporting:
            return
        life.reporting = True
        wait = self.client.bucket.take(self.cluster.now)
        takes = self.cluster.timings.status_write.draw(life.chance.next()) if takes is None else takes
        self.cluster.after(wait + takes, self._push, life)

    def _push(self, life: Life) -> None:
        """Write the pod's status as it is now, if anybody can hear it."""
        life.reporting = False
        current = self.cluster.current(life.pod) if self.reaches() else None
        if current is not None and life.uid in self.lives:
            life.seen = True
            life.pod = self.cluster.store.update(self._observed(life, current))

    def _correct(self) -> None:
        """The status manager's pass: whatever the API server believes of a pod is corrected."""
        for life in list(self.lives.values()):
            self._push(life)
