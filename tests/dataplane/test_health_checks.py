"""The port at which kube-proxy tells load balancers how many ready pods of a Service its node has."""

from __future__ import annotations

import pytest

from netsim.dataplane.reach import reach_of
from netsim.dataplane.requests import OK, REFUSED, RESET
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.dataplane.trace import Tracer
from netsim.draws import Draws
from netsim.proxy.packet import Packet
from netsim.units import S

PORT = 30500
MODES = ("iptables", "nftables", "ipvs", "ebpf")


def kube_proxy(node):
    return Server(-1, f"kube-system/kube-proxy-{node}", node, (), Serving(), ())


@pytest.fixture
def bench(lab, request):
    """A load balancer's Service under policy Local, with a pod on node-1 of two."""
    bench = lab(nodes=2, pods=1, mode=getattr(request, "param", "iptables"))
    spec = {
        "type": "LoadBalancer",
        "clusterIP": "10.96.0.20",
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": PORT,
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    bench.tables.set_service({"metadata": {"namespace": "default", "name": "web"}, "spec": spec})
    bench.publish(bench.servers)
    for node in ("node-1", "node-2"):
        bench.state.proxy(node, kube_proxy(node))
    return bench


def asked(bench, number, port=PORT):
    """What the outside gets there: whether it is answered, and what kube-proxy says."""
    place = bench.state.node_places[f"node-{number}"]
    packet = Packet(bench.state.outside.address, 40_000, place.address, port)
    health = bench.state.health(place.machine, port)
    return reach_of(bench.state, bench.state.outside, packet), health


@pytest.mark.parametrize("bench", MODES, indirect=True)
def test_every_node_answers_and_says_whether_it_has_a_pod(bench):
    for number, status, count in ((1, 200, 1), (2, 503, 0)):
        reach, health = asked(bench, number)
        assert reach.share == 1
        assert (health.status, health.local_endpoints) == (status, count)
    assert asked(bench, 1, PORT + 1)[1] is None
    assert asked(bench, 1, PORT + 1)[0].share == 0


def test_the_answer_is_of_the_rules_that_are_programmed(bench):
    bench.state.kernels["node-1"].reset()
    reach, health = asked(bench, 1)
    assert (reach.share, health) == (0, None)  # before the first sync the port is not open
    bench.publish([])
    assert asked(bench, 1)[1].status == 503


def test_a_proxy_whose_updates_do_not_get_through_says_503_everywhere(bench):
    bench.state.proxy_well = lambda node: node != "node-1"
    health = asked(bench, 1)[1]
    assert (health.status, health.local_endpoints, health.proxy_healthy) == (503, 1, False)


def test_without_its_process_the_port_is_closed_and_connections_are_reset(bench):
    traffic = {"from": "outside", "to": f"192.168.0.1:{PORT}", "clients": 1, "keepAlive": {}, "think": "100ms"}
    engine = bench.engine(traffic, end=20 * S)
    engine.advance(10 * S)
    bench.state.proxy("node-1", None)
    table = engine.finish(20 * S)
    assert set(table[table["sent"] < 9 * S]["outcome"]) == {OK}
    after = set(table[table["sent"] > 10 * S]["outcome"])
    assert REFUSED in after <= {REFUSED, RESET}
    assert set(table["pod"]) == {-1}
    reach, _ = asked(bench, 1)
    assert reach.reasons == (f"refused: nobody listens on port {PORT} of 192.168.0.1",)


def test_a_trace_ends_with_the_answer(bench):
    tracer = Tracer(bench.state, Draws(1), "flannel-vxlan")
    for number, words in ((1, "200 OK: 1 ready pod of"), (2, "503 Service Unavailable: 0 ready pods of")):
        trace = tracer.trace("a", bench.state.outside, "b", f"192.168.0.{number}", PORT, "TCP")
        assert trace.hops[-1].what == f"delivered to kube-proxy, which answers {words} default/web here"
        assert trace.outcome == "ok"
