"""Faults are told apart by their action, however many kinds there are."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from netsim.faults import FAULTS, Fault, NodePowerLoss, told_apart


class LinkLoss(Fault):
    """Another kind of fault, for this test."""

    action: Literal["link-loss"]
    link: str

    def run(self, env: Any, world: Any, chance: Any) -> Any:
        yield env.timeout(self.at)


BOTH = TypeAdapter(told_apart([NodePowerLoss, LinkLoss]))


def mistakes(given: dict[str, object]) -> list[tuple[str, tuple[str | int, ...]]]:
    try:
        BOTH.validate_python(given)
    except ValidationError as error:
        return [(one["type"], one["loc"]) for one in error.errors()]
    return []


def test_the_action_decides_what_a_fault_is() -> None:
    given = {"name": "a", "at": "1s", "action": "link-loss", "link": "x"}
    assert isinstance(BOTH.validate_python(given), LinkLoss)
    assert isinstance(
        BOTH.validate_python({"name": "a", "at": "1s", "action": "node-power-loss"}), NodePowerLoss
    )


def test_errors_speak_of_the_named_action_only() -> None:
    assert mistakes({"name": "a", "at": "1s", "action": "link-loss"}) == [("missing", ("link-loss", "link"))]
    assert mistakes({"name": "a", "at": "1s", "action": "other"}) == [("union_tag_invalid", ())]
    assert mistakes({"name": "a", "at": "1s"}) == [("union_tag_not_found", ())]


def test_every_fault_is_registered_under_its_action() -> None:
    for action, kind in FAULTS.items():
        assert kind.model_fields["action"].annotation == Literal[action]
