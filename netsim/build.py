"""Building the cluster of a scenario: machines, their addresses, the components, and what is applied at the start.

At time zero every node is up, Ready and has no rules yet; the manifests are applied one after the other, as
`kubectl apply` would.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import islice
from typing import Any

import simpy

from netsim.api.objects import HOSTNAME, REGION, ZONE, Object, controller_of, labels_of, node_of
from netsim.api.selectors import matches_labels
from netsim.api.store import Refused, Store
from netsim.control.admission import Admission
from netsim.control.cloud import Cloud
from netsim.control.cluster import Cluster
from netsim.control.corefile import dns_address, dns_objects, is_dns_service
from netsim.control.daemonset import DaemonSets
from netsim.control.deployment import Deployments
from netsim.control.disruption import Disruptions, budget_keys
from netsim.control.dns import Dns, Heard
from netsim.control.dns_records import service_of
from netsim.control.endpointslice import EndpointSlices, selector_keys
from netsim.control.kube_proxy import Feed
from netsim.control.kubelet import Kubelet, ready_node
from netsim.control.levers import Levers
from netsim.control.machine import Machine
from netsim.control.nameservers import Nameservers
from netsim.control.node_lifecycle import NodeLifecycle
from netsim.control.pod_gc import PodGC
from netsim.control.recorder import record
from netsim.control.replicaset import ReplicaSets
from netsim.control.scheduler import Scheduler
from netsim.control.statefulset import StatefulSets
from netsim.control.taint_eviction import TaintEviction
from netsim.control.traffic_names import TrafficNames
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.moments import syn_schedule
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.draws import Draws
from netsim.errors import ScenarioError
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.tables import Tables
from netsim.scenario.model import Cluster as ClusterSpec
from netsim.scenario.model import ScenarioDocument
from netsim.scenario.scenario import Scenario
from netsim.topology.allocators import HostLocal, NodeCIDRAllocator, NodePortAllocator, ServiceIPAllocator
from netsim.topology.graph import build as build_topology
from netsim.topology.network import ENCAPSULATION, Nodes

API_SERVER_PORT = 6443
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass
class Built:
    """A cluster, ready to run."""

    cluster: Cluster
    machines: dict[str, Machine]
    pods: list[str]  # namespace/name, in the order in which their programs first ran
    admission: Admission
    levers: Levers
    syn_schedule: list[int]
    names: Nameservers


class Numbers:
    """Gives each pod its index the first time it is asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._known: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = len(self.names)
            self.names.append(name)
        return self._known[name]


def build(env: simpy.Environment, scenario: Scenario, seed: int) -> Built:
    """Everything a scenario describes, at time zero."""
    document = scenario.document
    cluster = _cluster(env, document, seed)
    cluster.forwarding.proxy_well = lambda node: cluster.proxies[node].well(cluster.now)
    store, spec, addresses = cluster.store, document.cluster, document.cluster.addresses
    for kind, name, keys in INDICES:
        store.index(kind, name, keys)
    record(cluster)
    tables = Tables(document.cluster.proxy, (addresses.pods,), (addresses.services,))
    feed = Feed(cluster, tables)
    services = ServiceIPAllocator(addresses.services, kept=dns_address(addresses.services))
    admission = Admission(cluster, services, NodePortAllocator())
    numbers = Numbers()
    machines = _machines(cluster, document, feed, numbers)
    zones = {name: group.zone for group in document.cluster.nodes for name in group.names()}
    members = [n for group in document.cluster.nodes if group.role == "control-plane" for n in group.names()]
    levers = Levers(cluster, machines, zones, members, admission)
    for fault in document.faults:
        fault.prepare(levers)
    heard = _components(cluster, document, admission)
    _system_objects(cluster, document, services)
    objects = (*dns_objects(spec.dns, addresses.services, spec.version, spec.domain), *scenario.objects)
    admission.set_aside(objects)
    names = _nameservers(cluster, document, heard, objects)
    env.process(_apply(cluster, admission, objects))
    kernel = document.cluster.kernel
    schedule = syn_schedule(kernel.syn_retries, kernel.syn_linear_timeouts)
    return Built(cluster, machines, numbers.names, admission, levers, schedule, names)


INDICES: tuple[tuple[str, str, Callable[[Object], list[Any]]], ...] = (
    ("Pod", "node", lambda pod: [node_of(pod)]),
    (
        "Pod",
        "label",
        lambda pod: [(pod["metadata"]["namespace"], item) for item in labels_of(pod).items()],
    ),
    ("Pod", "owner", lambda pod: [owner["uid"]] if (owner := controller_of(pod)) else []),
    ("ReplicaSet", "owner", lambda rs: [owner["uid"]] if (owner := controller_of(rs)) else []),
    ("ControllerRevision", "owner", lambda one: [owner["uid"]] if (owner := controller_of(one)) else []),
    ("Service", "selector", lambda service: selector_keys(service)),
    ("PodDisruptionBudget", "selector", budget_keys),
    ("EndpointSlice", "service", lambda piece: [service_of(piece)]),
)
"""How objects are found: pods by node, by one label in a namespace, by owner; Services and budgets by a label they
select."""


