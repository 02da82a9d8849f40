"""The instant that an update of endpoints answers."""

from __future__ import annotations

from typing import Any

from control_builders import running, service

from netsim.control.trigger_times import TriggerTimes


def turned(name: str, at: int) -> dict[str, Any]:
    made = running(name, "10.0.0.1")
    made["status"]["conditions"][0]["lastTransitionTime"] = at
    return made


def created(at: int) -> dict[str, Any]:
    made = service()
    made["metadata"]["creationTimestamp"] = at
    return made


def test_a_new_service_counts_from_its_creation_whatever_its_pods_did_before() -> None:
    assert TriggerTimes().look(created(50), [turned("a", 10), turned("b", 70)]) == 50


def test_of_several_changes_the_earliest_counts() -> None:
    times = TriggerTimes()
    times.look(created(50), [turned("a", 60), turned("b", 60)])
    assert times.look(created(50), [turned("a", 90), turned("b", 80)]) == 80


def test_pods_that_did_not_turn_do_not_count() -> None:
    times = TriggerTimes()
    times.look(created(50), [turned("a", 60)])
    assert times.look(created(50), [turned("a", 60)]) is None
    assert times.look(created(50), [turned("a", 60), turned("new", 95)]) == 95
    assert times.look(created(50), [turned("new", 95)]) is None


def test_a_service_created_again_counts_from_then() -> None:
    times = TriggerTimes()
    times.look(created(50), [])
    assert times.look(created(200), []) == 200
