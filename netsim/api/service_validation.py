"""What the API server refuses of Services, alone and together.

Values that are not written are taken as their defaults.
Source: Kubernetes 1.32, pkg/apis/core/validation/validation.go, pkg/registry/core/service/storage/alloc.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netsim.api import names
from netsim.api.pod_validation import labels, port_or_name
from netsim.api.refusals import Path, Refusals, shown

Object = dict[str, Any]

SERVICE_CIDRS = ("10.96.0.0/12",)  # kubeadm's default
NODE_PORTS = (30000, 32767)


@dataclass(frozen=True)
class Ranges:
    """From where the cluster takes addresses and node ports for Services, and which release it is."""

    service_cidrs: tuple[str, ...] = SERVICE_CIDRS
    node_ports: tuple[int, int] = NODE_PORTS
    version: str = "1.36"

    @property
    def distributions(self) -> tuple[str, ...]:
        """What `trafficDistribution` may be: more with the gate PreferSameTrafficDistribution, on since 1.34.

        >>> Ranges(version="1.32").distributions
        ('PreferClose',)
        """
        return _DISTRIBUTIONS if self.version >= "1.34" else _DISTRIBUTIONS[:1]

    @cached_property
    def networks(self) -> tuple[Any, ...]:
        """The networks of cluster addresses, the primary one first."""
        return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in self.service_cidrs)


_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def service(no: Refusals, obj: Object, ranges: Ranges) -> None:
    """A Service alone."""
    spec = obj.get("spec") or {}
    kind = spec.get("type") or "ClusterIP"
    ports = spec.get("ports") or []
    headless = cluster_ips(spec)[:1] == ["None"]
    if not ports and not headless and kind != "ExternalName":
        no.required(("spec", "ports"))
    if kind not in _TYPES:
        no.unsupported(("spec", "type"), kind, _TYPES)
    if headless and kind in ("LoadBalancer", "NodePort"):
        where = ("spec", "clusterIPs", 0) if spec.get("clusterIPs") else ("spec", "clusterIP")
        no.invalid(where, "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        _external_name(no, spec)
    else:
        _addresses(no, spec, ranges)
    _ports(no, ports, kind)
    labels(no, ("spec", "selector"), spec.get("selector") or {})
    _affinity(no, spec)
    _policies(no, spec, kind, ranges)
    _load_balancer(no, spec, kind)


def cluster_ips(spec: Object) -> list[str]:
    """The cluster addresses that a Service asks for, however it does.

    >>> cluster_ips({"clusterIP": "10.96.0.9"}), cluster_ips({})
    (['10.96.0.9'], [])
    """
    return spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])


def _external_name(no: Refusals, spec: Object) -> None:
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
            no.forbidden(("spec", name), "may not be set for ExternalName services")
    target = (spec.get("externalName") or "").removesuffix(".")
    if target:
        no.each(("spec", "externalName"), target, names.dns_subdomain(target))
    else:
        no.required(("spec", "externalName"))


def _ports(no: Refusals, ports: list[Object], kind: str) -> None:
    seen_names: set[str] = set()
    seen: set[tuple[Any, ...]] = set()
    seen_node: set[tuple[Any, ...]] = set()
    for index, port in enumerate(ports):
        where: Path = ("spec", "ports", index)
        name, number, node_port = port.get("name"), port.get("port"), port.get("nodePort")
        protocol = port.get("protocol") or "TCP"
        if not name and len(ports) > 1:
            no.required((*where, "name"))
        elif name:
            no.each((*where, "name"), name, names.dns_label(name))
            if name in seen_names:
                no.duplicate((*where, "name"), name)
            seen_names.add(name)
        no.each((*where, "port"), number or 0, names.port_number(number or 0))
        if protocol not in names.PROTOCOLS:
            no.unsupported((*where, "protocol"), protocol, names.PROTOCOLS)
        if port.get("targetPort"):
            port_or_name(no, (*where, "targetPort"), port["targetPort"])
        if port.get("appProtocol"):
            no.each((*where, "appProtocol"), port["appProtocol"], names.qualified_name(port["appProtocol"]))
        if node_port and kind == "ClusterIP":
            no.forbidden((*where, "nodePort"), "may not be used when `type` is 'ClusterIP'")
        if node_port and (protocol, node_port) in seen_node:
            no.duplicate((*where, "nodePort"), node_port)
        if (protocol, number) in seen:
            no.duplicate(where, {"protocol": protocol, "port": number})
        seen.add((protocol, number))
        seen_node.add((protocol, node_port))


def _affinity(no: Refusals, spec: Object) -> None:
    kind, config = spec.get("sessionAffinity") or "None", spec.get("sessionAffinityConfig")
    if kind not in ("ClientIP", "None"):
        no.unsupported(("spec", "sessionAffinity"), kind, ("ClientIP", "None"))
    elif kind == "None" and config is not None:
        no.forbidden(("spec", "sessionAffinityConfig"), "must not be set when session affinity is None")
    elif kind == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 10800)
        if not 0 < seconds <= 86400:
            where = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
            no.invalid(where, seconds, "must be greater than 0 and less than 86400")


def _policies(no: Refusals, spec: Object, kind: str, ranges: Ranges) -> None:
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    reachable = kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if external and not reachable:
        where = ("spec", "externalTrafficPolicy")
        no.invalid(where, external, "may only be set for externally-accessible services")
    elif external and external not in ("Cluster", "Local"):
        no.unsupported(("spec", "externalTrafficPolicy"), external, ("Cluster", "Local"))
    if internal and internal not in ("Cluster", "Local"):
        no.unsupported(("spec", "internalTrafficPolicy"), internal, ("Cluster", "Local"))
    if spec.get("healthCheckNodePort") and not (kind == "LoadBalancer" and external == "Local"):
        message = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        no.invalid(("spec", "healthCheckNodePort"), spec["healthCheckNodePort"], message)
    distribution = spec.get("trafficDistribution")
    if distribution and distribution not in ranges.distributions:
        no.unsupported(("spec", "trafficDistribution"), distribution, ranges.distributions)


def _load_balancer(no: Refusals, spec: Object, kind: str) -> None:
    if kind != "LoadBalancer":
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerSourceRanges"):
            if spec.get(name) not in (None, [], ""):
                no.forbidden(("spec", name), _ONLY_LOAD_BALANCER)
    if cls := spec.get("loadBalancerClass"):
        no.each(("spec", "loadBalancerClass"), cls, names.qualified_name(cls))
    for index, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        if not names.is_cidr(cidr.strip()):
            no.invalid(("spec", "loadBalancerSourceRanges", index), cidr, names.NOT_A_CIDR)


def _addresses(no: Refusals, spec: Object, ranges: Ranges) -> None:
    """Well-formed addresses of families that the cluster has."""
    given, one = cluster_ips(spec), spec.get("clusterIP")
    where: Path = ("spec", "clusterIPs") if spec.get("clusterIPs") else ("spec", "clusterIP")
    if one and given[0] != one:
        no.invalid(("spec", "clusterIPs"), given, "first value must match `clusterIP`")
    if len(given) > 2:
        no.invalid(("spec", "clusterIPs"), given, "may only hold up to 2 values")
    for index, address in enumerate(given):
        at = (*where, index) if spec.get("clusterIPs") else where
        if address == "None" and len(given) > 1:
            no.invalid(at, given, "'None' must be the first and only value")
        elif address != "None" and names.ip_address(address) is None:
            no.invalid(at, address, names.NOT_AN_IP)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        if names.ip_address(address) is None:
            no.invalid(("spec", "externalIPs", index), address, names.NOT_AN_IP)
    _families(no, spec, ranges, given)


def _families(no: Refusals, spec: Object, ranges: Ranges, given: list[str]) -> None:
    families, policy = spec.get("ipFamilies") or [], spec.get("ipFamilyPolicy") or "SingleStack"
    where, policies = ("spec", "ipFamilyPolicy"), ("PreferDualStack", "RequireDualStack", "SingleStack")
    configured = {f"IPv{network.version}" for network in ranges.networks}
    open_ended = given[:1] == ["None"] and not spec.get("selector")
    if policy not in policies:
        no.unsupported(where, policy, policies)
    if policy == "SingleStack" and (spec.get("ipFamilyPolicy") or not open_ended):
        for count, what in ((len(given), "cluster IPs"), (len(families), "IP families")):
            if count == 2:
                other = "must be 'RequireDualStack' or 'PreferDualStack'"
                no.invalid(where, policy, f"{other} when multiple {what} are specified")
    if policy == "RequireDualStack" and len(configured) < 2 and not open_ended:
        no.invalid(where, policy, "this cluster is not configured for dual-stack services")
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            no.unsupported(("spec", "ipFamilies", index), family, ("IPv4", "IPv6"))
        elif family in families[:index]:
            no.duplicate(("spec", "ipFamilies", index), family)
        elif family not in configured and not open_ended:
            no.invalid(("spec", "ipFamilies", index), family, "not configured on this cluster")


# what Services may not have in common -----------------------------------------------------------------


def taken_twice(objects: Sequence[Object], ranges: Ranges | None = None) -> list[tuple[int, Path, str]]:
    """Which Services ask for a node port or an address that one before them has: index, place and message."""
    ranges = ranges or Ranges()
    ports: set[int] = set()
    addresses: set[str] = set()
    found = []
    for index, obj in enumerate(objects):
        if obj.get("kind") == "Service" and obj.get("apiVersion") == "v1":
            no = Refusals()
            _take_ports(no, obj.get("spec") or {}, ranges, ports)
            _take_addresses(no, obj, ranges, addresses)
            found += [(index, path, message) for path, message in no]
    return found


def _take_ports(no: Refusals, spec: Object, ranges: Ranges, taken: set[int]) -> None:
    """Take the node ports that a Service asks for. One port may carry two protocols, in one Service."""
    if spec.get("type") not in ("NodePort", "LoadBalancer"):
        return
    by_port: dict[Any, int] = {}
    for index, port in enumerate(spec.get("ports") or ()):
        wanted = port.get("nodePort")
        if wanted and by_port.setdefault(port.get("port"), 0) != wanted:
            by_port[port.get("port")] = wanted
            if problem := _take_port(wanted, ranges, taken):
                no.invalid(("spec", "ports", index, "nodePort"), wanted, problem)
    health = spec.get("healthCheckNodePort")
    local = spec["type"] == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    if health and local and (problem := _take_port(health, ranges, taken)):
        message = f"failed to allocate requested HealthCheck NodePort {health}: {problem}"
        no.append((("spec", "healthCheckNodePort"), message))


def _take_port(port: int, ranges: Ranges, taken: set[int]) -> str:
    low, high = ranges.node_ports
    if not low <= port <= high:
        return f"provided port is not in the valid range. The range of valid ports is {low}-{high}"
    if port in taken:
        return "provided port is already allocated"
    taken.add(port)
    return ""


def _take_addresses(no: Refusals, obj: Object, ranges: Ranges, taken: set[str]) -> None:
    """Take the addresses that a Service asks for."""
    spec, metadata = obj.get("spec") or {}, obj.get("metadata") or {}
    if spec.get("type") == "ExternalName":
        return
    own = (metadata.get("namespace"), metadata.get("name")) == ("default", "kubernetes")
    given = cluster_ips(spec)
    for index, text in enumerate(given):
        at: Path = ("spec", "clusterIPs", index) if spec.get("clusterIPs") else ("spec", "clusterIP")
        address = names.ip_address(text)
        if address is None:
            continue
        if not any(network.version == address.version for network in ranges.networks):
            no.invalid(at, given, f"IPv{address.version} is not configured on this cluster")
        elif problem := _take_address(address, own, ranges, taken):
            # Kubernetes names clusterIPs even if only clusterIP was written
            message = (
                f"spec.clusterIPs: Invalid value: {shown(given)}: failed to allocate IP {text}: {problem}"
            )
            no.append((at, message))


def _take_address(address: Any, own: bool, ranges: Ranges, taken: set[str]) -> str:
    """Take an address; what is wrong with that. The first of each network is that of default/kubernetes."""
    networks = [network for network in ranges.networks if network.version == address.version]
    inside = [network for network in networks if address in network]
    if not inside:
        where = f"The range of valid IPs is {networks[0]}"
        return f"the provided IP ({address}) is not in the valid range. {where}"
    if str(address) in taken or (address == inside[0].network_address + 1 and not own):
        return "provided IP is already allocated"
    taken.add(str(address))
    return ""
