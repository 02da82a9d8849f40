"""Which pods stand behind a Service, at which addresses and ports, in which condition.

A pod counts as soon as it has an address and as long as it exists and has not run to its end; while it
terminates it stays, but is no longer ready. A named port is looked up in each pod, so pods may differ in its
number. The legacy Endpoints object says the same in another shape, knows only ready and not ready, drops pods
that terminate, and is cut off at a thousand addresses.

Sources: kubernetes `staging/src/k8s.io/endpointslice` (utils.go, util/controller_utils.go),
`pkg/controller/endpoint/endpoints_controller.go`.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import (
    ZONE,
    Object,
    is_finished,
    is_leaving,
    key_of,
    labels_of,
    name_of,
    node_of,
    pod_ready,
)
from netsim.api.selectors import matches_labels

Endpoint = dict[str, Any]
Port = dict[str, Any]
Key = tuple[Any, ...]

MAX_ADDRESSES = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
HEADLESS = "service.kubernetes.io/headless"


# Services --------------------------------------------------------------------------------------------------


def has_endpoints(service: Object) -> bool:
    """Whether the controller makes endpoints for a Service: it selects pods and is not just another name."""
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def services_of(pod: Object, services: Iterable[Object]) -> list[Object]:
    """The Services that a pod stands behind. A Service without a selector has no pods, not all of them."""
    namespace = pod["metadata"].get("namespace")
    return [
        service
        for service in services
        if service["metadata"].get("namespace") == namespace
        and service["spec"].get("selector")
        and matches_labels(service["spec"]["selector"], labels_of(pod))
    ]


def address_types(service: Object) -> list[str]:
    """The address families of a Service's slices. One that does not say has its address's; headless, both.

    >>> address_types({"spec": {"clusterIP": "10.96.0.10"}}), address_types({"spec": {"clusterIP": "None"}})
    (['IPv4'], ['IPv4', 'IPv6'])
    """
    spec = service["spec"]
    families = [family for family in ("IPv4", "IPv6") if family in (spec.get("ipFamilies") or ())]
    if families:
        return families
    if spec.get("clusterIP") not in (None, "", "None"):
        return ["IPv6" if ":" in spec["clusterIP"] else "IPv4"]
    return ["IPv4", "IPv6"]


# pods ------------------------------------------------------------------------------------------------------


def pod_addresses(pod: Object, family: str) -> list[str]:
    """The pod's addresses of one family."""
    return [canonical(ip) for ip in _ips(pod) if (":" in ip) == (family == "IPv6")]


def _ips(pod: Object) -> list[str]:
    status = pod.get("status") or {}
    listed = [entry["ip"] for entry in status.get("podIPs") or ()]
    return listed or ([status["podIP"]] if status.get("podIP") else [])


def canonical(ip: str) -> str:
    """An address in its usual spelling.

    >>> canonical("1234::5678:0000:0000:9abc:def0")
    '1234::5678:0:0:9abc:def0'
    """
    return str(ipaddress.IPv6Address(ip)) if ":" in ip else ip


def counts(pod: Object, *, terminating: bool = True) -> bool:
    """Whether a pod is among its Services' endpoints; `terminating` says whether those that leave are."""
    return not is_finished(pod) and bool(_ips(pod)) and (terminating or not is_leaving(pod))


def endpoint_of(pod: Object, node: Object | None, service: Object, family: str = "IPv4") -> Endpoint:
    """The entry for a pod in a slice of a Service."""
    serving, leaving = pod_ready(pod), is_leaving(pod)
    publish = service["spec"].get("publishNotReadyAddresses", False)
    endpoint: Endpoint = {
        "addresses": pod_addresses(pod, family),
        "conditions": {
            "ready": publish or (serving and not leaving),
            "serving": serving,
            "terminating": leaving,
        },
        "targetRef": _target(pod),
    }
    if node_of(pod):
        endpoint["nodeName"] = node_of(pod)
    if node is not None and labels_of(node).get(ZONE):
        endpoint["zone"] = labels_of(node)[ZONE]
    if has_hostname(pod, service):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint


def _target(pod: Object) -> Object:
    namespace, name = key_of(pod)
    return {"kind": "Pod", "namespace": namespace, "name": name, "uid": pod["metadata"].get("uid", "")}


