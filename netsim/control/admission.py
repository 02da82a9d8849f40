"""What the API server does to an object before it is stored: defaults, addresses, ports, tolerations.

A Service gets its cluster IP and node ports here, from the allocators' upper bands unless it names its own;
they are freed when it needs them no more. A Service that is changed keeps them, named or not. A pod gets the two
tolerations that let it outlive a short silence of its node. What was asked for and cannot be had is refused, in the
API server's words.

Sources: kubernetes `pkg/registry/core/service/storage/{alloc,storage}.go`, `pkg/apis/core/validation`,
`plugin/pkg/admission/defaulttolerationseconds`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from netsim.api.defaults import defaulted
from netsim.api.immutable import changes
from netsim.api.objects import Object, key_of, merged
from netsim.api.service_updates import has_health_port, has_node_ports, is_balanced, prepared
from netsim.api.store import Change, Refused
from netsim.control.cluster import Cluster
from netsim.control.taints import with_default_tolerations
from netsim.topology.allocators import AllocationError, NodePortAllocator, ServiceIPAllocator


class Admission:
    """The way into the store."""

    def __init__(self, cluster: Cluster, addresses: ServiceIPAllocator, ports: NodePortAllocator) -> None:
        self.cluster = cluster
        self.addresses = addresses
        self.ports = ports
        self._chance = cluster.draws.stream("service-allocation")
        cluster.store.watch("Service", self._freed)

    def set_aside(self, objects: Iterable[Object]) -> None:
        """Keep what Services ask for by number from being given to others that come before them and ask for nothing.

        What cannot be had is said when the Service comes.
        """
        for spec in (obj["spec"] for obj in objects if obj["kind"] == "Service"):
            if spec.get("clusterIP") not in (None, "", "None"):
                with suppress(AllocationError):
                    self.addresses.allocate(spec["clusterIP"])
            for number in _ports_of(spec):
                with suppress(AllocationError):
                    self.ports.allocate(number)

    def create(self, obj: Object) -> Object:
        """Admit a new object and store it."""
        obj = defaulted(obj)
        if obj["kind"] == "Pod":
            obj = with_default_tolerations(obj, self.cluster.timings)
            obj = {**obj, "status": {"phase": "Pending"}}
        if obj["kind"] == "Service":
            obj = self._allocated(obj, new=True)
        return self.cluster.store.create(obj)

    def update(self, obj: Object) -> Object:
        """Admit a changed object and store it."""
        obj = defaulted(obj)
        if obj["kind"] == "Service":
            obj = self._allocated(self._kept(obj), new=False)
        return self.cluster.store.update(obj)

    def apply(self, obj: Object) -> Object:
        """What `kubectl apply` does: create it, or lay it over what is there."""
        now = self.cluster.store.get(obj["kind"], *key_of(obj))
        return self.create(obj) if now is None else self.update(merged(now, obj))

    def _allocated(self, service: Object, *, new: bool) -> Object:
        """A Service with its addresses and ports."""
        try:
            spec = self._with_address(service["spec"])
            spec = self._with_ports(spec, new=new)
        except AllocationError as error:
            name = service["metadata"]["name"]
            raise Refused("Invalid", f'Service "{name}" is invalid: {error}') from None
        return {**service, "spec": spec}

    def _kept(self, service: Object) -> Object:
        """A Service with what it has been given already: it may leave that out, but not ask for another address."""
        old = self.cluster.store.get("Service", *key_of(service))
        if old is None:
            return service
        service = prepared(service, old)
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

    def _with_ports(self, spec: dict[str, Any], *, new: bool) -> dict[str, Any]:
        if not has_node_ports(spec):
            return spec
        for number in _ports_of(spec):
            if not self.ports.has(number):
                self.ports.allocate(number)
        spec = dict(spec)
        if not is_balanced(spec) or spec.get("allocateLoadBalancerNodePorts") is not False:
            spec["ports"] = self._with_node_ports(spec["ports"], new=new)
        if has_health_port(spec) and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = self.ports.allocate_next(self._chance.next())
        return spec

    def _with_node_ports(self, ports: list[Object], *, new: bool) -> list[Object]:
        """Ports that each have a node port. In a new Service two protocols of one port share one."""
        known: dict[int, int] = {}
        if new:
            known = {port["port"]: port["nodePort"] for port in reversed(ports) if port.get("nodePort")}
        numbered = []
        for port in ports:
            number = port.get("nodePort") or known.get(port["port"])
            if not number:
                number = self.ports.allocate_next(self._chance.next())
                if new:
                    known[port["port"]] = number
            numbered.append({**port, "nodePort": number})
        return numbered

    def _freed(self, change: Change) -> None:
        """What a Service had and no longer has can be had by others."""
        had = change.old["spec"] if change.old else {}
        has = change.object["spec"] if change.type != "DELETED" else {}
        address = had.get("clusterIP")
        if address not in (None, "", "None", has.get("clusterIP")):
            self.addresses.release(address)
        kept = _ports_of(has)
        for port in _ports_of(had):
            if port not in kept:
                self.ports.release(port)


def _ports_of(spec: Object) -> list[int]:
    """All node ports that a Service has or asks for."""
    given = [*(port.get("nodePort") for port in spec.get("ports") or ()), spec.get("healthCheckNodePort")]
    return [port for port in given if port]
