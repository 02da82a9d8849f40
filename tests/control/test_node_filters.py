"""Which nodes a pod may go to by what they are, and which of them it prefers."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import node, pod

from netsim.control.node_scores import balanced_allocation, least_allocated, node_affinity, taint_toleration
from netsim.control.scheduling import Cache, PodInfo, feasible

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def reasons(made: dict[str, Any], *nodes: dict[str, Any]) -> dict[str, int]:
    return dict(feasible(PodInfo.of(made), Cache(nodes)).reasons)


def node_affinity_of(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


SSD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}


@pytest.mark.parametrize(
    ("spec", "more", "reason"),
    [
        ({}, {"unschedulable": True}, "node(s) were unschedulable"),
        ({"nodeName": "other"}, {}, "node(s) didn't match the requested node name"),
        (
            {},
            {"taints": [{"key": "gpu", "value": "yes", "effect": "NoExecute"}]},
            "node(s) had untolerated taint {gpu: yes}",
        ),
        ({"nodeSelector": {"disk": "ssd"}}, {}, "node(s) didn't match Pod's node affinity/selector"),
        ({"affinity": node_affinity_of(SSD)}, {}, "node(s) didn't match Pod's node affinity/selector"),
        ({"affinity": node_affinity_of()}, {}, "node(s) didn't match Pod's node affinity/selector"),
    ],
)
def test_each_filter_has_its_own_reason(spec: dict[str, Any], more: dict[str, Any], reason: str) -> None:
    assert reasons(pod("p", **spec), node("a", **more)) == {reason: 1}


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ({}, {"taints": [{"key": "soft", "effect": "PreferNoSchedule"}]}),
        ({"tolerations": [{"operator": "Exists"}]}, {"unschedulable": True}),
        ({"nodeSelector": {"disk": "ssd"}}, {"labels": {"disk": "ssd"}}),
        ({"affinity": node_affinity_of({}, SSD)}, {"labels": {"disk": "ssd"}}),
    ],
)
def test_what_is_met_or_tolerated_refuses_nothing(spec: dict[str, Any], more: dict[str, Any]) -> None:
    assert reasons(pod("p", **spec), node("a", **more)) == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"operator": "NotIn"},
        {"operator": "NotIn", "values": []},
        {"operator": "Exists", "values": ["ssd"]},
        {"operator": "Gt", "values": ["1", "2"]},
        {"operator": "Like", "values": ["ssd"]},
    ],
)
def test_a_rule_with_another_number_of_values_than_it_takes_is_met_by_no_node(rule: dict[str, Any]) -> None:
    nonsense = {"matchExpressions": [{"key": "disk", **rule}]}
    refused = {"node(s) didn't match Pod's node affinity/selector": 1}
    assert reasons(pod("p", affinity=node_affinity_of(nonsense)), node("a", labels={"disk": "7"})) == refused
    assert reasons(pod("p", affinity=node_affinity_of(nonsense, SSD)), node("a", labels={"disk": "ssd"})) == {}


def test_resources_by_other_names_are_counted_too() -> None:
    made = pod("p")
    made["spec"]["containers"][0]["resources"]["requests"] = {"example.com/gpu": "2"}
    assert reasons(made, node("none"), node("one", has={"example.com/gpu": "1"})) == {
        "Insufficient example.com/gpu": 2
    }
    assert reasons(made, node("two", has={"example.com/gpu": "2"})) == {}


def test_disks_count_only_where_nodes_say_how_large_they_are() -> None:
    made = pod("p")
    made["spec"]["containers"][0]["resources"]["requests"] = {"ephemeral-storage": "2Gi"}
    assert reasons(made, node("silent"), node("small", has={"ephemeral-storage": "1Gi"})) == {
        "Insufficient ephemeral-storage": 1
    }


def host_port(port: int, ip: str = "", protocol: str = "TCP") -> dict[str, Any]:
    return {"containerPort": port, "hostPort": port, "hostIP": ip, "protocol": protocol}


@pytest.mark.parametrize(
    ("taken", "wanted", "free"),
    [
        (host_port(80), host_port(80), False),
        (host_port(80), host_port(81), True),
        (host_port(80), host_port(80, protocol="UDP"), True),
        (host_port(80, "10.0.0.1"), host_port(80, "10.0.0.2"), True),
        (host_port(80, "10.0.0.1"), host_port(80), False),
        (host_port(80), host_port(80, "10.0.0.1"), False),
    ],
)
def test_a_host_port_is_had_once_an_address(
    taken: dict[str, Any], wanted: dict[str, Any], free: bool
) -> None:
    cache = Cache([node("a")])
    for made, port in ((first := pod("first", nodeName="a"), taken), (second := pod("second"), wanted)):
        made["spec"]["containers"][0]["ports"] = [port]
    cache.add(PodInfo.of(first))
    found = feasible(PodInfo.of(second), cache)
    assert [info.name for info in found.nodes] == (["a"] if free else [])
    assert dict(found.reasons) == (
        {} if free else {"node(s) didn't have free ports for the requested pod ports": 1}
    )


# scores --------------------------------------------------------------------------------------------------


def test_the_least_allocated_score_is_the_mean_of_what_would_be_left() -> None:
    cache = Cache([node("a", cpu="4", memory="4Gi"), node("b", cpu="1", memory="4Gi")])
    info = PodInfo.of(pod("p", cpu="1", memory="1Gi"))
    assert least_allocated(info, cache.in_order(), cache) == [75, (0 + 75) // 2]


def test_the_balanced_score_falls_with_the_difference_of_the_shares() -> None:
    cache = Cache([node("a", cpu="4", memory="4Gi"), node("b", cpu="2", memory="4Gi")])
    info = PodInfo.of(pod("p", cpu="1", memory="1Gi"))
    assert balanced_allocation(info, cache.in_order(), cache) == [100, 87]


def test_soft_taints_and_preferences_are_normalised_to_a_hundred() -> None:
    soft = [{"key": key, "effect": "PreferNoSchedule"} for key in ("x", "y")]
    cache = Cache([node("a", taints=soft), node("b", taints=soft[:1], labels={"disk": "ssd"}), node("c")])
    terms = [{"weight": 10, "preference": SSD}, {"weight": 5, "preference": {}}]
    info = PodInfo.of(pod("p", affinity={"nodeAffinity": {PREFERRED: terms}}))
    assert taint_toleration(info, cache.in_order(), cache) == [0, 50, 100]
    assert node_affinity(info, cache.in_order(), cache) == [0, 100, 0]


def test_a_preference_that_nobody_has_is_no_score() -> None:
    cache = Cache([node("a"), node("b")])
    info = PodInfo.of(pod("p"))
    assert taint_toleration(info, cache.in_order(), cache) is None
    assert node_affinity(info, cache.in_order(), cache) is None
