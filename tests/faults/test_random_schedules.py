"""Whatever breaks, and whenever: what must hold of every run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from netsim.dataplane.reach import reach
from netsim.dataplane.requests import OUTCOMES
from netsim.errors import ScenarioError
from netsim.simulation import simulate

LAST_HEAL = 90  # every fault is over by then
BOUND = 200
"""Boot 30 s, election 18 s, a crash's longest back-off here 80 s, a pod's start 5 s, health checks 24 s, and room."""

END = LAST_HEAL + BOUND
NODES = ("a-1", "a-2", "b-1", "b-2", "master")
WEB = {"labelSelectors": {"app": "web"}}
EDITS: dict[str, dict[str, Any]] = {
    "set-image": {"target": "deployment/web", "image": "nginx:2"},
    "rollout-restart": {"target": "deployment/web"},
    "scale": {"target": "deployment/web", "replicas": 2},
}
ON_NODES = (
    "node-power-loss", "node-reboot", "kernel-hang", "kubelet-stopped", "container-runtime-dead", "kube-proxy-stopped",
    "kube-proxy-slow", "network-partition", "link-down", "link-flapping", "network-delay", "network-loss",
    "network-bandwidth", "node-drain", "node-cordon", "node-delete",
)  # fmt: skip
ON_PODS = ("pod-kill", "container-kill", "sandbox-kill", "readiness-failing", "slow-pod", "connection-refused")
AT_ONCE = ("node-reboot", "pod-kill", "sandbox-kill")
OTHERS = ("control-plane-down", "dns-down", "load-balancer-down", "zone-outage")


@st.composite
def faults(draw: st.DrawFn, name: str) -> dict[str, Any]:
    action = draw(st.sampled_from((*ON_NODES, *ON_PODS, *OTHERS, *EDITS)))
    at = draw(st.integers(5, 60))
    fault = {"name": name, "action": action, "at": f"{at}s", **EDITS.get(action, {})}
    fault["duration"] = f"{draw(st.integers(1, LAST_HEAL - at - (30 if action == 'node-reboot' else 0) or 1))}s"
    if action in AT_ONCE:
        del fault["duration"]
    if action in (*ON_NODES, *ON_PODS):
        fault["mode"] = draw(st.sampled_from(("one", "all", "fixed", "fixed-percent")))
        fault["value"] = draw(st.integers(1, 3)) if fault["mode"] == "fixed" else 50
    if action in ON_NODES:
        fault["selector"] = {"nodes": draw(st.lists(st.sampled_from(NODES), min_size=1, unique=True))}
    if action in ON_PODS:
        fault["selector"] = WEB
    if action in ("network-loss", "network-bandwidth"):
        fault |= {"loss": "20%"} if action == "network-loss" else {"rate": "2Mbit/s"}
    if action == "network-partition":
        fault["direction"] = draw(st.sampled_from(("to", "from", "both")))
    if action == "zone-outage":
        fault["selector"] = {"zones": [draw(st.sampled_from(("zone-a", "zone-b")))]}
    return fault


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[dict[str, Any]], int]:
    count = draw(st.integers(1, 4))
    return [draw(faults(f"f{i}")) for i in range(count)], draw(st.integers(0, 99))


def cluster(a: Any) -> dict[str, Any]:
    """What is broken: a Deployment with probes behind a load balancer, asked from four sides."""
    sources = [
        a.traffic("inside", rate="2/s"),
        a.traffic("from-a-node", **{"from": "node/a-1", "rate": "1/s"}),
        a.traffic("outside", **{"from": "outside", "to": "lb/web:80", "rate": "1/s", "start": "50s"}),
        a.traffic("by-name", to="http://web", rate="1/s"),
    ]
    objects = [a.deployment(probe=True), a.service(type="LoadBalancer")]
    return {"objects": objects, "sources": sources, "duration": f"{END}s"}


def judge(a: Any, build: Any, schedule: tuple[list[dict[str, Any]], int]) -> None:
    broken, seed = schedule
    try:
        run, again = (build(*broken, seed=seed, **cluster(a)) for _ in range(2))
    except ScenarioError:
        assume(False)
    for time in range(5, END, 5):
        run.run(time)
        one_address_one_pod(run)
        rules_name_what_has_been(run)
    run.run(END)
    everybody_is_back(run)
    found, repeated = run.simulation.record(), again.run(END).simulation.record()
    every_request_has_one_outcome(found.requests)
    assert found.requests.tobytes() == repeated.requests.tobytes()
    assert found.changes == repeated.changes


def one_address_one_pod(run: Any) -> None:
    owners: dict[str, str] = {}
    for server in run.forwarding.servers.values():
        for address in server.addresses:
            if run.forwarding.places[address].kind == "pod":
                assert owners.setdefault(address, server.name) == server.name


def rules_name_what_has_been(run: Any) -> None:
    been = {change.detail for change in run.simulation.cluster.history if change.kind == "pod-started"}
    been |= {place.address for place in run.forwarding.node_places.values()}
    for rules in run.simulation.node_rules.values():
        for version in rules.versions(4):
            assert {endpoint.ip for endpoint in version.endpoints.all} <= been


def everybody_is_back(run: Any) -> None:
    for source in run.simulation.sources:
        found = reach(run.forwarding, source)
        assert found is None or found.share == 1, (source.name, found)
    assert run.simulation.cluster.plane.leads
    assert len(run.ready_endpoints()) == 4


def every_request_has_one_outcome(requests: np.ndarray) -> None:
    keys = requests[["source", "client", "sequence"]]
    assert len(np.unique(keys)) == len(requests)
    assert requests["outcome"].min(initial=0) >= 0
    assert requests["outcome"].max(initial=0) < len(OUTCOMES)
    assert (requests["latency"] >= 0).all()


COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "derandomize": True,
    "phases": (Phase.explicit, Phase.generate, Phase.shrink),
}


@settings(max_examples=40, **COMMON)
@given(schedule=schedules())
def test_no_schedule_of_faults_breaks_what_must_hold(a: Any, world: Any, schedule: Any) -> None:
    judge(a, world, schedule)


@settings(max_examples=12, **COMMON)
@given(schedule=schedules())
def test_no_schedule_tells_the_engines_apart(a: Any, schedule: Any) -> None:
    pytest.importorskip("numba", reason="numba is not installed: there is only the plain engine")
    broken, seed = schedule
    try:
        scenario = a.scenario(*broken, **cluster(a))
    except ScenarioError:
        assume(False)
    plain, compiled = (simulate(scenario, seed, engine=engine) for engine in ("plain", "compiled"))
    assert plain.requests.tobytes() == compiled.requests.tobytes()
    assert plain.changes == compiled.changes


@pytest.mark.long
@settings(max_examples=600, **{**COMMON, "derandomize": False})
@given(schedule=schedules())
def test_no_schedule_of_many_breaks_what_must_hold(a: Any, world: Any, schedule: Any) -> None:
    judge(a, world, schedule)
