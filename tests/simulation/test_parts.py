"""Requests that are handed over while a run goes on: in the table's order, none lost, none twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from netsim import simulation
from netsim.front import load
from netsim.simulation import simulate
from netsim.units import S

SCENARIO = Path(__file__).parents[2] / "scenarios" / "node-failure.yaml"


@pytest.fixture(scope="module")
def whole():
    """The table that stays in memory, of a run in which requests wait long for a node that is dead."""
    return simulate(load(SCENARIO), until=120 * S)


@pytest.mark.parametrize("size", [1, 64, 1000, 1 << 16])
def test_parts_one_after_the_other_are_the_table(whole, size, monkeypatch):
    monkeypatch.setattr(simulation, "PART", size)
    parts = []
    recording = simulate(load(SCENARIO), until=120 * S, take=parts.append)
    together = np.concatenate([part.requests for part in parts])
    assert together.tobytes() == whole.requests.tobytes()
    assert len(recording.requests) == 0
    assert recording.changes == whole.changes


def test_a_part_knows_every_name_in_it(monkeypatch):
    monkeypatch.setattr(simulation, "PART", 64)
    seen = []

    def take(part):
        assert part.requests["pod"].max() < len(part.pods)
        assert part.requests["source"].max() < len(part.sources)
        assert part.requests["ingress"].max() < len(part.nodes)
        seen.append(len(part.requests))

    simulate(load(SCENARIO), until=80 * S, take=take)
    assert len(seen) > 10


def test_progress_counts_what_was_handed_over(monkeypatch):
    monkeypatch.setattr(simulation, "PART", 64)
    counts = []
    parts = []
    simulate(load(SCENARIO), until=60 * S, progress=lambda _, count: counts.append(count), take=parts.append)
    assert counts == sorted(counts)
    total = sum(len(part.requests) for part in parts)
    assert 0.99 * total < counts[-1] <= total


def test_an_interrupted_run_hands_over_the_rest(monkeypatch):
    monkeypatch.setattr(simulation, "PART", 64)
    parts = []

    def stop(now, count):
        if now >= 70 * S:
            raise KeyboardInterrupt

    recording = simulate(load(SCENARIO), progress=stop, take=parts.append)
    sent = np.concatenate([part.requests for part in parts])
    assert recording.partial
    assert (np.diff(sent["sent"]) >= 0).all()
    assert (sent["sent"] + sent["latency"] <= recording.ended).all()
    assert (sent["latency"] >= 0).all()
    assert recording.ended == 70 * S
