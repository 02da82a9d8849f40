"""Whatever happens to the DNS pods: every request ends in one way, the run repeats, and names are found again."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_clusters import scale, service
from lab_traffic import made

from netsim.dataplane.requests import OUTCOMES
from netsim.simulation import Simulation
from netsim.units import S

SOURCES = [
    {"rate": "5/s"},
    {"name": "cached", "rate": "5/s", "nameCache": "30s"},
    {"name": "stubborn", "rate": "2/s", "timeout": "12s", "connectTimeout": None, "retries": {"attempts": 2}},
    {"name": "headless", "to": "http://bare", "clients": 2, "think": "300ms", "rate": None},
]
HEALED, END = 40 * S, 120 * S


def silence(simulation: Simulation, on: bool) -> None:
    simulation.forwarding.silence_dns(silent=not on)


def replicas(simulation: Simulation, on: bool) -> None:
    scale(simulation, "coredns", 2 if on else 0, "kube-system")


def node(name: str) -> Any:
    return lambda simulation, on: simulation.levers.power(name, on=on)


def crash(simulation: Simulation, on: bool) -> None:
    for one in simulation.store.list("Pod", "kube-system"):
        if not on and one["status"].get("podIP"):
            simulation.levers.crash(one, None, 1)


BLOWS = {
    "silence": silence, "replicas": replicas, "crash": crash,
    "worker-1": node("worker-1"), "worker-2": node("worker-2"),
}  # fmt: skip
SCHEDULES = st.lists(st.tuples(st.integers(12, 39), st.sampled_from(sorted(BLOWS))), min_size=1, max_size=5)


def played(schedule: list[tuple[int, str]], local: bool) -> np.ndarray[Any, Any]:
    """The requests of a run in which these things break, each at its second, and everything is mended at the end."""
    bare = service("bare", [{"port": 80, "name": "http"}], "my-nginx", clusterIP="None")
    simulation = made(*SOURCES, objects=[bare], duration="120s", dns={"nodeLocal": local})
    for second, name in sorted(schedule):
        simulation.run(second * S)
        BLOWS[name](simulation, False)
    simulation.run(HEALED)
    for name in dict(reversed([(name, None) for _, name in schedule])):
        BLOWS[name](simulation, True)
    simulation.run(END)
    return simulation.record().requests


@settings(derandomize=True, deadline=None, max_examples=8)
@given(SCHEDULES, st.booleans())
def test_names_are_found_again_after_anything(schedule: list[tuple[int, str]], local: bool) -> None:
    requests = played(schedule, local)
    first = min(second for second, _ in schedule) * S
    before, after = requests[requests["sent"] < first - 12 * S], requests[requests["sent"] > HEALED + 60 * S]
    assert {OUTCOMES[outcome] for outcome in (*before["outcome"], *after["outcome"])} <= {"ok", "unfinished"}
    assert (after["outcome"] == OUTCOMES.index("ok")).sum() > 100
    keys = requests[["source", "client", "sequence"]]
    assert len(np.unique(keys)) == len(keys)


@settings(derandomize=True, deadline=None, max_examples=2)
@given(SCHEDULES, st.booleans())
def test_the_same_happens_the_same_way_again(schedule: list[tuple[int, str]], local: bool) -> None:
    assert played(schedule, local).tobytes() == played(schedule, local).tobytes()
