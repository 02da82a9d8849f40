"""One run as text in and text out: what its name depends on, and what comes back."""

from __future__ import annotations

import json

import pytest

from netsim.report.buckets import ERROR
from netsim.sweep import task
from netsim.sweep.store import Store
from netsim.sweep.task import Task, perform, understood


@pytest.fixture(scope="module")
def text(tiny):
    from netsim.sweep.grid import variants

    return variants(tiny, ())[0].text


def key(text, seed=1):
    return Task(text, seed).key


def test_what_decides_nothing_is_not_in_the_name(text):
    other = text.replace("Two pods", "2 pods").replace('"at_least":"10%"', '"at_least":"20%"')
    other = other.replace('"seed":5', '"seed":6')
    assert other.count("2 pods") == 1
    assert key(other) == key(text)


@pytest.mark.parametrize(("old", "new"), [('"40/s"', '"41/s"'), ('"replicas":2', '"replicas":3')])
def test_what_decides_the_result_is(text, old, new):
    assert old in text or old == '"40/s"'
    assert key(text.replace(old, new).replace('"rate":40', '"rate":41')) != key(text)
    assert key(text, 2) != key(text)


def test_other_code_has_other_names(text, monkeypatch):
    before = key(text)
    monkeypatch.setattr(task, "code", lambda: "another")
    assert key(text) != before


def test_a_result_holds_every_measure_and_the_latencies(tiny, text):
    found, requests = understood(perform(text, 5))
    run = tiny.run()
    told = run.statistics("outside")
    assert found.seed == 5
    assert found.ended == run.ended
    assert found.measures["requests", "outside"] == told.requests
    assert found.measures["p99", "outside"] == told.percentiles[99]
    assert found.measures["detected", "cut"] is None
    assert requests.fates.sources == ("outside",)
    assert requests.fates.outcomes().sum(axis=(0, 1)).tolist() == [told.ok, told.failed, told.unfinished]
    buckets = requests.latency["outside"]
    assert buckets.count == told.ok
    assert buckets.percentile(99) == pytest.approx(told.percentiles[99], rel=ERROR)


def test_a_run_is_the_same_bytes_whenever_it_is_done(text):
    assert perform(text, 7) == perform(text, 7)
    assert perform(text, 7) != perform(text, 8)


def test_half_a_run_is_none(text, monkeypatch):
    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("netsim.simulation.Simulation.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        perform(text, 1)


@pytest.mark.parametrize("change", ["format", "code"])
def test_the_result_of_another_netsim_is_none(text, change):
    told = json.loads(perform(text, 1))
    assert understood(json.dumps(told)) is not None
    assert understood(json.dumps(told | {change: "another"})) is None


@pytest.mark.parametrize("fates", [{}, {"sources": ["outside"], "duration": 1, "counts": "AgF+gA=="}, "AgE="])
def test_a_result_whose_fates_cannot_be_read_is_none(text, fates):
    told = json.loads(perform(text, 1))
    assert understood(json.dumps(told | {"fates": fates})) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", '{"format": "netsim/sweep-run/2"}'])
def test_what_is_no_result_is_none(text):
    assert understood(text) is None


def test_a_store_gives_back_what_it_keeps_and_nothing_else(text, tmp_path):
    store, wanted = Store(tmp_path / "runs"), key(text)
    assert store.get(wanted) is None
    store.put(wanted, perform(text, 1))
    assert store.get(wanted)[0].seed == 1
    (tmp_path / "runs" / "other.json").write_bytes((tmp_path / "runs" / f"{wanted}.json").read_bytes())
    assert store.get("other") is None
    (tmp_path / "runs" / f"{wanted}.json").write_text("half a fi")
    assert store.get(wanted) is None
    assert sorted(file.name for file in (tmp_path / "runs").iterdir()) == [f"{wanted}.json", "other.json"]
