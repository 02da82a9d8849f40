"""The two engines say the same, to the last bit: on the repository's scenarios, and on worlds drawn at random.

Without numba there is only one engine, and these tests are skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from netsim.dataplane.plain import PlainEngine
from netsim.dataplane.requests import OUTCOMES
from netsim.front import load
from netsim.simulation import Simulation, simulate
from netsim.units import S

pytest.importorskip("numba", reason="numba is not installed: there is only the plain engine")

from netsim.dataplane.compiled import CompiledEngine

sys.path.insert(0, str(Path(__file__).parent))

from worlds import World

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
COMMON = {"ok", "refused", "timeout", "reset", "net-unreachable", "dns-failure", "overloaded", "unfinished"}


def differing(first: int, last: int) -> tuple[list[int], set[str]]:
    """The worlds from `first` to before `last` in which the engines differ; and every outcome that was seen."""
    found, seen = [], np.zeros(len(OUTCOMES), dtype=np.int64)
    for seed in range(first, last):
        plain, compiled = (World(seed).play(engine) for engine in (PlainEngine, CompiledEngine))
        seen += np.bincount(plain["outcome"], minlength=len(OUTCOMES))
        if len(plain) != len(compiled) or (plain != compiled).any():
            found.append(seed)
    return found, {OUTCOMES[outcome] for outcome in np.flatnonzero(seen)}


@pytest.mark.parametrize("tens", range(32))
def test_no_random_world_tells_the_engines_apart(tens):
    assert differing(tens * 10, tens * 10 + 10)[0] == []


def test_random_worlds_hold_every_common_outcome():
    assert differing(1000, 1020)[1] >= COMMON


@pytest.mark.long
def test_nor_do_ten_thousand_more():
    assert differing(10_000, 20_000)[0] == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenarios_run_the_same_in_both_engines(path):
    scenario = load(path)
    plain, compiled = (simulate(scenario, engine=engine) for engine in ("plain", "compiled"))
    assert plain.engine == "plain"
    assert (plain.requests == compiled.requests).all()
    assert len(plain.requests) == len(compiled.requests)
    assert plain.changes == compiled.changes
    assert plain.outages == compiled.outages


def test_what_is_handed_over_in_parts_is_the_same_table(monkeypatch):
    monkeypatch.setattr("netsim.simulation.PART", 100)
    scenario = load(SCENARIOS[-1])
    assert scenario.name == "node-failure"
    whole = simulate(scenario, until=120 * S).requests
    simulation = Simulation(scenario, engine="compiled")
    parts = []
    simulation.run(120 * S, take=parts.append)
    simulation.record(take=parts.append)
    assert len(parts) > 3
    assert (np.concatenate([part.requests for part in parts]) == whole).all()
