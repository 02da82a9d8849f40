"""Faults are told apart by their action, however many kinds there are."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from netsim.faults import FAULTS, Fault, NodePowerLoss, told_apart


class Earthquake(Fault):
    """Another kind of fault, for this test."""

    action: Literal["earthquake"]
    magnitude: float

    def victims(self, world: Any, chance: Any) -> list[str]:
        return ["everything"]

    def strike(self, world: Any, victims: Any) -> list[Any]:
        return []


BOTH = TypeAdapter(told_apart([NodePowerLoss, Earthquake]))


def mistakes(given: dict[str, object]) -> list[tuple[str, tuple[str | int, ...]]]:
    try:
        BOTH.validate_python(given)
    except ValidationError as error:
        return [(one["type"], one["loc"]) for one in error.errors()]
    return []


def test_the_action_decides_what_a_fault_is() -> None:
    given = {"name": "a", "at": "1s", "action": "earthquake", "magnitude": 5}
    assert isinstance(BOTH.validate_python(given), Earthquake)
    assert isinstance(
        BOTH.validate_python({"name": "a", "at": "1s", "action": "node-power-loss"}), NodePowerLoss
    )


def test_errors_speak_of_the_named_action_only() -> None:
    assert mistakes({"name": "a", "at": "1s", "action": "earthquake"}) == [
        ("missing", ("earthquake", "magnitude"))
    ]
    assert mistakes({"name": "a", "at": "1s", "action": "other"}) == [("union_tag_invalid", ())]
    assert mistakes({"name": "a", "at": "1s"}) == [("union_tag_not_found", ())]


@pytest.mark.parametrize("action", FAULTS)
def test_every_fault_is_registered_under_its_action(action: str) -> None:
    assert FAULTS[action].model_fields["action"].annotation == Literal[action]


@pytest.mark.parametrize("action", FAULTS)
def test_every_fault_has_a_manual_entry(action: str) -> None:
    assert FAULTS[action].__doc__
    assert FAULTS[action].__doc__ != Fault.__doc__


def test_nothing_is_repaired_again_and_again_that_does_not_fail_so() -> None:
    given = {"name": "a", "at": "1s", "action": "node-power-loss", "mttr": "30s"}
    assert mistakes(given) == [("value_error", ("node-power-loss", "mttr"))]
