"""What happens to a request, case by case, and that every request has exactly one outcome."""

from __future__ import annotations

from heapq import heappop

import numpy as np
import pytest

from netsim.dataplane import plain
from netsim.dataplane.requests import (
    HOST_UNREACHABLE,
    NET_UNREACHABLE,
    OK,
    OUTCOMES,
    OVERLOADED,
    REFUSED,
    RESET,
    TIMEOUT,
    UNFINISHED,
)
from netsim.units import MS, US, S

STEADY = {"arrivals": "constant", "rate": "10/s"}


def outcomes(table):
    return {
        OUTCOMES[o]: int(n) for o, n in enumerate(np.bincount(table["outcome"], minlength=len(OUTCOMES))) if n
    }


def test_a_quiet_request_takes_two_round_trips_and_its_service(lab):
    bench = lab(nodes=2, pods=2, service_time="5ms")
    table = bench.engine(STEADY, end=5 * S).finish(5 * S)
    assert outcomes(table) == {"ok": 49}
    links = bench.links
    for node, way in ((1, 2 * links.pod), (2, 2 * links.pod + 2 * links.node + links.encapsulation)):
        mine = table[table["pod"] == node - 1]
        assert len(mine)
        rules = 8 * US + (15 if node == 2 else 0)  # the first packet's walk, on the server's node too
        assert set(mine["latency"]) == {4 * way + 5 * MS + rules}
        assert set(mine["connect"]) == {2 * way + rules}


def test_a_service_without_endpoints_refuses_at_once(lab):
    bench = lab()
    bench.publish([])
    table = bench.engine(STEADY, end=2 * S).finish(2 * S)
    assert outcomes(table) == {"refused": 19}
    assert set(table["latency"]) == {8 * US}


def test_a_closed_port_is_refused_after_one_round_trip(lab):
    bench = lab()
    bench.servers[0].accepting = False
    table = bench.engine(STEADY, end=2 * S).finish(2 * S)
    assert set(table["outcome"]) == {REFUSED}
    assert set(table["latency"]) == {2 * 2 * bench.links.pod + 8 * US}


def test_a_dead_machine_is_silent_until_the_connect_timeout(lab):
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    bench.state.power("node-2", on=False)
    table = bench.engine({**STEADY, "connectTimeout": "700ms"}, end=5 * S).finish(5 * S)
    known = table[table["outcome"] != UNFINISHED]
    assert set(known["outcome"]) == {TIMEOUT}
    assert set(known["latency"]) == {700 * MS}


def test_without_a_timeout_of_its_own_a_client_waits_as_long_as_the_kernel(lab):
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    bench.state.power("node-2", on=False)
    client = {"clients": 1, "timeout": None, "connectTimeout": None}
    table = bench.engine(client, end=200 * S).finish(200 * S)
    assert table["latency"][0] == 131 * S
    assert table["outcome"][0] == TIMEOUT


def test_a_retransmitted_syn_goes_to_the_endpoint_that_was_chosen_first(lab):
    """The endpoint's machine is back after 4 s: the SYN sent at 4 s or 5 s connects, nothing is rebalanced."""
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    bench.state.power("node-2", on=False)
    engine = bench.engine({"clients": 1, "timeout": None, "connectTimeout": None, "think": "1h"}, end=60 * S)
    bench.now = 4500 * MS
    engine.advance(bench.now)
    bench.publish(bench.servers[:1])
    bench.state.powered["node-2"] = True
    bench.pod(1, "web-1", "node-2")
    table = engine.finish(60 * S)
    assert table["outcome"][0] == OK
    assert table["pod"][0] == 1
    assert 5 * S < table["latency"][0] < 5.1 * S


def test_a_pod_that_is_gone_from_a_living_node_is_host_unreachable_after_three_seconds(lab):
    bench = lab()
    bench.state.drop_address(bench.servers[0].addresses[0])
    bench.state.stop(bench.servers[0], farewell=True)
    table = bench.engine({**STEADY, "timeout": "10s", "connectTimeout": "10s"}, end=20 * S).finish(20 * S)
    known = table[table["outcome"] != UNFINISHED]
    assert set(known["outcome"]) == {HOST_UNREACHABLE}
    assert (abs(known["latency"] - 3.07 * S) < 10 * MS).all()


def test_a_node_without_a_link_has_no_route(lab):
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    bench.topology.set_link("node-1", "switch", up=False)
    table = bench.engine(STEADY, end=2 * S).finish(2 * S)
    assert set(table["outcome"]) == {NET_UNREACHABLE}


