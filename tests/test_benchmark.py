"""The rivals of the benchmark do the same work as netsim, so that their speeds may be compared."""

from __future__ import annotations

import pytest

pytest.importorskip("numba", reason="numba is not installed: there is nothing to compare")

from netsim.benchmark import rivals
from netsim.benchmark.findings import Finding, page
from netsim.benchmark.large import Course, cluster
from netsim.benchmark.looks import Looks
from netsim.benchmark.measures import moved
from netsim.benchmark.replicas import of_replicas
from netsim.benchmark.world import World
from netsim.dataplane.plain import PlainEngine
from netsim.units import S

PATIENT = {"retries": {"attempts": 2}, "connectTimeout": "1s", "timeout": "2s"}


def world():
    return World(nodes=3, pods=5, workers=4, service="exponential(5ms)")


def test_the_bare_queue_answers_everybody():
    assert rivals.bare(500, 2000, 5, 4, 5e-3) == 500
    assert rivals.floor(500, 2000, 5, 5e-3) == 500


@pytest.mark.parametrize("engine", [PlainEngine, None])
def test_closed_clients_ask_as_often_as_the_rivals(engine):
    theirs = rivals.Patient(5, 4, 5e-3).closed(100, 0.1, 20)
    traffic = {"clients": 100, "think": "100ms", "keepAlive": {}, **PATIENT}
    ours, _ = moved(world(), traffic, 20 * S, **({"engine": engine} if engine else {}))
    assert ours == pytest.approx(theirs, rel=0.03)


def test_the_rivals_clients_try_again_when_a_machine_fails():
    rival = rivals.Patient(5, 4, 5e-3)
    rival.fail(at=3, noticed=3)
    started = rival.open(200, 12)
    assert rival.outcomes["ok"] > 0.9 * started
    assert started == pytest.approx(200 * 12, rel=0.1)


def test_the_page_has_a_line_for_each_goal():
    found = Finding("open loop", "at least 50 times", "59 times", True)
    text = page([found], "How fast", "python -m netsim.benchmark", "By hand.")
    assert "| open loop | at least 50 times | 59 times | yes |" in text
    assert "Measured by `python -m netsim.benchmark` on " in text


def test_the_large_cluster_comes_up_in_the_time_it_is_given_and_its_time_is_told_by_component():
    with Looks() as looks:
        course = Course(cluster(10))
        course.until(30)
    assert course.all_ready()
    assert len(course.simulation.store.list("Pod")) == 10 * 30 + 1
    assert {"endpointslice", "kubelet"} < set(looks.seen)
    assert looks.told(most=1).endswith("%")


def test_replicas_are_all_counted_and_every_second_of_them_has_its_percentiles():
    (found,) = of_replicas(runs=5, seconds=1, few=3)
    sent = int(found.what.split()[0].replace(",", ""))
    assert sent == pytest.approx(5 * 200_000, rel=0.01)
    assert "p50 and p99 of 1 seconds" in found.found
    assert found.met
