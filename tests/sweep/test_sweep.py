"""What a sweep says: tables, common random numbers, checks, the figure, and its folder."""

from __future__ import annotations

import json
from io import StringIO

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from netsim.errors import ScenarioError
from netsim.front import Scenario
from netsim.report.buckets import ERROR
from netsim.report.figure import png
from netsim.sweep.conduct import conduct
from netsim.sweep.estimates import estimate, paired
from netsim.sweep.figure import overview
from netsim.sweep.folder import opened, place_of
from netsim.sweep.plan import plan
from netsim.sweep.tables import TABLES
from netsim.sweep.terminal import report

PATH = "traffic.outside.rate"
DELAYS = {"serving.0.serviceTime": ["exponential(5ms)", "exponential(10ms)"]}


def test_the_table_of_runs_is_tidy(small_sweep):
    runs = small_sweep.runs
    assert list(runs.columns) == ["variant", PATH, "seed", "measure", "of", "unit", "value"]
    assert not runs.duplicated(["variant", "seed", "measure", "of"]).any()
    assert set(runs.seed) == {5, 6, 7, 8}
    assert len(runs) == 8 * runs.groupby(["measure", "of"]).ngroups


def test_a_row_of_a_run_is_what_the_run_itself_says(tiny, small_sweep):
    run = tiny.run(seed=7)
    row = small_sweep.runs.query(f"`{PATH}` == '40/s' and seed == 7").set_index(["measure", "of"]).value
    assert row["p99", "outside"] == run.statistics("outside").percentiles[99] / 1e9
    assert row["success", "outside"] == run.statistics("outside").success
    assert np.isnan(row["detected", "cut"])


def test_means_have_students_interval_over_the_seeds(small_sweep):
    means = small_sweep.means.query("measure == 'requests'").set_index(PATH)
    of_runs = small_sweep.runs.query("measure == 'requests'").groupby(PATH).value
    for rate, values in of_runs:
        told = estimate(list(values))
        assert tuple(means.loc[rate, ["mean", "low", "high"]]) == (told.mean, told.low, told.high)
        assert means.loc[rate, "runs"] == 4
        assert means.loc[rate, "q50"] == sorted(values)[1]


def test_no_interval_of_a_share_goes_above_one(tiny):
    sweep = tiny.sweep(seeds=3, jobs=1)
    shares = sweep.means.query("unit == 'part of 1'")
    assert (shares.high <= 1).all()
    assert (sweep.means.dropna(subset="low").low >= 0).all()


def test_differences_are_taken_seed_by_seed(small_sweep):
    row = small_sweep.differences.set_index(["measure", "of"]).loc[("mean", "outside")]
    runs = small_sweep.runs.query("measure == 'mean'").pivot(index="seed", columns=PATH, values="value")
    told = paired(list(runs["80/s"]), list(runs["40/s"]))
    assert tuple(row[["difference", "low", "high"]]) == (told.mean, told.low, told.high)
    assert (row.variant, row.baseline, row.pairs) == (1, 0, 4)


def test_variants_see_the_same_arrivals_and_the_same_luck(tiny):
    """Twice the service time on one and the same draw: every request takes exactly that much longer."""
    slow, slower = (
        Scenario(variant.scenario.document, variant.scenario.objects).run(seed=3)
        for variant in plan(tiny, DELAYS | {"serving.0.workers": [64]}).variants
    )
    keys = ["source", "client", "sequence"]
    both = slow.requests.merge(slower.requests, on=keys, suffixes=("", "_slower"))
    assert len(both) == len(slow.requests) == len(slower.requests)
    assert (both.sent == both.sent_slower).all()
    well = both[(both.outcome == "ok") & (both.outcome_slower == "ok")]
    assert len(well) > 100
    np.testing.assert_allclose(well.latency_slower - well.latency, well.service, atol=3e-9)


def test_percentiles_are_over_the_requests_of_all_runs_together(tiny, small_sweep):
    row = small_sweep.latency.set_index(PATH).loc["40/s"]
    rows = [tiny.run(seed=seed).requests.query("outcome == 'ok'").latency for seed in small_sweep.seeds]
    together = np.sort(np.concatenate(rows))
    assert row.ok == len(together)
    assert row.p99 == pytest.approx(together[int(np.ceil(0.99 * len(together))) - 1], rel=ERROR)
    assert row["mean"] == pytest.approx(together.mean())
    assert row["max"] == together.max()


def test_a_table_that_is_not_there_is_said(small_sweep):
    with pytest.raises(KeyError, match="no table 'run'; there are runs"):
        small_sweep.table("run")


def test_frames_and_csv_hold_the_same(small_sweep):
    for name in TABLES:
        frame, text = small_sweep.table(name).frame(), small_sweep.table(name).csv()
        told = pd.read_csv(StringIO(text), keep_default_na=False, na_values=[""])
        assert list(told.columns) == list(frame.columns)
        numbers = frame.select_dtypes("number").columns
        np.testing.assert_allclose(told[numbers].astype(float), frame[numbers].astype(float), rtol=1e-8)


def test_a_check_is_counted_over_the_runs_of_each_variant(scenario_of, tiny_text):
    text = tiny_text.replace("atLeast: 10%", "atLeast: 95%")
    sweep = scenario_of(text).sweep({"faults.cut.at": ["9s", "11900ms"]}, seeds=3, jobs=1)
    early, late = (claim.held for claim in sweep.claims())
    assert early == 0
    assert late == 3
    assert not sweep.passed
    assert "in 3 of 6 runs" in report(sweep)
    assert "at=9s: in 0 of 3" in report(sweep)


