"""A pod on its node, as its kubelet keeps it: a sandbox with an address, containers in it, and one program.

The program is what packets meet. It is one for the pod, that of the first container that names a port (or the
first of all); the other containers are kept, probed and restarted like it, but serve nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netsim.api.objects import Object, container_ports, key_of
from netsim.control.containers import Container
from netsim.control.obstacles import CLASH_TIME, port_clashes
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.draws import Stream


@dataclass(eq=False)
class Life:
    """One pod's stay on one node."""

    pod: Object
    chance: Stream
    containers: list[Container] = field(init=False)
    addresses: tuple[str, ...] = ()
    server: Server | None = None
    sandbox: bool = False  # there is one, and it works
    broke: Any = None  # the SimPy event of the sandbox' end
    leaving: bool = False
    seen: bool = False  # its status has been written by this kubelet
    reporting: bool = False  # a write of its status is under way
    process: Any = None
    keepers: list[Any] = field(default_factory=list)
    # levers of faults
    readiness_fails: bool = False
    liveness_fails: bool = False
    slowness: float = 1.0

    def __post_init__(self) -> None:
        self.containers = [Container(spec) for spec in self.pod["spec"]["containers"]]
        clashing = dict(port_clashes(self.pod))
        for container in self.containers:
            if container.name in clashing:
                container.fails_after = CLASH_TIME

    @property
    def name(self) -> str:
        """Namespace and name."""
        return "/".join(key_of(self.pod))

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return str(self.pod["metadata"]["uid"])

    @property
    def main(self) -> Container:
        """The container whose program packets meet."""
        return next((c for c in self.containers if c.spec.get("ports")), self.containers[0])

    def fail_readiness(self, fails: bool = True) -> None:
        """Have the readiness probes fail, or no longer."""
        self.readiness_fails = fails

    def fail_liveness(self, fails: bool = True) -> None:
        """Have the liveness probes fail, or no longer."""
        self.liveness_fails = fails

    def slow(self, factor: float) -> None:
        """The program takes `factor` times as long for what it begins from now on; 1 heals it."""
        self.slowness = factor
        if self.server is not None:
            self.server.slowness = factor


def program(life: Life, number: int, node: str, serving: Serving) -> Server:
    """A fresh program for the pod: it listens at the ports its containers name, unless the scenario says where."""
    ports = [(port["containerPort"], port.get("protocol", "TCP")) for port in container_ports(life.pod)]
    if serving.ports:
        ports = [(port, "TCP") for port in serving.ports]
    server = Server(number, life.name, node, life.addresses, serving, ports)
    server.slowness = life.slowness
    return server
