"""Several clusters behind one name: multi-cluster Services, or a DNS name with an answer for each healthy cluster.

Each cluster is a simulation of its own; a `Fleet` moves their clocks in lock step. *Multi-cluster Services*: a
ServiceExport offers a Service to the set; every cluster that has the namespace then has a ServiceImport with one
ClusterSetIP, `NAME.NAMESPACE.svc.clusterset.local`, and the ready endpoints of all clusters behind it, each as
likely as any other. What a cluster exports is renewed while its control plane can be heard; when it has been
silent for the length of its lease, its endpoints are taken out everywhere else. *Health-checked DNS*
(`GlobalName`) asks every cluster's load balancer from outside and answers with those that replied lately; clients
go on using what they were told until its TTL is over.

Left out: a translation per cluster's rules (an endpoint is chosen, not programmed), network policy, overlapping
pod ranges (gateways between clusters are taken to translate them), weights and topology.
Sources: KEP-1645 (Multi-Cluster Services API), Kubernetes multi-cluster DNS specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from netsim.api.objects import Key, Object, key_of
from netsim.control.dns_records import endpoint_host, ready_addresses, service_of
from netsim.dataplane.errand import Reached, send, socket
from netsim.dataplane.forwarding import Place
from netsim.draws import Draws, index
from netsim.errors import Problem, ScenarioError
from netsim.lab.names import names_of
from netsim.simulation import Simulation
from netsim.topology.allocators import ServiceIPAllocator
from netsim.units import MS, S

ZONE = "clusterset.local"
EXPORT = "multicluster.x-k8s.io/v1alpha1"


@dataclass(frozen=True, slots=True)
class Backend:
    """A ready endpoint of one cluster."""

    cluster: str
    address: str
    port: int
    host: str  # its own first label in DNS


@dataclass(frozen=True, slots=True)
class Import:
    """A Service of the set: what every cluster sees of it."""

    key: Key
    kind: Literal["ClusterSetIP", "Headless"]
    address: str  # the ClusterSetIP; none of a headless one
    ports: tuple[int, ...]
    clusters: tuple[str, ...]  # that export it, the oldest export first
    backends: tuple[Backend, ...]
    conflict: str = ""  # where exports disagree, and which of them counts

    @property
    def name(self) -> str:
        """Its DNS name."""
        return f"{self.key[1]}.{self.key[0]}.svc.{ZONE}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a connection to a name of the set."""

    outcome: str
    reason: str
    cluster: str = ""
    pod: str = ""
    elapsed: int = 0