def has_hostname(pod: Object, service: Object) -> bool:
    """Whether a pod has a DNS name of its own under a Service: its subdomain is the Service's name."""
    spec, same = pod["spec"], pod["metadata"].get("namespace") == service["metadata"].get("namespace")
    return bool(spec.get("hostname")) and spec.get("subdomain") == name_of(service) and same


def find_port(pod: Object, port: Port) -> int | None:
    """The number behind a Service port in a pod; None if the pod has no port of that name and protocol.

    Sidecars' ports count, after those of the ordinary containers; the first that fits is taken.
    """
    target = port.get("targetPort", port.get("port"))
    if isinstance(target, int):
        return target
    sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    protocol = port.get("protocol") or "TCP"
    for container in [*(pod["spec"].get("containers") or ()), *sidecars]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and (offered.get("protocol") or "TCP") == protocol:
                return int(offered["containerPort"])
    return None


def endpoint_ports(service: Object, pod: Object) -> list[Port]:
    """The ports of a slice that a pod is in. Ports that the pod does not have are left out."""
    ports = []
    for port in service["spec"].get("ports") or ():
        number = find_port(pod, port)
        if number is not None:
            found = {
                "name": port.get("name") or "",
                "port": number,
                "protocol": port.get("protocol") or "TCP",
            }
            ports.append(
                {**found, **({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {})}
            )
    return ports


def change_matters(old: Object, new: Object) -> tuple[bool, bool]:
    """Whether a pod's endpoints change from one version of it to the next, and whether its membership may.

    Its node is not asked for: it is settled before the pod has an address. Nor is its phase: the end of a
    pod shows in its readiness.
    """
    names = [(pod["spec"].get("hostname"), pod["spec"].get("subdomain")) for pod in (old, new)]
    relabelled = labels_of(old) != labels_of(new) or names[0] != names[1]
    return _seen(old) != _seen(new), relabelled


def _seen(pod: Object) -> tuple[Any, ...]:
    """What of a pod its endpoints depend on."""
    deleted = pod["metadata"].get("deletionTimestamp")
    return deleted, pod_ready(pod), _ips(pod)


def port_key(ports: Iterable[Port]) -> Key:
    """What makes two lists of ports the same, in whatever order."""
    return tuple(
        sorted(
            (p.get("name") or "", p.get("port") or 0, p.get("protocol") or "TCP", p.get("appProtocol") or "")
            for p in ports
        )
    )


def identity(endpoint: Endpoint) -> Key:
    """Who an endpoint is: its addresses, its host name, its pod. Where it runs may change in place."""
    target = endpoint.get("targetRef") or {}
    host = endpoint.get("hostname")
    return (*endpoint["addresses"], host, target.get("namespace"), target.get("name"))


@dataclass(frozen=True, slots=True)
class Known:
    """What was worked out about a pod: its ports, its endpoint, and what tells them from others."""

    pod: Object
    service: Object
    zone: str | None
    counts: bool
    ports: list[Port]
    port_key: Key
    endpoint: Endpoint
    identity: Key
    address: Object | None  # its entry in the legacy object


class Memory:
    """What is known of the pods of one Service, good while pod, zone and Service are the same objects.

    Each `begin` drops what was not asked for since the one before.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Known] = {}
        self._before: dict[tuple[str, str], Known] = {}
        self._identities: dict[int, Key] = {}  # of the very objects in `_known`

    def begin(self) -> None:
        """Another look at all pods begins."""
        self._before, self._known, self._identities = self._known, {}, {}

    def look(self, service: Object, pod: Object, node: Object | None, family: str) -> Known:
        """What there is to know about a pod."""
        zone = labels_of(node).get(ZONE) if node is not None else None
        place = pod["metadata"].get("uid") or "/".join(key_of(pod)), family
        known = self._before.get(place)
        if known is None or known.pod is not pod or known.service is not service or known.zone != zone:
            known = _worked_out(service, pod, node, family)
        self._known[place] = known
        self._identities[id(known.endpoint)] = known.identity
        return known

    def recall(self, service: Object, pod: Object, family: str) -> Known:
        """What was found out when it was last looked at; if that is out of date, what there is to know now."""
        known = self._known.get((pod["metadata"].get("uid") or "/".join(key_of(pod)), family))
        if known is None or known.pod is not pod or known.service is not service:
            known = _worked_out(service, pod, None, family)
        return known

    def identity(self, endpoint: Endpoint) -> Key:
        """The identity of an endpoint, at no cost if it is the one that is remembered."""
        return self._identities.get(id(endpoint)) or identity(endpoint)


def _worked_out(service: Object, pod: Object, node: Object | None, family: str) -> Known:
    ports, endpoint = endpoint_ports(service, pod), endpoint_of(pod, node, service, family)
    address = next((_address(pod, service, ip) for ip in endpoint["addresses"]), None)
    zone = labels_of(node).get(ZONE) if node is not None else None
    return Known(pod, service, zone, counts(pod), ports, port_key(ports), endpoint, identity(endpoint), address)


# the legacy object -----------------------------------------------------------------------------------------


def endpoints_of(service: Object, pods: Iterable[Object], memory: Memory | None = None) -> Object:
    """The Endpoints object of a Service; `memory` is what the making of its slices has found out."""
    memory = Memory() if memory is None else memory
    publish = service["spec"].get("publishNotReadyAddresses", False)
    family = address_types(service)[0]
    subsets: dict[str, tuple[list[Port], list[Object], list[Object]]] = {}
    for pod in pods:
        known = memory.recall(service, pod, family)
        if known.address is None or not counts(pod, terminating=publish):
            continue
        _, ready, waiting = subsets.setdefault(repr(known.ports), (known.ports, [], []))
        (ready if known.endpoint["conditions"]["serving"] or publish else waiting).append(known.address)
    listed = [_subset(*parts) for parts in sorted(subsets.values(), key=lambda parts: repr(parts[0]))]
    portless = not service["spec"].get("ports")
    listed, cut = _cut_off([subset for subset in listed if portless or "ports" in subset])
    metadata: Object = {"name": name_of(service), "namespace": key_of(service)[0]}
    labels = dict(labels_of(service))
    if service["spec"].get("clusterIP") in (None, "", "None"):
        labels[HEADLESS] = ""
    if labels:
        metadata["labels"] = labels
    if cut:
        metadata["annotations"] = {OVER_CAPACITY: "truncated"}
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    return {**endpoints, "subsets": listed} if listed else endpoints


def _address(pod: Object, service: Object, ip: str) -> Object:
    address: Object = {"ip": ip}
    if has_hostname(pod, service):
        address["hostname"] = pod["spec"]["hostname"]
    if node_of(pod):
        address["nodeName"] = node_of(pod)
    return {**address, "targetRef": _target(pod)}


def _subset(ports: list[Port], ready: list[Object], waiting: list[Object]) -> Object:
    subset: Object = {}
    if ready:
        subset["addresses"] = sorted(ready, key=lambda address: address["ip"])
    if waiting:
        subset["notReadyAddresses"] = sorted(waiting, key=lambda address: address["ip"])
    named = [{name: value for name, value in port.items() if value != ""} for port in ports]
    return {**subset, "ports": named} if named else subset


def _cut_off(subsets: list[Object]) -> tuple[list[Object], bool]:
    """At most a thousand addresses, the ready ones first, each subset giving up its share."""
    ready = sum(len(subset.get("addresses", ())) for subset in subsets)
    waiting = sum(len(subset.get("notReadyAddresses", ())) for subset in subsets)
    if ready + waiting <= MAX_ADDRESSES:
        return subsets, False
    which, total = ("addresses", ready) if ready > MAX_ADDRESSES else ("notReadyAddresses", waiting)
    most = left = MAX_ADDRESSES if ready > MAX_ADDRESSES else MAX_ADDRESSES - ready
    cut = []
    for subset in subsets:
        share = min(left, math.ceil(len(subset.get(which, ())) * most / total))
        left -= share
        dropped = {"notReadyAddresses", which}
        kept = {name: value for name, value in subset.items() if name not in dropped}
        cut.append({**kept, **({which: subset[which][:share]} if share else {})})
    return [subset for subset in cut if "addresses" in subset or "notReadyAddresses" in subset], True
