"""One choice a connection, and what happens to it when an endpoint goes."""

from __future__ import annotations

from proxy_builders import rules_of, service, slice_of

from netsim.proxy.conntrack import Conntrack, maximum
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet
from netsim.units import S

POD = Endpoint("10.244.2.2", 8080)


def tcp(port: int = 40000) -> Packet:
    return Packet("10.244.1.9", port, "10.96.0.20", 80)


def udp(port: int = 40000, destination: str = "10.96.0.10", service_port: int = 53) -> Packet:
    return Packet("10.244.1.9", port, destination, service_port, "UDP")


def test_retries_of_a_syn_stay_with_the_endpoint_first_chosen() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    for now in (1, 2, 3, 4, 5, 7, 11, 19, 35, 68):
        found = table.find(tcp(), now * S)
        assert found is not None
        assert found.endpoint is POD
        table.saw(found, "syn", now * S)
    assert table.find(tcp(), (68 + 120) * S) is None  # SYN_SENT waits 120 s for the next packet


def test_an_established_connection_is_remembered_for_a_day() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "established", 0)
    assert entry.assured
    assert table.find(tcp(), 86_399 * S) is entry
    assert table.find(tcp(), 86_400 * S) is None


def test_an_answer_finds_the_entry_by_its_own_tuple() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0, source_seen="192.168.0.1", port_seen=12345)
    answer = Packet("10.244.2.2", 8080, "192.168.0.1", 12345)
    assert table.find(answer, 1) is entry
    assert entry is not None
    assert entry.masqueraded


def test_two_clients_behind_one_address_get_different_ports() -> None:
    table = Conntrack()
    entries = [
        table.add(Packet(f"203.0.113.{i}", 40000, "192.168.0.1", 30080), POD, 0, source_seen="192.168.0.1")
        for i in (1, 2, 3)
    ]
    ports = [entry.reply.port for entry in entries if entry]
    assert len(set(ports)) == 3
    assert ports[0] == 40000


def test_a_closed_connection_waits_two_minutes() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    for what in ("syn-ack", "ack", "data", "fin", "ack", "fin", "ack"):
        table.saw(entry, what, S)
    assert entry.state == "TIME_WAIT"
    assert table.find(tcp(), 120 * S) is entry
    assert table.find(tcp(), 121 * S) is None


def test_a_reset_ends_it_in_ten_seconds() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "established", 0)
    table.saw(entry, "rst", S)
    assert table.find(tcp(), 12 * S) is None


def test_a_port_that_is_used_again_is_chosen_for_anew_once_its_connection_is_closed() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "established", 0)
    assert table.find(tcp(), S, opens=True) is entry  # the old one is believed open: the SYN goes where it went
    for what in ("fin", "ack", "fin", "ack"):
        table.saw(entry, what, 2 * S)
    assert table.find(tcp(), 3 * S) is entry
    assert table.find(tcp(), 3 * S, opens=True) is None
    assert len(table) == 0


def test_a_reset_connection_leaves_its_port_free() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "rst", 0)
    assert table.find(tcp(), S, opens=True) is None


def test_a_udp_flow_becomes_a_stream_when_it_talks_for_two_seconds() -> None:
    table = Conntrack()
    entry = table.add(udp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "data", S, reply=True)
    assert (entry.state, entry.assured) == ("REPLIED", False)
    table.saw(entry, "data", 3 * S)
    assert (entry.state, entry.assured) == ("STREAM", True)
    assert table.find(udp(), 122 * S) is entry
    assert table.find(udp(), 123 * S) is None


def test_kube_proxy_cleans_udp_and_only_udp() -> None:
    rules = rules_of(
        service("dns", "10.96.0.10", ports=[{"port": 53, "protocol": "UDP", "nodePort": 30053}]),
        slice_of("dns", "10.244.1.2", protocol="UDP", port=53),
        service(),
        slice_of("web", "10.244.1.2"),
    )
    table, gone, here = Conntrack(), Endpoint("10.244.2.2", 53), Endpoint("10.244.1.2", 53)
    stale = [table.add(udp(1), gone, 0), table.add(udp(2, "192.168.0.1", 30053), gone, 0)]
    table.add(udp(3), here, 0)
    table.add(udp(4), Endpoint("10.244.1.2", 5353), 0)  # the right pod at a port it had before
    table.add(udp(5, "8.8.8.8"), None, 0)
    table.add(tcp(), POD, 0)
    deleted = table.clean_up(rules.versions(4))
    assert {entry.original.source_port for entry in deleted} == {1, 2, 4}
    assert stale[0] in deleted
    assert len(table) == 3
    assert table.find(udp(1), 0) is None  # its next packet meets the rules anew


def test_a_service_without_serving_endpoints_keeps_its_entries() -> None:
    rules = rules_of(service("dns", "10.96.0.10", ports=[{"port": 53, "protocol": "UDP"}]))
    table = Conntrack()
    table.add(udp(), Endpoint("10.244.2.2", 53), 0)
    assert table.clean_up(rules.versions(4)) == []


def test_a_full_table_gives_up_what_is_not_assured_first() -> None:
    """Kernel truth: one-way UDP makes room for everybody, ASSURED entries for nobody."""
    table = Conntrack(limit=100)
    for i in range(100):
        table.add(udp(i), POD, 0)
    for i in range(60):
        entry = table.add(tcp(i), POD, S)
        assert entry is not None
        table.saw(entry, "established", S)
    assert (len(table), table.early_drops, table.drops) == (100, 60, 0)
    for i in range(60, 100):
        entry = table.add(tcp(i), POD, S)
        assert entry is not None
        table.saw(entry, "established", S)
    assert table.add(tcp(1000), POD, 2 * S) is None
    assert table.drops == 1
    assert table.find(tcp(5), 3 * S) is not None  # established connections go on


def test_a_full_table_has_room_again_when_entries_time_out() -> None:
    table = Conntrack(limit=2)
    for i in range(2):
        entry = table.add(udp(i), POD, 0)
        assert entry is not None
        table.saw(entry, "data", S, reply=True)
        table.saw(entry, "data", 3 * S)
    assert table.add(udp(9), POD, 4 * S) is None
    assert table.add(udp(9), POD, 200 * S) is not None
    assert len(table) == 1


def test_kube_proxy_sets_the_size_by_cores() -> None:
    assert [maximum(cores) for cores in (1, 4, 8)] == [131_072, 131_072, 262_144]


def test_it_is_listed_as_conntrack_does() -> None:
    table = Conntrack()
    entry = table.add(tcp(), POD, now=0)
    assert entry is not None
    table.saw(entry, "established", 0)
    table.add(udp(), Endpoint("10.244.2.3", 53), now=0)
    assert table.render(now=10 * S) == (
        "tcp      6 86390 ESTABLISHED src=10.244.1.9 dst=10.96.0.20 sport=40000 dport=80 "
        "src=10.244.2.2 dst=10.244.1.9 sport=8080 dport=40000 [ASSURED] mark=0 use=1\n"
        "udp      17 20 src=10.244.1.9 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] "
        "src=10.244.2.3 dst=10.244.1.9 sport=53 dport=40000 mark=0 use=1\n"
    )
    table.clear()
    assert table.render(0) == ""