@dataclass
class Fleet:
    """Clusters that belong together, and their common clock."""

    clusters: Mapping[str, Simulation]
    wan: int = 30 * MS  # one way between any two of them
    lease: int = 40 * S  # how long a silent cluster's exports are believed
    beat: int = 1 * S  # how often the set is put in order
    range: str = "10.208.0.0/16"  # of ClusterSetIPs
    now: int = 0
    imports: dict[Key, Import] = field(default_factory=dict)
    names: list[GlobalName] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heard = dict.fromkeys(self.clusters, 0)
        self._exports: dict[str, dict[Key, tuple[Object, int]]] = {name: {} for name in self.clusters}
        self._offers: dict[str, dict[Key, list[Backend]]] = {name: {} for name in self.clusters}
        self._addresses = ServiceIPAllocator(self.range)
        self._given: dict[Key, str] = {}
        self._chance = Draws(next(iter(self.clusters.values())).seed).stream("fleet")

    # time ---------------------------------------------------------------------------------------------------

    def run(self, until: int) -> None:
        """Move all clusters on, a beat at a time, so that none is ever ahead of another."""
        while self.now < until:
            self.now = min(until, self.now - self.now % self.beat + self.beat)
            for simulation in self.clusters.values():
                simulation.run(self.now)
            self._hear()
            self._put_in_order()
            for name in self.names:
                name.check(self)

    def lose(self, cluster: str) -> None:
        """Every machine of a cluster loses power."""
        levers = self.cluster(cluster).levers
        for node in levers.node_names():
            levers.power(node, on=False)

    def cluster(self, name: str) -> Simulation:
        """One of them."""
        if name not in self.clusters:
            hint = f"there are {', '.join(self.clusters)}"
            raise ScenarioError(Problem(f"there is no cluster {name}", hint=hint))
        return self.clusters[name]

    def speaks(self, cluster: str) -> bool:
        """Whether a cluster's control plane can be heard; where it has no nodes of its own, any node will do."""
        simulation = self.cluster(cluster)
        powered = simulation.forwarding.powered
        planes = [n for g in simulation.document.cluster.nodes if g.role == "control-plane" for n in g.names()]
        return any(powered[node] for node in planes or simulation.forwarding.node_places)

    # exports and imports ------------------------------------------------------------------------------------

    def export(self, cluster: str, name: str, namespace: str = "default") -> None:
        """Create a ServiceExport there."""
        metadata = {"name": name, "namespace": namespace}
        self.cluster(cluster).store.create({"apiVersion": EXPORT, "kind": "ServiceExport", "metadata": metadata})

    def _hear(self) -> None:
        """Each cluster that can be heard says what it exports, and who is ready to serve it."""
        for name, simulation in self.clusters.items():
            if self.speaks(name):
                self._heard[name] = self.now
                self._exports[name] = exports_of(simulation)
                self._offers[name] = {key: backends_of(simulation, name, key) for key in self._exports[name]}

    def _put_in_order(self) -> None:
        """Make the imports of what is exported by clusters whose lease has not run out."""
        alive = [name for name in self.clusters if self.now - self._heard[name] < self.lease]
        keys = {key: None for name in alive for key in self._exports[name]}
        self.imports = {key: self._import(key, [n for n in alive if key in self._exports[n]]) for key in keys}

    def _import(self, key: Key, clusters: list[str]) -> Import:
        oldest = sorted(clusters, key=lambda name: (self._exports[name][key][1], list(self.clusters).index(name)))
        first = self._exports[oldest[0]][key][0]
        kind = _kind(first)
        others = [name for name in oldest if _shape(self._exports[name][key][0]) != _shape(first)]
        told = f"{', '.join(others)} export it differently; {oldest[0]}, the oldest export, counts"
        if kind == "ClusterSetIP" and key not in self._given:
            self._given[key] = self._addresses.allocate_next(0)
        return Import(
            key, kind, self._given[key] if kind == "ClusterSetIP" else "",
            tuple(port["port"] for port in first["spec"].get("ports") or ()), tuple(oldest),
            tuple(backend for name in oldest for backend in self._offers[name][key]),
            told if others else "",
        )  # fmt: skip

    # names and connections ----------------------------------------------------------------------------------

    def resolve(self, cluster: str, name: str) -> tuple[str, ...]:
        """What a name of the set answers in a cluster that has its namespace; nothing: no such name."""
        for found in self.imports.values():
            if self.cluster(cluster).store.get("Namespace", "", found.key[0]) is None:
                continue
            if name == found.name:
                return (found.address,) if found.address else tuple(sorted(b.address for b in found.backends))
            for backend in found.backends:
                if found.kind == "Headless" and name == f"{backend.host}.{backend.cluster}.{found.name}":
                    return (backend.address,)
        return ()

    def connect(self, cluster: str, origin: str, name: str) -> Answered:
        """Open a connection from one cluster's pod or node to a Service of the set."""
        if not self.resolve(cluster, name):
            return Answered("dns-failure", f"{name}: no such name")
        found = next(i for i in self.imports.values() if name.endswith(i.name))
        backends = [b for b in found.backends if name in (found.name, f"{b.host}.{b.cluster}.{found.name}")]
        if not backends:
            return Answered("refused", f"{name} has no endpoints")
        return self._to(cluster, origin, backends[index(self._chance.next(), len(backends))])

    def _to(self, cluster: str, origin: str, backend: Backend) -> Answered:
        """From pod to pod, or from pod to the other cluster's gateway and on from there."""
        here = names_of(self.cluster(cluster)).client(origin).place
        if backend.cluster == cluster:
            return _answered(cluster, _knock(self.clusters[cluster], here, backend), 0)
        there = self.clusters[backend.cluster]
        return _answered(backend.cluster, _knock(there, there.forwarding.outside, backend), 2 * self.wan)


