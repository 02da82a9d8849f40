"""A node's external address belongs to the cloud's edge, which knows which node it stands for."""

from __future__ import annotations

import pytest

from netsim.dataplane.forwarding import Place
from netsim.dataplane.reach import reach_of
from netsim.dataplane.requests import OK
from netsim.dataplane.trace import Tracer
from netsim.draws import Draws
from netsim.proxy.packet import Packet

OUTSIDE = "203.0.113.254"
MODES = ("iptables", "nftables", "ipvs", "ebpf")


@pytest.fixture(params=MODES)
def bench(lab, request):
    """Two pods behind a node port, on two of three nodes, which have external addresses."""
    bench = lab(nodes=3, pods=2, mode=request.param)
    for number in (1, 2, 3):
        place = Place("node", f"node-{number}", f"203.0.113.{number}", f"node-{number}")
        bench.state.external_places[place.machine] = place
        bench.state.add_address(place)
    return bench


def local_policy(bench):
    spec = {"type": "NodePort", "externalTrafficPolicy": "Local", "clusterIP": "10.96.0.20"}
    ports = [{"port": 80, "nodePort": 30080}]
    metadata = {"namespace": "default", "name": "web"}
    bench.tables.set_service({"metadata": metadata, "spec": {**spec, "ports": ports}})
    bench.publish(bench.servers[:1])  # on node-1


def share(bench, client, address):
    return reach_of(bench.state, client, Packet(client.address, 40_000, address, 30080)).share


def client_pod(bench, node):
    server = bench.pod(7, "other", node)
    return bench.state.places[server.addresses[0]]


def test_node_ports_answer_at_external_addresses_in_every_mode(bench):
    for number in (1, 2, 3):
        assert share(bench, bench.state.outside, f"203.0.113.{number}") == 1
        assert share(bench, bench.state.outside, f"192.168.0.{number}") == 1
    table = bench.engine({"from": "outside", "to": "203.0.113.2:30080", "rate": "20/s"}).finish(10**10)
    assert len(table) > 100
    assert set(table["outcome"]) == {OK}
    assert set(table["pod"]) == {0, 1}


def test_the_pod_sees_who_asked_from_outside_under_policy_local(bench):
    local_policy(bench)
    assert share(bench, bench.state.outside, "203.0.113.1") == 1
    assert share(bench, bench.state.outside, "203.0.113.2") == 0
    trace = traced(bench, bench.state.outside, "203.0.113.1")
    assert trace.hops[0].becomes == f"TCP {OUTSIDE}:40000 -> 192.168.0.1:30080"
    assert trace.hops[-1].packet == f"TCP {OUTSIDE}:40000 -> 10.244.1.2:80"


def test_a_pod_that_goes_by_the_edge_comes_back_as_its_node_and_is_no_pod_any_more(bench):
    """Under policy Local pods may use every endpoint; but not if they ask the way outsiders do."""
    local_policy(bench)
    client = client_pod(bench, "node-3")
    trace = traced(bench, client, "203.0.113.1")
    assert trace.hops[-1].packet == "TCP 203.0.113.3:40000 -> 10.244.1.2:80"
    assert trace.outcome == "ok"
    assert share(bench, client, "203.0.113.2") == 0


def traced(bench, client, address):
    return Tracer(bench.state, Draws(1), "flannel-vxlan").trace("a", client, "b", address, 30080, "TCP")
