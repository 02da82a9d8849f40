"""Several nodes at once: Kubernetes takes pods away from silent nodes, but not when too many are silent (J7)."""

from __future__ import annotations

from itertools import pairwise

import pytest

UNREACHABLE = "node.kubernetes.io/unreachable:NoExecute"


@pytest.fixture
def silenced(world, a):
    """A control plane node and three workers, of which some lose power at 60 s."""

    def build(*lost, seed=1, duration="12m", nodes=3, **more):
        loss = a.power_loss("60s", mode="all", selector={"nodes": list(lost)})
        objects = (a.deployment(replicas=6), a.service())
        return world(*objects, faults=[loss], seed=seed, duration=duration, nodes=nodes, **more)

    return build


def tainted(run):
    """When each node got the taint that starts the clock of eviction."""
    return {c.node: c.time for c in run.changes("taint-added") if c.detail == UNREACHABLE}


def test_j7_with_three_of_four_nodes_silent_nobody_is_evicted(silenced):
    run = silenced("node-1", "node-2", "node-3").run(700)
    assert {change.node for change in run.changes("node-not-ready")} == {"node-1", "node-2", "node-3"}
    assert tainted(run) == {}
    assert not run.changes("pod-terminating")
    assert run.ready_endpoints() == []  # what the rate never limits


def test_j7_with_one_of_four_nodes_silent_its_pods_are_evicted(silenced):
    run = silenced("node-1").run(500)
    assert list(tainted(run)) == ["node-1"]
    assert {change.node for change in run.changes("pod-terminating")} == {"node-1"}


@pytest.mark.parametrize("seed", range(4))
def test_j7_with_two_of_four_both_are_evicted_ten_seconds_apart_at_least(silenced, seed):
    run = silenced("node-1", "node-2", seed=seed).run(500)
    first, second = sorted(tainted(run).values())
    noticed = sorted(change.time for change in run.changes("node-not-ready"))
    apart = max(10.0, (noticed[1] - noticed[0]) / 1e9)
    assert (second - first) / 1e9 == pytest.approx(apart, abs=0.2)
    assert {change.node for change in run.changes("pod-terminating")} == {"node-1", "node-2"}


def test_zones_are_judged_one_by_one(world, a):
    """All of zone a is silent, zone b is well: evictions go on, as fast as ever."""
    nodes = [{"name": f"n-{zone}{i}", "zone": zone} for zone in "ab" for i in (1, 2, 3)]
    loss = a.power_loss("60s", mode="all", selector={"zones": ["a"]})
    run = world(a.deployment(replicas=6), faults=[loss], cluster={"nodes": nodes}, control_plane=False).run(160)
    times = sorted(tainted(run).values())
    assert {node[2] for node in tainted(run)} == {"a"}
    assert len(times) == 3
    assert all(later - earlier >= 9.9e9 for earlier, later in pairwise(times))


def test_when_every_node_everywhere_is_silent_taints_are_taken_back(world, a):
    first = a.power_loss("60s", selector={"nodes": ["node-1"]})
    rest = {**a.power_loss("150s", mode="all", selector={"nodes": ["node-2", "node-3"]}), "name": "rest"}
    run = world(a.deployment(replicas=3), faults=[first, rest], control_plane=False).run(220)
    assert list(tainted(run)) == ["node-1"]
    off = [c for c in run.changes("taint-removed", after=150) if c.detail == UNREACHABLE]
    assert [change.node for change in off] == ["node-1"]
