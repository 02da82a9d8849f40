"""The cells of `kubectl get services|endpoints|endpointslices`.

Endpoints show ready addresses only, with their ports; EndpointSlices show *all* addresses, ready or not,
bare. So after a node died its pods leave `get endpoints` at once and stay in `get endpointslices`.
Source: kubernetes/pkg/printers/internalversion, printers.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netsim.api.objects import Object
from netsim.api.tables.columns import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    View,
    field,
    first_few,
    host_port,
    labels_text,
)

CLIP = 16
"""A load balancer's addresses are cut to this width, unless the table is wide."""


def load_balancer_text(service: Object, wide: bool) -> str:
    """The addresses that a load balancer gave, sorted; a long list or host name is clipped."""
    ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or ()
    text = ",".join(sorted({one.get("ip") or one.get("hostname") or "" for one in ingress} - {""}))
    return text if wide or len(text) <= CLIP else f"{text[: CLIP - 3]}..."


def _external(service: Object, view: View) -> str:
    spec = service["spec"]
    kind = spec.get("type", "ClusterIP")
    if kind == "ExternalName":
        return spec.get("externalName", "")
    given = list(spec.get("externalIPs") or ())
    if kind != "LoadBalancer":
        return ",".join(given) or NONE
    balancer = load_balancer_text(service, view.wide)
    return ",".join([balancer, *given] if balancer else given) or "<pending>"


def _cluster_ip(service: Object, view: View) -> str:
    spec = service["spec"]
    return next(iter(spec.get("clusterIPs") or ()), None) or spec.get("clusterIP") or NONE


def _ports(service: Object, view: View) -> str:
    return ",".join(_port(port) for port in service["spec"].get("ports") or ()) or NONE


def _port(port: Object) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def _selector(service: Object, view: View) -> str:
    return labels_text(service["spec"].get("selector"))


SERVICE = (
    NAME,
    Column("Type", field("spec", "type", default="ClusterIP")),
    Column("Cluster-IP", _cluster_ip),
    Column("External-IP", _external),
    Column("Port(s)", _ports),
    AGE,
    Column("Selector", _selector, wide=True),
)


def _ready_addresses(endpoints: Object) -> Iterator[str]:
    for subset in endpoints.get("subsets") or ():
        addresses = [address["ip"] for address in subset.get("addresses") or ()]
        if not subset.get("ports"):
            yield from addresses
        for port in subset.get("ports") or ():
            yield from (host_port(address, port["port"]) for address in addresses)


def _endpoints(endpoints: Object, view: View) -> str:
    return first_few(_ready_addresses(endpoints), empty="") if endpoints.get("subsets") else NONE


ENDPOINTS = (NAME, Column("Endpoints", _endpoints), AGE)


def _slice_ports(slice_: Object, view: View) -> str:
    return first_few((_slice_port(port) for port in slice_.get("ports") or ()), UNSET)


def _slice_port(port: Object) -> str:
    number: Any = port.get("port")
    if number is not None:
        return str(number)
    name: Any = port.get("name")
    return "*" if name is None else str(name)


def _slice_addresses(slice_: Object, view: View) -> str:
    endpoints = slice_.get("endpoints") or ()
    return first_few((address for one in endpoints for address in one["addresses"]), UNSET)


ENDPOINT_SLICE = (
    NAME,
    Column("AddressType", field("addressType")),
    Column("Ports", _slice_ports),
    Column("Endpoints", _slice_addresses),
    AGE,
)
