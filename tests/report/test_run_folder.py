"""The folder of a run: complete, the same each time, in place at once, and never anywhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netsim.errors import ScenarioError
from netsim.report import folder
from netsim.report.folder import safe
from netsim.report.run import Run

FILES = {
    "requests.csv", "changes.csv", "series.csv", "reachability.csv", "incidents.csv", "availability.csv",
    "schema.json", "summary.json", "report.txt", "scenario.yaml", "figure.png", "run.json",
}  # fmt: skip


def contents(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_a_run_is_saved_under_its_scenario_and_seed(run, tmp_path):
    place = run.save(tmp_path / "results")
    assert place == tmp_path / "results" / "node-failure" / "1"
    assert set(contents(place)) == FILES


def test_only_the_provenance_of_equal_runs_may_differ(recording, tmp_path):
    one = contents(Run(recording).save(tmp_path / "one", started="today", command=["a"]))
    two = contents(Run(recording).save(tmp_path / "two", started="tomorrow", command=["b"]))
    assert {name for name in FILES if one[name] != two[name]} == {"run.json"}


def test_provenance_says_what_made_the_run(run, tmp_path):
    told = json.loads((run.save(tmp_path, command=["netsim", "run"]) / "run.json").read_text())
    assert (told["scenario"], told["seed"], told["engine"], told["partial"]) == (
        "node-failure",
        1,
        "plain",
        False,
    )
    assert {"python", "numpy", "matplotlib"} <= set(told["versions"])
    assert told["command"] == ["netsim", "run"]


def test_the_schema_describes_every_table(run, tmp_path):
    place = run.save(tmp_path)
    for table in json.loads((place / "schema.json").read_text())["resources"]:
        header = (place / table["path"]).read_text().splitlines()[0]
        assert header.split(",") == [field["name"] for field in table["schema"]["fields"]]


def test_the_summary_is_plain_json_and_the_same_each_time(run):
    text = folder.as_json(run.summary())
    assert json.loads(text) == json.loads(folder.as_json(Run(run.recording).summary()))
    assert json.loads(text)["requests"]["sent"] == len(run.rows)
    assert json.loads(text)["faults"] == [
        {
            "name": "worker-dies",
            "action": "node-power-loss",
            "at": 60.0,
            "until": 420.0,
            "nodes": ["worker-2"],
        }
    ]


def test_a_run_that_was_stopped_says_so_in_both_files(remake, tmp_path):
    place = Run(remake(5.0, partial=True)).save(tmp_path)
    assert [json.loads((place / name).read_text())["partial"] for name in ("run.json", "summary.json")] == [
        True,
        True,
    ]


def test_a_newer_run_replaces_the_older_one_whole(run, remake, tmp_path):
    place = run.save(tmp_path)
    (place / "leftover.txt").write_text("old")
    assert Run(remake(2.0)).save(tmp_path) == place
    assert set(contents(place)) == FILES


def test_if_saving_fails_the_older_results_stay_and_nothing_is_left_beside_them(run, tmp_path, monkeypatch):
    place = run.save(tmp_path)
    before = contents(place)

    def full(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("netsim.report.figure.png", full)
    with pytest.raises(KeyboardInterrupt):
        run.save(tmp_path)
    assert contents(place) == before
    assert [path.name for path in place.parent.iterdir()] == ["1"]


def test_a_folder_that_netsim_did_not_write_is_left_alone(run, tmp_path):
    precious = tmp_path / "node-failure" / "1"
    precious.mkdir(parents=True)
    (precious / "thesis.tex").write_text("mine")
    with pytest.raises(ScenarioError, match="was not written by netsim"):
        run.save(tmp_path)
    assert contents(precious) == {"thesis.tex": b"mine"}


def test_an_empty_folder_may_be_filled(run, tmp_path):
    (tmp_path / "node-failure" / "1").mkdir(parents=True)
    assert set(contents(run.save(tmp_path))) == FILES


def test_a_place_that_cannot_be_written_is_a_mistake_of_the_user_not_ours(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot write results to"):
        run.save(tmp_path / "file")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", ".", "/abs", "a/b", "C:\\x", "con", "aux.txt", "", "x" * 900, "é"]
)
def test_no_name_leaves_the_results_folder(name, tmp_path):
    found = tmp_path / safe(name)
    assert found.resolve().parent == tmp_path.resolve()
    found.mkdir()


def test_an_evil_scenario_name_is_saved_inside(remake, recording, tmp_path):
    scenario = recording.scenario
    metadata = scenario.document.metadata.model_copy(update={"name": "../../evil"})
    document = scenario.document.model_copy(update={"metadata": metadata})
    place = Run(remake(5.0, scenario=type(scenario)(document))).save(tmp_path / "results")
    assert (tmp_path / "results") in place.parents
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results"]


def test_an_interrupted_run_leaves_no_empty_folders(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder.opened(tmp_path / "results" / "mine", "small", 1):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_before_an_interrupted_run_stay(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(KeyboardInterrupt), folder.opened(tmp_path / "results", "small", 1):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == ["results"]
