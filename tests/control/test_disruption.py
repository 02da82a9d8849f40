"""How many healthy pods a budget spares."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import running
from hypothesis import given
from hypothesis import strategies as st

from netsim.control.disruption import PATIENCE, budget_keys, healthy, needed, status_of, still_disrupted

Object = dict[str, Any]


def budget(**spec: Any) -> Object:
    return {"metadata": {"name": "web", "namespace": "default", "generation": 2}, "spec": spec}


NEEDED = [
    # the budget, pods there are, pods their controllers want, (expected, healthy)
    ({"minAvailable": 2}, 3, None, (3, 2)),
    ({"minAvailable": "50%"}, 3, 5, (5, 3)),
    ({"minAvailable": "100%"}, 3, 5, (5, 5)),
    ({"maxUnavailable": 1}, 3, 5, (5, 4)),
    ({"maxUnavailable": "30%"}, 3, 5, (5, 3)),
    ({"maxUnavailable": "1%"}, 3, 5, (5, 4)),
    ({"maxUnavailable": 9}, 3, 5, (5, 0)),
    ({}, 3, 5, (0, 0)),
]


@pytest.mark.parametrize(("spec", "pods", "scale", "expected"), NEEDED)
def test_shares_of_both_kinds_are_rounded_up(
    spec: Object, pods: int, scale: int | None, expected: tuple[int, int]
) -> None:
    assert needed(budget(**spec), pods, scale) == expected


def pods(ready: int, unready: int = 0, leaving: int = 0) -> list[Object]:
    made = [running(f"r-{i}", "10.0.0.1") for i in range(ready)]
    made += [running(f"u-{i}", "10.0.0.2", is_ready=False) for i in range(unready)]
    return made + [running(f"l-{i}", "10.0.0.3", leaving=True) for i in range(leaving)]


def allowed(spec: Object, scale: int | None, *states: int) -> tuple[int, str]:
    found = status_of(budget(**spec), pods(*states), scale, now=10)
    (condition,) = found["conditions"]
    return found["disruptionsAllowed"], condition["reason"]


@pytest.mark.parametrize(
    ("spec", "scale", "states", "expected"),
    [
        ({"maxUnavailable": 1}, 3, (3,), (1, "SufficientPods")),
        ({"maxUnavailable": 1}, 3, (2, 1), (0, "InsufficientPods")),
        ({"maxUnavailable": 1}, 3, (3, 0, 1), (1, "SufficientPods")),
        ({"maxUnavailable": 0}, 3, (3,), (0, "InsufficientPods")),
        ({"minAvailable": 1}, None, (3,), (2, "SufficientPods")),
        ({"minAvailable": "50%"}, None, (3,), (0, "SyncFailed")),  # of what? nobody can be asked
        ({"maxUnavailable": 1}, None, (3,), (0, "SyncFailed")),
        ({"minAvailable": 0}, None, (0,), (0, "InsufficientPods")),
    ],
)
def test_what_is_allowed(spec: Object, scale: int | None, states: tuple[int, ...], expected: tuple[int, str]) -> None:
    assert allowed(spec, scale, *states) == expected


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_budget_never_allows_more_than_it_can_spare(ready: int, unready: int, leaving: int, least: int) -> None:
    found = status_of(budget(minAvailable=least), pods(ready, unready, leaving), None, now=10)
    assert found["currentHealthy"] - found["disruptionsAllowed"] >= min(least, ready)


def test_a_pod_whose_eviction_was_granted_counts_as_gone_for_two_minutes() -> None:
    there = pods(ready=3)
    granted = {"r-0": 100}
    assert healthy(there, granted, now=100) == 2
    assert healthy(there, granted, now=99 + PATIENCE) == 2
    assert healthy(there, granted, now=100 + PATIENCE) == 3


def test_a_granted_eviction_is_forgotten_when_it_is_seen_or_comes_too_late() -> None:
    there = [*pods(ready=1), *pods(0, 0, leaving=1)]
    granted = {"r-0": 100, "l-0": 100, "gone": 100}
    assert still_disrupted(there, granted, now=200) == {"r-0": 100}
    assert still_disrupted(there, granted, now=100 + PATIENCE) == {}


@pytest.mark.parametrize(
    ("selector", "keys"),
    [
        (None, []),  # it selects nothing
        ({}, [("default", None)]),  # everything
        ({"matchLabels": {"tier": "b", "app": "web"}}, [("default", ("app", "web"))]),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, [("default", None)]),
    ],
)
def test_where_a_budget_is_found(selector: Object | None, keys: list[Any]) -> None:
    assert budget_keys(budget(**({} if selector is None else {"selector": selector}))) == keys
