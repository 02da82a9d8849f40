"""What nodes remember: affinity, IPVS's turns, UDP flows that conntrack pins."""

from __future__ import annotations

import numpy as np

from netsim.dataplane.reach import reach_of
from netsim.dataplane.requests import OK, TIMEOUT
from netsim.proxy.packet import Packet
from netsim.units import MS, S


def sticky(bench, seconds=60, **spec):
    bench.tables.set_service(
        {
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {
                "clusterIP": "10.96.0.20",
                "type": "NodePort",
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": seconds}},
                "ports": [{"port": 80, "nodePort": 30080, **spec}],
            },
        }
    )
    bench.publish(bench.servers)


def test_with_affinity_a_client_keeps_its_endpoint(lab):
    bench = lab(pods=4, nodes=2)
    sticky(bench)
    table = bench.engine({"rate": "20/s"}, end=30 * S).finish(30 * S)
    assert len(set(table[table["outcome"] == OK]["pod"])) == 1


def test_affinity_slides_with_every_connection_and_ends_after_a_pause(lab):
    bench = lab(pods=4, nodes=2)
    sticky(bench, seconds=5)
    often = bench.engine({"arrivals": "constant", "rate": "0.25/s"}, end=400 * S).finish(400 * S)
    assert len(set(often["pod"])) == 1  # every 4 s: never away for 5 s
    bench = lab(pods=4, nodes=2)
    sticky(bench, seconds=5)
    rarely = bench.engine({"arrivals": "constant", "rate": "0.1/s"}, end=400 * S).finish(400 * S)
    assert len(set(rarely["pod"])) > 1


def test_affinity_is_lost_with_the_endpoint(lab):
    bench = lab(pods=2, nodes=2)
    sticky(bench)
    engine = bench.engine({"rate": "20/s"}, end=20 * S)
    engine.advance(10 * S)
    first = engine.rows[-1][7]
    bench.publish([s for s in bench.servers if s.index != first])
    table = engine.finish(20 * S)
    assert set(table[table["sent"] > 10.1 * S]["pod"]) == {1 - first}


def test_ipvs_deals_connections_out_in_turn(lab):
    bench = lab(pods=3, nodes=3, mode="ipvs")
    table = bench.engine({"arrivals": "constant", "rate": "10/s"}, end=30 * S).finish(30 * S)
    pods = table["pod"]
    assert (pods[3:] == pods[:-3]).all()
    assert len(set(pods)) == 3


def udp(bench):
    bench.tables.set_service(
        {
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80, "protocol": "UDP"}]},
        }
    )
    bench.publish(bench.servers, protocol="UDP")


ONE_SOCKET = {"protocol": "UDP", "arrivals": "constant", "rate": "10/s", "timeout": "1s", "keepAlive": {}}


def test_one_udp_socket_stays_with_one_endpoint_and_fresh_sockets_do_not(lab):
    bench = lab(pods=3, nodes=3)
    udp(bench)
    kept = bench.engine(ONE_SOCKET, end=20 * S).finish(20 * S)
    assert len(set(kept["pod"])) == 1
    bench = lab(pods=3, nodes=3)
    udp(bench)
    fresh = bench.engine({**ONE_SOCKET, "keepAlive": None}, end=20 * S).finish(20 * S)
    assert len(set(fresh["pod"])) == 3
    assert set(fresh["outcome"]) == {OK}


def test_j13_a_udp_flow_to_a_removed_endpoint_is_balanced_anew_after_the_nodes_sync(lab):
    bench = lab(pods=2, nodes=2)
    udp(bench)
    engine = bench.engine(ONE_SOCKET, end=20 * S)
    engine.advance(10 * S)
    gone = engine.rows[-1][7]
    bench.state.stop(bench.servers[gone], farewell=False)
    bench.state.drop_address(bench.servers[gone].addresses[0])
    engine.advance(12 * S)
    bench.publish([s for s in bench.servers if s.index != gone], protocol="UDP")
    table = engine.finish(20 * S)
    stale = table[(table["sent"] > 10 * S) & (table["sent"] < 12 * S)]
    assert set(stale["outcome"]) == {TIMEOUT}
    after = table[(table["sent"] > 12 * S) & (table["sent"] < 18 * S)]
    assert set(after["outcome"]) == {OK}
    assert set(after["pod"]) == {1 - gone}


def test_j13_an_established_tcp_connection_keeps_going_to_a_removed_endpoint(lab):
    bench = lab(pods=2, nodes=2)
    engine = bench.engine({"clients": 1, "think": "100ms", "keepAlive": {}}, end=20 * S)
    engine.advance(10 * S)
    first = engine.rows[-1][7]
    bench.publish([s for s in bench.servers if s.index != first])
    table = engine.finish(20 * S)
    assert set(table["pod"]) == {first}
    assert set(np.unique(table["outcome"][:-1])) == {OK}


def test_every_first_packet_pays_for_the_rules_it_walks(lab):
    bench = lab(pods=1, nodes=1, service_time="1ms")
    few = bench.engine({"arrivals": "constant", "rate": "10/s"}, end=10 * S).finish(10 * S)["connect"].max()
    bench = lab(pods=1, nodes=1, service_time="1ms")
    for i in range(2000):
        bench.tables.set_service(
            {
                "metadata": {"namespace": "default", "name": f"other-{i}"},
                "spec": {"clusterIP": f"10.97.{i // 250}.{i % 250 + 1}", "ports": [{"port": 80}]},
            }
        )
    bench.publish(bench.servers)
    many = bench.engine({"arrivals": "constant", "rate": "10/s"}, end=10 * S).finish(10 * S)["connect"].max()
    assert 0 < many - few <= 2000 * 15
    assert many < 1 * MS


def test_looking_at_a_packet_leaves_no_trace(lab):
    """A run is the same whether somebody asked what would happen in the middle of it or not."""
    tables = []
    for looked in (False, True):
        bench = lab(pods=3, nodes=3, mode="ipvs")
        udp(bench)
        engine = bench.engine({**ONE_SOCKET, "keepAlive": None}, end=10 * S)
        for second in range(10):
            engine.advance(second * S)
            if looked:
                client = bench.state.places[bench.client.addresses[0]]
                packet = Packet(client.address, 40000, "10.96.0.20", 80, "UDP")
                assert reach_of(bench.state, client, packet).share == 1
        tables.append(engine.finish(10 * S))
    assert np.array_equal(*tables)
