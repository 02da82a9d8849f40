"""`kubectl describe service`.

Endpoints are read from the Service's EndpointSlices: the ready ones, port by port, the first three. Release
1.32 has no lines for appProtocol and trafficDistribution. Source: kubectl pkg/describe, describeService.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.objects import SERVICE_NAME, Object, labels_of, name_of
from netsim.api.tables.columns import NONE, UNSET, first_few, host_port, labels_text


def describe_service(service: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of a Service."""
    metadata = service["metadata"]
    namespace = metadata.get("namespace", "default")
    page = Page()
    page.line("Name:", metadata["name"])
    page.line("Namespace:", namespace)
    page.labels("Labels", metadata.get("labels"))
    page.annotations("Annotations", metadata.get("annotations"))
    _addresses(page, service)
    every = lookup("EndpointSlice", namespace)
    slices = sorted((s for s in every if labels_of(s).get(SERVICE_NAME) == metadata["name"]), key=name_of)
    for port in service["spec"].get("ports") or ():
        _port(page, port, slices)
    _policies(page, service["spec"])
    write_events(page, events_of(service, lookup("Event", namespace)), now)
    return str(page)


def _addresses(page: Page, service: Object) -> None:
    spec = service["spec"]
    page.line("Selector:", labels_text(spec.get("selector")))
    page.line("Type:", spec.get("type", "ClusterIP"))
    if spec.get("ipFamilyPolicy"):
        page.line("IP Family Policy:", spec["ipFamilyPolicy"])
    page.line("IP Families:", ",".join(spec.get("ipFamilies") or ()) or NONE)
    page.line("IP:", spec.get("clusterIP", ""))
    page.line("IPs:", ",".join(spec.get("clusterIPs") or ()) or NONE)
    for title, value in (
        ("External IPs", ",".join(spec.get("externalIPs") or ())),
        ("Desired LoadBalancer IP", spec.get("loadBalancerIP")),
        ("External Name", spec.get("externalName")),
        ("LoadBalancer Ingress", ", ".join(_ingresses(service))),
    ):
        if value:
            page.line(f"{title}:", value)


def _ingresses(service: Object) -> Iterator[str]:
    for one in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        if one.get("ip"):
            yield f"{one['ip']} ({one['ipMode']})" if one.get("ipMode") else one["ip"]
        else:
            yield one.get("hostname", "")


def _port(page: Page, port: Object, slices: list[Object]) -> None:
    name, protocol = port.get("name") or UNSET, port.get("protocol", "TCP")
    page.line("Port:", name, f"{port['port']}/{protocol}")
    page.line("TargetPort:", f"{port.get('targetPort', port['port'])}/{protocol}")
    if port.get("nodePort"):
        page.line("NodePort:", name, f"{port['nodePort']}/{protocol}")
    page.line("Endpoints:", endpoints_text(slices, port.get("name", "")))


def endpoints_text(slices: Iterable[Object], port_name: str) -> str:
    """The ready endpoints of one port, first three and how many more; without slices `<none>`."""
    listed = list(slices)
    return first_few(_ready(listed, port_name), empty="") if listed else NONE


def _ready(slices: Iterable[Object], port_name: str) -> Iterator[str]:
    for one in slices:
        addresses = [e["addresses"][0] for e in one.get("endpoints") or () if _is_ready(e)]
        if not one.get("ports"):
            yield from addresses
        for port in one.get("ports") or ():
            if (port.get("name") or "") == port_name:
                yield from (host_port(address, port["port"]) for address in addresses)


def _is_ready(endpoint: Object) -> bool:
    """An endpoint that does not say is ready."""
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _policies(page: Page, spec: Object) -> None:
    page.line("Session Affinity:", spec.get("sessionAffinity", "None"))
    for title, value in (
        ("External Traffic Policy", spec.get("externalTrafficPolicy")),
        ("Internal Traffic Policy", spec.get("internalTrafficPolicy")),
        ("HealthCheck NodePort", spec.get("healthCheckNodePort")),
        ("LoadBalancer Source Ranges", ",".join(spec.get("loadBalancerSourceRanges") or ())),
    ):
        if value:
            page.line(f"{title}:", value)
