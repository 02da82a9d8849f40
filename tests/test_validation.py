"""What was published about real clusters, and whether netsim gives the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import netsim

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

from validation import OBSERVATIONS, REPORT, SCENARIOS, Observation, agrees, among, broken, main, measured, spread

FILES = sorted(SCENARIOS.glob("*.yaml"))
HEAVY = [one for one in OBSERVATIONS if one.scenario.startswith(("rolling-update", "availability"))]
LIGHT = [one for one in OBSERVATIONS if one not in HEAVY]


FEW = {"prestop-none": 3, "prestop-three-seconds": 2, "share-lost": 5, "three-of-four": 1, "vlc-node": 8}  # slow ones


def name(one: Observation) -> str:
    return one.scenario


@pytest.mark.parametrize("one", LIGHT, ids=name)
def test_simulated_figures_agree_with_published_ones(one: Observation) -> None:
    assert broken(one, measured(one, min(one.seeds, FEW.get(one.scenario, 12)))) == []


@pytest.mark.long
@pytest.mark.parametrize("one", HEAVY, ids=name)
def test_what_takes_long_agrees_too(one: Observation) -> None:
    assert broken(one, measured(one, one.seeds)) == []


@pytest.mark.parametrize("one", LIGHT, ids=name)
def test_a_validation_scenario_holds_what_it_claims(one: Observation) -> None:
    path = SCENARIOS / f"{one.scenario}.yaml"
    scenario = netsim.load(path)
    assert scenario.document.metadata.name == path.stem
    assert scenario.document.metadata.question
    findings = scenario.run().checks()
    assert findings
    assert [finding.claim for finding in findings if not finding.passed] == []


def test_every_scenario_is_an_observation_and_every_observation_has_one() -> None:
    assert {path.stem for path in FILES} == {one.scenario for one in OBSERVATIONS}


def test_the_page_tells_of_every_observation_and_says_whose_source_is_not_verified() -> None:
    sections = re.split(r"^## ", REPORT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    doubted = {part.split()[0]: "not verified" in part for part in sections if part.split()[0] != "Not"}
    assert doubted == {one.scenario: not one.verified for one in OBSERVATIONS}


@pytest.mark.long
def test_the_page_is_what_the_command_writes_today(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import validation

    monkeypatch.setattr(validation, "ROOT", tmp_path)
    monkeypatch.setattr(validation, "REPORT", tmp_path / "validation.md")
    assert main([]) == 0
    assert (tmp_path / "validation.md").read_text() == REPORT.read_text()


def test_criteria_can_fail() -> None:
    assert among(36).holds([30, 40])
    assert not among(36).holds([37, 45])
    assert among(36, 1).holds([37, 45])
    flat = spread(0, 5, 10, 3)
    assert flat.holds([1, 3, 5, 7, 9])
    assert not flat.holds([1, 3, 5, 7, 11])
    assert not flat.holds([1.0] * 50)
    figure = OBSERVATIONS[0].figures[0]
    assert not agrees(figure, [47.5, None])
