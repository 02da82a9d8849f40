"""A node's container runtime: sandboxes with their addresses, containers, and when the kubelet notices them.

The kubelet lists containers once a second (PLEG); that is when it learns what has happened to them. A runtime
that does not answer leaves running what runs: it is its own process, and so is every container.

A sandbox is a network namespace with an address from the node's range. It outlives the containers in it, and
even the process that held it: packets reach the address until the sandbox is torn down.

Source: kubernetes `pkg/kubelet/pleg/generic.go`; the container runtime interface.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from netsim.api.objects import Object
from netsim.control.cluster import Cluster
from netsim.control.containers import Container
from netsim.control.life import Life, program
from netsim.dataplane.forwarding import Place
from netsim.dataplane.serving import Serving
from netsim.draws import Stream, uniform
from netsim.topology.allocators import HostLocal

Steps = Generator[Any, Any, None]


class Runtime:
    """The container runtime of one node."""

    def __init__(
        self, cluster: Cluster, node: str, address: str, ipam: HostLocal, behaviour: Callable[[Object], Serving],
        number: Callable[[str], int], chance: Stream,
    ) -> None:  # fmt: skip
        self.cluster = cluster
        self.node = node
        self.address = address  # the node's own
        self.ipam = ipam
        self.behaviour = behaviour
        self.number = number  # a pod's index in the run's list of pods
        self.failures = 0
        self._phase = int(uniform(chance.next()) * cluster.timings.pleg_relist)
        self._mended: Any = None  # while it does not answer: the SimPy event of its return

    @property
    def broken(self) -> bool:
        """Whether it does not answer."""
        return self._mended is not None

    def fail(self) -> None:
        """It stops answering."""
        if not self.broken:
            self.failures += 1
            self._mended = self.cluster.env.event()

    def mend(self) -> None:
        """It answers again."""
        mended, self._mended = self._mended, None
        mended.succeed()

    def works(self) -> Steps:
        """Wait until it answers."""
        while self.broken:
            yield self._mended

    def relisted(self) -> Steps:
        """Wait until the kubelet has next looked at all containers."""
        period = self.cluster.timings.pleg_relist
        yield self.cluster.env.timeout((self._phase - self.cluster.now) % period)
        yield from self.works()

    def make_sandbox(self, life: Life) -> Steps:
        """A sandbox for a pod, with an address."""
        yield from self.works()
        yield self.cluster.env.timeout(self.cluster.timings.sandbox.draw(life.chance.next()))
        yield from self.works()
        if life.pod["spec"].get("hostNetwork"):
            life.addresses = (self.address,)
        else:
            life.addresses = (self.ipam.allocate(),)
            self.cluster.forwarding.add_address(Place("pod", self.node, life.addresses[0], life.name))
        life.sandbox, life.broke = True, self.cluster.env.event()

    def release(self, life: Life) -> None:
        """The sandbox goes, and its address with it."""
        life.sandbox = False
        for address in life.addresses:
            if address != self.address:
                self.cluster.forwarding.drop_address(address)
                self.ipam.release(address)
        life.addresses = ()

    def start(self, life: Life, container: Container) -> None:
        """A container runs; the pod's program listens when it has started up."""
        container.start(self.cluster.now, self.cluster.env.event())
        if container.fails_after is not None:
            self.cluster.after(container.fails_after, self._fail, life, container, container.over)
        if container is life.main:
            serving = self.behaviour(life.pod)
            life.server = program(life, self.number(life.name), self.node, serving)
            self.cluster.forwarding.start(life.server)
            self.cluster.after(serving.startup, self.cluster.forwarding.listen, life.server)

    def _fail(self, life: Life, container: Container, run: Any) -> None:
        """A container that was meant to fail fails, if it is still the same run and still meant to."""
        if container.over is run and container.fails_after is not None:
            self.stop(life, container, 1)

    def stop(self, life: Life, container: Container, code: int) -> None:
        """A container's process is gone, and the program with it."""
        if container.running:
            container.stop(self.cluster.now, code)
            if container is life.main and life.server is not None:
                self.cluster.forwarding.stop(life.server, farewell=True)
            container.over.succeed()
