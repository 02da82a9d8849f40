"""What the API server refuses, in its words: metadata, and whatever is neither a Service nor makes pods.

These are the mistakes that a look at the fields cannot see. Each is a place in the object and the message
that kubectl prints after `The Service "x" is invalid: `. Values that are not written are taken as their
defaults. Left out: what can only go wrong in fields that are not simulated.
Source: Kubernetes 1.32, pkg/apis/core/validation, pkg/apis/discovery/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from netsim.api import names, pod_validation, workload_validation
from netsim.api.refusals import Path, Refusals
from netsim.api.schema import Kind
from netsim.api.service_validation import NODE_PORTS, SERVICE_CIDRS, Ranges, service, taken_twice

__all__ = ["NODE_PORTS", "SERVICE_CIDRS", "Ranges", "taken_twice", "validate"]

Object = dict[str, Any]


def validate(obj: Object, kind: Kind, ranges: Ranges | None = None) -> Refusals:
    """What the API server would say to this object alone."""
    no = Refusals()
    _metadata(no, obj.get("metadata") or {}, kind)
    look = KINDS.get(kind.name) if kind.type else None
    if look is not None:
        look(no, obj, ranges or Ranges())
    return no


# metadata ---------------------------------------------------------------------------------------------

_NAMES: dict[str, Callable[[str], names.Wrong]] = {
    "Service": names.dns_1035_label,
    "Namespace": names.dns_label,
}


def _metadata(no: Refusals, metadata: Object, kind: Kind) -> None:
    look = _NAMES.get(kind.name, names.dns_subdomain)
    name, prefix = metadata.get("name"), metadata.get("generateName")
    if name:
        if wrong := look(name):
            no.each(("metadata", "name"), name, wrong)
    elif prefix:
        no.each(("metadata", "generateName"), prefix, look(prefix.removesuffix("-")))
    else:
        no.required(("metadata", "name"), "name or generateName is required")
    if namespace := metadata.get("namespace"):
        if not kind.namespaced:
            no.forbidden(("metadata", "namespace"), "not allowed on this type")
        else:
            no.each(("metadata", "namespace"), namespace, names.dns_label(namespace))
    if metadata.get("labels"):
        pod_validation.labels(no, ("metadata", "labels"), metadata["labels"])
    if metadata.get("annotations"):
        pod_validation.annotation_keys(no, ("metadata", "annotations"), metadata["annotations"])


# the rest ---------------------------------------------------------------------------------------------


def _data(no: Refusals, obj: Object, ranges: Ranges) -> None:
    """ConfigMaps and Secrets."""
    size = 0
    for part in ("data", "binaryData", "stringData"):
        for key, value in (obj.get(part) or {}).items():
            no.each((part,), key, names.data_key(key), key)
            size += (
                len(value.encode("utf-8", "surrogatepass")) * 3 // 4
                if part == "binaryData"
                else len(value.encode("utf-8", "surrogatepass"))
            )
            if part == "binaryData" and key in (obj.get("data") or {}):
                no.invalid((part,), key, "duplicate of key present in data", key)
    if size > 1 << 20:
        no.append((("data",), "data: Too long: may not be more than 1048576 bytes"))


def _endpoint_slice(no: Refusals, obj: Object, ranges: Ranges) -> None:
    family = obj.get("addressType")
    kinds = ("FQDN", "IPv4", "IPv6")
    if not family:
        no.required(("addressType",))
    elif family not in kinds:
        no.unsupported(("addressType",), family, kinds)
    for index, endpoint in enumerate(obj.get("endpoints") or ()):
        addresses = endpoint.get("addresses") or []
        if not addresses:
            no.required(("endpoints", index, "addresses"), "must contain at least 1 address")
        for place, address in enumerate(addresses):
            _address_of_family(no, ("endpoints", index, "addresses", place), address, family)
    _named_ports(no, ("ports",), obj.get("ports") or ())


def _address_of_family(no: Refusals, path: Path, address: str, family: Any) -> None:
    parsed = names.ip_address(address)
    if family == "IPv4" and (parsed is None or parsed.version != 4):
        no.invalid(path, address, "must be a valid IPv4 address")
    elif family == "IPv6" and (parsed is None or parsed.version != 6):
        no.invalid(path, address, "must be a valid IPv6 address")
    elif family == "FQDN":
        no.each(path, address, names.dns_subdomain(address))


def _named_ports(no: Refusals, path: Path, ports: Iterable[Object]) -> None:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        name, number = port.get("name") or "", port.get("port")
        if name:
            no.each((*path, index, "name"), name, names.dns_label(name))
        if name in seen:
            no.duplicate((*path, index, "name"), name)
        seen.add(name)
        if number is not None:
            no.each((*path, index, "port"), number, names.port_number(number))
        if (port.get("protocol") or "TCP") not in names.PROTOCOLS:
            no.unsupported((*path, index, "protocol"), port["protocol"], names.PROTOCOLS)


def _endpoints(no: Refusals, obj: Object, ranges: Ranges) -> None:
    for index, subset in enumerate(obj.get("subsets") or ()):
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            no.required(("subsets", index), "must specify `addresses` or `notReadyAddresses`")
        for part in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(subset.get(part) or ()):
                if names.ip_address(address.get("ip") or "") is None:
                    no.invalid(
                        ("subsets", index, part, place, "ip"), address.get("ip") or "", names.NOT_AN_IP
                    )
        _named_ports(no, ("subsets", index, "ports"), subset.get("ports") or ())


def _node(no: Refusals, obj: Object, ranges: Ranges) -> None:
    effects = ("NoSchedule", "PreferNoSchedule", "NoExecute")
    for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        where: Path = ("spec", "taints", index)
        if not taint.get("key"):
            no.required((*where, "key"))
        else:
            no.each((*where, "key"), taint["key"], names.qualified_name(taint["key"]))
        no.each((*where, "value"), taint.get("value") or "", names.label_value(taint.get("value") or ""))
        if not taint.get("effect"):
            no.required((*where, "effect"))
        elif taint["effect"] not in effects:
            no.unsupported((*where, "effect"), taint["effect"], effects)


def _pod(no: Refusals, obj: Object, ranges: Ranges) -> None:
    pod_validation.pod_spec(no, ("spec",), obj.get("spec") or {})


def _of_spec(look: Callable[[Refusals, Object], None]) -> Callable[[Refusals, Object, Ranges], None]:
    return lambda no, obj, ranges: look(no, obj.get("spec") or {})


KINDS: dict[str, Callable[[Refusals, Object, Ranges], None]] = {
    "Service": service,
    "Pod": _pod,
    "Deployment": _of_spec(workload_validation.deployment),
    "ReplicaSet": _of_spec(workload_validation.replica_set),
    "StatefulSet": _of_spec(workload_validation.stateful_set),
    "DaemonSet": _of_spec(workload_validation.daemon_set),
    "PodDisruptionBudget": _of_spec(workload_validation.disruption_budget),
    "ConfigMap": _data,
    "Secret": _data,
    "EndpointSlice": _endpoint_slice,
    "Endpoints": _endpoints,
    "Node": _node,
}
