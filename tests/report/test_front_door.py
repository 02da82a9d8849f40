"""`import netsim`: what it gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

import netsim
from netsim.front import Scenario
from netsim.report.run import Run


def test_the_front_door_gives_these_names_and_no_others():
    assert netsim.__all__ == sorted(netsim.__all__)
    assert set(netsim.__all__) == {
        "load", "run", "shell", "trace", "Scenario", "Run", "NetsimError", "ScenarioError", "ModelError",
        "__version__",
    }  # fmt: skip
    assert dir(netsim) == netsim.__all__


@pytest.mark.parametrize("name", netsim.__all__)
def test_every_name_is_there_and_is_the_thing_itself(name):
    value = getattr(netsim, name)
    assert value is getattr(netsim, name)
    assert isinstance(value, str) or value.__name__ == name


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        _ = netsim.simulate


def test_importing_netsim_imports_nothing_else():
    code = "import sys, typing, __future__; old = set(sys.modules); import netsim; print(set(sys.modules) - old)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "{'netsim'}"


def test_a_run_says_what_it_is(run):
    assert repr(run).startswith("<Run node-failure seed 1: 4,220 requests, 9")


def test_a_run_gives_frames_a_summary_and_its_table_of_reachability(run):
    assert list(run.changes.columns) == ["time", "kind", "subject", "node", "detail", "revision"]
    assert len(run.requests) == run.summary()["requests"]["sent"]
    assert set(run.reachability().seen) == {"rules", "requests"}


def test_a_scenario_runs_with_its_own_seed_or_another(recording, monkeypatch):
    asked = []

    def simulate(scenario, seed, until, progress, take=None, engine="auto"):
        asked.append((seed, until))
        return recording

    monkeypatch.setitem(sys.modules, "netsim.simulation", SimpleNamespace(simulate=simulate))
    scenario = Scenario(recording.scenario.document)
    assert isinstance(scenario.run(), Run)
    scenario.run(seed=7, until="90s")
    netsim.run(scenario, seed=3)
    assert asked == [(None, None), (7, 90 * 10**9), (3, None)]


def test_a_scenario_says_what_it_is(recording):
    assert (
        repr(Scenario(recording.scenario.document)) == "<Scenario node-failure: 4 nodes, 0 objects, 1 faults>"
    )


def test_load_gives_a_scenario_that_equals_itself_read_again(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(
        "apiVersion: netsim/v1\nkind: Scenario\nmetadata: {name: small}\nduration: 10s\n"
        "cluster: {nodes: [{name: worker, count: 2}]}\n"
    )
    scenario = netsim.load(str(file))
    assert isinstance(scenario, netsim.Scenario)
    assert (scenario.name, scenario.path) == ("small", file)
    assert scenario == netsim.load(file)


def test_a_wrong_scenario_is_a_scenario_error(tmp_path):
    with pytest.raises(netsim.ScenarioError):
        netsim.load(tmp_path / "missing.yaml")
