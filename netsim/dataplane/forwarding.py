"""The forwarding state: everything a packet can meet, as it is at this instant.

This is the one place where the two halves of netsim meet. The control half changes it (a node programs a
revision, a machine loses power, a program starts to listen, a balancer turns away from a node, a name
appears); the data half asks it. Each change a person would care about goes into the history as well.

Who has an address is a `Place`: a pod, a node, a load balancer, or the outside. Between places a packet
takes the topology's path, plus what a pod's own link costs, plus encapsulation where an overlay carries
pod traffic from node to node.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.server import Server
from netsim.proxy.addresses import is_loopback
from netsim.proxy.health import HEALTHZ_PORT, HealthAnswer
from netsim.proxy.packet import Packet
from netsim.topology.graph import CLOUD, OUTSIDE, Topology
from netsim.topology.network import ENCAPSULATION, CniFamily, Links

if TYPE_CHECKING:
    from netsim.dataplane.sources import Client, Source

Flows = Literal["kept", "reset", "rehashed"]
PlaceKind = Literal["pod", "node", "balancer", "outside"]


class Resolution(Protocol):
    """How clients look up the names they are to reach, where that means asking somebody."""

    def __call__(self, source: Source, client: Client, sequence: int, attempt: int) -> Generator[int, None, str | None]:
        """Look up whom a request is for, at one of its tries: yields how long to wait, returns the address or None."""

    def nameserver(self, source: Source) -> str | None:
        """Whom a source has to ask each time; None where something nearer may know."""

DNS_PATIENCE = 10_000_000_000  # of a resolver with silent nameservers: 5 s, asked twice (resolv.conf(5))


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
    node_ports: tuple[int, ...] = ()  # of `ports`, if it sends to these; else a packet keeps its destination
    down: bool = False  # it drops everything


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
        self.powered: dict[str, bool] = dict.fromkeys(topology.machines(), True)  # and booted
        self.booting: set[str] = set()  # machines that have power again, and are as silent as those without
        self.places: dict[str, Place] = {}
        self.listeners: dict[tuple[str, int, str], Server] = {}
        self.servers: dict[str, Server] = {}  # the living program of each pod, by namespace/name
        self.proxies: dict[str, Server] = {}  # each node's kube-proxy while it runs: it answers health checks
        self.proxy_well: Callable[[str], bool] = lambda node: True  # whether its updates get through
        self.balancers: dict[str, Balancer] = {}
        self.names: dict[str, tuple[str, ...]] = {}  # absolute DNS names, without the last dot
        self.node_places: dict[str, Place] = {}  # each node by its internal address
        self.dns_silent = False  # the DNS pods do not answer
        self.external_places: dict[str, Place] = {}  # and by its external one
        self.outside = Place("outside", OUTSIDE, outside_address)
        self.balanced: dict[str, str] = {}  # Service (namespace/name) -> its load balancer's address
        self.cluster_ips: dict[str, tuple[str, ...]] = {}
        self.resolution: Resolution | None = None  # how clients look names up, where that means asking pods
        self.on_start: Callable[[Server], None] = lambda server: None
        self.on_stop: Callable[[Server], None] = lambda server: None
        self.on_drain: Callable[[Server], None] = lambda server: None
        self.on_program: Callable[[str], None] = lambda node: None
        self.flows: Flows = "kept"  # what load balancers do with open connections when their nodes change
        self.hairpin = True  # bridges send packets back to the pod they came from
        self.track = False  # keep conntrack entries of TCP connections, for those who want to see them
        self.limited = False  # nodes' conntrack tables have a size, and can be full
        self.version = 0  # raised by every change a packet could notice
        self.syncs = 0  # how many of those were a node's programming its rules
        self._domain = domain
        self.routed = cni in ("calico-bgp", "calico-ipip", "calico-vxlan")
        self._pod_link = links.pod
        self._overlay = links.encapsulation if cni in ENCAPSULATION else 0

    @property
    def elsewhere(self) -> int:
        """Raised by every change that is no node's programming its rules."""
        return self.version - self.syncs

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

    def source(self, client: Place, destination: str) -> str:
        """The address that a client sends from: a node has one for each of its devices."""
        if client.kind != "node":
            return client.address
        return self.kernels[client.machine].rules.source_for(destination)

    def health(self, node: str, port: int) -> HealthAnswer | None:
        """What a node's kube-proxy answers at a port; None if that is no Service's health check node port."""
        rules = self.kernels[node].rules
        service = rules.health_service(self.node_places[node].address, port)
        return HealthAnswer(*service, rules.local_ready(*service), self.proxy_well(node)) if service else None

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
        """A machine loses power, or has it again and has booted. Without power everything on it is gone, silently."""
        self.booting.discard(machine)
        if self.powered[machine] == on:
            return
        self.version += 1
        self.powered[machine] = on
        if not on:
            self.kernels[machine].reset()
            for server in [s for s in self.servers.values() if s.machine == machine]:
                self.stop(server, farewell=False)

    def boot(self, machine: str) -> None:
        """A machine has power again, and begins to boot. No packet could tell."""
        self.booting.add(machine)

    def why_silent(self, machine: str) -> str:
        """What is the matter with a machine that is not up."""
        return f"{machine} is booting" if machine in self.booting else f"{machine} has no power"

    def program(self, node: str, revision: int) -> None:
        """A node's kube-proxy has put a revision of the rules into effect."""
        self.version += 1
        self.syncs += 1
        self.kernels[node].program(revision)
        self.history.record(self.time, "programmed", f"node/{node}", node, revision=revision)
        self.on_program(node)

    def proxy(self, node: str, server: Server | None) -> None:
        """A node's kube-proxy starts to answer health checks, or (None) its process ends."""
        self.version += 1
        old = self.proxies.pop(node, None)
        if old is not None:
            old.ended, old.accepting = self.time, False
            old.hung_up = self.time if self.powered[node] else None
            self.on_stop(old)
        if server is not None:
            server.accepting = True
            self.proxies[node] = server

    # programs ----------------------------------------------------------------------------------------

    def listener(self, place: Place, packet: Packet) -> Server | None:
        """The program that a packet is for, at the place it has come to. It may not accept connections yet."""
        own = place.address if is_loopback(packet.destination) else packet.destination
        found = self.listeners.get((own, packet.port, packet.protocol))
        if found is None and place.kind == "node" and packet.protocol == "TCP":
            rules = self.kernels[place.machine].rules
            if packet.port == HEALTHZ_PORT or rules.health_service(packet.destination, packet.port):
                return self.proxies.get(place.machine)
        return found

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

    def unlisten(self, server: Server) -> None:
        """A program accepts no more connections, and goes on with those it has."""
        self.version += 1
        server.accepting = False

    def drain(self, server: Server) -> None:
        """A program shuts down with care: it answers what it has begun, and closes what is idle."""
        self.unlisten(server)
        server.hung_up = self.time
        self.on_drain(server)

    def stop(self, server: Server, *, farewell: bool) -> None:
        """A program ends; `farewell` says whether its kernel lives to reset its connections."""
        if server.ended is not None:
            return
        self.version += 1
        server.ended, server.accepting = self.time, False
        if farewell and server.hung_up is None:
            server.hung_up = self.time
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

    def published(self, namespace: str, service: str) -> tuple[str, ...]:
        """The addresses that DNS has for a Service: its own, or those of a headless Service's ready pods."""
        return self.names.get(f"{service}.{namespace}.svc.{self._domain}", ())

    def resolve(self, name: str, namespace: str | None) -> str | None:
        """The address a client gets for a name: by the search path inside a pod, literally elsewhere."""
        if name in self.external_places:
            return (self.node_places if namespace else self.external_places)[name].address
        if self.dns_silent:
            return None
        if name.endswith("."):
            return next(iter(self.names.get(name[:-1], ())), None)
        suffixes = (f"{namespace}.svc.{self._domain}", f"svc.{self._domain}", self._domain) if namespace else ()
        for full in (*(f"{name}.{suffix}" for suffix in suffixes), name):
            if self.names.get(full):
                return self.names[full][0]
        return None

    def lookup(self, usual: int) -> int:
        """How long a client waits for DNS: as usual, or until it gives up."""
        return DNS_PATIENCE if self.dns_silent else usual

    def silence_dns(self, *, silent: bool) -> None:
        """The DNS pods stop answering, or answer again."""
        self.version += 1
        self.dns_silent = silent

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
