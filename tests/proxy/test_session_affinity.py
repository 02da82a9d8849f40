"""Session affinity: its definition, its sliding time, and the limits of each mode's memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_builders import POD, ask, rules_of, service, slice_of

from netsim.proxy.affinity import Affinity
from netsim.proxy.packet import Verdict
from netsim.units import S

PODS = ("10.244.1.2", "10.244.2.2")


def sticky(*pods: str, seconds: int = 10) -> Verdict:
    config = {"clientIP": {"timeoutSeconds": seconds}}
    wanted = service(sessionAffinity="ClientIP", sessionAffinityConfig=config)
    verdict: Verdict = ask(rules_of(wanted, slice_of("web", *(pods or PODS))), POD, "10.96.0.20")
    return verdict


def connect(memory: Affinity, verdict: Verdict, client: str, now: int, bits: int) -> str:
    endpoint = memory.find(verdict, client, now) or verdict.choose(bits)
    memory.remember(verdict, endpoint, client, now)
    return endpoint.ip


def test_the_time_slides_with_every_new_connection() -> None:
    memory, verdict = Affinity(), sticky()
    first = connect(memory, verdict, "10.1.1.1", 0, 0)
    for now in range(9, 90, 9):
        assert connect(memory, verdict, "10.1.1.1", now * S, 2**64 - 1) == first
    assert connect(memory, verdict, "10.1.1.1", 91 * S, 2**64 - 1) != first


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 2**64 - 1)), max_size=60))
def test_a_client_stays_exactly_as_long_as_it_comes_in_time(visits: list[tuple[int, int, int]]) -> None:
    memory, verdict, now = Affinity(), sticky(), 0
    last: dict[int, tuple[int, str]] = {}
    for client, pause, bits in visits:
        now += pause * S
        chosen = connect(memory, verdict, f"10.1.1.{client}", now, bits)
        if client in last and now - last[client][0] < 10 * S:
            assert chosen == last[client][1]
        else:
            assert chosen == verdict.choose(bits).ip
        last[client] = (now, chosen)


@pytest.mark.parametrize(("clients", "moved"), [(50, False), (150, False), (250, True), (450, True)])
def test_iptables_remembers_a_hundred_clients_an_endpoint(clients: int, moved: bool) -> None:
    """Kernel truth: two endpoints, second visits of 50, 150, 250 and 450 clients."""
    memory, verdict = Affinity("iptables"), sticky(seconds=10800)
    bits = [0 if i % 2 else 2**64 - 1 for i in range(clients)]
    first = [connect(memory, verdict, f"10.1.{i // 250}.{i % 250}", i, bits[i]) for i in range(clients)]
    kept = [memory.find(verdict, f"10.1.{i // 250}.{i % 250}", S) for i in range(clients)]
    assert any(endpoint is None for endpoint in kept) == moved
    assert sum(endpoint is not None for endpoint in kept) == min(clients, 200)
    assert all(e is None or e.ip == ip for e, ip in zip(kept, first, strict=True))


def test_nftables_remembers_many_more() -> None:
    memory, verdict = Affinity("nftables"), sticky(PODS[0], seconds=10800)
    clients = [f"10.{i // 62500}.{i // 250 % 250}.{i % 250}" for i in range(65_600)]
    for client in clients:
        connect(memory, verdict, client, 0, 0)
    known = sum(memory.find(verdict, client, S) is not None for client in clients)
    assert known == 65_535


def test_a_full_nftables_set_takes_new_clients_when_old_ones_time_out() -> None:
    memory, verdict = Affinity("nftables"), sticky(PODS[0])
    for i in range(65_535):
        connect(memory, verdict, f"client-{i}", 0, 0)
    connect(memory, verdict, "late", 5 * S, 0)
    assert memory.find(verdict, "late", 6 * S) is None
    connect(memory, verdict, "later", 11 * S, 0)
    assert memory.find(verdict, "later", 12 * S) is not None


def test_an_endpoint_that_goes_takes_its_memory_with_it() -> None:
    memory, verdict = Affinity(), sticky()
    connect(memory, verdict, "10.1.1.1", 0, 0)
    assert memory.find(sticky(PODS[1]), "10.1.1.1", S) is None  # it is not among the endpoints now
    assert verdict.service_port is not None
    memory.retain(verdict.service_port.id, sticky(PODS[1]).endpoints)
    assert memory.find(verdict, "10.1.1.1", S) is None  # and it is forgotten when it returns


def test_affinity_holds_for_a_service_port_whatever_its_address() -> None:
    wanted = service(sessionAffinity="ClientIP", type="NodePort", nodePort=30080)
    rules = rules_of(wanted, slice_of("web", *PODS))
    memory = Affinity()
    by_ip, by_port = ask(rules, POD, "10.96.0.20"), ask(rules, POD, "192.168.0.1", 30080)
    first = connect(memory, by_ip, POD, 0, 2**63)
    assert connect(memory, by_port, POD, S, 0) == first


def test_nodes_share_nothing() -> None:
    here, there, verdict = Affinity(), Affinity(), sticky()
    connect(here, verdict, "10.1.1.1", 0, 0)
    assert there.find(verdict, "10.1.1.1", S) is None
    here.clear()
    assert here.find(verdict, "10.1.1.1", S) is None
