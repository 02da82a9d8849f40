"""The two engines say the same, to the last bit: on the repository's scenarios, and on worlds drawn at random.

Without numba there is only one engine, and these tests are skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from netsim.benchmark.world import World as Queue
from netsim.dataplane.moments import syn_schedule
from netsim.dataplane.plain import PlainEngine
from netsim.dataplane.requests import OUTCOMES, RESET, UNFINISHED
from netsim.front import load
from netsim.simulation import Simulation, simulate
from netsim.units import S

pytest.importorskip("numba", reason="numba is not installed: there is only the plain engine")

from netsim.dataplane.compiled import CompiledEngine
from netsim.dataplane.compiled_roads import Roads

sys.path.insert(0, str(Path(__file__).parent))

from worlds import World

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
COMMON = {"ok", "refused", "timeout", "net-unreachable", "dns-failure", "overloaded", "unfinished"}


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
    assert differing(1000, 1030)[1] >= COMMON


def test_programs_and_machines_die_in_mid_flight_the_same_way(lab):
    """Queues are long, so every kill finds somebody inside; the client's own pod dies, too, and its node."""

    def played(kind):
        bench = lab(nodes=3, pods=4, workers=2, service_time="exponential(60ms)", backlog=500)
        engine = bench.engine(
            {"name": "open", "rate": "150/s", "retries": {"attempts": 2}, "timeout": "2s"},
            {"name": "closed", "clients": 40, "think": "5ms", "keepAlive": {}, "timeout": None},
            {"name": "outside", "from": "outside", "to": "node/node-3:30080", "clients": 9, "think": "1ms"},
            end=40 * S,
            kind=kind,
        )
        bench.state.external_places.update(bench.state.node_places)
        for second in range(1, 40):
            engine.advance(second * S)
            if second % 3 == 0:
                victim = bench.servers[second // 3 % 4]
                bench.state.stop(victim, farewell=second % 2 == 0)
            if second % 3 == 1 and second > 1:
                old = bench.servers[second // 3 % 4]
                bench.servers[second // 3 % 4] = bench.pod(old.index, old.name.partition("/")[2], old.machine)
            if second == 20:
                bench.state.power("node-1", on=False)
            if second == 25:
                bench.state.power("node-1", on=True)
                bench.state.program("node-1", bench.tables.revision)
                bench.client = bench.pod(4, "client", "node-1")
        return engine.finish(40 * S)

    plain, compiled = played(PlainEngine), played(CompiledEngine)
    assert (plain == compiled).all()
    assert len(plain) == len(compiled)
    counts = np.bincount(plain["outcome"], minlength=len(OUTCOMES))
    assert counts[RESET] > 50
    assert counts[UNFINISHED] > 50  # the requests of the client that died


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
    scenario = load(Path(__file__).parents[2] / "scenarios" / "node-failure.yaml")
    whole = simulate(scenario, until=120 * S).requests
    simulation = Simulation(scenario, engine="compiled")
    parts = []
    simulation.run(120 * S, take=parts.append)
    simulation.record(take=parts.append)
    assert len(parts) > 3
    assert (np.concatenate([part.requests for part in parts]) == whole).all()


@pytest.mark.parametrize(("what", "anew"), [("bystander", False), ("publish", True)])
def test_rules_for_others_leave_the_ways_that_were_worked_out(monkeypatch, what, anew):
    asked = []
    edge = Roads.edge
    monkeypatch.setattr(Roads, "edge", lambda self, row, which: (asked.append(which), edge(self, row, which))[1])

    def played(kind):
        world = Queue(nodes=3, pods=5, workers=4, service="exponential(5ms)")
        engine = kind(world.state, world.sources(S, {"rate": "2k/s"}), world.names, syn_schedule(6, 4), 0)
        engine.advance(S // 2)
        asked.clear()
        if what == "bystander":
            world.bystander(port=80)
            world.program()
        else:
            world.publish(without="node-2")
        return engine.finish(S)

    assert (played(PlainEngine) == played(CompiledEngine)).all()
    assert bool(asked) is anew
