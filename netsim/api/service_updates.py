"""What a writer means who changes a Service: what was given to it stays, unless its new type has no use for it.

Whoever sends a Service again need not know what the API server gave it: its cluster addresses, its node ports (each
known by its port's name) and its health check node port are filled in where they are left out, or null. A Service
that no longer needs one of them (it has another type, or another policy) silently loses it, unless the writer has
changed that, too: then validation tells him.

Source: kubernetes `pkg/registry/core/service/storage/storage.go` (patchAllocatedValues, normalizeClusterIPs),
`strategy.go` (dropTypeDependentFields).
"""

from __future__ import annotations

from typing import Any

from netsim.api.objects import Object

EXTERNAL = ("NodePort", "LoadBalancer")
ADDRESSES = ("clusterIP", "clusterIPs")
FAMILIES = ("ipFamilies", "ipFamilyPolicy")
BALANCED = ("allocateLoadBalancerNodePorts", "loadBalancerClass")


def prepared(new: Object, old: Object) -> Object:
    """The object that is meant by `new` in the place of `old`; all but Services mean what they say.

    >>> old = {"kind": "Service", "spec": {"type": "NodePort", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"],
    ...        "ports": [{"port": 80, "nodePort": 30080}]}}
    >>> prepared({"kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 81}]}}, old)["spec"] == {
    ...     **old["spec"], "ports": [{"port": 81, "nodePort": 30080}]}
    True
    >>> prepared({**old, "spec": {**old["spec"], "type": "ClusterIP"}}, old)["spec"]["ports"]
    [{'port': 80}]
    """
    spec, was = new.get("spec"), old.get("spec")
    if old["kind"] != "Service" or not isinstance(spec, dict) or not isinstance(was, dict):
        return new
    meant = _without_leftovers(_with_allocated(spec, was), was)
    return new if meant == spec else {**new, "spec": meant}


def has_addresses(spec: Object) -> bool:
    """Whether a Service has cluster addresses (that it has none, "None", is one)."""
    return spec.get("type") != "ExternalName"


def has_node_ports(spec: Object) -> bool:
    """Whether a Service has node ports."""
    return spec.get("type") in EXTERNAL


def has_external_policy(spec: Object) -> bool:
    """Whether a Service's traffic may come from outside."""
    return has_node_ports(spec) or (spec.get("type") in (None, "", "ClusterIP") and bool(spec.get("externalIPs")))


def has_health_port(spec: Object) -> bool:
    """Whether a load balancer asks each node at a port of this Service's own for ready pods."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def is_balanced(spec: Object) -> bool:
    """Whether a Service has a load balancer."""
    return spec.get("type") == "LoadBalancer"


KEPT = (
    # fields, of Services that: they are filled in where they are left out
    (ADDRESSES, has_addresses),
    (("healthCheckNodePort",), has_health_port),
)

LOST = (
    # fields, of Services that: they go, unchanged, from one that no longer does
    ((*ADDRESSES, *FAMILIES), has_addresses),
    (("healthCheckNodePort",), has_health_port),
    (("externalTrafficPolicy",), has_external_policy),
    (BALANCED, is_balanced),
)


def _with_allocated(spec: Object, was: Object) -> Object:
    """A spec with what the one before had been given and this one leaves out."""
    given = {
        name: was[name]
        for names, needed in KEPT
        if needed(spec) and needed(was)
        for name in names
        if not spec.get(name) and was.get(name)
    }
    meant = {**spec, **given}
    address, same = meant.get("clusterIP"), meant.get("clusterIPs") == was.get("clusterIPs")
    if address and address != was.get("clusterIP") and same:  # one wrote the old field alone
        meant["clusterIPs"] = [address]
    if has_node_ports(spec) and has_node_ports(was) and isinstance(spec.get("ports"), list):
        meant["ports"] = _with_node_ports(spec["ports"], was.get("ports") or [])
    return meant


def _with_node_ports(ports: list[Any], before: list[Object]) -> list[Any]:
    """Ports, each with the node port that the one of its name had, unless it or another asks for that."""
    had = {port.get("name") or "": port.get("nodePort") for port in before}
    asked = _node_ports(ports)

    def meant(port: Any) -> Any:
        name = (port.get("name") or "") if isinstance(port, dict) and not port.get("nodePort") else None
        known = had.get(name) if isinstance(name, str) else None
        return {**port, "nodePort": known} if known and known not in asked else port

    return [meant(port) for port in ports]


def _node_ports(ports: list[Any]) -> list[Any]:
    return [port["nodePort"] for port in ports if isinstance(port, dict) and port.get("nodePort")]


def _without_leftovers(spec: Object, was: Object) -> Object:
    """A spec without what only the one before could have."""
    lost = {name for names, needed in LOST if needed(was) and not needed(spec) for name in names}
    kept = {name: value for name, value in spec.items() if name not in lost or value != was.get(name)}
    ports = spec.get("ports")
    if has_node_ports(was) and not has_node_ports(spec) and isinstance(ports, list):
        old = _node_ports(was.get("ports") or [])
        if all(port in old for port in _node_ports(ports)):
            kept["ports"] = [_without_node_port(port) for port in ports]
    return kept


def _without_node_port(port: Any) -> Any:
    return {name: value for name, value in port.items() if name != "nodePort"} if isinstance(port, dict) else port
