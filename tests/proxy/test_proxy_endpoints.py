"""Which endpoints a node may use."""

from __future__ import annotations

import pytest
from proxy_builders import endpoint, slice_of

from netsim.proxy.endpoints import Endpoint, Endpoints, categorize, endpoints_map, local_ready_addresses


def use(endpoints: list[Endpoint], node: str = "a", zone: str = "", **options: bool) -> list[str]:
    found = categorize(Endpoints(endpoints), node, zone, uses_cluster=True, uses_local=False, **options)
    return [e.ip for e in found.cluster or ()]


def pod(ip: str, node: str = "a", **more: object) -> Endpoint:
    return Endpoint(ip, 80, node, **more)  # type: ignore[arg-type]


def test_endpoints_stand_in_the_order_of_their_text() -> None:
    assert [e.ip for e in Endpoints([pod("10.0.0.9"), pod("10.0.0.10"), pod("10.0.0.1")]).all] == [
        "10.0.0.10",
        "10.0.0.1",
        "10.0.0.9",
    ]


def test_terminating_endpoints_serve_only_when_nobody_is_ready() -> None:
    leaving = pod("10.0.0.1", ready=False, serving=True, terminating=True)
    broken = pod("10.0.0.2", ready=False, serving=False, terminating=True)
    unready = pod("10.0.0.3", ready=False, serving=False)
    assert use([leaving, broken, unready]) == ["10.0.0.1"]
    assert use([leaving, broken, pod("10.0.0.4")]) == ["10.0.0.4"]
    assert use([broken, unready]) == []


def test_serving_without_terminating_is_no_fallback() -> None:
    assert use([pod("10.0.0.1", ready=False, serving=True, terminating=False)]) == []


def test_local_falls_back_by_itself() -> None:
    here = pod("10.0.0.1", "a", ready=False, serving=True, terminating=True)
    there = pod("10.0.0.2", "b")
    found = categorize(Endpoints([here, there]), "a", "", uses_cluster=True, uses_local=True)
    assert found.local == (here,)
    assert found.cluster == (there,)
    assert [e.ip for e in found.all] == ["10.0.0.1", "10.0.0.2"]


def test_hints_count_only_if_every_ready_endpoint_has_one() -> None:
    near, far = pod("10.0.0.1", zone_hints=("x",)), pod("10.0.0.2", zone_hints=("y",))
    bare, unready = pod("10.0.0.3"), pod("10.0.0.4", ready=False)
    assert use([near, far, unready], zone="x") == ["10.0.0.1"]
    assert use([near, far, bare], zone="x") == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_zone_without_endpoints_uses_all_of_them() -> None:
    near, far = pod("10.0.0.1", zone_hints=("x",)), pod("10.0.0.2", zone_hints=("y",))
    assert use([near, far], zone="z") == use([near, far], zone="") == ["10.0.0.1", "10.0.0.2"]


def test_node_hints_come_first_and_can_be_switched_off() -> None:
    one = pod("10.0.0.1", zone_hints=("x",), node_hints=("a",))
    two = pod("10.0.0.2", zone_hints=("x",), node_hints=("b",))
    far = pod("10.0.0.3", zone_hints=("y",), node_hints=("c",))
    assert use([one, two, far], "a", "x") == ["10.0.0.1"]
    assert use([one, two, far], "d", "x") == ["10.0.0.1", "10.0.0.2"]
    assert use([one, two, far], "a", "x", node_hints=False) == ["10.0.0.1", "10.0.0.2"]


def test_topology_does_not_narrow_the_terminating_fallback() -> None:
    leaving = [
        pod(ip, ready=False, terminating=True, zone_hints=(zone,))
        for ip, zone in (("10.0.0.1", "x"), ("10.0.0.2", "y"))
    ]
    assert use(leaving, zone="x") == ["10.0.0.1", "10.0.0.2"]


def test_nodes_of_one_zone_share_one_list() -> None:
    endpoints = Endpoints([pod(f"10.0.0.{i}", zone_hints=("x" if i % 2 else "y",)) for i in range(1, 9)])
    assert endpoints.cluster("a", "x") is endpoints.cluster("b", "x")
    assert endpoints.cluster("a", "") is endpoints.ready


def test_slices_are_joined_by_port_name_and_an_address_counts_once() -> None:
    first = slice_of("web", "10.0.1.1", "10.0.2.1")
    second = slice_of("web", "10.0.2.1", "10.0.3.1")
    second["metadata"] = {**first["metadata"], "name": "web-2"}
    found = endpoints_map([first, second])["default", "web"]["", "TCP", 4]
    assert [e.ip for e in found.all] == ["10.0.1.1", "10.0.2.1", "10.0.3.1"]


def test_where_slices_disagree_about_a_node_ones_own_pod_wins() -> None:
    first, second = slice_of("web", endpoint("10.0.1.1", "a")), slice_of("web", endpoint("10.0.1.1", "b"))
    second["metadata"] = {**first["metadata"], "name": "web-2"}
    found = endpoints_map([first, second])["default", "web"]["", "TCP", 4]
    assert [found.seen_by(node).all[0].node for node in ("a", "b", "c")] == ["a", "b", "a"]
    assert found.seen_by("b").local("b")


def test_what_is_said_last_of_a_nodes_own_pod_counts_there() -> None:
    found = Endpoints([pod("10.0.0.1", ready=False), pod("10.0.0.1"), Endpoint("10.0.0.1", 80, "b")])
    assert [found.seen_by(node).all[0].ready for node in ("a", "b", "c")] == [True, True, False]
    assert not found.seen_by("c").local("c")


@pytest.mark.parametrize(
    "port", [{"name": None, "port": 80}, {"name": "", "port": None}, {"name": "", "port": 0}]
)
def test_a_port_without_name_or_number_says_nothing(port: dict[str, object]) -> None:
    slice_ = {**slice_of("web", "10.0.1.1"), "ports": [port]}
    assert endpoints_map([slice_]) == {("default", "web"): {}}


@pytest.mark.parametrize("label", ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"])
def test_slices_that_are_not_for_kube_proxy_are_not_read(label: str) -> None:
    slice_ = slice_of("web", "10.0.1.1")
    slice_["metadata"] = {**slice_["metadata"], "labels": {**slice_["metadata"]["labels"], label: ""}}
    assert endpoints_map([slice_]) == {}


def test_padded_addresses_are_read_as_decimal() -> None:
    found = endpoints_map([slice_of("web", endpoint("10.0.01.010"))])["default", "web"]["", "TCP", 4]
    assert found.all[0].address == "10.0.1.10:8080"


def test_the_health_check_counts_ready_local_addresses_once() -> None:
    here = [pod("10.0.0.1"), pod("10.0.0.2"), pod("10.0.0.3", ready=False, terminating=True)]
    other_port = [Endpoint("10.0.0.1", 443, "a"), Endpoint("10.0.0.9", 443, "b")]
    assert local_ready_addresses([Endpoints(here), Endpoints(other_port)], "a") == 2
