"""Taint eviction's countdowns."""

from __future__ import annotations

from typing import Any

from control_builders import node, pod

from netsim.control.evictions import Countdown, Evictions, countdown
from netsim.units import S

UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
OUT_OF_SERVICE = {"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}
PATIENT = [{"key": UNREACHABLE["key"], "operator": "Exists", "tolerationSeconds": 300}]


def bound(name: str, tolerations: list[dict[str, Any]] | None = None, on: str = "a") -> dict[str, Any]:
    return pod(name, nodeName=on, tolerations=PATIENT if tolerations is None else tolerations)


def test_the_countdown_starts_when_the_taint_is_seen() -> None:
    plan = Evictions()
    assert plan.node_changed(7 * S, "a", node("a", taints=[UNREACHABLE]), [bound("p")]) == ["uid-p"]
    assert plan.running == {"uid-p": Countdown(7 * S, 307 * S)}
    assert plan.due(307 * S - 1) == []
    assert plan.due(307 * S) == ["uid-p"]
    assert plan.running == {}


def test_it_is_called_off_when_the_taint_goes() -> None:
    plan, pods = Evictions(), [bound("p")]
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), pods)
    assert plan.node_changed(10 * S, "a", node("a"), pods) == ["uid-p"]
    assert plan.due(1000 * S) == []


def test_it_goes_on_when_the_node_is_gone() -> None:
    plan, pods = Evictions(), [bound("p")]
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), pods)
    assert plan.node_changed(10 * S, "a", None, pods) == []
    assert plan.pod_changed(11 * S, bound("late")) == []
    assert plan.due(300 * S) == ["uid-p"]


def test_a_pod_that_does_not_tolerate_goes_at_once_and_one_that_does_never() -> None:
    plan = Evictions()
    pods = [bound("none", []), bound("ever", [{"operator": "Exists"}])]
    plan.node_changed(5, "a", node("a", taints=[UNREACHABLE]), pods)
    assert plan.due(5) == ["uid-none"]
    assert plan.running == {}


def test_another_taint_that_is_not_tolerated_ends_the_waiting() -> None:
    plan, pods = Evictions(), [bound("p")]
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), pods)
    plan.node_changed(20 * S, "a", node("a", taints=[UNREACHABLE, OUT_OF_SERVICE]), pods)
    assert plan.due(20 * S) == ["uid-p"]


def test_a_running_countdown_is_neither_lengthened_nor_shortened() -> None:
    running = Countdown(0, 300 * S)
    for seconds in (1, 1000):
        tolerations = [{**PATIENT[0], "tolerationSeconds": seconds}]
        assert countdown([UNREACHABLE], tolerations, running, now=10 * S) == running


def test_a_toleration_that_becomes_endless_calls_it_off() -> None:
    plan = Evictions()
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), [bound("p")])
    assert plan.pod_changed(1 * S, bound("p", [{"operator": "Exists"}])) == ["uid-p"]
    assert plan.running == {}


def test_a_pod_bound_to_a_tainted_node_is_judged_when_it_comes() -> None:
    plan = Evictions()
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), [])
    assert plan.pod_changed(4 * S, bound("late")) == ["uid-late"]
    assert plan.running["uid-late"].due == 304 * S
    assert plan.pod_changed(5 * S, bound("elsewhere", on="b")) == []


def test_an_unchanged_taint_changes_nothing() -> None:
    plan, pods = Evictions(), [bound("p")]
    tainted = node("a", taints=[UNREACHABLE])
    plan.node_changed(0, "a", tainted, pods)
    assert plan.node_changed(9 * S, "a", node("a", taints=[UNREACHABLE], unschedulable=True), pods) == []


def test_no_schedule_taints_evict_nobody() -> None:
    plan = Evictions()
    taint = {**UNREACHABLE, "effect": "NoSchedule"}
    assert plan.node_changed(0, "a", node("a", taints=[taint]), [bound("p", [])]) == []


def test_a_pod_that_is_leaving_or_gone_is_not_deleted_again() -> None:
    plan = Evictions()
    leaving = bound("leaving")
    leaving["metadata"]["deletionTimestamp"] = 30
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), [leaving, bound("gone")])
    plan.pod_gone(bound("gone"))
    assert plan.due(1000 * S) == []


def test_those_whose_time_is_up_come_in_the_order_of_their_time() -> None:
    plan = Evictions()
    pods = [bound(f"p{s}", [{**PATIENT[0], "tolerationSeconds": s}]) for s in (30, 10, 20)]
    plan.node_changed(0, "a", node("a", taints=[UNREACHABLE]), pods)
    assert plan.due(60 * S) == ["uid-p10", "uid-p20", "uid-p30"]
