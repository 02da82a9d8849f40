"""What may be done to a running cluster from outside: to its machines, its pods, its control plane.

A lever that is pulled gives back the way to let go of it. Several may pull the same one; it springs back when the
last has let go (`holds.py`). The network's levers are in `levers_network.py`, those of somebody with kubectl in
`operator.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

from netsim.api.objects import Object, is_leaving, key_of, labels_of, node_of
from netsim.api.selectors import matches_labels
from netsim.control.admission import Admission
from netsim.control.cluster import Cluster
from netsim.control.holds import Holds, Release
from netsim.control.levers_network import NetworkLevers
from netsim.control.life import Life
from netsim.control.machine import Machine
from netsim.control.operator import Operator
from netsim.draws import Stream
from netsim.fields import Labels


class Levers:
    """The levers of one cluster."""

    def __init__(
        self, cluster: Cluster, machines: dict[str, Machine], zones: Mapping[str, str], members: Sequence[str],
        admission: Admission,
    ) -> None:  # fmt: skip
        self.cluster = cluster
        self.machines = machines
        self.zones = dict(zones)
        self.holds = Holds()
        self.network = NetworkLevers(cluster, machines, self.zones, self.holds)
        self.operator = Operator(cluster, admission, self._kubelet_again)
        cluster.plane.found(members)
        cluster.plane.on_answers.append(self.network.follow)

    # looking --------------------------------------------------------------------------------------------

    def node_names(self) -> list[str]:
        """All nodes, in the scenario's order."""
        return list(self.machines)

    def node_labels(self, node: str) -> Labels:
        """A node's labels; none once its object has gone."""
        found = self.cluster.store.get("Node", "", node)
        return labels_of(found) if found else {}

    def zone_of(self, node: str) -> str:
        """The zone a node stands in."""
        return self.zones[node]

    def nodes_running(self, labels: Labels) -> set[str]:
        """The nodes on which a pod with these labels runs now."""
        servers = self.cluster.forwarding.servers
        return {
            node_of(pod)
            for pod in self.cluster.store.list("Pod")
            if matches_labels(labels, labels_of(pod)) and "/".join(key_of(pod)) in servers
        }

    def pods(self) -> list[Object]:
        """All pods that are on a node and meant to stay, oldest first."""
        return [pod for pod in self.cluster.store.list("Pod") if node_of(pod) and not is_leaving(pod)]

    def balanced(self) -> list[str]:
        """The Services that have a load balancer now, as namespace/name."""
        return list(self.cluster.forwarding.balanced)

    def stream(self, *names: str) -> Stream:
        """The stream of chance of that name."""
        return self.cluster.draws.stream("fault", "/".join(names))

    # machines -------------------------------------------------------------------------------------------

    def power_off(self, node: str) -> Release:
        """Cut a machine's power."""

        return self.holds.hold(("power", node), None, lambda held: self.power(node, on=not held))

    def power(self, node: str, *, on: bool) -> None:
        """Cut a machine's power or give it back, whoever else holds it."""
        self.machines[node].power(on=on)
        if node in self.cluster.plane.members:
            self.network.follow()

    def reboot(self, node: str) -> None:
        """A machine's power goes and comes back in the same instant; it boots."""
        self.power_off(node)()

    def stand_still(self, node: str) -> Release:
        """A machine's kernel hangs: nothing on it moves, nothing gets in or out, nothing is lost."""
        return self.holds.hold(("still", node), None, lambda held: self.network.stand_still(node, still=bool(held)))

    def keep_off(self, component: str, node: str) -> Release:
        """Keep a node's `kubelet` or `kube-proxy` from running."""
        machine = self.machines[node]
        return self.holds.hold((component, node), None, lambda held: machine.keep_off(component, off=bool(held)))

    def break_runtime(self, node: str) -> Release:
        """A node's container runtime stops answering."""
        kubelet = self.machines[node].kubelet
        return self.holds.hold(
            ("runtime", node), None, lambda held: kubelet.break_runtime() if held else kubelet.mend_runtime()
        )

    def slow_proxy(self, node: str, factor: float) -> Release:
        """A node's kube-proxy takes longer for each sync."""
        proxy = self.machines[node].proxy

        def apply(held: tuple[float, ...]) -> None:
            proxy.slowness = prod(held)

        return self.holds.hold(("slow-proxy", node), factor, apply)

    # pods -----------------------------------------------------------------------------------------------

    def life_of(self, pod: Object) -> Life | None:
        """A pod as its kubelet keeps it, if it does."""
        machine = self.machines.get(node_of(pod))
        return machine.kubelet.life_of(pod) if machine else None

    def kill(self, pod: Object, grace: int | None) -> None:
        """Delete a pod, with its own grace or another (nanoseconds)."""
        self.operator.soon(lambda: self.cluster.store.delete(pod, grace))

    def crash(self, pod: Object, container: str | None, exit_code: int) -> bool:
        """A container's process exits; whether it was running."""
        life = self.life_of(pod)
        names = [c.name for c in life.containers if c.running] if life else []
        if life is None or (container or life.main.name) not in names:
            return False
        self.machines[node_of(pod)].kubelet.crash_container(pod, exit_code, container)
        return True

    def kill_sandbox(self, pod: Object) -> None:
        """The process that holds a pod's sandbox is killed."""
        machine = self.machines.get(node_of(pod))
        if machine is not None:
            machine.kubelet.kill_sandbox(pod)

    def fail_probes(self, pod: Object, kind: str) -> Release:
        """A pod's `readiness` or `liveness` probes fail."""
        life = self.life_of(pod)
        if life is None:
            return _nothing
        fail = life.fail_readiness if kind == "readiness" else life.fail_liveness
        return self.holds.hold((kind, life.uid), None, lambda held: fail(bool(held)))

    def slow(self, pod: Object, factor: float) -> Release:
        """A pod's program takes longer for everything."""
        life = self.life_of(pod)
        if life is None:
            return _nothing
        return self.holds.hold(("slow", life.uid), factor, lambda held: life.slow(prod(held)))

    def close_ports(self, pod: Object) -> Release:
        """A pod's program does not listen: new connections are refused, those it has go on."""
        life, forwarding = self.life_of(pod), self.cluster.forwarding
        if life is None or life.server is None or not life.server.accepting:
            return _nothing
        server = life.server

        def apply(held: tuple[None, ...]) -> None:
            if held:
                forwarding.unlisten(server)
            elif not life.leaving:
                forwarding.listen(server)

        return self.holds.hold(("closed", life.uid), None, apply)

    # the cluster's own services -------------------------------------------------------------------------

    def stop_control_plane(self) -> Release:
        """No API server answers, no controller acts; what runs, runs on."""
        members = [self.machines[name] for name in self.cluster.plane.members]

        def apply(held: tuple[None, ...]) -> None:
            for machine in members:
                machine.keep_off("daemons", off=bool(held))
            self.cluster.plane.stop(stopped=bool(held))

        return self.holds.hold("control-plane", None, apply)

    def halt_controllers(self) -> Release:
        """Controllers and schedulers stop; the API answers."""
        return self.holds.hold(
            "controllers", None, lambda held: self.cluster.plane.halt_controllers(halted=bool(held))
        )

    def silence_dns(self) -> Release:
        """The cluster's DNS pods do not answer."""
        return self.holds.hold("dns", None, lambda held: self.cluster.forwarding.silence_dns(silent=bool(held)))

    def silence_balancer(self, service: str) -> Release:
        """A Service's load balancer drops everything."""
        forwarding = self.cluster.forwarding
        address = forwarding.balanced[service]

        def apply(held: tuple[None, ...]) -> None:
            balancer = forwarding.balancers.get(address)
            if balancer is not None:
                forwarding.balance(replace(balancer, down=bool(held)))

        return self.holds.hold(("balancer", address), None, apply)

    # what is written down ---------------------------------------------------------------------------------

    def struck(self, fault: str, subjects: Sequence[str], work: Callable[[], None], *, healed: bool = False) -> None:
        """Note that a fault strikes (or lets go of) its victims, then do it: what that changes bears its name."""
        history, now = self.cluster.history, self.cluster.now
        for subject in subjects or ("nobody",):
            kind, _, name = subject.partition("/")
            history.record(now, "healed" if healed else "fault", subject, name if kind == "node" else "", fault)
        history.cause = fault
        try:
            work()
        finally:
            history.cause = ""

    def _kubelet_again(self, node: str) -> None:
        """A node's kubelet is started again: it registers its node."""
        machine = self.machines[node]
        if machine.kubelet.alive:
            machine.kubelet.stop()
            machine.kubelet.start(booted=True)


def _nothing() -> None:
    """Nothing was held."""


