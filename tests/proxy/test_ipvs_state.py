"""IPVS: schedulers, draining, persistence."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.proxy.endpoints import Endpoint
from netsim.proxy.ipvs_state import IPVS, SCHEDULERS, maglev_table
from netsim.units import S

WEB, DNS = ("10.96.0.20", 80, "TCP"), ("10.96.0.10", 53, "UDP")
PODS = [Endpoint(f"10.244.1.{i}", 80) for i in (2, 3, 4)]


def balancer(scheduler: str = "rr", pods: list[Endpoint] = PODS, persistence: int | None = None) -> IPVS:
    state = IPVS()
    state.program(WEB, pods, scheduler, persistence)
    return state


def choose(state: IPVS, client: str = "10.1.1.1", now: int = 0) -> str:
    endpoint = state.choose(WEB, client, now)
    assert endpoint is not None
    return endpoint.ip


@pytest.mark.parametrize("scheduler", ["rr", "wrr"])
def test_round_robin_takes_each_in_turn(scheduler: str) -> None:
    state = balancer(scheduler)
    assert [choose(state)[-1] for _ in range(7)] == list("2342342")


@pytest.mark.parametrize("scheduler", ["lc", "wlc", "sed", "nq"])
def test_least_connections_fill_evenly(scheduler: str) -> None:
    state = balancer(scheduler)
    for _ in range(9):
        endpoint = state.choose(WEB, "10.1.1.1", 0)
        assert endpoint is not None
        state.opened(WEB, endpoint)
        state.established(WEB, endpoint)
    assert [real.active for real in state.virtual[WEB].servers.values()] == [3, 3, 3]


def test_an_active_connection_weighs_256_others_for_lc_and_all_for_sed() -> None:
    for scheduler, expected in (("lc", "10.244.1.3"), ("sed", "10.244.1.3")):
        state = balancer(scheduler, PODS[:2])
        state.opened(WEB, PODS[0])
        state.established(WEB, PODS[0])
        for _ in range(255):
            state.opened(WEB, PODS[1])
        assert choose(state) == expected
    state = balancer("lc", PODS[:2])
    state.opened(WEB, PODS[0])
    state.established(WEB, PODS[0])
    for _ in range(257):
        state.opened(WEB, PODS[1])
    assert choose(state) == "10.244.1.2"


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_source_hashing_keeps_a_client_at_its_pod(scheduler: str) -> None:
    state = balancer(scheduler)
    clients = [f"10.1.{i // 200}.{i % 200}" for i in range(600)]
    first = [choose(state, client) for client in clients]
    assert first == [choose(state, client) for client in clients]
    assert min(Counter(first).values()) > 120


def test_destination_hashing_sends_one_address_to_one_pod() -> None:
    state = balancer("dh")
    assert len({choose(state, f"10.1.1.{i}") for i in range(50)}) == 1


@given(st.sets(st.integers(2, 250), min_size=2, max_size=20))
def test_maglev_moves_few_clients_when_a_pod_goes(pods: set[int]) -> None:
    names = tuple(f"10.244.1.{i}" for i in sorted(pods))
    before, after = maglev_table(names, 1021), maglev_table(names[1:], 1021)
    moved = sum(a != b and a != names[0] for a, b in zip(before, after, strict=True))
    counts = Counter(before)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert moved < 1021 * 0.5


def test_a_tcp_pod_that_must_go_drains() -> None:
    state = balancer()
    state.opened(WEB, PODS[0])
    state.established(WEB, PODS[0])
    state.program(WEB, PODS[1:])
    real = state.virtual[WEB].servers["10.244.1.2:80"]
    assert real.weight == 0
    assert {choose(state) for _ in range(6)} == {"10.244.1.3", "10.244.1.4"}
    state.pass_time(60 * S)
    assert "10.244.1.2:80" in state.virtual[WEB].servers  # a connection is left
    state.closed(WEB, PODS[0], 70 * S)
    state.pass_time(180 * S)
    assert (real.active, real.inactive) == (0, 1)  # it still waits
    state.pass_time(239 * S)
    assert "10.244.1.2:80" in state.virtual[WEB].servers
    state.pass_time(240 * S)
    assert "10.244.1.2:80" not in state.virtual[WEB].servers


def test_a_connection_that_has_ended_is_inactive_for_as_long_as_time_wait_lasts() -> None:
    state = balancer("lc", PODS[:2])
    for second in range(3):
        state.opened(WEB, PODS[0])
        state.established(WEB, PODS[0])
        state.closed(WEB, PODS[0], second * S)
    counts = [next((r.active, r.inactive) for r in state.seen(WEB, t * S)) for t in (3, 119, 120, 121, 122)]
    assert counts == [(0, 3), (0, 3), (0, 2), (0, 1), (0, 0)]


def test_ended_connections_weigh_for_least_connections() -> None:
    state = balancer("lc", PODS[:2])
    state.opened(WEB, PODS[0])
    state.established(WEB, PODS[0])
    state.closed(WEB, PODS[0], 0)
    assert choose(state, now=119 * S) == "10.244.1.3"
    assert choose(state, now=120 * S) == "10.244.1.2"


def test_a_pod_without_connections_and_any_udp_pod_goes_at_once() -> None:
    state = balancer()
    state.program(WEB, PODS[1:])
    assert "10.244.1.2:80" not in state.virtual[WEB].servers
    state.program(DNS, PODS)
    state.opened(DNS, PODS[0])
    state.program(DNS, PODS[1:])
    assert "10.244.1.2:80" not in state.virtual[DNS].servers


def test_a_pod_that_comes_back_while_it_drains_starts_anew() -> None:
    state = balancer()
    state.opened(WEB, PODS[0])
    state.program(WEB, PODS[1:])
    state.program(WEB, PODS)
    real = state.virtual[WEB].servers["10.244.1.2:80"]
    assert (real.weight, real.inactive) == (1, 0)


@pytest.mark.parametrize("scheduler", sorted(SCHEDULERS))
def test_an_empty_virtual_server_refuses(scheduler: str) -> None:
    state = balancer(scheduler, [])
    assert state.choose(WEB, "10.1.1.1", 0) is None
    assert state.choose(DNS, "10.1.1.1", 0) is None


def test_a_draining_pod_keeps_its_bucket_under_source_hashing() -> None:
    state = balancer("sh")
    clients = [f"10.1.{i // 200}.{i % 200}" for i in range(300)]
    bound = [c for c in clients if choose(state, c) == "10.244.1.2"]
    state.opened(WEB, PODS[0])
    state.program(WEB, PODS[1:], "sh")
    assert bound
    assert all(state.choose(WEB, client, 0) is None for client in bound)


def test_persistence_binds_a_client_and_slides() -> None:
    state = balancer("rr", persistence=10 * S)
    first = choose(state, "10.1.1.1", 0)
    assert choose(state, "10.1.1.2", 0) != first
    assert [choose(state, "10.1.1.1", t * S) for t in (9, 18, 27)] == [first] * 3
    assert choose(state, "10.1.1.1", 37 * S) != first


def test_persistence_does_not_hold_a_client_at_a_draining_pod() -> None:
    state = balancer("rr", persistence=10 * S)
    first = state.choose(WEB, "10.1.1.1", 0)
    assert first is not None
    state.opened(WEB, first)
    state.program(WEB, [pod for pod in PODS if pod is not first], "rr", 10 * S)
    assert choose(state, "10.1.1.1", S) != first.ip
    state.clear()
    assert state.choose(WEB, "10.1.1.1", S) is None
