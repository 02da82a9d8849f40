"""A node whose conntrack table is full: new connections vanish, established ones go on, other nodes do not care."""

from __future__ import annotations

import pytest

from netsim.dataplane.reach import reach_of
from netsim.dataplane.requests import OK, TIMEOUT
from netsim.proxy.packet import Packet
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import S

KEPT = {"name": "kept", "clients": 5, "think": "100ms", "keepAlive": {}}
NEW = {"name": "new", "rate": "10/s", "start": "5s", "timeout": "1s"}


@pytest.fixture
def bench(lab):
    """A client on node-1, a server on node-2; node-1 has room for as many connections as the clients keep."""
    bench = lab(nodes=3, pods=2)
    bench.publish(bench.servers[1:])
    bench.state.limited = bench.state.track = True
    bench.state.kernels["node-1"].conntrack.limit = 5
    return bench


def outcomes(table, source):
    return set(table[table["source"] == source]["outcome"])


def test_new_connections_time_out_and_established_ones_go_on(bench):
    table = bench.engine(KEPT, NEW, end=15 * S).finish(30 * S)
    assert outcomes(table, 0) == {OK}
    assert outcomes(table, 1) == {TIMEOUT}
    assert len(table[table["source"] == 0]) > 500


def test_other_nodes_do_not_care(bench):
    table = bench.engine(KEPT, {**NEW, "from": "node/node-3"}, end=15 * S).finish(30 * S)
    assert outcomes(table, 1) == {OK}


def test_who_asks_whether_one_gets_through_hears_that_the_table_is_full(bench):
    bench.engine(KEPT, end=15 * S).advance(10 * S)
    place = bench.state.places[bench.client.addresses[0]]
    reach = reach_of(bench.state, place, Packet(place.address, 40_000, "10.96.0.20", 80))
    assert (reach.share, reach.reasons) == (
        0,
        ("silence: nf_conntrack: table full on node-1, the packet is dropped",),
    )


def test_the_servers_node_can_be_the_one_that_is_full(bench):
    bench.state.kernels["node-1"].conntrack.limit = 1000
    bench.state.kernels["node-2"].conntrack.limit = 5
    table = bench.engine(KEPT, NEW, end=15 * S).finish(30 * S)
    assert outcomes(table, 0) == {OK}
    assert outcomes(table, 1) == {TIMEOUT}


def test_what_is_not_assured_makes_room(bench):
    kernel = bench.state.kernels["node-1"]
    for port in range(5):
        kernel.conntrack.add(Packet("10.244.1.9", port, "10.96.0.10", 53, "UDP"), None, 0)
    table = bench.engine(KEPT, end=10 * S).finish(20 * S)
    assert set(table["outcome"]) == {OK}
    assert kernel.conntrack.early_drops == 5
    assert [e.original.protocol for e in kernel.conntrack.entries(20 * S)] == ["TCP"] * 5


SCENARIO = """
apiVersion: netsim/v1
kind: Scenario
metadata: {name: full}
duration: 40s
cluster: {proxy: {conntrackMax: 20}, nodes: [{name: node, count: 2}]}
traffic:
- {name: first, from: node/node-1, to: "pod/web:80", clients: 20, think: 1s, keepAlive: {}, start: 10s}
- {name: later, from: node/node-1, to: "pod/web:80", clients: 20, think: 1s, keepAlive: {}, start: 11s, timeout: 2s}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {nodeName: node-2, containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
"""


def test_a_scenario_gives_tables_a_size():
    """Twice as many clients want to keep a connection as there is room for; they need no Service for that."""
    simulation = Simulation(loads(SCENARIO), engine="auto")
    assert (simulation.choice.name, simulation.choice.why) == ("plain", "its nodes' conntrack tables have a size")
    simulation.run()
    table = simulation.record().requests
    assert outcomes(table, 0) == {OK}
    assert TIMEOUT in outcomes(table, 1)
    assert OK not in outcomes(table, 1)
    assert len(simulation.conntrack_text("node-1").splitlines()) == 20
