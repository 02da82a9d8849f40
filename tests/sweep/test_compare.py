"""Two runs or two sweeps side by side: what differs, by how much, and how sure one is."""

from __future__ import annotations

import json
from io import StringIO

import pandas as pd
import pytest

from netsim.errors import ScenarioError
from netsim.sweep.compare import compare, lines, read, table

PATH = "serving.0.serviceTime"


@pytest.fixture(scope="module")
def folders(tiny, tmp_path_factory):
    """Runs and sweeps, by name."""
    root = tmp_path_factory.mktemp("results")
    slower = {PATH: ["exponential(20ms)"]}
    tiny.sweep({PATH: ["exponential(5ms)"]}, seeds=6, jobs=1, folder=root / "base")
    tiny.sweep({PATH: ["exponential(5ms)"]}, seeds=6, jobs=1, folder=root / "same")
    tiny.sweep({PATH: ["exponential(5ms)"]}, seeds=range(100, 106), jobs=1, folder=root / "other-seeds")
    tiny.sweep(seeds=6, jobs=1, folder=root / "plain")
    for variant in tiny.sweep(slower, seeds=1, jobs=1).variants:
        from netsim.front import Scenario

        slow = Scenario(variant.scenario.document, variant.scenario.objects)
    slow.sweep(seeds=6, jobs=1, folder=root / "slow")
    for seed in (1, 2):
        tiny.run(seed=seed).save(root / "runs")
    slow.run(seed=1).save(root / "slow-runs")
    return root


def rows(found, measure):
    return next(row for row in found.rows if row.key[1:] == (measure, "outside"))


def test_a_sweep_does_not_differ_from_its_like(folders):
    found = compare(folders / "base", folders / "same")
    assert not found.differing()
    assert found.rows
    assert all(row.equal for row in found.rows)


def test_runs_under_the_same_seeds_are_taken_in_pairs(folders):
    found = compare(folders / "plain", folders / "slow")
    row = rows(found, "mean")
    assert row.paired
    assert row.difference.count == 6
    assert row.difference.certain
    assert 0.01 < row.difference.mean < 0.02
    assert rows(found, "requests").equal
    assert found.differing(certain=True)


def test_runs_under_other_seeds_are_compared_as_independent(folders):
    found = compare(folders / "base", folders / "other-seeds")
    row = rows(found, "mean")
    assert not row.paired
    assert row.difference.low < row.difference.mean < row.difference.high
    assert found.differing()
    assert not row.difference.certain


def test_variants_are_matched_by_their_settings(folders):
    found = compare(folders / "base", folders / "plain")
    settings = list(dict.fromkeys(row.key[0] for row in found.rows))
    assert settings == [((PATH, "exponential(5ms)"),), ()]
    assert all(row.difference.mean is None for row in found.rows)
    assert found.differing()


def test_two_runs_have_a_difference_without_an_interval(folders):
    found = compare(folders / "runs" / "tiny" / "1", folders / "slow-runs" / "tiny" / "1")
    row = rows(found, "mean")
    assert row.difference.mean > 0.01
    assert row.difference.low is None
    assert found.differing()
    assert not found.differing(certain=True)


def test_a_run_does_not_differ_from_itself(folders):
    assert not compare(folders / "runs" / "tiny" / "1", folders / "runs" / "tiny" / "1").differing()
    assert compare(folders / "runs" / "tiny" / "1", folders / "runs" / "tiny" / "2").differing()


def test_a_run_and_a_sweep_are_not_alike(folders):
    with pytest.raises(ScenarioError, match=r"is a run and .* is a sweep"):
        compare(folders / "runs" / "tiny" / "1", folders / "base")


def test_what_is_no_folder_of_ours_is_said(folders, tmp_path):
    with pytest.raises(ScenarioError, match="there is no folder"):
        read(tmp_path / "nowhere")
    with pytest.raises(ScenarioError, match=r"there is no summary.json"):
        read(tmp_path)
    (tmp_path / "summary.json").write_text('{"kind": "sweep", "scenario": "x", "paths": []}')
    with pytest.raises(ScenarioError, match=r"there is no runs.csv"):
        read(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scenario": "x"}', '{"scenario": "x", "seed": 1, "measures": [3]}'])
def test_a_broken_summary_is_said(tmp_path, text):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(ScenarioError, match="cannot be read"):
        read(tmp_path)


def test_the_comparison_reads_as_a_table(folders):
    found = compare(folders / "plain", folders / "slow")
    text = "\n".join(lines(found, found.differing_rows()))
    mean = next(line for line in text.splitlines() if line.split()[:2] == ["mean", "outside"])
    assert "+1" in mean
    assert " to +" in mean
    assert "requests" not in text


def test_the_comparison_as_data_and_as_csv(folders):
    found = compare(folders / "base", folders / "other-seeds")
    told = json.loads(json.dumps(found.data(found.rows)))
    frame = pd.read_csv(StringIO(table(found, found.rows).csv()))
    assert told["differ"] is True
    assert len(told["measures"]) == len(frame) == len(found.rows)
    assert set(frame[PATH]) == {"exponential(5ms)"}
    assert told["measures"][0]["settings"] == {PATH: "exponential(5ms)"}
