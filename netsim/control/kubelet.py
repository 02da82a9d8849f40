"""The kubelet: one node's agent. It says that the node lives, and makes pods of what is bound to it.

*Heartbeat.* Every ten seconds, a little late each time, it renews the node's lease; that is all the control
plane ever hears of a healthy node.

*A pod's start.* Sandbox and address, then the containers; the kubelet notices that they run when it next
relists them (PLEG, once a second), and writes the pod's status. Without a readiness probe the pod is ready from
then on, whether its program listens yet or not. *A pod's end.* The preStop hook, SIGTERM, at the end of the
grace SIGKILL; when the containers are gone and the kubelet has noticed, the pod object is removed.

When the machine loses power the kubelet stops in the middle of whatever it did. After the boot it finds the pods
that are still bound to it: those that were deleted meanwhile it lets go, the others start afresh in a new
sandbox, with a new address.

Left out: image pulls, init containers, volumes, resource limits, restarts after a crash.
Sources: kubernetes `pkg/kubelet` (kubelet.go, pleg, prober, kuberuntime), `component-helpers` lease controller.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

from netsim.api.objects import Object, container_ports, is_finished, is_leaving, key_of, with_condition
from netsim.api.store import Change, pod_grace
from netsim.control import pod_status
from netsim.control.cluster import Cluster
from netsim.control.prober import probe_readiness, readiness_probe
from netsim.dataplane.forwarding import Place
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.draws import Stream, uniform
from netsim.topology.allocators import HostLocal
from netsim.units import S

LEASE_JITTER = 0.04
LAST_WORDS = 2 * S  # left for SIGTERM after an overlong preStop hook


@dataclass
class Life:
    """A pod on this node, as its kubelet keeps it."""

    pod: Object
    chance: Stream
    addresses: tuple[str, ...] = ()
    server: Server | None = None
    leaving: bool = False
    process: Any = None
    prober: Any = None


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
        self.ipam = ipam
        self.behaviour = behaviour
        self.number = number  # a pod's index in the run's list of pods
        self.alive = False
        self.lives: dict[str, Life] = {}  # by pod uid
        self._chance = cluster.draws.stream("kubelet", node)
        self._relist_phase = int(uniform(self._chance.next()) * cluster.timings.pleg_relist)
        self._processes: dict[Any, None] = {}

    # the machine --------------------------------------------------------------------------------------

    def start(self, *, booted: bool) -> None:
        """The kubelet starts: it reports the node, then looks at what is bound to it."""
        self.alive = True
        self._run(self._renew_lease(booted=booted))
        self._run(self._report_node(booted=booted))
        for life in list(self.lives.values()):
            self._release(life)
        self.lives.clear()
        for pod in self.cluster.store.find("Pod", "node", self.node):
            self._see(pod, restarted=booted)

    def halt(self) -> None:
        """The machine is gone, and the kubelet with it."""
        self.alive = False
        for process in list(self._processes):
            if process.is_alive:
                process.interrupt()
        self._processes.clear()

    def _run(self, steps: Generator[Any, Any, None]) -> Any:
        """Run a process that ends quietly when the machine goes."""

        def until_halted() -> Generator[Any, Any, None]:
            try:
                yield from steps
            except simpy.Interrupt:
                return
            finally:
                self._processes.pop(process, None)

        process = self.cluster.env.process(until_halted())
        self._processes[process] = None
        return process

    # heartbeat ----------------------------------------------------------------------------------------

    def _renew_lease(self, *, booted: bool) -> Generator[Any, Any, None]:
        cluster, period = self.cluster, self.cluster.timings.lease_renew
        if not booted:
            yield cluster.env.timeout(int(uniform(self._chance.next()) * period))
        while True:
            lease = cluster.store.get("Lease", "kube-node-lease", self.node)
            if lease is not None:
                cluster.store.update({**lease, "spec": {**lease["spec"], "renewTime": cluster.now}})
            yield cluster.env.timeout(int(period * (1 + LEASE_JITTER * uniform(self._chance.next()))))

    def _report_node(self, *, booted: bool) -> Generator[Any, Any, None]:
        """Say that the node is Ready; an unchanged status is repeated only now and then."""
        cluster = self.cluster
        if not booted:
            yield cluster.env.timeout(int(uniform(self._chance.next()) * cluster.timings.node_status_report))
        while True:
            node = cluster.store.get("Node", "", self.node)
            if node is not None:
                cluster.store.update(ready_node(node, cluster.now))
            yield cluster.env.timeout(cluster.timings.node_status_report)

    # pods ---------------------------------------------------------------------------------------------

    def pod_changed(self, change: Change) -> None:
        """A pod of this node was written."""
        if not self.alive:
            return
        uid = change.object["metadata"]["uid"]
        life = self.lives.get(uid)
        if change.type == "DELETED":
            if life is not None and not life.leaving:
                self._run(self._end(life, grace=0))
        elif life is None:
            self._see(change.object, restarted=False)
        elif is_leaving(change.object) and not life.leaving:
            life.pod = change.object
            self._run(self._end(life, grace=pod_grace(change.object)))

    def _see(self, pod: Object, *, restarted: bool) -> None:
        if is_finished(pod):
            return
        key = "/".join(key_of(pod))
        uid = pod["metadata"]["uid"]
        life = self.lives[uid] = Life(pod, self.cluster.draws.stream("pod", f"{key}/{self.cluster.now}"))
        if is_leaving(pod):
            life.leaving = True
            self._run(self._let_go(life))
        else:
            life.process = self._run(self._begin(life, restarted=restarted))

    def _begin(self, life: Life, *, restarted: bool) -> Generator[Any, Any, None]:
        """From a bound pod to a running one."""
        cluster, env, timings = self.cluster, self.cluster.env, self.cluster.timings
        yield env.timeout(timings.status_write.draw(life.chance.next()))
        if restarted:
            self._write(life, lambda pod: pod_status.crashed(pod, cluster.now, 255, "Unknown"))
        else:
            self._write(life, lambda pod: pod_status.creating(pod, cluster.now, self.address))
        yield env.timeout(timings.sandbox.draw(life.chance.next()))
        self._take_address(life)
        yield env.timeout(timings.container_start.draw(life.chance.next()))
        started = cluster.now
        self._start_program(life)
        yield env.timeout(self._until_relist() + timings.status_write.draw(life.chance.next()))
        probe = readiness_probe(life.pod)
        self._write(
            life,
            lambda pod: pod_status.running(
                pod, cluster.now, self.address, life.addresses, started,
                ready=probe is None, restarts=pod_status.restarts_of(pod) + restarted,
            ),
        )  # fmt: skip
        cluster.event(life.pod, "Normal", "Started", "Started container", "kubelet", self.node)
        if probe is not None:
            life.prober = self._run(probe_readiness(cluster, life, probe, self._set_ready))

    def _end(self, life: Life, grace: int) -> Generator[Any, Any, None]:
        """From the wish that a pod goes to its being gone."""
        env, cluster = self.cluster.env, self.cluster
        life.leaving = True
        deadline = cluster.now + grace
        if life.process is not None and life.process.is_alive and life.server is None:
            life.process.interrupt()
        server = life.server
        if server is not None and server.ended is None:
            hook = pod_status.pre_stop(life.pod)
            if hook and grace:
                yield env.timeout(min(hook, grace))
                deadline = max(deadline, cluster.now + LAST_WORDS)
            if server.serving.stop == "drain" and grace:
                cluster.forwarding.drain(server)
                yield env.timeout(max(0, min(server.idle_at(cluster.now), deadline) - cluster.now))
            cluster.forwarding.stop(server, farewell=True)
        self._release(life)
        yield env.timeout(self._until_relist())
        yield from self._let_go(life)

    def _let_go(self, life: Life) -> Generator[Any, Any, None]:
        """The containers are gone: tell the API, which then forgets the pod."""
        yield self.cluster.env.timeout(self.cluster.timings.status_write.draw(life.chance.next()))
        if life.prober is not None and life.prober.is_alive:
            life.prober.interrupt()
        self.lives.pop(life.pod["metadata"]["uid"], None)
        if self.cluster.current(life.pod) is not None:
            self.cluster.store.remove("Pod", *key_of(life.pod))

    # the pod's sandbox and program ----------------------------------------------------------------------

    def _take_address(self, life: Life) -> None:
        if life.pod["spec"].get("hostNetwork"):
            life.addresses = (self.address,)
            return
        life.addresses = (self.ipam.allocate(),)
        name = "/".join(key_of(life.pod))
        self.cluster.forwarding.add_address(Place("pod", self.node, life.addresses[0], name))

    def _start_program(self, life: Life) -> None:
        """The containers run; their program listens when it has started up."""
        serving = self.behaviour(life.pod)
        name = "/".join(key_of(life.pod))
        ports = [(port["containerPort"], port.get("protocol", "TCP")) for port in container_ports(life.pod)]
        if serving.ports:
            ports = [(port, "TCP") for port in serving.ports]
        server = Server(self.number(name), name, self.node, life.addresses, serving, ports)
        life.server = server
        self.cluster.forwarding.start(server)
        self.cluster.after(serving.startup, self.cluster.forwarding.listen, server)

    def _release(self, life: Life) -> None:
        """The sandbox goes, and its address with it."""
        if life.server is not None:
            self.cluster.forwarding.stop(life.server, farewell=self.alive)
        for address in life.addresses:
            if address != self.address:
                self.cluster.forwarding.drop_address(address)
                self.ipam.release(address)
        life.addresses = ()

    def _until_relist(self) -> int:
        period = self.cluster.timings.pleg_relist
        return (self._relist_phase - self.cluster.now) % period

    def _write(self, life: Life, change: Callable[[Object], Object]) -> None:
        """Write the pod's status as the kubelet sees it."""
        current = self.cluster.current(life.pod)
        if current is not None:
            life.pod = self.cluster.store.update(change(current))

    def _set_ready(self, life: Life, ready: bool) -> None:
        self._write(life, lambda pod: pod_status.with_readiness(pod, self.cluster.now, ready=ready))


def ready_node(node: Object, now: int) -> Object:
    """The node with the conditions that its healthy kubelet reports."""
    healthy = {
        "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
    }
    for kind, (status, reason, message) in healthy.items():
        node = with_condition(node, now, kind, status, lastHeartbeatTime=now, reason=reason, message=message)
    return node
