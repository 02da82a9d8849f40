"""Real runs whose requests are kept, sampled or forgotten: what they say is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netsim import simulation
from netsim.front import load

SCENARIO = Path(__file__).parents[2] / "scenarios" / "node-failure.yaml"


@pytest.fixture(scope="module")
def whole():
    return load(SCENARIO).run(until="150s")


@pytest.mark.parametrize("requests", ["none", "sample:100"])
def test_a_run_says_the_same_whatever_it_keeps(whole, requests, monkeypatch):
    monkeypatch.setattr(simulation, "PART", 500)
    run = load(SCENARIO).run(until="150s", requests=requests)
    assert run.summary() == whole.summary()
    for name in ("series", "changes", "reachability", "incidents", "availability"):
        assert run.table(name).csv() == whole.table(name).csv()
    assert run.statistics() == whole.statistics()


def test_a_sample_is_of_the_rows_of_the_run(whole):
    run = load(SCENARIO).run(until="150s", requests="sample:100")
    assert len(run.requests) == 100
    assert np.isin(run.rows, whole.rows).all()
    assert run.count == len(whole.rows)


def test_what_cannot_be_kept_is_said():
    with pytest.raises(ValueError, match="write all, none or sample:1000"):
        load(SCENARIO).run(requests="some")


def test_both_engines_hand_over_the_same_table(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(simulation, "PART", 700)
    tables = []
    for engine in ("plain", "compiled"):
        parts = []
        simulation.simulate(load(SCENARIO), until=120 * 10**9, take=parts.append, engine=engine)
        tables.append(np.concatenate([part.requests for part in parts]))
        assert len(parts) > 3
    assert tables[0].tobytes() == tables[1].tobytes()


def test_an_interrupted_run_says_the_same_whatever_it_keeps(monkeypatch):
    monkeypatch.setattr(simulation, "PART", 500)

    def stop(now, count):
        if now >= 75 * 10**9:
            raise KeyboardInterrupt

    kept, forgotten = (load(SCENARIO).run(progress=stop, requests=requests) for requests in ("all", "none"))
    assert kept.partial
    assert forgotten.partial
    assert forgotten.summary() == kept.summary()
    for name in ("series", "reachability", "incidents", "availability"):
        assert forgotten.table(name).csv() == kept.table(name).csv()
