"""Taints, tolerations, zones of nodes and the rate of evictions."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import node, pod, ready

from netsim.control.evictions import countdown
from netsim.control.taints import (
    EXCLUDE_DISRUPTION,
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    condition_taints,
    eviction_rate,
    no_execute_key,
    tolerates,
    untolerated,
    with_default_tolerations,
    zone_key,
    zone_state,
)
from netsim.control.timings import Timings, timings
from netsim.units import S

TAINT = {"key": "k", "value": "v", "effect": "NoExecute"}
SILENT = {"key": UNREACHABLE, "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("toleration", "borne"),
    [
        ({}, False),
        ({"operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "value": "v"}, True),
        ({"key": "k", "value": "v", "operator": "Equal", "effect": "NoExecute"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, False),
        ({"key": "k", "value": "w"}, False),
        ({"key": "j", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Foo", "value": "v"}, False),
    ],
)
def test_a_toleration_bears_what_its_key_value_and_effect_match(
    toleration: dict[str, Any], borne: bool
) -> None:
    assert tolerates(toleration, TAINT) == borne


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "borne"),
    [
        ("Gt", "750", "950", True),
        ("Gt", "950", "950", False),
        ("Lt", "-100", "-200", True),
        ("Lt", "800", "950", False),
        ("Gt", "0750", "950", False),
        ("Gt", "+1", "950", False),
        ("Gt", "-0", "950", False),
        ("Gt", "1", "high", False),
        ("Gt", "1", str(2**63), False),
    ],
)
def test_comparisons_take_canonical_integers_only(
    operator: str, wanted: str, given: str, borne: bool
) -> None:
    toleration = {"key": "sla", "operator": operator, "value": wanted}
    taint = {"key": "sla", "value": given, "effect": "NoSchedule"}
    assert tolerates(toleration, taint, comparisons=True) == borne
    assert not tolerates(toleration, taint)


def test_only_taints_of_the_effects_in_question_keep_away() -> None:
    soft = {"key": "soft", "effect": "PreferNoSchedule"}
    assert untolerated([soft, TAINT], []) == TAINT
    assert untolerated([soft], []) is None
    assert untolerated([soft], [], ("PreferNoSchedule",)) == soft


def eviction_delay(taints: list[dict[str, Any]], tolerations: list[dict[str, Any]]) -> int | None:
    """How long a pod may stay on a node with these NoExecute taints; None means for ever."""
    found = countdown(taints, tolerations, None, now=0)
    return None if found is None else found.due


@pytest.mark.parametrize(
    ("tolerations", "delay"),
    [
        ([], 0),
        ([{"operator": "Exists"}], None),
        ([{"operator": "Exists", "tolerationSeconds": 300}], 300 * S),
        ([{"operator": "Exists", "tolerationSeconds": 0}], 0),
        ([{"operator": "Exists", "tolerationSeconds": -5}], 0),
        ([{"key": "other", "operator": "Exists"}], 0),
        # of several that match one taint, the first counts, whatever the others say
        (
            [{"operator": "Exists", "tolerationSeconds": 60}, {"operator": "Exists", "tolerationSeconds": 5}],
            60 * S,
        ),
    ],
)
def test_a_pod_stays_as_long_as_its_tolerations_hold(
    tolerations: list[dict[str, Any]], delay: int | None
) -> None:
    assert eviction_delay([SILENT], tolerations) == delay


def test_of_several_taints_the_shortest_toleration_decides() -> None:
    tolerations = [
        {"key": "a", "operator": "Exists", "tolerationSeconds": 30},
        {"key": "b", "operator": "Exists"},
        {"key": "c", "operator": "Exists", "tolerationSeconds": 20},
    ]
    taints = [{"key": key, "effect": "NoExecute"} for key in "abc"]
    assert eviction_delay(taints, tolerations) == 20 * S
    assert eviction_delay(taints[:2], tolerations) == 30 * S
    assert eviction_delay(taints[1:2], tolerations) is None
    assert eviction_delay([], tolerations) is None


def test_admission_gives_a_pod_300_seconds_on_a_silent_node() -> None:
    admitted = with_default_tolerations(pod("p"), Timings())["spec"]["tolerations"]
    assert admitted == [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in (NOT_READY, UNREACHABLE)
    ]


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ([{"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": 5}], [NOT_READY]),
        ([{"key": UNREACHABLE, "operator": "Exists", "effect": "NoSchedule"}], [NOT_READY, UNREACHABLE]),
        ([{"operator": "Exists"}], []),
        ([{"key": "mine", "operator": "Exists"}], [NOT_READY, UNREACHABLE]),
    ],
)
def test_a_pod_that_speaks_for_itself_is_left_alone(own: list[dict[str, Any]], added: list[str]) -> None:
    admitted = with_default_tolerations(pod("p", tolerations=own), Timings())["spec"]["tolerations"]
    assert admitted[: len(own)] == own
    assert [toleration["key"] for toleration in admitted[len(own) :]] == added


def test_the_profile_decides_how_long_pods_bear_it() -> None:
    fast = with_default_tolerations(pod("p"), timings("1.32", "fast"))
    assert {t["tolerationSeconds"] for t in fast["spec"]["tolerations"]} == {30}


@pytest.mark.parametrize(
    ("conditions", "unschedulable", "keys"),
    [
        (ready("True"), False, []),
        (ready("False"), False, [NOT_READY]),
        (ready("Unknown"), True, [UNREACHABLE, UNSCHEDULABLE]),
        ([], False, []),
        ([{"type": "DiskPressure", "status": "True"}], False, ["node.kubernetes.io/disk-pressure"]),
        ([{"type": "DiskPressure", "status": "Unknown"}], False, []),
    ],
)
def test_conditions_become_no_schedule_taints(
    conditions: list[dict[str, Any]], unschedulable: bool, keys: list[str]
) -> None:
    missing, stale = condition_taints(node("a", conditions=conditions, unschedulable=unschedulable))
    assert [(taint["key"], taint["effect"]) for taint in missing] == [(key, "NoSchedule") for key in keys]
    assert stale == []


def test_taints_whose_condition_has_passed_go_and_others_stay() -> None:
    taints = [{"key": key, "effect": "NoSchedule"} for key in (NOT_READY, "mine")]
    taints.append({"key": NOT_READY, "effect": "NoExecute"})
    missing, stale = condition_taints(node("a", conditions=ready("Unknown"), taints=taints))
    assert [taint["key"] for taint in missing] == [UNREACHABLE]
    assert stale == [(NOT_READY, "NoSchedule")]


def test_a_silent_node_is_unreachable_and_an_unwell_one_not_ready() -> None:
    found = [
        no_execute_key(node("a", conditions=c)) for c in (ready("True"), ready("False"), ready("Unknown"), [])
    ]
    assert found == [None, NOT_READY, UNREACHABLE, UNREACHABLE]


def members(well: int, unwell: int, **more: Any) -> list[dict[str, Any]]:
    conditions = [ready("True")] * well + [ready("Unknown")] * unwell
    return [node(f"n{i}", conditions=one, **more) for i, one in enumerate(conditions)]


@pytest.mark.parametrize(
    ("well", "unwell", "state"),
    [
        (3, 1, "Normal"),  # one of four
        (2, 2, "Normal"),  # two of four: not more than two
        (1, 3, "PartialDisruption"),  # three of four
        (4, 3, "Normal"),  # below 55 %
        (9, 11, "PartialDisruption"),  # exactly 55 %
        (0, 1, "FullDisruption"),
        (0, 0, "Normal"),
    ],
)
def test_the_state_of_a_zone_follows_its_unready_nodes(well: int, unwell: int, state: str) -> None:
    assert zone_state(members(well, unwell), Timings()) == state


def test_excluded_nodes_do_not_count_for_the_state_of_their_zone() -> None:
    apart = members(3, 0, labels={EXCLUDE_DISRUPTION: ""})
    assert zone_state([*members(0, 2), *apart], Timings()) == "FullDisruption"


@pytest.mark.parametrize(
    ("state", "size", "rate"),
    [
        ("Normal", 3, 0.1),
        ("FullDisruption", 3, 0.1),
        ("PartialDisruption", 4, 0.0),
        ("PartialDisruption", 50, 0.0),
        ("PartialDisruption", 51, 0.01),
    ],
)
def test_evictions_slow_down_in_large_disrupted_zones_and_stop_in_small_ones(
    state: str, size: int, rate: float
) -> None:
    assert eviction_rate(state, size, Timings()) == rate


def test_a_zone_is_a_region_and_a_zone() -> None:
    assert zone_key({}) == ("", "")
    assert zone_key({"topology.kubernetes.io/zone": "a"}) == ("", "a")
    old = {"failure-domain.beta.kubernetes.io/zone": "old", "topology.kubernetes.io/zone": "new"}
    assert zone_key({**old, "topology.kubernetes.io/region": "r"}) == ("r", "old")
