"""Requests of traffic over TLS: what the handshake adds, and what resuming a session saves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from lab_clusters import MY_NGINX, SERVICES, deployment, pod, pods_of, service

from netsim.dataplane.engines import choose
from netsim.dataplane.handshake import SESSION_TIME, Sessions, handshake
from netsim.dataplane.requests import OUTCOMES, REQUEST
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import MS, US, S

HOW = {
    "plain": None,
    "old": {"version": "1.2", "resume": False},
    "new": {"version": "1.3", "resume": False},
    "curve": {"version": "1.3", "resume": False, "key": "ecdsa"},
    "old-again": {"version": "1.2"},
    "new-again": {"version": "1.3"},
    "early": {"version": "1.3", "early": True},
}


def made(replicas: int = 1, links: dict[str, str] | None = None, **more: Any) -> Simulation:
    """A source for each way of HOW, all asking the same Service."""
    base = {"from": "pod/client", "to": f"https://{MY_NGINX}", "rate": "20/s", "arrivals": "constant", "start": "10s"}
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "tls"},
        "duration": "30s",
        "cluster": {
            "addresses": {"services": SERVICES},
            "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 2}],
            "links": links or {"node": "5ms"},
        },
        "serving": [{"serviceTime": "1ms"}],
        "traffic": [{"name": name, **base, **({"tls": tls} if tls else {}), **more} for name, tls in HOW.items()],
    }
    secure = service("my-nginx", [{"port": 443, "name": "https"}], clusterIP=MY_NGINX)
    # the client stays off the server's node: its packets have a road to go
    apart = pod("client", nodeName="worker-2")
    nginx = deployment("my-nginx", replicas, (443,))
    nginx["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "worker-1"}
    return Simulation(loads(yaml.safe_dump_all([scenario, nginx, secure, apart], sort_keys=False)))


def rows(simulation: Simulation, source: str) -> Any:
    table = np.array(simulation.engine.rows, dtype=REQUEST)
    return table[table["source"] == list(HOW).index(source)]


@pytest.fixture(scope="module")
def run() -> Simulation:
    simulation = made()
    simulation.run(20 * S)
    return simulation


def usual(simulation: Simulation, source: str) -> int:
    """How long the later requests of a source take to connect, in nanoseconds."""
    return int(np.median(rows(simulation, source)["connect"][5:]))


def test_everything_is_answered(run: Simulation) -> None:
    for source in HOW:
        assert {OUTCOMES[outcome] for outcome in rows(run, source)["outcome"]} == {"ok"}


ADDED = [
    # source        round trips   and the work of
    ("old", 2, handshake("1.2", "rsa")),
    ("new", 1, handshake("1.3", "rsa")),
    ("curve", 1, handshake("1.3", "ecdsa")),
    ("old-again", 1, handshake("1.2", "rsa", resumed=True)),
    ("new-again", 1, handshake("1.3", "rsa", resumed=True)),
    ("early", 0, handshake("1.3", "rsa", resumed=True)),
]


@pytest.mark.parametrize(("source", "round_trips", "cost"), ADDED)
def test_a_handshake_adds_its_round_trips_and_its_work(
    run: Simulation, source: str, round_trips: int, cost: Any
) -> None:
    plain = usual(run, "plain")
    assert plain > 20 * MS  # one round trip of 5 ms links, to connect
    added = usual(run, source) - plain
    assert added == pytest.approx(round_trips * plain + cost.client + cost.server, abs=100 * US)


def test_the_first_connection_has_nothing_to_resume(run: Simulation) -> None:
    for source in ("old-again", "new-again", "early"):
        connect = rows(run, source)["connect"]
        assert connect[0] > connect[5] + 500 * US


def test_each_pod_has_to_be_met_once_before_its_sessions_can_be_resumed() -> None:
    simulation = made(replicas=3)
    simulation.run(20 * S)
    found = rows(simulation, "new-again")
    full = found["connect"] > np.median(found["connect"]) + 500 * US
    assert full.sum() == 3
    assert len(set(found["pod"][full])) == 3


def test_a_kept_connection_is_secured_once() -> None:
    simulation = made(keepAlive={})
    simulation.run(20 * S)
    connect = rows(simulation, "old")["connect"]
    assert (connect > 0).sum() <= 3  # those that came before the first was ready to be used again
    assert len(connect) > 150


def test_who_has_no_time_for_the_handshake_gives_up() -> None:
    simulation = made(timeout="50ms")  # 20 ms to connect, 20 ms to ask, and 20 or 40 in between
    simulation.run(20 * S)
    outcomes = {name: {OUTCOMES[o] for o in rows(simulation, name)["outcome"]} for name in HOW}
    assert outcomes["plain"] == {"ok"}
    assert outcomes["old"] == outcomes["new"] == {"timeout"}


def test_a_program_that_dies_during_the_handshake_resets_it() -> None:
    simulation = made(links={"node": "500ms"}, connectTimeout="5s", timeout="20s")
    simulation.run(15 * S)
    simulation.levers.crash(pods_of(simulation, "my-nginx")[0], None, 1)
    simulation.run(25 * S)
    assert "reset" in {OUTCOMES[outcome] for outcome in rows(simulation, "old")["outcome"]}


def test_sessions_last_five_minutes_and_end_with_their_program() -> None:
    one, two = (
        Server(i, f"default/web-{i}", "node", (f"10.0.0.{i}",), Serving(), [(443, "TCP")]) for i in range(2)
    )
    sessions = Sessions()
    sessions.begin(one, 0)
    assert sessions.knows(one, SESSION_TIME - 1)
    assert not sessions.knows(one, SESSION_TIME)
    assert not sessions.knows(two, 0)


def test_tls_is_moved_by_the_plain_engine_which_says_so(run: Simulation) -> None:
    assert choose("auto", run.forwarding, run.sources).why == "its clients speak TLS"