def test_without_a_finished_run_nothing_is_shown_to_hold(tiny):
    empty = conduct(plan(tiny, seeds=1), jobs=1, progress=_interrupt)
    assert empty.partial
    assert not empty.passed
    assert "✓" not in report(empty)


def _interrupt(done, total):
    raise KeyboardInterrupt


def test_the_report_says_means_and_differences(small_sweep):
    text = report(small_sweep, 100)
    assert "tiny: 2 variants × 4 seeds = 8 runs" in text
    assert "success of outside" in text
    assert "rate=40/s" in text
    assert "baseline" in text
    assert "✓ success of outside ≥ 10%   in 8 of 8 runs" in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_report_fits_a_terminal(tiny, width):
    sweep = tiny.sweep(DELAYS, seeds=2, jobs=1)
    table = [line for line in report(sweep, width).splitlines() if line.startswith("  service")]
    assert table
    assert all("q10" not in line for line in table)


def test_measures_may_be_chosen(small_sweep):
    text = report(small_sweep, measures=[small_sweep.key("max"), small_sweep.key("healed")])
    assert "max of outside" in text
    assert "healed of cut" in text
    assert "\nsuccess of outside\n" not in text


def test_a_picture_shows_means_and_intervals_where_they_are(small_sweep):
    axes = small_sweep.plot.interval("requests", "outside")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["rate=40/s", "rate=80/s"]
    bars = {tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2}
    means = small_sweep.means.query("measure == 'requests'")
    assert set(zip(means.low, means.high, strict=True)) <= bars


def test_a_difference_that_is_certain_has_a_colour_of_its_own(tiny):
    sweep = tiny.sweep({PATH: ["40/s", "40.0/s", "80/s"]}, seeds=4, jobs=1)
    axes = sweep.plot.difference("requests")
    colours = [line.get_color() for line in axes.lines if line.get_marker() == "o"]
    assert len(set(colours)) == 2


def test_the_overview_is_drawn_alike_every_time(small_sweep):
    assert png(overview(small_sweep)) == png(overview(small_sweep))
    assert isinstance(overview(small_sweep), Figure)
    assert len(overview(small_sweep).axes) == 2
    assert len(small_sweep.plot.overview().axes) == 2


@pytest.mark.parametrize("measure", ["success", "detected", "resets", "rate", "max"])
def test_any_measure_can_be_drawn_even_one_without_values(small_sweep, measure):
    figure = overview(small_sweep, measures=[small_sweep.key(measure)])
    figure.canvas.draw()
    labels = [text.get_text() for axes in figure.axes for text in axes.get_xticklabels()]
    assert len(set(labels[: len(labels) // 2])) == len(labels[: len(labels) // 2])


def test_a_folder_holds_everything_and_says_where_it_comes_from(small_sweep, tmp_path, files):
    small_sweep.save(tmp_path / "there", command=["netsim"])
    found = files(tmp_path / "there")
    assert set(found) == {
        "runs.csv", "means.csv", "differences.csv", "latency.csv", "series.csv", "schema.json", "summary.json",
        "report.txt", "scenario.yaml", "figure.png",
    }  # fmt: skip
    schema = json.loads(found["schema.json"])
    for table in schema["resources"]:
        header = found[table["path"]].decode().splitlines()[0].split(",")
        assert header == [field["name"] for field in table["schema"]["fields"]]
    summary = json.loads(found["summary.json"])
    assert summary["runs"] == {"planned": 8, "finished": 8, "lost": []}
    assert summary["variants"][1]["measures"][0]["difference"]["mean"] is not None
    about = json.loads((tmp_path / "there" / "sweep.json").read_text())
    assert about["command"] == ["netsim"]
    assert not about["partial"]
    assert matplotlib.image.imread(tmp_path / "there" / "figure.png").ndim == 3


def test_the_folder_is_the_same_however_the_runs_were_done(tiny, tmp_path, files):
    here = tiny.sweep({PATH: ["40/s", "80/s"]}, seeds=4, jobs=1, folder=tmp_path / "here")
    there = tiny.sweep({PATH: ["40/s", "80/s"]}, seeds=4, jobs=2, folder=tmp_path / "there")
    assert here.reused == there.reused == 0
    assert here.pools == there.pools
    assert files(tmp_path / "here") == files(tmp_path / "there")
    assert files(tmp_path / "here")["series.csv"].count(b"\n") == 1 + 2 * 12
    again = tiny.sweep({PATH: ["40/s", "80/s"]}, seeds=4, jobs=2, folder=tmp_path / "there")
    assert again.reused == 8
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_a_folder_of_something_else_is_left_alone(tiny, small_sweep, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ScenarioError, match="was not written by netsim sweep"):
        small_sweep.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(ScenarioError, match="was not written by netsim sweep"):
        opened(tmp_path, tiny, {})


def test_a_folder_that_cannot_be_written_is_said(small_sweep, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot write"):
        small_sweep.save(tmp_path / "file" / "below")


def test_names_stay_within_the_results_folder(tiny, tmp_path):
    assert place_of(tiny, tmp_path, "../../etc") == tmp_path / "tiny" / "_.._etc"


def test_a_sweep_says_what_it_is(small_sweep):
    assert repr(small_sweep) == "<Sweep tiny: 2 variants x 4 seeds, 8 runs>"
