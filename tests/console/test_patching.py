"""Patches in all three forms, and what `apply` makes of three objects."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.api.schema import Type, find
from netsim.console.patching import ANY, PatchError, applied, patched

POD = find("v1", "Pod")
SERVICE = find("v1", "Service")
assert POD is not None
assert SERVICE is not None

JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


def containers(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": name, "image": image} for name, image in pairs]}}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        (containers(("a", "y")), containers(("a", "y"), ("b", "x"))),
        (containers(("c", "z")), containers(("a", "x"), ("b", "x"), ("c", "z"))),
        ({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}, containers(("b", "x"))),
        ({"spec": {"containers": [{"$patch": "replace"}, {"name": "c", "image": "z"}]}}, containers(("c", "z"))),
        (
            {"spec": {"containers": [{"name": "a", "image": None}]}},
            {"spec": {"containers": [{"name": "a"}, {"name": "b", "image": "x"}]}},
        ),
        ({"spec": None}, {}),
        ({"spec": {"$retainKeys": ["nodeName"], "nodeName": "n"}}, {"spec": {"nodeName": "n"}}),
        ({"spec": {"$setElementOrder/containers": [{"name": "b"}]}}, containers(("a", "x"), ("b", "x"))),
    ],
)  # fmt: skip
def test_a_strategic_patch_knows_the_lists_of_a_pod(patch: Any, result: Any) -> None:
    assert patched(containers(("a", "x"), ("b", "x")), patch, "strategic", POD) == result


def test_a_service_is_patched_port_by_port() -> None:
    service = {"spec": {"ports": [{"port": 80}, {"port": 443}], "selector": {"run": "a"}}}
    patch = {"spec": {"ports": [{"port": 443, "nodePort": 30443}], "selector": {"run": "b"}}}
    assert patched(service, patch, "strategic", SERVICE) == {
        "spec": {"ports": [{"port": 80}, {"port": 443, "nodePort": 30443}], "selector": {"run": "b"}}
    }


def test_a_merge_patch_replaces_lists() -> None:
    assert patched(containers(("a", "x"), ("b", "x")), containers(("c", "z")), "merge", POD) == containers(("c", "z"))


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        ([{"op": "replace", "path": "/a", "value": 2}], {"a": 2, "b": [1, 2], "c/d": {"e": 1}}),
        ([{"op": "add", "path": "/b/1", "value": 9}], {"a": 1, "b": [1, 9, 2], "c/d": {"e": 1}}),
        ([{"op": "add", "path": "/b/-", "value": 9}], {"a": 1, "b": [1, 2, 9], "c/d": {"e": 1}}),
        ([{"op": "remove", "path": "/b/0"}], {"a": 1, "b": [2], "c/d": {"e": 1}}),
        ([{"op": "remove", "path": "/c~1d/e"}], {"a": 1, "b": [1, 2], "c/d": {}}),
        ([{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/a"}], {"b": [1, 2], "c/d": {"e": 1}}),
    ],
)  # fmt: skip
def test_a_json_patch_is_operations(operations: Any, result: Any) -> None:
    assert patched({"a": 1, "b": [1, 2], "c/d": {"e": 1}}, operations, "json", POD) == result


@pytest.mark.parametrize(
    "operations",
    [
        {"a": 1},
        [{"op": "replace", "path": "/x", "value": 1}],
        [{"op": "remove", "path": "/x"}],
        [{"op": "remove", "path": "/b/7"}],
        [{"op": "add", "path": "/x/y", "value": 1}],
        [{"op": "test", "path": "/a", "value": 2}],
        [{"op": "copy", "path": "/a"}],
        [3],
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operations: Any) -> None:
    with pytest.raises(PatchError):
        patched({"a": 1, "b": [1, 2]}, operations, "json", POD)


@pytest.mark.parametrize("patch", [[], "x", {"spec": {"containers": [3]}}, {"spec": {"containers": [{"image": "x"}]}}])
def test_a_strategic_patch_that_does_not_fit_is_refused(patch: Any) -> None:
    with pytest.raises(PatchError):
        patched(containers(("a", "x")), patch, "strategic", POD)


@given(OBJECTS, OBJECTS, st.sampled_from(["strategic", "merge"]))
def test_a_patch_laid_over_twice_changes_nothing_more_and_never_its_object(obj: Any, patch: Any, how: str) -> None:
    before = copy.deepcopy(obj)
    once = patched(obj, patch, how, POD)
    assert patched(once, patch, how, POD) == once
    assert obj == before


def test_apply_takes_away_what_was_applied_and_is_wanted_no_longer() -> None:
    what = Type("#", POD.type)
    last = containers(("a", "x"), ("b", "x"))
    live = containers(("a", "x"), ("b", "x"), ("injected", "sidecar"))
    assert applied(last, containers(("a", "y")), live, what) == containers(("a", "y"), ("injected", "sidecar"))


@given(OBJECTS, OBJECTS)
def test_applying_again_what_was_applied_changes_nothing(now: Any, live: Any) -> None:
    once = applied({}, now, live, ANY)
    assert applied(now, now, once, ANY) == once
