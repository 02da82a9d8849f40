"""The variants of a scenario: every combination, each a whole and valid scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from netsim.errors import ScenarioError
from netsim.front import load
from netsim.scenario.load import loads
from netsim.sweep.axes import axes, parsed
from netsim.sweep.grid import as_written, baseline, read, variants
from netsim.sweep.plan import plan, seeds_of


def grid(scenario, *texts):
    return variants(scenario, axes([parsed(text) for text in texts]))


def same(one, other):
    return (one.document, one.objects) == (other.document, other.objects)


def test_every_combination_is_there_the_last_axis_running_fastest(tiny):
    found = grid(tiny, "traffic.outside.rate=40/s,80/s", "cluster.proxy.minSyncPeriod=1s,5s,10s")
    assert [variant.label for variant in found] == [
        f"traffic.outside.rate={rate}, cluster.proxy.minSyncPeriod={period}"
        for rate in ("40/s", "80/s") for period in ("1s", "5s", "10s")
    ]  # fmt: skip
    assert found[4].name == "rate=80/s minSyncPeriod=5s"
    assert [variant.number for variant in found] == list(range(6))


def test_a_variant_is_a_scenario_with_the_value_in_it(tiny):
    found = grid(tiny, "objects.Deployment/web.spec.replicas=1,3", "serving.0.workers=8")
    assert [variant.scenario.objects[0]["spec"]["replicas"] for variant in found] == [1, 3]
    assert {variant.scenario.document.serving[0].workers for variant in found} == {8}
    assert tiny.objects[0]["spec"]["replicas"] == 2


def test_nothing_varied_is_the_scenario_itself(tiny):
    (only,) = variants(tiny, ())
    assert same(only.scenario, tiny)
    assert (only.label, only.name) == ("as written", "as written")


def test_the_text_of_a_variant_reads_back_as_the_same(tiny):
    for variant in grid(tiny, "traffic.outside.rate=40/s,80/s"):
        assert loads(variant.text) == variant.scenario


def test_text_that_looks_like_a_number_is_text_where_text_is_wanted(tiny):
    found = grid(tiny, "cluster.version=1.31,1.32")
    assert [variant.scenario.document.cluster.version for variant in found] == ["1.31", "1.32"]


def test_another_version_brings_its_own_timings(tiny):
    found = grid(tiny, "cluster.version=1.31,1.32")
    assert [v.scenario.document.cluster.timings.node_monitor_grace // 10**9 for v in found] == [40, 50]


def test_timings_that_were_given_stay_under_every_version(tiny_text, scenario_of):
    text = tiny_text.replace("cluster: {", 'cluster: {version: "1.32", timings: {nodeMonitorGrace: 50s}, ')
    found = grid(scenario_of(text), "cluster.version=1.31,1.32")
    assert [v.scenario.document.cluster.timings.node_monitor_grace // 10**9 for v in found] == [50, 50]


def test_the_contents_of_a_scenario_read_back_as_the_same(tiny):
    assert same(read(as_written(tiny)), tiny)


MISTAKES = [
    # what is varied                                                  what is said, and what would do
    (["cluster.proxy.minSyncPerod=1s"], ['unknown field "cluster.proxy.minSyncPerod"', "did you mean minSyncPeriod?"]),
    (["traffic.outsid.rate=1/s"], ['there is no "outsid" in traffic', "did you mean outside?"]),
    (["traffic.outside.rate=5,6/s"], ["traffic[0].rate: 5 is not a rate", "write 50/s"]),
    (["serving.0.workers=2,two,-1"], ['a whole number is wanted, found "two"', "must be at least 1, found -1"]),
    (["serving.0.workers=two", "cluster.proxy.mode=iptable"], ['found "two"', "did you mean iptables?"]),
    (["traffic.outsid.rate=1/s", "serving.0.workers=two"], ['no "outsid" in traffic', 'found "two"']),
    (["objects.Deployment/web.spec.replica=2"], ['unknown field "spec.replica"', "did you mean replicas?"]),
    (["cluster.nodes.worker.count=1"], ['there is no node "worker-2"']),
]


@pytest.mark.parametrize(("texts", "said"), MISTAKES)
def test_every_mistake_is_told_at_its_value_before_anything_runs(tiny, texts, said):
    with pytest.raises(ScenarioError) as caught:
        grid(tiny, *texts)
    assert all(words in str(caught.value) for words in said)
    assert all(problem.place and problem.place.file == "--vary" for problem in caught.value.problems)


def test_a_mistake_of_two_values_together_names_both(tiny):
    with pytest.raises(ScenarioError, match=r"worker-2.* \(with serving.0.workers=1, cluster.nodes.worker.count=1\)"):
        grid(tiny, "serving.0.workers=1", "cluster.nodes.worker.count=1,2")


def test_the_first_variant_is_the_baseline_unless_one_is_named(tiny):
    found = grid(tiny, "traffic.outside.rate=40/s,80/s", "serving.0.workers=1,2")
    assert baseline(found, ()) == {0: 0, 1: 0, 2: 0, 3: 0}
    assert baseline(found, [parsed("serving.0.workers=2")]) == {0: 1, 1: 1, 2: 3, 3: 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [("serving.0.worker=2", "did you mean serving.0.workers?"), ("serving.0.workers=5", "one of: 1, 2")],
)
def test_a_baseline_that_is_not_in_the_grid_is_refused(tiny, text, said):
    with pytest.raises(ScenarioError, match=said):
        baseline(grid(tiny, "serving.0.workers=1,2"), [parsed(text, "--baseline")])


def test_seeds_begin_with_the_scenarios_own(tiny):
    assert seeds_of(tiny, 3) == (5, 6, 7)
    assert seeds_of(tiny, [1, 9]) == (1, 9)


@pytest.mark.parametrize("seeds", [0, [], [1, 1], [-1], [1 << 63]])
def test_strange_seeds_are_refused(tiny, seeds):
    with pytest.raises(ScenarioError, match="different whole numbers"):
        seeds_of(tiny, seeds)


def test_tasks_go_seed_by_seed_through_all_variants(tiny):
    planned = plan(tiny, {"serving.0.workers": [1, 2]}, seeds=2)
    assert list(planned.tasks()) == [(0, 5), (1, 5), (0, 6), (1, 6)]


MEASURES = [
    (("p99", "outside"), ("p99", "outside")),
    (("p99", ""), ("p99", "outside")),
    (("detected", ""), ("detected", "cut")),
]


@pytest.mark.parametrize(("asked", "key"), MEASURES)
def test_a_measure_of_the_only_one_there_is_needs_no_name(tiny, asked, key):
    assert plan(tiny).key(*asked) == key


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("p98", ""), "did you mean p99?"),
        (("p99", "inside"), 'no traffic source "inside"'),
        (("detected", "cutt"), 'no fault "cutt"'),
    ],
)
def test_a_measure_that_nobody_takes_is_refused_before_anything_runs(tiny, asked, said):
    with pytest.raises(ScenarioError) as caught:
        plan(tiny).key(*asked)
    assert said in str(caught.value)


FILES = sorted((Path(__file__).parents[2] / "scenarios").rglob("*.yaml"))
SCENARIOS = [file for file in FILES if "kind: Scenario\n" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_every_scenario_can_be_varied(file):
    scenario = load(file)
    (variant,) = variants(scenario, ())
    assert same(variant.scenario, scenario)
    assert same(loads(variant.text), scenario)
