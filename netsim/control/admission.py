"""What the API server does to an object before it is stored: defaults, addresses, ports, tolerations.

A Service gets its cluster IP and node ports here, from the allocators' upper bands unless it names its own;
they are freed when the Service goes. A Service that is changed keeps its cluster IP. A pod gets the two tolerations
that let it outlive a short silence of its node. What was asked for and cannot be had is refused, in the API server's
words.

Sources: kubernetes `pkg/registry/core/service/storage/{alloc,storage}.go`, `pkg/apis/core/validation`,
`plugin/pkg/admission/defaulttolerationseconds`.
"""

from __future__ import annotations

from typing import Any

from netsim.api.defaults import defaulted
from netsim.api.immutable import changes
from netsim.api.objects import Object, key_of, merged
from netsim.api.store import Change, Refused
from netsim.control.cluster import Cluster
from netsim.control.taints import with_default_tolerations
from netsim.topology.allocators import AllocationError, NodePortAllocator, ServiceIPAllocator

EXTERNAL = ("NodePort", "LoadBalancer")


class Admission:
    """The way into the store."""

    def __init__(self, cluster: Cluster, addresses: ServiceIPAllocator, ports: NodePortAllocator) -> None:
        self.cluster = cluster
        self.addresses = addresses
        self.ports = ports
        self._chance = cluster.draws.stream("service-allocation")
        cluster.store.watch("Service", self._freed)

    def create(self, obj: Object) -> Object:
        """Admit a new object and store it."""
        obj = defaulted(obj)
        if obj["kind"] == "Pod":
            obj = with_default_tolerations(obj, self.cluster.timings)
            obj = {**obj, "status": {"phase": "Pending"}}
        if obj["kind"] == "Service":
            obj = self._allocated(obj)
        return self.cluster.store.create(obj)

    def update(self, obj: Object) -> Object:
        """Admit a changed object and store it."""
        obj = defaulted(obj)
        if obj["kind"] == "Service":
            obj = self._allocated(self._kept(obj))
        return self.cluster.store.update(obj)

    def apply(self, obj: Object) -> Object:
        """What `kubectl apply` does: create it, or lay it over what is there."""
        now = self.cluster.store.get(obj["kind"], *key_of(obj))
        return self.create(obj) if now is None else self.update(merged(now, obj))

    def _allocated(self, service: Object) -> Object:
        """A Service with its addresses and ports."""
        try:
            spec = self._with_address(service["spec"])
            spec = self._with_ports(spec)
        except AllocationError as error:
            name = service["metadata"]["name"]
            raise Refused("Invalid", f'Service "{name}" is invalid: {error}') from None
        return {**service, "spec": spec}

    def _kept(self, service: Object) -> Object:
        """A Service with the address that it has already: it may leave it out, but not ask for another."""
        old = self.cluster.store.get("Service", *key_of(service))
        if old is None:
            return service
        spec, was = service["spec"], old["spec"].get("clusterIP")
        if was and not spec.get("clusterIP") and spec.get("type") != "ExternalName":
            service = {**service, "spec": {**spec, "clusterIP": was}}
        for wrong in changes("Service", service, old):
            raise Refused("Invalid", f'Service "{service["metadata"]["name"]}" is invalid: {wrong}')
        return service

    def _with_address(self, spec: dict[str, Any]) -> dict[str, Any]:
        wanted = spec.get("clusterIP")
        if spec.get("type") == "ExternalName":
            return spec
        family = {"ipFamilies": [f"IPv{self.addresses.network.version}"], "ipFamilyPolicy": "SingleStack"}
        if wanted == "None":
            return {**family, **spec, "clusterIPs": ["None"]}
        if not wanted:
            wanted = self.addresses.allocate_next(self._chance.next())
        elif not self.addresses.has(wanted):
            self.addresses.allocate(wanted)
        return {**family, **spec, "clusterIP": wanted, "clusterIPs": [wanted]}

    def _with_ports(self, spec: dict[str, Any]) -> dict[str, Any]:
        if spec.get("type") not in EXTERNAL:
            return spec
        if spec["type"] == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            return spec
        given = [port.get("nodePort") for port in spec["ports"]]
        for number in filter(None, given):
            if not self.ports.has(number):
                self.ports.allocate(number)
        ports = [
            port if number else {**port, "nodePort": self.ports.allocate_next(self._chance.next())}
            for port, number in zip(spec["ports"], given, strict=True)
        ]
        spec = {**spec, "ports": ports}
        wants_health = spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
        if wants_health and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self.ports.allocate_next(self._chance.next())
        return spec

    def _freed(self, change: Change) -> None:
        if change.type != "DELETED":
            return
        spec = change.object["spec"]
        if spec.get("clusterIP") not in (None, "", "None"):
            self.addresses.release(spec["clusterIP"])
        for port in spec.get("ports") or ():
            if port.get("nodePort"):
                self.ports.release(port["nodePort"])
        if spec.get("healthCheckNodePort"):
            self.ports.release(spec["healthCheckNodePort"])
