"""The arithmetic of Deployments and ReplicaSets."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import running
from hypothesis import example, given
from hypothesis import strategies as st

from netsim.control.naming import ALPHABET, generated, suffix
from netsim.control.replicas import DELETION_COST, batches, victims
from netsim.control.rollout import (
    new_replicas,
    old_replicas,
    proportional,
    surge_and_unavailable,
    template_hash,
)
from netsim.units import HOUR, MINUTE, S


def deployment(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%") -> dict[str, Any]:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "numbers"),
    [
        (1, "25%", "25%", (1, 0)),
        (3, "25%", "25%", (1, 0)),
        (4, "25%", "25%", (1, 1)),
        (10, "25%", "25%", (3, 2)),
        (4, 0, 0, (0, 1)),
        (1, 0, "25%", (0, 1)),
        (2, 1, 5, (1, 2)),
        (0, "25%", "25%", (0, 0)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(
    replicas: int, surge: int | str, unavailable: int | str, numbers: tuple[int, int]
) -> None:
    assert surge_and_unavailable(deployment(replicas, surge, unavailable)) == numbers


def roll(replicas: int, ready_together: int) -> list[tuple[int, int, int]]:
    """A rolling update in steps (old, new, available); so many new pods become ready before each step."""
    surge, unavailable = surge_and_unavailable(deployment(replicas))
    old, new, ready = replicas, 0, 0
    seen = [(old, new, old)]
    for _ in range(100):
        new = new_replicas(replicas, surge, old + new, new)
        seen.append((old, new, old + ready))
        (old,) = old_replicas(replicas, unavailable, (new, ready), [(old, old)])
        seen.append((old, new, old + ready))
        ready = min(new, ready + ready_together)
        if (old, ready) == (0, replicas):
            return seen
    raise AssertionError("it never ends")


def test_four_replicas_are_never_fewer_than_three_available_nor_more_than_five() -> None:
    for together in (1, 2, 4):
        seen = roll(4, together)
        assert min(available for _, _, available in seen) == 3
        assert max(old + new for old, new, _ in seen) == 5


@given(st.integers(1, 60), st.integers(1, 10))
def test_a_rolling_update_keeps_its_promises_and_ends(replicas: int, together: int) -> None:
    surge, unavailable = surge_and_unavailable(deployment(replicas))
    for old, new, available in roll(replicas, together):
        assert old + new <= replicas + surge
        assert available >= replicas - unavailable


def test_unhealthy_replicas_of_the_old_go_first() -> None:
    # the new one is not there yet, but half of the old do not work anyway
    assert old_replicas(4, 1, (1, 0), [(4, 2)]) == [3]
    assert old_replicas(10, 2, (3, 0), [(5, 5), (5, 2)]) == [5, 3]


def test_the_oldest_sets_shrink_first() -> None:
    assert old_replicas(10, 2, (5, 5), [(3, 3), (5, 5)]) == [0, 3]


def test_nothing_shrinks_while_too_few_are_available() -> None:
    assert old_replicas(4, 1, (1, 0), [(3, 3)]) == [3]


def test_scaling_down_in_the_middle_of_an_update_shrinks_the_new_set_at_once() -> None:
    assert new_replicas(desired=3, surge=1, total=9, current=5) == 3


@pytest.mark.parametrize(
    ("desired", "surge", "sizes", "before", "result"),
    [
        (15, 3, [8, 5], 13, [11, 7]),  # the example of Kubernetes' documentation
        (10, 3, [8, 5], 13, [8, 5]),
        (5, 2, [8, 5], 13, [4, 3]),
        (0, 0, [8, 5], 13, [0, 0]),
        (20, 5, [5, 5], 13, [10, 15]),  # of equals the newer grows by what rounding leaves over
        (2, 1, [5, 5], 13, [1, 2]),  # and the older shrinks first
        (4, 1, [3, 0], 4, [5, 0]),
    ],
)
def test_scaling_in_the_middle_of_an_update_is_shared_out(
    desired: int, surge: int, sizes: list[int], before: int, result: list[int]
) -> None:
    assert proportional(desired, surge, sizes, before) == result


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 60), st.integers(0, 10))
@example([1, 1, 1, 1], 1, 1)
def test_shares_add_up_to_what_is_allowed(sizes: list[int], desired: int, surge: int) -> None:
    result, allowed = proportional(desired, surge, sizes, sum(sizes)), desired + surge if desired else 0
    assert min(result) >= 0
    if sum(result) != allowed:  # the largest gives up what rounding left over, but no more than it has
        assert sum(result) > allowed
        assert any(size == max(sizes) and left == 0 for size, left in zip(sizes, result, strict=True))


def test_the_hash_of_a_template_is_safe_and_its_own() -> None:
    one, other = {"spec": {"containers": [{"image": "a"}]}}, {"spec": {"containers": [{"image": "b"}]}}
    assert template_hash(one) == template_hash(dict(one)) != template_hash(other)
    assert set(template_hash(one)) <= set(ALPHABET)
    assert len(template_hash(one)) <= 10


# ReplicaSets -----------------------------------------------------------------------------------------------


def test_slow_start_doubles_up_to_five_hundred() -> None:
    assert list(batches(1)) == [1]
    assert list(batches(0)) == []
    assert sum(batches(700)) == 500
    assert list(batches(100)) == [1, 2, 4, 8, 16, 32, 37]


def made(
    name: str, on: str = "n", *, since: int = 0, age: int = 0, cost: str = "", restarts: int = 0, **more: Any
) -> Any:
    pod = running(name, "10.0.0.1", on, **more)
    pod["metadata"]["creationTimestamp"] = age
    pod["metadata"]["annotations"] = {DELETION_COST: cost} if cost else {}
    pod["status"]["conditions"][0]["lastTransitionTime"] = since
    pod["status"]["containerStatuses"] = [{"restartCount": restarts}]
    return pod


VICTIMS = [
    ("not yet bound", made("x", on=""), made("y")),
    ("pending", made("x", phase="Pending"), made("y")),
    ("unknown", made("x", phase="Unknown"), made("y")),
    ("not ready", made("x", is_ready=False, since=9), made("y")),
    ("cheaper", made("x", cost="-1"), made("y")),
    ("an unreadable cost is none", made("x", cost="-1"), made("y", cost="much")),
    ("ready for less time", made("x", since=9), made("y", since=1)),
    ("more often restarted", made("x", restarts=3), made("y", restarts=1)),
    ("newer", made("x", age=9), made("y", age=1)),
]


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in VICTIMS], ids=[row[0] for row in VICTIMS])
def test_who_is_deleted_first(first: Any, second: Any) -> None:
    for pods in ([first, second], [second, first]):
        assert [pod["metadata"]["name"] for pod in victims(pods, 1)] == ["x"]


def test_pods_on_crowded_nodes_go_first() -> None:
    pods = [made("a", on="n1"), made("b", on="n2"), made("c", on="n2")]
    assert {pod["metadata"]["name"] for pod in victims(pods, 1)} <= {"b", "c"}
    siblings = [*pods, made("d", on="n1"), made("e", on="n1")]
    assert victims(pods, 1, related=siblings) == pods[:1]


def test_ages_of_one_size_are_equal_and_uids_decide() -> None:
    now = 10 * HOUR
    young, old = made("b", since=now - 40 * S), made("a", since=now - 60 * S)
    assert victims([young, old], 1) == [young]
    assert victims([young, old], 1, now=now) == [old]  # both between 2^35 and 2^36 nanoseconds
    older = made("0", since=now - 60 * MINUTE)
    assert victims([older, young], 1, now=now) == [young]


# names -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**64 - 1))
def test_a_suffix_is_five_safe_characters(bits: int) -> None:
    assert len(suffix(bits)) == 5
    assert set(suffix(bits)) <= set(ALPHABET)


def test_a_long_base_is_cut_so_that_the_name_stays_a_label() -> None:
    assert len(generated("x" * 80, 1)) == 63
    assert generated("web-", 1).startswith("web-")
