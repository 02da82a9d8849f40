"""What became of requests second by second, over all runs of a variant together: the table and its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netsim.errors import ScenarioError
from netsim.front import load
from netsim.report.buckets import ERROR
from netsim.report.statistics import rank
from netsim.sweep.conduct import conduct
from netsim.sweep.plan import plan

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PATH = "traffic.outside.rate"
COUNTS = ["sent", "ok", "failed", "unfinished"]
PERCENTILES = ["p50", "p90", "p99"]


def test_of_a_single_run_it_says_what_the_run_says():
    scenario = load(SCENARIOS / "node-failure.yaml")
    told = scenario.sweep(seeds=1, jobs=1).series.set_index(["source", "time"])
    run = scenario.run().series.set_index(["source", "time"])
    assert list(told.index) == list(run.index)
    assert len(told) == 3 * 540
    assert (told.runs == 1).all()
    assert told[COUNTS].equals(run[COUNTS])
    assert told.failed.sum() > 100
    np.testing.assert_allclose(told[PERCENTILES], run[PERCENTILES], rtol=ERROR, atol=1e-12)


def test_of_several_runs_it_is_over_the_requests_of_all_of_them(tiny, small_sweep):
    told = small_sweep.series.query(f"`{PATH}` == '40/s'").set_index("time")
    requests = pd.concat([tiny.run(seed=seed).requests for seed in small_sweep.seeds])
    second = requests.sent // 1
    assert list(told.index) == list(range(12))
    assert (told.runs == 4).all()
    assert told.sent.tolist() == [int((second == time).sum()) for time in range(12)]
    well = requests.outcome == "ok"
    for time in np.unique(second[well]):
        latencies = np.sort(requests.latency[well & (second == time)])
        assert told.p99[time] == pytest.approx(latencies[rank(len(latencies), 99)], rel=ERROR)
    finished = told.ok + told.failed
    assert told.success.dropna().tolist() == (told.ok / finished)[finished > 0].tolist()
    assert told.p99.isna().tolist() == (told.ok == 0).tolist()


def test_before_anything_is_sent_there_is_nothing_to_say(small_sweep):
    quiet = small_sweep.series.query("time < 6")
    assert quiet.sent.sum() == 0
    assert quiet[[*PERCENTILES, "success"]].isna().all(axis=None)


def test_variants_that_share_their_runs_count_each_of_them_once(tiny, tmp_path):
    vary = {PATH: ["40/s", "40.0/s"]}
    for reused in (0, 4):
        sweep = tiny.sweep(vary, seeds=2, jobs=1, folder=tmp_path)
        assert sweep.reused == reused
        one, other = (rows for _, rows in sweep.series.groupby("variant"))
        assert one.runs.tolist() == other.runs.tolist() == [2] * 12
        assert one.sent.tolist() == other.sent.tolist()
        assert one.sent.sum() == sum(tiny.run(seed=seed).count for seed in sweep.seeds)


def test_variants_may_last_differently(scenario_of, tiny_text):
    another = '- {name: slow, from: outside, to: "node/worker-1:30080", rate: 1/s, start: 6s}\nfaults:'
    scenario = scenario_of(tiny_text.replace("faults:", another))
    sweep = scenario.sweep({"duration": ["12s", "11m"]}, seeds=1, jobs=1)
    last = sweep.series.groupby(["variant", "source"]).time.agg(["count", "max"])
    assert last.loc[0, "outside"].tolist() == last.loc[0, "slow"].tolist() == [12, 11]
    assert last.loc[1, "outside"].tolist() == last.loc[1, "slow"].tolist() == [330, 658]
    assert sweep.plot.series("slow").get_xlim() == (0, 660)


def test_without_a_finished_run_it_is_empty(tiny):
    empty = conduct(plan(tiny, seeds=1), jobs=1, progress=_interrupt)
    assert len(empty.series) == 0
    assert empty.table("series").csv().startswith("variant,source,time,runs,sent,ok,failed,unfinished,p50,p90,p99,")
    assert empty.plot.series("outside").figure is not None


def _interrupt(done, total):
    raise KeyboardInterrupt


def test_the_picture_has_a_line_for_each_variant_in_both_panels(small_sweep):
    axes = small_sweep.plot.series("outside")
    axes.figure.canvas.draw()
    success, p99 = axes.child_axes
    told = small_sweep.series
    for panel, column in ((success, "success"), (p99, "p99")):
        assert [line.get_label() for line in panel.lines] == ["rate=40/s", "rate=80/s"]
        for line, (_, rows) in zip(panel.lines, told.groupby("variant"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), rows.time + 0.5)
            np.testing.assert_array_equal(line.get_ydata(), rows[column])
    assert [text.get_text() for text in success.get_legend().get_texts()] == ["rate=40/s", "rate=80/s"]
    assert "cut" in [text.get_text() for text in axes.texts]


def test_a_fault_that_comes_at_other_times_in_other_variants_is_not_marked(tiny):
    axes = tiny.sweep({"faults.cut.at": ["9s", "10s"]}, seeds=1, jobs=1).plot.series()
    assert not axes.texts
    assert not axes.lines


def test_many_variants_are_told_apart_and_the_rest_is_said(tiny):
    sweep = tiny.sweep({PATH: [f"{rate}/s" for rate in range(20, 36)]}, seeds=1, jobs=1)
    success = sweep.plot.series("outside").child_axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in success.lines}
    assert len(looks) == len(success.lines) == 14
    assert success.get_legend().get_title().get_text() == "and 2 more, not shown"


def test_a_picture_of_a_source_that_is_not_there_is_refused(small_sweep):
    with pytest.raises(ScenarioError, match='there is no traffic source "outsde"'):
        small_sweep.plot.series("outsde")


def test_a_variant_without_the_source_has_no_line(scenario_of, tiny_text):
    sweep = scenario_of(tiny_text.partition("checks:")[0] + "---" + tiny_text.partition("\n---")[2]).sweep(
        {"traffic.0.name": ["outside", "users"]}, seeds=1, jobs=1
    )
    assert [line.get_label() for line in sweep.plot.series("users").child_axes[0].lines] == ["name=users"]
    assert sweep.series.groupby("variant").source.unique().explode().tolist() == ["outside", "users"]


def test_all_sources_are_drawn_together_where_none_is_named(scenario_of, tiny_text):
    another = '- {name: more, from: outside, to: "node/worker-1:30080", rate: 20/s, start: 7s}\nfaults:'
    sweep = scenario_of(tiny_text.replace("faults:", another)).sweep(seeds=2, jobs=1)
    line = sweep.plot.series().child_axes[0].lines[0]
    told = sweep.series.groupby("time")[["ok", "failed"]].sum()
    finished = told.ok + told.failed
    np.testing.assert_array_equal(line.get_ydata(), (told.ok / finished).where(finished > 0))
