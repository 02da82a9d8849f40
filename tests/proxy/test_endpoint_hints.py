"""Hints as the EndpointSlice controller writes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.control.hints import (
    MODE_ANNOTATION,
    Slices,
    allocate,
    cpu_by_zone,
    cpu_ratios,
    hints,
    topology_hints,
    traffic_distribution_hints,
)


def entry(zone: str | None, node: str = "n", *, ready: bool = True, number: int = 0) -> dict[str, Any]:
    found = {"addresses": [f"10.0.0.{number}"], "conditions": {"ready": ready}, "nodeName": node}
    return found if zone is None else {**found, "zone": zone}


def zones(slices: Slices) -> Counter[str]:
    return Counter(
        zone["name"]
        for entries in slices.all()
        for e in entries
        for zone in e.get("hints", {}).get("forZones", ())
    )


def node(zone: str, cpu: str = "1", ready: str = "True", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": zone, **labels}},
        "status": {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": ready}]},
    }


def test_each_ready_endpoint_is_hinted_to_its_own_zone() -> None:
    slices = Slices(create=[[entry("a"), entry("b", ready=False), entry(None)]])
    found = traffic_distribution_hints(slices, "PreferClose")
    assert zones(found) == {"a": 1}
    assert "hints" not in slices.create[0][0]  # nothing was changed in place


def test_prefer_same_node_hints_the_node_too() -> None:
    ((found,),) = traffic_distribution_hints(Slices(create=[[entry("a", "n1")]]), "PreferSameNode").create
    assert found["hints"] == {"forZones": [{"name": "a"}], "forNodes": [{"name": "n1"}]}


@pytest.mark.parametrize("value", [None, "Unknown", "PreferSameZone"])
def test_hints_nobody_asked_for_are_taken_away(value: str | None) -> None:
    hinted = {**entry("a"), "hints": {"forZones": [{"name": "a"}]}}
    found = traffic_distribution_hints(Slices(unchanged=[[hinted]]), value, same_gate=False)
    assert zones(found) == {}
    assert (len(found.update), len(found.unchanged)) == (1, 0)


def test_a_slice_that_is_right_stays_unchanged() -> None:
    right = [{**entry("a"), "hints": {"forZones": [{"name": "a"}]}}, entry("b", ready=False)]
    wrong = [{**entry("a"), "hints": {"forZones": [{"name": "b"}]}}]
    found = traffic_distribution_hints(Slices(unchanged=[right, wrong]), "PreferClose")
    assert found.unchanged == [right]
    assert zones(found) == {"a": 2}


def test_the_annotation_wins_over_the_field() -> None:
    service = {
        "metadata": {"annotations": {MODE_ANNOTATION: "Auto"}},
        "spec": {"trafficDistribution": "PreferClose"},
    }
    slices = Slices(create=[[entry("a"), entry("b"), entry("b"), entry("b")]])
    found, notice = hints(slices, service, {"a": 0.5, "b": 0.5})
    assert zones(found) == {"a": 2, "b": 2}  # one is lent
    assert notice is not None
    assert notice.type == "Normal"
    without, notice = hints(slices, {"metadata": {}, "spec": service["spec"]}, {"a": 0.5, "b": 0.5})
    assert (zones(without), notice) == ({"a": 1, "b": 3}, None)


def test_control_plane_and_unready_nodes_do_not_count() -> None:
    nodes = [
        node("a", "500m"),
        node("b", "1500m"),
        node("b", "8", ready="False"),
        node("c", "8", **{"node-role.kubernetes.io/control-plane": ""}),
    ]
    assert cpu_by_zone(nodes) == {"a": 500, "b": 1500}
    assert cpu_ratios(nodes) == {"a": 0.25, "b": 0.75}


@pytest.mark.parametrize("bad", [node(""), node("a", "0"), None])
def test_a_node_that_does_not_say_enough_stops_it_all(bad: dict[str, Any] | None) -> None:
    nodes = [node("a"), *([node("b"), bad] if bad else [])]
    assert cpu_by_zone(nodes) is None
    found, notice = topology_hints(Slices(create=[[entry("a"), entry("b")]]), cpu_ratios(nodes))
    assert (zones(found), notice.message_id) == ({}, "InsufficientNodeInfo")


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 20), min_size=2),
    st.lists(st.sampled_from("abcd"), max_size=40),
)
def test_no_zone_gets_less_than_its_share_by_more_than_a_fifth(cpu: dict[str, int], homes: list[str]) -> None:
    ratios = {zone: amount / sum(cpu.values()) for zone, amount in cpu.items()}
    slices = Slices(create=[[entry(zone, number=i) for i, zone in enumerate(homes)]])
    found, notice = topology_hints(slices, ratios)
    counts = zones(found)
    if notice.type == "Warning":
        assert counts == {}
        assert not isinstance(allocate(ratios, len(homes)), dict)
    else:
        assert sum(counts.values()) == len(homes)  # every endpoint is somebody's
        if set(homes) <= set(ratios):
            for zone, ratio in ratios.items():
                assert counts[zone] >= ratio * len(homes) / 1.2 - 1