def test_a_killed_program_resets_whoever_is_inside(lab):
    bench = lab(workers=1, service_time="1s", backlog=100)
    engine = bench.engine({**STEADY, "timeout": "30s", "connectTimeout": "1s"}, end=60 * S)
    bench.now = 1550 * MS
    engine.advance(bench.now)
    bench.state.stop(bench.servers[0], farewell=True)
    bench.state.start(bench.servers[0])
    table = engine.finish(60 * S)
    inside = table[table["sent"] < 1550 * MS]
    assert set(inside["outcome"]) == {OK, RESET}
    assert (inside["outcome"] == OK).sum() == 1
    reset = inside[inside["outcome"] == RESET]
    assert (reset["sent"] + reset["latency"] == 1550 * MS + 2 * bench.links.pod).all()


def test_a_machine_that_loses_power_says_nothing_to_whoever_is_inside(lab):
    bench = lab(nodes=2, pods=2, workers=1, service_time="1s", backlog=100)
    bench.publish(bench.servers[1:])
    engine = bench.engine({**STEADY, "timeout": "5s"}, end=60 * S)
    bench.now = 1550 * MS
    engine.advance(bench.now)
    bench.state.power("node-2", on=False)
    table = engine.finish(60 * S)
    inside = table[(table["sent"] < 1500 * MS) & (table["outcome"] != OK)]
    assert set(inside["outcome"]) == {TIMEOUT}
    assert set(inside["latency"]) == {5 * S}


def test_a_full_backlog_turns_requests_away(lab):
    bench = lab(workers=1, backlog=2, service_time="1s")
    table = bench.engine({**STEADY, "timeout": "20s"}, end=10 * S).finish(40 * S)
    counts = outcomes(table)
    assert counts["overloaded"] > 80
    assert table[table["outcome"] == OVERLOADED]["latency"].max() < 10 * MS
    assert table["queued"].max() <= 2 * S


def test_retries_find_the_living_endpoint(lab):
    bench = lab(nodes=2, pods=2)
    bench.state.power("node-2", on=False)
    retrying = {
        **STEADY,
        "connectTimeout": "100ms",
        "timeout": "1s",
        "retries": {"attempts": 25, "backoff": "1ms", "maxBackoff": "2ms"},
    }
    table = bench.engine(retrying, end=20 * S).finish(30 * S)
    assert outcomes(table) == {"ok": 199}
    assert set(np.unique(table["attempts"])) >= {1, 2, 3}
    # each try is an even choice between the two endpoints
    assert (table["attempts"] == 1).mean() == pytest.approx(0.5, abs=0.15)


def test_a_kept_connection_stays_with_its_endpoint_and_never_connects_again(lab):
    bench = lab(pods=3, nodes=3)
    table = bench.engine({"clients": 4, "think": "10ms", "keepAlive": {}}, end=10 * S).finish(10 * S)
    for client in range(4):
        mine = table[table["client"] == client]
        assert len(set(mine["pod"])) == 1
        assert (mine["connect"][1:] == 0).all()
        assert mine["connect"][0] > 0


def test_a_kept_connection_to_a_dead_machine_costs_its_client_a_timeout(lab):
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    engine = bench.engine({"clients": 1, "think": "100ms", "keepAlive": {}}, end=20 * S)
    bench.now = 5 * S
    engine.advance(bench.now)
    bench.publish(bench.servers[:1])
    bench.state.power("node-2", on=False)
    table = engine.finish(20 * S)
    assert outcomes(table)["timeout"] == 1
    assert table[table["outcome"] == TIMEOUT]["connect"][0] == 0
    assert set(table[table["sent"] > 8 * S]["pod"]) == {0}


def test_a_kept_connection_to_a_stopped_program_is_replaced_without_an_error(lab):
    bench = lab(nodes=2, pods=2)
    bench.publish(bench.servers[1:])
    engine = bench.engine({"clients": 1, "think": "100ms", "keepAlive": {}}, end=20 * S)
    bench.now = 5 * S + 37 * MS
    engine.advance(bench.now)
    bench.publish(bench.servers[:1])
    bench.state.stop(bench.servers[1], farewell=True)
    assert set(outcomes(engine.finish(20 * S))) <= {"ok", "reset", "unfinished"}
    assert outcomes(engine.finish(20 * S)).get("reset", 0) <= 1


