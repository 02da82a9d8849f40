"""`kubectl describe endpoints` and `endpointslice`: which addresses stand behind a Service, port by port.

Source: kubectl pkg/describe, describe.go (describeEndpoints, describeEndpointSliceV1).
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.describe.events import events_of, write_events
from netsim.api.describe.heading import headed
from netsim.api.describe.lookup import Lookup
from netsim.api.describe.page import Page
from netsim.api.objects import Object
from netsim.api.tables.columns import NONE, UNSET

PORT_COLUMNS = ("Name", "Port", "Protocol")


def describe_endpoints(endpoints: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of an Endpoints object."""
    page = headed(endpoints)
    page.line("Subsets:")
    for subset in endpoints.get("subsets") or ():
        page.line("Addresses:", _addresses(subset.get("addresses")), level=1)
        page.line("NotReadyAddresses:", _addresses(subset.get("notReadyAddresses")), level=1)
        if subset.get("ports"):
            page.line("Ports:", level=1)
            _ports(page, subset["ports"], 2)
        page.line("")
    return _ended(page, endpoints, lookup, now)


def describe_endpoint_slice(endpoint_slice: Object, lookup: Lookup, now: int) -> str:
    """Everything that kubectl tells of an EndpointSlice."""
    page = headed(endpoint_slice)
    page.line("AddressType:", endpoint_slice.get("addressType", "IPv4"))
    if endpoint_slice.get("ports"):
        page.line("Ports:")
        _ports(page, endpoint_slice["ports"], 1)
    else:
        page.line(f"Ports: {UNSET}")
    if endpoint_slice.get("endpoints"):
        page.line("Endpoints:")
    else:
        page.line(f"Endpoints: {NONE}")
    for endpoint in endpoint_slice.get("endpoints") or ():
        _endpoint(page, endpoint)
    return _ended(page, endpoint_slice, lookup, now)


def _endpoint(page: Page, endpoint: Object) -> None:
    ready = (endpoint.get("conditions") or {}).get("ready")
    page.line("- Addresses:", ", ".join(endpoint.get("addresses") or ()) or NONE, level=1)
    page.line("Conditions:", level=2)
    page.line("Ready:", UNSET if ready is None else str(ready).lower(), level=3)
    page.line("Hostname:", endpoint.get("hostname") or UNSET, level=2)
    target = endpoint.get("targetRef")
    if target:
        page.line("TargetRef:", f"{target['kind']}/{target['name']}", level=2)
    page.line("NodeName:", endpoint.get("nodeName") or UNSET, level=2)
    page.line("Zone:", endpoint.get("zone") or UNSET, level=2)


def _addresses(addresses: Iterable[Object] | None) -> str:
    return ",".join(one["ip"] for one in addresses or ()) or NONE


def _ports(page: Page, ports: Iterable[Object], level: int) -> None:
    page.line(*PORT_COLUMNS, level=level)
    page.line(*("-" * len(column) for column in PORT_COLUMNS), level=level)
    for port in ports:
        page.line(port.get("name") or UNSET, port.get("port", UNSET), port.get("protocol", "TCP"), level=level)


def _ended(page: Page, obj: Object, lookup: Lookup, now: int) -> str:
    write_events(page, events_of(obj, lookup("Event", obj["metadata"].get("namespace"))), now)
    return str(page)
