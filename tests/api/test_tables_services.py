"""`kubectl get services|endpoints|endpointslices`."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from netsim.api.printing import print_objects
from netsim.api.tables import View, narrow, table
from netsim.units import S

NOW = 35 * S


def golden(text: str) -> str:
    return dedent(text).removeprefix("\n")


def shown(kind: str, *objects: dict[str, Any], now: int = NOW, **options: Any) -> str:
    return print_objects(kind, objects, now=now, **options)


def row(kind: str, obj: dict[str, Any], now: int = NOW, wide: bool = False) -> dict[str, str]:
    """The cells of one object, by column."""
    one = narrow(table(kind, [obj], View(now, wide)), wide)
    return {column.name.upper(): cell for column, cell in zip(one.columns, one.rows[0], strict=True)}


def service(name: str, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "protocol": "TCP"}]
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.9",
        "clusterIPs": ["10.96.0.9"],
        "ports": ports,
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0},
        "spec": spec,
        "status": {"loadBalancer": status or {}},
    }


def balancer(*ingress: dict[str, str], **spec: Any) -> dict[str, Any]:
    return service("lb", {"ingress": list(ingress)}, type="LoadBalancer", **spec)


NODE_PORT = [
    {"port": 80, "nodePort": 30080, "protocol": "TCP"},
    {"port": 443, "nodePort": 30443, "protocol": "TCP"},
]


def test_get_services() -> None:
    objects = (
        service(
            "kubernetes", clusterIPs=["10.96.0.1"], ports=[{"port": 443, "protocol": "TCP", "name": "https"}]
        ),
        service("my-nginx", type="NodePort", ports=NODE_PORT, selector={"run": "my-nginx", "app": "web"}),
        service("headless", clusterIP="None", clusterIPs=["None"], ports=[]),
        service("elsewhere", type="ExternalName", externalName="db.example.com", clusterIPs=[], clusterIP=""),
    )
    assert shown("Service", *objects) == golden("""
        NAME         TYPE           CLUSTER-IP   EXTERNAL-IP      PORT(S)                      AGE
        kubernetes   ClusterIP      10.96.0.1    <none>           443/TCP                      35s
        my-nginx     NodePort       10.96.0.9    <none>           80:30080/TCP,443:30443/TCP   35s
        headless     ClusterIP      None         <none>           <none>                       35s
        elsewhere    ExternalName   <none>       db.example.com   80/TCP                       35s
        """)
    assert row("Service", objects[1], wide=True)["SELECTOR"] == "app=web,run=my-nginx"
    assert row("Service", objects[0], wide=True)["SELECTOR"] == "<none>"


LONG = "a1b2c3d4e5f6-1234567890.us-east-1.elb.amazonaws.com"

EXTERNAL = [
    # what                          the service                                                shown
    ("not given yet", balancer(), "<pending>"),
    ("an address", balancer({"ip": "198.51.100.1"}), "198.51.100.1"),
    ("sorted", balancer({"ip": "10.0.0.9"}, {"ip": "10.0.0.1"}), "10.0.0.1,10.0..."),
    ("a long host name is clipped to 16", balancer({"hostname": LONG}), "a1b2c3d4e5f6-..."),
    ("exactly 16 is not", balancer({"hostname": "a.b.example.com1"}), "a.b.example.com1"),
    (
        "external addresses behind",
        balancer({"ip": "10.0.0.1"}, externalIPs=["192.0.2.7"]),
        "10.0.0.1,192.0.2.7",
    ),
    ("external addresses alone", balancer(externalIPs=["192.0.2.7"]), "192.0.2.7"),
    ("of a ClusterIP", service("s", externalIPs=["192.0.2.7", "192.0.2.8"]), "192.0.2.7,192.0.2.8"),
    ("of a NodePort", service("s", type="NodePort", externalIPs=["192.0.2.7"]), "192.0.2.7"),
]


@pytest.mark.parametrize(("obj", "text"), [r[1:] for r in EXTERNAL], ids=[r[0] for r in EXTERNAL])
def test_the_external_address_of_a_service(obj: dict[str, Any], text: str) -> None:
    assert row("Service", obj)["EXTERNAL-IP"] == text


def test_a_wide_table_shows_a_long_host_name_in_full() -> None:
    assert row("Service", balancer({"hostname": LONG}), wide=True)["EXTERNAL-IP"] == LONG


def endpoints(*subsets: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "default", "creationTimestamp": 0}
    obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    return {**obj, "subsets": list(subsets)} if subsets else obj


def addresses(*last: int) -> list[dict[str, str]]:
    return [{"ip": f"10.244.1.{number}"} for number in last]


PORT = [{"port": 80, "protocol": "TCP"}]

ENDPOINTS = [
    ("none at all", endpoints(), "<none>"),
    ("not ready only", endpoints({"notReadyAddresses": addresses(2), "ports": PORT}), ""),
    ("ready", endpoints({"addresses": addresses(2, 3), "ports": PORT}), "10.244.1.2:80,10.244.1.3:80"),
    (
        "three",
        endpoints({"addresses": addresses(2, 3, 4), "ports": PORT}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.4:80",
    ),
    (
        "more than three",
        endpoints({"addresses": addresses(2, 3, 4, 5, 6), "ports": PORT}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.4:80 + 2 more...",
    ),
    (
        "ports first",
        endpoints({"addresses": addresses(2, 3), "ports": [{"port": 80}, {"port": 443}]}),
        "10.244.1.2:80,10.244.1.3:80,10.244.1.2:443 + 1 more...",
    ),
    ("without ports", endpoints({"addresses": addresses(2)}), "10.244.1.2"),
    ("IPv6", endpoints({"addresses": [{"ip": "fd00::2"}], "ports": PORT}), "[fd00::2]:80"),
]


@pytest.mark.parametrize(("obj", "text"), [r[1:] for r in ENDPOINTS], ids=[r[0] for r in ENDPOINTS])
def test_endpoints_are_the_ready_addresses(obj: dict[str, Any], text: str) -> None:
    assert row("Endpoints", obj)["ENDPOINTS"] == text


def slice_(name: str = "web-abcde", *last: int, ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    conditions = {"ready": False, "serving": False, "terminating": True}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": 0},
        "addressType": "IPv4",
        "ports": [{"port": 80, "name": "", "protocol": "TCP"}] if ports is None else ports,
        "endpoints": [{"addresses": [f"10.244.1.{number}"], "conditions": conditions} for number in last],
    }


def test_endpointslices_show_all_addresses_ready_or_not() -> None:
    two, four = slice_("web-abcde", 2, 3), slice_("web-fghij", 2, 3, 4, 5)
    assert shown("EndpointSlice", two, four) == golden("""
        NAME        ADDRESSTYPE   PORTS   ENDPOINTS                                      AGE
        web-abcde   IPv4          80      10.244.1.2,10.244.1.3                          35s
        web-fghij   IPv4          80      10.244.1.2,10.244.1.3,10.244.1.4 + 1 more...   35s
        """)


def test_an_empty_slice_has_neither_ports_nor_endpoints_set() -> None:
    cells = row("EndpointSlice", slice_(ports=[]))
    assert (cells["PORTS"], cells["ENDPOINTS"]) == ("<unset>", "<unset>")


def test_a_slice_port_without_a_number_is_called_by_its_name() -> None:
    assert row("EndpointSlice", slice_(ports=[{"name": "http"}, {"name": None}]))["PORTS"] == "http,*"