def hung_up(lab, at):
    """A client's requests of 5 ms, a second apart on a kept connection, as the server hangs up so long after the
    second is sent: how each ended, and who served it. Another pod takes over at the same instant."""
    bench = lab(nodes=2, pods=2, service_time="5ms")
    bench.publish(bench.servers[1:])
    engine = bench.engine({"clients": 1, "think": "1s", "keepAlive": {}}, end=4 * S)
    engine.advance(S)
    first = engine.rows[0]
    bench.now = bench.state.time = int(first["latency"]) + S + at
    engine.advance(bench.now)
    bench.publish(bench.servers[:1])
    bench.state.drain(bench.servers[1])
    rows = engine.finish(4 * S)
    way = 2 * bench.links.pod + 2 * bench.links.node + bench.links.encapsulation
    return [(OUTCOMES[row["outcome"]], int(row["pod"]), int(row["latency"])) for row in rows[1:3]], way


def test_a_program_that_drains_closes_idle_connections_and_the_client_opens_another(lab):
    (second, third), _ = hung_up(lab, -10 * MS)
    assert second[:2] == third[:2] == ("ok", 0)
    assert second[2] > third[2]  # it has opened a connection, which the third finds open


def test_a_request_that_crosses_the_farewell_of_a_program_that_drains_is_reset(lab):
    (second, third), way = hung_up(lab, 20 * US)
    assert second == ("reset", 1, 2 * way)
    assert third[:2] == ("ok", 0)


def test_a_program_that_drains_answers_what_it_has_begun_and_hears_no_more_of_that_client(lab):
    (second, third), way = hung_up(lab, 2 * MS)
    assert second == ("ok", 1, 5 * MS + 2 * way)
    assert third[:2] == ("ok", 0)


def test_a_program_that_drains_answers_the_first_request_of_a_connection_it_has_accepted(lab):
    bench = lab(nodes=2, pods=2, service_time="5ms")
    bench.publish(bench.servers[1:])
    engine = bench.engine({"clients": 1, "think": "1s", "keepAlive": {}}, end=2 * S)
    way = 2 * bench.links.pod + 2 * bench.links.node + bench.links.encapsulation
    bench.now = bench.state.time = way + 20 * US  # the SYN has arrived, the request has not
    engine.advance(bench.now)
    bench.state.drain(bench.servers[1])
    assert OUTCOMES[engine.finish(2 * S)[0]["outcome"]] == "ok"


def test_a_run_that_is_interrupted_when_there_is_nothing_left_to_do_still_ends(lab, monkeypatch):
    engine = lab().engine({**STEADY, "stop": "1s"}, end=5 * S)

    def interrupted(agenda):
        entry = heappop(agenda)
        if entry is plain.END:
            raise KeyboardInterrupt
        return entry

    monkeypatch.setattr(plain, "heappop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.advance(3 * S)
    monkeypatch.undo()
    assert outcomes(engine.finish(3 * S)) == {"ok": 9}


def test_from_outside_through_a_node_port_the_road_is_longer_by_the_outside_link(lab):
    bench = lab(nodes=2, pods=2, service_time="1ms")
    bench.state.external_places.update(bench.state.node_places)
    table = bench.engine({**STEADY, "from": "outside", "to": "node/node-1:30080"}, end=10 * S).finish(11 * S)
    assert outcomes(table) == {"ok": 99}
    assert set(table["ingress"]) == {0}
    assert table["latency"].min() > 4 * bench.links.outside


def test_every_request_has_exactly_one_row(lab):
    bench = lab(nodes=3, pods=4, workers=1, backlog=3, service_time="exponential(60ms)")
    engine = bench.engine(
        {"name": "open", "rate": "80/s", "retries": {"attempts": 2}, "timeout": "300ms"},
        {"name": "closed", "clients": 7, "think": "5ms", "keepAlive": {"requests": 5}},
        end=30 * S,
    )
    for step in range(1, 30):
        bench.now = step * S
        engine.advance(bench.now)
        if step == 10:
            bench.state.power("node-2", on=False)
        if step == 20:
            bench.state.stop(bench.servers[0], farewell=True)
    table = engine.finish(30 * S)
    keys = set(zip(table["source"], table["client"], table["sequence"], strict=True))
    assert len(keys) == len(table)
    for source, client in {(s, c) for s, c, _ in keys}:
        mine = table[(table["source"] == source) & (table["client"] == client)]
        assert sorted(mine["sequence"]) == list(range(len(mine)))
    assert set(outcomes(table)) >= {"ok", "timeout", "overloaded"}
