"""The cloud behind Services of type LoadBalancer: an address after a while, nodes behind it, health checks.

The service controller asks the cloud for a load balancer; until it is there, EXTERNAL-IP is `<pending>`. The
balancer sends to all eligible nodes, ready or not: only its own health check takes a node out, and it knows
nothing of Kubernetes. A node without power answers nothing, so each probe costs its time-out.

Sources: kubernetes `cloud-provider/controllers/service`; health check numbers from cloud-provider-gcp.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from netsim.api.objects import Object, key_of, merged, name_of
from netsim.api.store import Change
from netsim.control.cloud_nodes import eligible
from netsim.control.cluster import Cluster
from netsim.dataplane.forwarding import Balancer
from netsim.draws import uniform
from netsim.topology.allocators import HostLocal
from netsim.topology.graph import CLOUD
from netsim.units import S


@dataclass(frozen=True)
class Profile:
    """A kind of load balancer: how it finds out which nodes are well."""

    interval: int
    timeout: int
    healthy: int  # answers in a row until a node is believed in
    unhealthy: int  # and until it no longer is


PROFILES = MappingProxyType({"gcp": Profile(interval=8 * S, timeout=1 * S, healthy=1, unhealthy=3)})
"""Load balancers by name. Source: cloud-provider-gcp `gce_loadbalancer*.go`."""


class Cloud:
    """The service controller and the load balancers it has made."""

    def __init__(self, cluster: Cluster, profile: str, addresses: HostLocal) -> None:
        self.cluster = cluster
        self.profile = PROFILES[profile]
        self.addresses = addresses
        self.checks: dict[tuple[str, str], Any] = {}  # (service, node) -> its health check
        self.wanted: set[str] = set()
        self._chance = cluster.draws.stream("load-balancer")
        cluster.hear("Service", self._service_changed)
        cluster.hear("Node", self._node_changed)

    def _service_changed(self, change: Change) -> None:
        service = change.object
        name = "/".join(key_of(service))
        wants = change.type != "DELETED" and service["spec"].get("type") == "LoadBalancer"
        if wants and name not in self.wanted:
            self.wanted.add(name)
            text = "Ensuring load balancer"
            self.cluster.event(service, "Normal", "EnsuringLoadBalancer", text, "service-controller")
            self.cluster.env.process(self._provision(service))
        elif not wants and name in self.wanted:
            self.wanted.discard(name)
            self.cluster.forwarding.unbalance(name)

    def _provision(self, service: Object) -> Generator[Any, Any, None]:
        cluster, name = self.cluster, "/".join(key_of(service))
        yield cluster.env.timeout(cluster.timings.load_balancer_provisioning)
        current = cluster.current(service)
        if current is None or name not in self.wanted:
            return
        address = self.addresses.allocate()
        targets = tuple(name_of(node) for node in cluster.store.list("Node") if eligible(node))
        ports = tuple((port["port"], port.get("protocol", "TCP")) for port in current["spec"]["ports"])
        cluster.forwarding.balance(Balancer(name, address, ports, targets))
        ingress = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
        cluster.store.update(merged(current, {"status": ingress}))
        cluster.event(current, "Normal", "EnsuredLoadBalancer", "Ensured load balancer", "service-controller")
        for node in targets:
            cluster.env.process(self._check(name, address, node))

    def _node_changed(self, change: Change) -> None:
        """A node came or went, or its eligibility changed: balancers follow at once."""
        node = change.object
        name = name_of(node)
        now = change.type != "DELETED" and eligible(node)
        before = change.old is not None and eligible(change.old)
        if now == before:
            return
        for balancer in list(self.cluster.forwarding.balancers.values()):
            if now:
                self.cluster.env.process(self._check(balancer.service, balancer.address, name))
            self._believe(balancer.address, name, now)

    def _believe(self, address: str, node: str, well: bool) -> None:
        """Send to a node, or no longer."""
        balancer = self.cluster.forwarding.balancers.get(address)
        if balancer is None or (node in balancer.targets) == well:
            return
        targets = [t for t in balancer.targets if t != node] + ([node] if well else [])
        order = {name_of(n): i for i, n in enumerate(self.cluster.store.list("Node"))}
        targets.sort(key=lambda t: order.get(t, len(order)))
        self.cluster.forwarding.balance(replace(balancer, targets=tuple(targets)))

    def _check(self, service: str, address: str, node: str) -> Generator[Any, Any, None]:
        """Probe one node for ever: kube-proxy's healthz, or its count of local endpoints under policy Local."""
        env, profile = self.cluster.env, self.profile
        yield env.timeout(int(uniform(self._chance.next()) * profile.interval))
        same, last = 0, True
        while service in self.wanted and self.cluster.store.get("Node", "", node) is not None:
            answers = self._answers(service, node)
            cost = 0 if answers else profile.timeout
            yield env.timeout(cost)
            same = same + 1 if answers == last else 1
            last = answers
            if same == (profile.healthy if answers else profile.unhealthy):
                self._believe(address, node, answers)
            yield env.timeout(profile.interval - cost)

    def _answers(self, service: str, node: str) -> bool:
        forwarding = self.cluster.forwarding
        if not forwarding.powered[node] or forwarding.topology.delay(CLOUD, node) is None:
            return False
        rules = forwarding.kernels[node].rules
        current = self.cluster.store.get("Service", *service.split("/"))
        if current is not None and current["spec"].get("externalTrafficPolicy") == "Local":
            return rules.local_ready(*service.split("/")) > 0
        return rules.revision > 0