def exports_of(simulation: Simulation) -> dict[Key, tuple[Object, int]]:
    """The Services that a cluster exports, each with the age of its export."""
    found = {}
    for export in simulation.store.list("ServiceExport"):
        service = simulation.store.get("Service", *key_of(export))
        if service is not None and service["spec"].get("type") != "ExternalName":
            found[key_of(export)] = (service, export["metadata"]["creationTimestamp"])
    return found


def backends_of(simulation: Simulation, cluster: str, key: Key) -> list[Backend]:
    """The ready endpoints of a Service, at its first port."""
    pieces = [piece for piece in simulation.store.list("EndpointSlice") if service_of(piece) == key]
    return [
        Backend(cluster, address, (piece.get("ports") or [{}])[0].get("port") or 0, endpoint_host(endpoint, address))
        for piece in pieces
        for endpoint, address in ready_addresses(piece)
    ]


def _kind(service: Object) -> Literal["ClusterSetIP", "Headless"]:
    return "Headless" if service["spec"].get("clusterIP") == "None" else "ClusterSetIP"


def _shape(service: Object) -> tuple[str, tuple[int, ...]]:
    return _kind(service), tuple(port["port"] for port in service["spec"].get("ports") or ())


def _knock(simulation: Simulation, place: Place, backend: Backend) -> Reached:
    names = names_of(simulation)
    packet = socket(simulation.forwarding, place, backend.address, backend.port, "TCP", names.chance)
    return send(simulation.forwarding, place, packet, names.chance)


def _answered(cluster: str, reached: Reached, further: int) -> Answered:
    pod = reached.server.name if reached.server else ""
    return Answered(reached.outcome, reached.reason, cluster, pod, reached.elapsed + further)


# DNS with health ------------------------------------------------------------------------------------------------


@dataclass
class GlobalName:
    """A public name that answers with the load balancers of the clusters that are well.

    Each is asked every `interval`; after `threshold` failures in a row it is taken out, after as many successes
    put back. `failover` answers with the first healthy one alone, `all` with every one. When none is well all are
    answered, as if nobody had looked. `told` is what a client that caches for the TTL goes on using.
    """

    name: str
    service: str  # namespace/name of the Service of type LoadBalancer in each cluster
    port: int = 80
    interval: int = 10 * S
    threshold: int = 3
    ttl: int = 60 * S
    policy: Literal["all", "failover"] = "all"
    healthy: dict[str, bool] = field(default_factory=dict)
    _streak: dict[str, int] = field(default_factory=dict)
    _told: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)

    def check(self, fleet: Fleet) -> None:
        """Look at every cluster, if it is time to."""
        if fleet.now % self.interval:
            return
        for cluster in fleet.clusters:
            well = self.reach(fleet, cluster)
            known = self.healthy.setdefault(cluster, well)
            self._streak[cluster] = 0 if well == known else self._streak.get(cluster, 0) + 1
            if self._streak[cluster] >= self.threshold:
                self.healthy[cluster], self._streak[cluster] = well, 0

    def reach(self, fleet: Fleet, cluster: str) -> bool:
        """Whether a cluster's load balancer answers a connection from outside now."""
        simulation = fleet.cluster(cluster)
        address = simulation.forwarding.balanced.get(self.service)
        if address is None:
            return False
        names, place = names_of(simulation), simulation.forwarding.outside
        packet = socket(simulation.forwarding, place, address, self.port, "TCP", names.chance)
        return send(simulation.forwarding, place, packet, names.chance).answered

    def answer(self) -> tuple[str, ...]:
        """The clusters whose addresses are answered now."""
        well = tuple(cluster for cluster, healthy in self.healthy.items() if healthy) or tuple(self.healthy)
        return well[:1] if self.policy == "failover" else well

    def told(self, client: str, now: int) -> tuple[str, ...]:
        """What a client that keeps answers for their TTL believes."""
        since, answer = self._told.get(client, (now - self.ttl, ()))
        if now - since >= self.ttl:
            since, answer = now, self.answer()
            self._told[client] = since, answer
        return answer
