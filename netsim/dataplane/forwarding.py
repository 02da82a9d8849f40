"""The forwarding state: everything a packet can meet, as it is at this instant.

This is the one place where the two halves of netsim meet. The control half changes it (a node programs a
revision, a machine loses power, a program starts to listen, a balancer turns away from a node, a name
appears); the data half asks it. Each change a person would care about goes into the history as well.

Who has an address is a `Place`: a pod, a node, a load balancer, or the outside. Between places a packet
takes the topology's path, plus what a pod's own link costs, plus encapsulation where an overlay carries
pod traffic from node to node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.server import Server
from netsim.topology.graph import CLOUD, OUTSIDE, Topology
from netsim.topology.network import ENCAPSULATION, CniFamily, Links

PlaceKind = Literal["pod", "node", "balancer", "outside"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is: on which machine, and as what."""

    kind: PlaceKind
    machine: str
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Balancer:
    """An external load balancer as packets meet it: its address, and the nodes it believes in."""

    service: str  # namespace/name
    address: str
    ports: tuple[tuple[int, str], ...]
    targets: tuple[str, ...]


class Forwarding:
    """What packets meet. The engine that moves them keeps `time`."""

    def __init__(
        self,
        topology: Topology,
        history: History,
        links: Links,
        cni: CniFamily,
        outside_address: str,
        domain: str = "cluster.local",
    ) -> None:
        self.topology = topology
        self.history = history
        self.time = 0  # the instant of whatever happens now, control or packet
        self.kernels: dict[str, Kernel] = {}  # of every node
        self.powered: dict[str, bool] = dict.fromkeys(topology.machines(), True)
        self.places: dict[str, Place] = {}
        self.listeners: dict[tuple[str, int, str], Server] = {}
        self.servers: dict[str, Server] = {}  # the living program of each pod, by namespace/name
        self.balancers: dict[str, Balancer] = {}
        self.names: dict[str, tuple[str, ...]] = {}  # absolute DNS names, without the last dot
        self.node_places: dict[str, Place] = {}  # each node by its internal address
        self.external_places: dict[str, Place] = {}  # and by its external one
        self.outside = Place("outside", OUTSIDE, outside_address)
        self.balanced: dict[str, str] = {}  # Service (namespace/name) -> its load balancer's address
        self.cluster_ips: dict[str, tuple[str, ...]] = {}
        self.on_start: Callable[[Server], None] = lambda server: None
        self.on_stop: Callable[[Server], None] = lambda server: None
        self.track = False  # keep conntrack entries of TCP connections, for those who want to see them
        self.version = 0  # raised by every change a packet could notice
        self._domain = domain
        self.routed = cni in ("calico-bgp", "calico-ipip", "calico-vxlan")
        self._pod_link = links.pod
        self._overlay = links.encapsulation if cni in ENCAPSULATION else 0

    # travel ------------------------------------------------------------------------------------------

    def travel(self, a: Place, b: Place) -> int | None:
        """One-way delay from place to place in nanoseconds; None where no path is up."""
        delay = self.topology.delay(a.machine, b.machine)
        if delay is None:
            return None
        to_pod = b.kind == "pod"
        if a.kind == "pod":
            delay += self._pod_link
            if to_pod and a.machine != b.machine:
                delay += self._overlay
        return delay + self._pod_link if to_pod else delay

    def reachable(self, machine: str) -> bool:
        """Whether a machine answers at all."""
        return self.powered[machine]

    def link(self, a: str, b: str, *, up: bool) -> None:
        """A link goes down or comes up."""
        self.version += 1
        self.topology.set_link(a, b, up=up)
        self.history.record(self.time, "link-up" if up else "link-down", f"link/{a}/{b}")

    # machines ----------------------------------------------------------------------------------------

    def power(self, machine: str, *, on: bool) -> None:
        """A machine loses or regains power. Without power everything on it is gone, silently."""
        if self.powered[machine] == on:
            return
        self.version += 1
        self.powered[machine] = on
        self.history.record(self.time, "power-on" if on else "power-off", f"node/{machine}", machine)
        if not on:
            self.kernels[machine].reset()
            for server in [s for s in self.servers.values() if s.machine == machine]:
                self.stop(server, farewell=False)

    def program(self, node: str, revision: int) -> None:
        """A node's kube-proxy has put a revision of the rules into effect."""
        self.version += 1
        self.kernels[node].program(revision)
        self.history.record(self.time, "programmed", f"node/{node}", node, revision=revision)

    # programs ----------------------------------------------------------------------------------------

    def add_address(self, place: Place) -> None:
        """An address is in use from now on."""
        self.version += 1
        self.places[place.address] = place

    def drop_address(self, address: str) -> None:
        """Nobody has that address any more."""
        self.version += 1
        self.places.pop(address, None)

    def start(self, server: Server) -> None:
        """A program runs; it does not listen yet."""
        self.version += 1
        self.servers[server.name] = server
        for address in server.addresses:
            for port, protocol in server.ports:
                self.listeners[address, port, protocol] = server
        self.on_start(server)

    def listen(self, server: Server) -> None:
        """A program begins to accept connections."""
        if server.ended is None:
            self.version += 1
            server.accepting = True
            self.history.record(self.time, "pod-listening", f"pod/{server.name}", server.machine)

    def drain(self, server: Server) -> None:
        """A program accepts no more connections, and goes on with those it has."""
        self.version += 1
        server.accepting = False

    def stop(self, server: Server, *, farewell: bool) -> None:
        """A program ends; `farewell` says whether its kernel lives to reset its connections."""
        if server.ended is not None:
            return
        self.version += 1
        server.ended, server.farewell, server.accepting = self.time, farewell, False
        if self.servers.get(server.name) is server:
            del self.servers[server.name]
        for address in server.addresses:
            for port, protocol in server.ports:
                if self.listeners.get((address, port, protocol)) is server:
                    del self.listeners[address, port, protocol]
        self.history.record(self.time, "pod-stopped", f"pod/{server.name}", server.machine)
        self.on_stop(server)

    # names and balancers -----------------------------------------------------------------------------

    def name(self, name: str, addresses: tuple[str, ...] | None) -> None:
        """DNS answers a name with these addresses, or (None) no longer knows it."""
        self.version += 1
        if addresses is None:
            self.names.pop(name, None)
        else:
            self.names[name] = addresses

    def resolve(self, name: str, namespace: str | None) -> str | None:
        """The address a client gets for a name: by the search path inside a pod, literally elsewhere."""
        if name in self.external_places:
            return (self.node_places if namespace else self.external_places)[name].address
        if name.endswith("."):
            return next(iter(self.names.get(name[:-1], ())), None)
        suffixes = (f"{namespace}.svc.{self._domain}", f"svc.{self._domain}", self._domain) if namespace else ()
        for full in (*(f"{name}.{suffix}" for suffix in suffixes), name):
            if self.names.get(full):
                return self.names[full][0]
        return None

    def balance(self, balancer: Balancer) -> None:
        """A load balancer's state; the difference to what it was goes into the history."""
        old = self.balancers.get(balancer.address)
        self.version += 1
        self.balancers[balancer.address] = balancer
        subject = f"service/{balancer.service}"
        if old is None:
            self.add_address(Place("balancer", CLOUD, balancer.address, balancer.service))
            self.balanced[balancer.service] = balancer.address
            self.history.record(self.time, "lb-address", subject, detail=balancer.address)
        before = old.targets if old else ()
        for node in balancer.targets:
            if node not in before:
                self.history.record(self.time, "lb-node-in", subject, node)
        for node in before:
            if node not in balancer.targets:
                self.history.record(self.time, "lb-node-out", subject, node)

    def unbalance(self, service: str) -> None:
        """A load balancer is taken down."""
        address = self.balanced.pop(service, None)
        if address is not None:
            self.version += 1
            del self.balancers[address]
            self.drop_address(address)
