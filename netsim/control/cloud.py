"""The service controller: it has load balancers made for Services, and tells them of nodes.

A Service of type LoadBalancer gets its address after a while; until then EXTERNAL-IP is `<pending>`. All
eligible nodes are put behind it, ready or not: whom it then sends to is the balancer's own judgement
(`health_checks.py`, `metallb.py`). The controller looks at the nodes at once when one comes, goes, or gets or
loses the label that excludes it, and every 100 s anyway; the autoscaler's taint is only seen by the latter.

Left out: Services that wait for the controller's only worker, finalizers, a fixed `loadBalancerIP`, Services
of another load balancer class (nobody makes theirs).

Source: kubernetes `cloud-provider/controllers/service/controller.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Any, Protocol

from netsim.api.objects import Object, key_of, merged, name_of
from netsim.api.store import Change
from netsim.control.cloud_nodes import calls_for_update, nodes_to_send, wants_balancer
from netsim.control.cluster import Cluster
from netsim.control.health_checks import HealthChecks
from netsim.control.load_balancers import PROFILES, LoadBalancer, Profile
from netsim.control.metallb import Announcement, Memberlist, Sessions
from netsim.dataplane.forwarding import Balancer
from netsim.draws import stream_key
from netsim.topology.allocators import AllocationError, HostLocal
from netsim.units import S

NODE_SYNC = 100 * S  # how often the nodes are looked at without an occasion
RETRY, LAST_RETRY = 5 * S, 300 * S
CONTROLLER = "service-controller"
REGION = "us-east-1"  # in the host names that a cloud gives


class Judge(Protocol):
    """Who decides which of the nodes behind a balancer it sends to."""

    def register(self, nodes: Iterable[str]) -> None: ...
    def stop(self) -> None: ...


class Cloud:
    """The controller, and the load balancers it has had made."""

    def __init__(self, cluster: Cluster, spec: LoadBalancer, addresses: HostLocal) -> None:
        self.cluster = cluster
        self.profile = spec.resolved()
        self.addresses = addresses
        self.judges: dict[str, Judge] = {}  # by Service, once it has an address
        self.wanted: dict[str, str] = {}  # Services that have asked for a balancer, and their uid
        self.nodes: list[Object] = []  # those the balancers were told of last
        self._judge = _judges(cluster, self.profile, self)
        cluster.hear("Service", self._service_changed)
        cluster.hear("Node", self._node_changed)
        cluster.plane.on_elected.append(self._start_over)
        cluster.env.process(self._sync_nodes_for_ever())

    # Services ------------------------------------------------------------------------------------------

    def _service_changed(self, change: Change) -> None:
        if self.cluster.plane.leads:
            self._see(change.object, exists=change.type != "DELETED")

    def _start_over(self) -> None:
        """A new leader: it lists everything there is, and finds what is no more."""
        services = {"/".join(key_of(service)): service for service in self.cluster.store.list("Service")}
        for name in [name for name in self.wanted if name not in services]:
            self._delete(None, name)
        for service in services.values():
            self._see(service, exists=True)
        self._sync_nodes()

    def _see(self, service: Object, *, exists: bool) -> None:
        name, uid = "/".join(key_of(service)), service["metadata"]["uid"]
        wants = exists and wants_balancer(service)
        if self.wanted.get(name) == uid and not wants:
            self._delete(service, name)
        elif wants and self.wanted.get(name) != uid:
            self.wanted[name] = uid
            self._say(service, "EnsuringLoadBalancer", "Ensuring load balancer")
            self.cluster.env.process(self._provision(service, name))
        elif wants:
            self._adjust(service, name)

    def _provision(self, service: Object, name: str) -> Generator[Any, Any, None]:
        """Have a balancer made; what cannot be had is tried again, ever later."""
        retry = RETRY
        yield self.cluster.env.timeout(self.profile.provisioning)
        yield from self.cluster.plane.led()
        while (current := self.cluster.current(service)) is not None and self.wanted.get(name) is not None:
            try:
                self._ready(current, name, self.addresses.allocate())
                return
            except AllocationError as error:
                self._say(current, "SyncLoadBalancerFailed", f"Error syncing load balancer: {error}", "Warning")
            yield self.cluster.env.timeout(retry)
            retry = min(2 * retry, LAST_RETRY)

    def _ready(self, service: Object, name: str, address: str) -> None:
        """The balancer is there: it has an address, and is told of the nodes."""
        cluster, profile = self.cluster, self.profile
        ports, node_ports = _ports(service, profile)
        cluster.forwarding.balance(Balancer(name, address, ports, (), node_ports))
        ingress = {"ip": address, "ipMode": "VIP"}
        if profile.gives == "hostname":
            hostname = _hostname(service)
            cluster.forwarding.name(hostname, (address,))
            ingress = {"hostname": hostname}
        cluster.store.update(merged(service, {"status": {"loadBalancer": {"ingress": [ingress]}}}))
        self._say(service, "EnsuredLoadBalancer", "Ensured load balancer")
        self.judges[name] = self._judge(key_of(service), address)
        self._sync_nodes()
        self.judges[name].register(map(name_of, self.nodes))

    def _adjust(self, service: Object, name: str) -> None:
        """The Service's ports, or its policy, may have changed."""
        address = self.cluster.forwarding.balanced.get(name)
        if address is not None:
            balancer = self.cluster.forwarding.balancers[address]
            ports, node_ports = _ports(service, self.profile)
            changed = replace(balancer, ports=ports, node_ports=node_ports)
            if changed != balancer:
                self.cluster.forwarding.balance(changed)
            self.judges[name].register(map(name_of, self.nodes))

    def _delete(self, service: Object | None, name: str) -> None:
        del self.wanted[name]
        address = self.cluster.forwarding.balanced.get(name)
        judge = self.judges.pop(name, None)
        if address is None or judge is None:
            return
        judge.stop()
        self.cluster.forwarding.unbalance(name)
        self.addresses.release(address)
        current = self.cluster.current(service) if service else None
        if current is not None:
            status = {**current.get("status", {}), "loadBalancer": {}}
            self.cluster.store.update({**current, "status": status})
            self._say(current, "DeletedLoadBalancer", "Deleted load balancer")

    # nodes ---------------------------------------------------------------------------------------------

    def _node_changed(self, change: Change) -> None:
        if change.type != "MODIFIED" or change.old is None or calls_for_update(change.old, change.object):
            self._sync_nodes()

    def _sync_nodes_for_ever(self) -> Generator[Any, Any, None]:
        while True:
            yield self.cluster.env.timeout(NODE_SYNC)
            self._sync_nodes()

    def _sync_nodes(self) -> None:
        """Tell the balancers of the nodes, if they are others than the last time."""
        if not self.cluster.plane.leads:
            return
        nodes = nodes_to_send(self.nodes, self.cluster.store.list("Node"))
        if nodes is None:
            return
        self.nodes = nodes
        for name, judge in self.judges.items():
            judge.register(map(name_of, nodes))
            service = self.cluster.store.get("Service", *name.split("/"))
            if service is not None:
                self._say(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts")

    def send_to(self, address: str, nodes: Iterable[str]) -> None:
        """A balancer sends to these nodes from now on."""
        balancer = self.cluster.forwarding.balancers.get(address)
        if balancer is not None:
            order = {name_of(node): place for place, node in enumerate(self.cluster.store.list("Node"))}
            targets = tuple(sorted(nodes, key=lambda node: order.get(node, len(order))))
            if targets != balancer.targets:
                self.cluster.forwarding.balance(replace(balancer, targets=targets))

    def decide(self) -> None:
        """Speakers came or went: each announcement is decided anew."""
        for judge in self.judges.values():
            judge.register(map(name_of, self.nodes))

    def _say(self, service: Object, reason: str, text: str, kind: str = "Normal") -> None:
        self.cluster.event(service, kind, reason, text, CONTROLLER)


def _judges(cluster: Cluster, profile: Profile, cloud: Cloud) -> Callable[[tuple[str, str], str], Judge]:
    """How a balancer of this profile comes to its judgement of nodes."""
    if profile.watches == "probes":
        return lambda service, address: HealthChecks(
            cluster, profile, service, address, lambda nodes: cloud.send_to(address, nodes)
        )
    if profile.watches == "bgp":
        alive = Sessions(cluster, profile.hold or 0, cloud.decide).alive
    else:
        alive = Memberlist(cluster, cloud.decide).alive
    return lambda service, address: Announcement(
        cluster, service, address, lambda nodes: cloud.send_to(address, nodes), alive,
        one=profile.watches == "memberlist",
    )  # fmt: skip


def _ports(service: Object, profile: Profile) -> tuple[tuple[tuple[int, str], ...], tuple[int, ...]]:
    """The ports a balancer listens on, and the node ports it sends to, if it does."""
    given = service["spec"]["ports"]
    ports = tuple((port["port"], port.get("protocol", "TCP")) for port in given)
    if profile.sends_to == "address":
        return ports, ()
    return ports, tuple(port.get("nodePort", 0) for port in given)


def _hostname(service: Object) -> str:
    """The name that a cloud makes of a Service's uid."""
    name = "a" + service["metadata"]["uid"].replace("-", "")[:31]
    return f"{name}-{stream_key(0, 'hostname', name) >> 48:05d}.{REGION}.elb.amazonaws.com"


__all__ = ["PROFILES", "Cloud"]