def _cluster(env: simpy.Environment, document: ScenarioDocument, seed: int) -> Cluster:
    spec = document.cluster
    clock = lambda: int(env.now)  # noqa: E731
    history = History()
    outside = next(islice(reversed(list(_hosts(spec.addresses.external, 256))), 1))
    forwarding = Forwarding(
        build_topology(spec.nodes, spec.links), history, spec.links, spec.cni, outside, spec.domain
    )
    forwarding.hairpin = spec.hairpin
    forwarding.flows = spec.load_balancer.resolved().flows
    forwarding.limited = forwarding.track = spec.proxy.conntrack_max is not None
    forwarding.add_address(forwarding.outside)
    return Cluster(
        env=env,
        store=Store(clock, seed),
        timings=spec.resolved_timings,
        draws=Draws(seed),
        forwarding=forwarding,
        history=history,
        version=spec.version,
    )


def _hosts(network: IPv4Network | IPv6Network, count: int) -> list[str]:
    return [str(address) for address in islice(network.hosts(), count)]


@dataclass(frozen=True, slots=True)
class Site:
    """Where a node stands, and what it was given: its addresses and the range of its pods."""

    name: str
    group: Nodes
    internal: str
    external: str  # "" when the range of external addresses is used up
    pod_range: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses, the internal one first."""
        return tuple(filter(None, (self.internal, self.external)))


def _sites(spec: ClusterSpec) -> Iterator[Site]:
    """A site for each node, in the scenario's order: addresses and ranges are given out one after the other."""
    internal, external = spec.addresses.nodes.hosts(), spec.addresses.external.hosts()
    ranges = NodeCIDRAllocator(spec.addresses.pods, spec.addresses.node_mask)
    for group in spec.nodes:
        for name in group.names():
            yield Site(name, group, str(next(internal)), str(next(external, "")), ranges.allocate())


def _machines(cluster: Cluster, document: ScenarioDocument, feed: Feed, numbers: Numbers) -> dict[str, Machine]:
    """Each node: its objects, its addresses, its rules, and the machine that runs its kubelet and kube-proxy."""
    spec, store, forwarding = document.cluster, cluster.store, cluster.forwarding
    behaviour = _behaviour(document.serving)
    machines: dict[str, Machine] = {}
    kubelets: dict[str, Kubelet] = {}
    for site in _sites(spec):
        name, ipam = site.name, HostLocal(site.pod_range)
        node = store.create(_node_object(site, spec.version))
        store.create(_lease(name, cluster.now))
        _put_up(forwarding, site)
        info = _node_info(site, labels_of(node), ipam, forwarding.routed, spec.cni in ENCAPSULATION)
        forwarding.kernels[name] = Kernel(NodeRules(feed.tables, info))
        kubelets[name] = Kubelet(cluster, name, site.internal, ipam, behaviour, numbers)
        daemons = (_api_server(name, site.internal, numbers),) if site.group.role == "control-plane" else ()
        machines[name] = Machine(cluster, name, kubelets[name], feed, spec.proxy, daemons)
    _dispatch_pods(cluster, kubelets)
    return machines


def _put_up(forwarding: Forwarding, site: Site) -> None:
    """Packets find a node at its addresses."""
    for address, places in zip(site.addresses, (forwarding.node_places, forwarding.external_places), strict=False):
        places[site.name] = Place("node", site.name, address, site.name)
        forwarding.add_address(places[site.name])


def _node_info(site: Site, labels: dict[str, str], ipam: HostLocal, routed: bool, tunnelled: bool) -> NodeInfo:
    """What kube-proxy knows of its node."""
    bridge = () if routed else (ipam.gateway,)
    tunnel = (str(ipam.network.network_address),) if tunnelled else ()
    return NodeInfo(site.name, (site.internal,), site.group.zone, labels, (site.pod_range,), bridge, tunnel)


def _lease(name: str, now: int) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease"},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "acquireTime": now, "renewTime": now},
    }


