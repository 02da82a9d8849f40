"""Which pods are endpoints, in which condition, at which ports; and the legacy Endpoints object."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import node, pod, running, service

from netsim.control.endpoints import (
    OVER_CAPACITY,
    Memory,
    address_types,
    change_matters,
    counts,
    endpoint_of,
    endpoint_ports,
    endpoints_of,
    has_endpoints,
    services_of,
)


@pytest.mark.parametrize(
    ("more", "publish", "conditions"),
    [
        ({}, False, (True, True, False)),
        ({"is_ready": False}, False, (False, False, False)),
        ({"leaving": True}, False, (False, True, True)),
        ({"leaving": True, "is_ready": False}, False, (False, False, True)),
        ({"is_ready": False}, True, (True, False, False)),
        ({"leaving": True}, True, (True, True, True)),
    ],
)
def test_ready_serving_terminating(more: dict[str, Any], publish: bool, conditions: tuple[bool, ...]) -> None:
    made = running("web-1", "10.244.1.5", **more)
    found = endpoint_of(made, None, service(publishNotReadyAddresses=publish))["conditions"]
    assert (found["ready"], found["serving"], found["terminating"]) == conditions


@pytest.mark.parametrize(
    ("made", "among_all", "among_staying"),
    [
        (running("p", "10.0.0.1"), True, True),
        (running("p", "10.0.0.1", leaving=True), True, False),
        (running("p", "10.0.0.1", phase="Succeeded"), False, False),
        (running("p", "10.0.0.1", phase="Failed"), False, False),
        (running("p", "10.0.0.1", phase="Unknown"), True, True),
        (pod("no-address"), False, False),
    ],
)
def test_a_pod_counts_from_its_address_to_its_end(
    made: dict[str, Any], among_all: bool, among_staying: bool
) -> None:
    assert (counts(made), counts(made, terminating=False)) == (among_all, among_staying)


def test_an_endpoint_says_where_its_pod_is() -> None:
    made = running("web-1", "10.244.1.5", spec={"hostname": "one", "subdomain": "web"})
    assert endpoint_of(made, node("node-1", "zone-a"), service()) == {
        "addresses": ["10.244.1.5"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "targetRef": {"kind": "Pod", "namespace": "default", "name": "web-1", "uid": "uid-web-1"},
        "nodeName": "node-1",
        "zone": "zone-a",
        "hostname": "one",
    }
    assert "hostname" not in endpoint_of(made, None, service("other"))


def test_an_endpoint_has_the_addresses_of_its_family_alone() -> None:
    made = running("web-1", "10.244.1.5")
    made["status"]["podIPs"].append({"ip": "fd00::0005"})
    assert endpoint_of(made, None, service(), "IPv4")["addresses"] == ["10.244.1.5"]
    assert endpoint_of(made, None, service(), "IPv6")["addresses"] == ["fd00::5"]


def test_named_ports_are_looked_up_in_each_pod() -> None:
    ports = [
        {"name": "http", "port": 80, "targetPort": "web"},
        {"name": "more", "port": 81, "targetPort": "none"},
    ]
    made = running("p", "10.0.0.1")
    made["spec"]["containers"][0]["ports"] = [
        {"name": "web", "containerPort": 53, "protocol": "UDP"},
        {"name": "web", "containerPort": 8080},
    ]
    assert endpoint_ports(service(ports=ports), made) == [{"name": "http", "port": 8080, "protocol": "TCP"}]


def test_without_a_target_port_the_port_itself_is_meant() -> None:
    assert endpoint_ports(service(ports=[{"port": 80}]), running("p", "10.0.0.1")) == [
        {"name": "", "port": 80, "protocol": "TCP"}
    ]


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({"ipFamilies": ["IPv6", "IPv4"]}, ["IPv4", "IPv6"]),
        ({"ipFamilies": None, "clusterIP": "fd00::1"}, ["IPv6"]),
        ({"ipFamilies": None, "clusterIP": "10.0.0.1"}, ["IPv4"]),
        ({"ipFamilies": None, "clusterIP": "None"}, ["IPv4", "IPv6"]),
    ],
)
def test_the_families_of_a_service(spec: dict[str, Any], types: list[str]) -> None:
    assert address_types(service(**spec)) == types


def test_a_service_without_a_selector_has_no_pods() -> None:
    made = running("p", "10.0.0.1", labels={"app": "web"})
    blank, other = service("blank", selector=None), service("web")
    assert services_of(made, [blank, other, service("db")]) == [other]
    assert not has_endpoints(blank)
    assert not has_endpoints(service(type="ExternalName"))
    assert has_endpoints(other)


def test_only_some_changes_of_a_pod_matter() -> None:
    old = running("p", "10.0.0.1")
    touched = {**old, "metadata": {**old["metadata"], "resourceVersion": "9", "annotations": {"a": "b"}}}
    assert change_matters(old, touched) == (False, False)
    assert change_matters(old, running("p", "10.0.0.1", is_ready=False)) == (True, False)
    assert change_matters(old, running("p", "10.0.0.1", leaving=True)) == (True, False)
    assert change_matters(old, running("p", "10.0.0.2")) == (True, False)
    assert change_matters(old, running("p", "10.0.0.1", "node-2")) == (False, False)
    assert change_matters(old, running("p", "10.0.0.1", phase="Failed", is_ready=False)) == (True, False)
    assert change_matters(old, running("p", "10.0.0.1", labels={"app": "web"})) == (False, True)


def test_what_was_worked_out_is_used_again_until_pod_or_zone_changes() -> None:
    memory, made, to = Memory(), running("p", "10.0.0.1"), service()
    memory.begin()
    first = memory.look(to, made, node("n", "a"), "IPv4")
    memory.begin()
    assert memory.look(to, made, node("n", "a"), "IPv4") is first
    memory.begin()
    moved = memory.look(to, made, node("n", "b"), "IPv4")
    assert moved.endpoint["zone"] == "b"
    memory.begin()
    assert memory.look(to, running("p", "10.0.0.1"), node("n", "b"), "IPv4") is not moved


# the legacy object -----------------------------------------------------------------------------------------


def test_endpoints_list_ready_and_waiting_addresses_and_drop_those_that_leave() -> None:
    pods = [
        running("b", "10.0.0.2"),
        running("a", "10.0.0.1"),
        running("c", "10.0.0.3", is_ready=False),
        running("d", "10.0.0.4", leaving=True),
    ]
    (subset,) = endpoints_of(service(), pods)["subsets"]
    assert [address["ip"] for address in subset["addresses"]] == ["10.0.0.1", "10.0.0.2"]
    assert [address["ip"] for address in subset["notReadyAddresses"]] == ["10.0.0.3"]
    assert subset["ports"] == [{"name": "http", "port": 80, "protocol": "TCP"}]


def test_endpoints_without_pods_have_no_subsets() -> None:
    assert "subsets" not in endpoints_of(service(), [])


def test_pods_with_other_numbers_behind_a_name_are_another_subset() -> None:
    pods = [running("a", "10.0.0.1"), running("b", "10.0.0.2")]
    for made, number in zip(pods, (8080, 9090), strict=True):
        made["spec"]["containers"][0]["ports"] = [{"name": "web", "containerPort": number}]
    to = service(ports=[{"port": 80, "targetPort": "web"}])
    found = endpoints_of(to, [*pods, running("c", "10.0.0.3")])["subsets"]
    assert [(s["ports"][0]["port"], len(s["addresses"])) for s in found] == [(8080, 1), (9090, 1)]


def test_a_headless_service_without_ports_lists_bare_addresses() -> None:
    found = endpoints_of(service(clusterIP="None", ports=None), [running("a", "10.0.0.1")])
    assert [address["ip"] for address in found["subsets"][0]["addresses"]] == ["10.0.0.1"]
    assert "ports" not in found["subsets"][0]
    assert found["metadata"]["labels"] == {"service.kubernetes.io/headless": ""}


def test_endpoints_are_cut_off_at_a_thousand_the_ready_ones_first() -> None:
    def many(count: int, first: int, **more: Any) -> list[dict[str, Any]]:
        return [running(f"p{first + i}", f"10.1.{i // 250}.{i % 250 + 1}", **more) for i in range(count)]

    waiting = many(700, 2000, is_ready=False)
    few = endpoints_of(service(), [*many(600, 0), *waiting])
    assert few["metadata"]["annotations"] == {OVER_CAPACITY: "truncated"}
    assert (len(few["subsets"][0]["addresses"]), len(few["subsets"][0]["notReadyAddresses"])) == (600, 400)
    full = endpoints_of(service(), [*many(1200, 0), *waiting])
    assert len(full["subsets"][0]["addresses"]) == 1000
    assert "notReadyAddresses" not in full["subsets"][0]
    assert "annotations" not in endpoints_of(service(), many(1000, 0))["metadata"]
