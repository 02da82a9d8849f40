"""A cluster of a real one's size comes up, loses a node and hears of every change; nothing is kept for each pair.

The large case takes minutes: `pytest -m long tests/simulation/test_scale.py`.
"""

from __future__ import annotations

import tracemalloc

import pytest

from netsim.api.objects import name_of, node_of, pod_ready
from netsim.proxy.tables import Tables

REPLICAS = 15  # of each Service, and two Services a node: thirty pods a node
KIB = 1024


class Large:
    """A cluster with two Services a node, and where it stands."""

    def __init__(self, world, a, nodes):
        self.nodes, self.services = nodes, [f"app-{i}" for i in range(2 * nodes)]
        objects = [make(name) for name in self.services for make in (lambda n: a.deployment(n, REPLICAS), a.service)]
        addresses = {"nodes": "172.16.0.0/16", "pods": "10.0.0.0/8", "services": "192.168.0.0/16"}
        fast = {"controllerQps": 1000, "controllerBurst": 1000}
        self.up = 30 + nodes * REPLICAS * 2 // 400  # seconds: the scheduler binds up to 500 pods a second
        self.lost = self.up + 10
        loss = a.power_loss(at=f"{self.lost}s", selector={"nodes": ["node-1"]})
        self.run = world(
            *objects, nodes=nodes, duration="30m", faults=(loss,), cluster={"addresses": addresses, "timings": fast}
        )

    def ready(self):
        """The ready pods, as their own status says."""
        return [pod for pod in self.run.store.list("Pod") if pod_ready(pod)]

    def endpoints(self):
        """The pods that are ready endpoints, by Service."""
        return {name: self.run.ready_endpoints(name) for name in self.services}

    def rules(self):
        """Every node's rules but those of the one that was lost."""
        return {name: rules for name, rules in self.run.simulation.node_rules.items() if name != "node-1"}

    def tables(self) -> Tables:
        return self.run.simulation.node_rules["node-1"].tables


@pytest.mark.parametrize("nodes", [20, pytest.param(1000, marks=pytest.mark.long)])
def test_a_cluster_comes_up_loses_a_node_and_every_other_node_hears_of_it(world, a, nodes):
    large = Large(world, a, nodes)
    run = large.run.run(large.up)
    assert len(large.ready()) == nodes * REPLICAS * 2
    assert all(len(names) == REPLICAS for names in large.endpoints().values())
    assert {rules.revision for rules in large.rules().values()} == {large.tables().revision}

    before = large.tables().revision
    gone = {name_of(pod) for pod in large.ready() if node_of(pod) == "node-1"}
    run.run(large.lost + 55 + 5)  # silence is noticed within 55 seconds
    left = {name for names in large.endpoints().values() for name in names}
    assert gone
    assert len(left) == nodes * REPLICAS * 2 - len(gone)
    assert not gone & left
    assert large.tables().revision == before + len(gone)  # one for each endpoint that went
    assert {rules.revision for rules in large.rules().values()} == {large.tables().revision}


@pytest.mark.parametrize("nodes", [20, pytest.param(1000, marks=pytest.mark.long)])
def test_an_endpoint_change_reaches_all_nodes_without_anything_being_kept_for_each_of_their_services(world, a, nodes):
    large = Large(world, a, nodes)
    run = large.run.run(large.up)
    shared = {id(rules.tables) for rules in large.rules().values()}
    assert len(shared) == 1
    chosen = large.endpoints()["app-0"][0]
    tracemalloc.start()
    run.store.delete(run.store.get("Pod", "default", chosen), grace=0)
    run.run(large.up + 9)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert chosen not in large.endpoints()["app-0"]
    programmed = run.changes("programmed", after=large.up)
    assert {change.node for change in programmed if change.revision == large.tables().revision} >= set(large.rules())
    assert kept < 512 * KIB + 16 * KIB * nodes