def _node_object(site: Site, version: str) -> Object:
    group, name, pod_range = site.group, site.name, site.pod_range
    labels = {HOSTNAME: name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    taints = [taint.model_dump(exclude_defaults=True) for taint in group.taints]
    if group.role == "control-plane":
        labels[CONTROL_PLANE] = ""
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
        taints.append({"key": CONTROL_PLANE, "effect": "NoSchedule"})
    if group.zone:
        labels[ZONE] = group.zone
    if group.region:
        labels[REGION] = group.region
    capacity = {"cpu": group.capacity.cpu, "memory": group.capacity.memory, "pods": str(group.capacity.pods)}
    kinds = ("InternalIP", "ExternalIP")
    listed = [{"type": kind, "address": a} for kind, a in zip(kinds, site.addresses, strict=False)]
    node: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**labels, **group.labels}},
        "spec": {"podCIDR": pod_range, "podCIDRs": [pod_range], "taints": taints},
        "status": {
            "addresses": [*listed, {"type": "Hostname", "address": name}],
            "capacity": capacity,
            "allocatable": capacity,
            "nodeInfo": {
                "kubeletVersion": f"v{version}.0",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "kernelVersion": "6.12.0",
                "containerRuntimeVersion": "containerd://2.0.0",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }
    return ready_node(node, 0)


def _api_server(name: str, address: str, numbers: Numbers) -> Callable[[], Server]:
    """The API server as packets meet it, on a control plane node."""
    pod = f"kube-system/kube-apiserver-{name}"
    ports = [(API_SERVER_PORT, "TCP")]
    return lambda: Server(numbers(pod), pod, name, (address,), Serving(), ports)


def _behaviour(servings: tuple[Serving, ...]) -> Callable[[Object], Serving]:
    """How a pod serves: the first entry of the scenario that selects it."""
    default = Serving()

    def of(pod: Object) -> Serving:
        namespace, labels = pod["metadata"]["namespace"], labels_of(pod)
        fitting = (s for s in servings if s.namespace in (None, namespace) and matches_labels(s.selector, labels))
        return next(fitting, default)

    return of


def _dispatch_pods(cluster: Cluster, kubelets: dict[str, Kubelet]) -> None:
    """Each kubelet hears of the pods that are bound to its node (a watch by spec.nodeName)."""

    def tell(change: Any) -> None:
        kubelet = kubelets.get(node_of(change.object))
        if kubelet is not None:
            kubelet.pod_changed(change)

    cluster.hear("Pod", tell)


def _system_objects(cluster: Cluster, document: ScenarioDocument, services: ServiceIPAllocator) -> None:
    """What is there before anybody has applied anything: namespaces, and the `kubernetes` Service."""
    store = cluster.store
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        store.create({**namespace, "spec": {}, "status": {"phase": "Active"}})
    address = services.allocate(str(next(document.cluster.addresses.services.hosts())))
    port = {"name": "https", "port": 443, "protocol": "TCP"}
    metadata = {"name": "kubernetes", "namespace": "default"}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    store.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**metadata, "labels": labels},
            "spec": {
                "type": "ClusterIP",
                "clusterIP": address,
                "clusterIPs": [address],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "sessionAffinity": "None",
                "internalTrafficPolicy": "Cluster",
                "ports": [{**port, "targetPort": API_SERVER_PORT}],
            },
            "status": {"loadBalancer": {}},
        }
    )
    hosts = [
        cluster.forwarding.node_places[name].address
        for group in document.cluster.nodes
        if group.role == "control-plane"
        for name in group.names()
    ]
    if hosts:
        store.create(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": hosts, "conditions": {"ready": True}}],
                "ports": [{"name": "https", "port": API_SERVER_PORT, "protocol": "TCP"}],
            }
        )
        subset = {"addresses": [{"ip": host} for host in hosts], "ports": [{**port, "port": API_SERVER_PORT}]}
        store.create({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]})


def _nameservers(
    cluster: Cluster, document: ScenarioDocument, heard: Heard, objects: tuple[Object, ...]
) -> Nameservers:
    """The cluster's DNS. Where it is made of pods, traffic has to ask them."""
    spec = document.cluster
    names = Nameservers(cluster, heard, spec.domain, dns_address(spec.addresses.services), spec.name_lookup)
    if any(is_dns_service(obj) for obj in objects):
        names.in_pods = True
        cluster.forwarding.resolution = TrafficNames(names)
    return names


def _components(cluster: Cluster, document: ScenarioDocument, admission: Admission) -> Heard:
    """Start the control plane; what it has heard of names comes back."""
    spec = document.cluster
    Deployments(cluster)
    ReplicaSets(cluster, admission)
    StatefulSets(cluster, admission)
    DaemonSets(cluster, admission)
    Disruptions(cluster)
    Scheduler(cluster)
    EndpointSlices(cluster)
    NodeLifecycle(cluster)
    TaintEviction(cluster)
    dns = Dns(cluster, spec.domain)
    Cloud(cluster, spec.load_balancer, HostLocal(str(spec.addresses.load_balancers)))
    PodGC(cluster)
    return dns.heard


def _apply(cluster: Cluster, admission: Admission, objects: tuple[Object, ...]) -> Generator[Any, Any, None]:
    """`kubectl apply`, one object after the other; namespaces first, so that the order of files does not matter."""
    for obj in sorted(objects, key=lambda obj: obj["kind"] != "Namespace"):
        yield cluster.env.timeout(cluster.timings.write)
        yield from cluster.plane.answered()
        try:
            admission.apply(obj)
        except Refused as error:
            raise ScenarioError(str(error)) from None
