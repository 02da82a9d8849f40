"""The termination race: endpoint removal against SIGTERM, and how each side can lose it (J: assertions by number)."""

from __future__ import annotations

import pytest

from netsim.api.objects import is_leaving, name_of, node_of
from netsim.dataplane.requests import OK, REFUSED, RESET
from netsim.units import S

SLEEP = {"preStop": {"sleep": {"seconds": 5}}}
EXEC = {"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 5"]}}}


@pytest.fixture
def web(world, a):
    """A run with pods behind a Service and, if wanted, traffic to it."""

    def build(replicas=1, until=60, container=None, serving=None, rate="", seed=None, **spec):
        more = {"serving": [serving]} if serving else {}
        if rate:
            client = {"name": "client", "from": "node/node-3", "to": "svc/web:80", "start": "20s"}
            more["traffic"] = [{**client, "rate": rate, "timeout": "2m"}]
        deployment = a.deployment(replicas=replicas, container=container or {}, **spec)
        return world(deployment, a.service(), duration="3m", seed=seed, **more).run(until)

    return build


def later(run, seconds):
    return run.run(run.simulation.now / S + seconds)


def stay_down(run):
    """Scale to nothing, so that no replacement comes."""
    deployment = run.store.get("Deployment", "default", "web")
    run.simulation.built.admission.update({**deployment, "spec": {**deployment["spec"], "replicas": 0}})


def endpoints(run):
    return [
        endpoint
        for piece in run.store.find("EndpointSlice", "service", ("default", "web"))
        for endpoint in piece["endpoints"]
    ]


def outcomes(run, after):
    """What requests met that were sent from then on, and had the time to meet it."""
    rows = run.simulation.record().requests
    sent = rows["sent"]
    return set(rows[(sent > after * S) & (sent < run.simulation.now - S)]["outcome"])


def stopped(run, pod):
    """How long after its deletion the pod's program ended."""
    return run.first("pod-stopped", name_of(pod)) - run.first("pod-terminating", name_of(pod))


# when the program ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifecycle", "grace", "stop", "ends", "code"),
    [
        (None, 30, "exit", 0, 0),
        (SLEEP, 30, "exit", 5, 0),
        (EXEC, 30, "exit", 5, 0),
        (None, 8, "ignore", 8, 137),
        (SLEEP, 8, "ignore", 8, 137),  # the hook's time counts
        (EXEC, 3, "ignore", 5, 137),  # an overlong hook is cut off, and two seconds are left for SIGTERM
        (SLEEP, 5, "ignore", 7, 137),
        (None, 1, "ignore", 2, 137),
        (EXEC, 3, "exit", 3, 0),
    ],
)
def test_hook_sigterm_and_sigkill_come_in_time(web, lifecycle, grace, stop, ends, code):
    container = {"lifecycle": lifecycle} if lifecycle else {}
    run = web(container=container, serving={"stop": stop}, terminationGracePeriodSeconds=grace)
    (pod,) = run.pods()
    life = run.simulation.built.machines[node_of(pod)].kubelet.life_of(pod)
    stay_down(run)
    later(run, 60)
    assert stopped(run, pod) == pytest.approx(ends, abs=0.02)
    assert life.containers[0].end["exitCode"] == code
    gone = run.first("pod-deleted", name_of(pod)) - run.first("pod-stopped", name_of(pod))
    assert 0 < gone < 1.2  # one relist, and the last write


def test_a_program_that_drains_finishes_what_it_has(web):
    run = web(serving={"stop": "drain", "serviceTime": "3s", "workers": 50}, rate="5/s")
    (pod,) = run.pods()
    stay_down(run)
    later(run, 30)
    assert 2 < stopped(run, pod) < 3.2
    rows = run.simulation.record().requests
    began = run.first("pod-terminating", name_of(pod)) * S
    inside = rows[(rows["sent"] > began - 2.5 * S) & (rows["sent"] < began)]
    assert len(inside) > 5
    assert set(inside["outcome"]) == {OK}


def test_a_program_that_exits_at_once_resets_what_it_has(web):
    run = web(serving={"stop": "exit", "serviceTime": "3s", "workers": 50}, rate="5/s")
    (pod,) = run.pods()
    stay_down(run)
    later(run, 30)
    rows = run.simulation.record().requests
    began = run.first("pod-stopped", name_of(pod)) * S
    inside = rows[(rows["sent"] > began - 2.5 * S) & (rows["sent"] < began - 0.1 * S)]
    assert len(inside) > 5
    assert set(inside["outcome"]) == {RESET}


def test_sigkill_resets_what_did_not_end_in_time(web):
    serving = {"stop": "drain", "serviceTime": "60s", "workers": 50}
    run = web(serving=serving, rate="2/s", terminationGracePeriodSeconds=10)
    (pod,) = run.pods()
    stay_down(run)
    later(run, 30)
    assert stopped(run, pod) == pytest.approx(10, abs=0.02)
    rows = run.simulation.record().requests
    begun = run.first("pod-terminating", name_of(pod)) * S
    assert RESET in set(rows[(rows["sent"] > begun - 20 * S) & (rows["sent"] < begun)]["outcome"])


# the race ---------------------------------------------------------------------------------------------------


def rolled(web, **fields):
    """Delete one pod of three under traffic; what the requests from then on met."""
    run = web(replicas=3, rate="400/s", until=40, **fields)
    run.store.delete(run.pods()[0])
    later(run, 15)
    return outcomes(run, after=39)


def test_a_pod_that_exits_at_once_loses_the_race_against_the_rules(web):
    assert {OK, REFUSED} <= rolled(web) <= {OK, REFUSED, RESET}  # reset: those that it was working on


def test_a_pod_that_waits_five_seconds_wins_it(web):
    assert rolled(web, container={"lifecycle": SLEEP}) == {OK}


def test_the_endpoint_leaves_the_slice_long_before_a_waiting_program_ends(web):
    run = web(replicas=2, container={"lifecycle": SLEEP})
    victim = run.pods()[0]
    run.store.delete(victim)
    later(run, 1)
    (leaving,) = [e for e in endpoints(run) if e["targetRef"]["name"] == name_of(victim)]
    assert leaving["conditions"] == {"ready": False, "serving": True, "terminating": True}
    assert run.first("endpoint-not-ready", name_of(victim)) - run.first("pod-terminating", name_of(victim)) < 0.1
    later(run, 15)
    assert name_of(victim) not in [e["targetRef"]["name"] for e in endpoints(run)]


# terminating, but serving -----------------------------------------------------------------------------------


def test_j16_traffic_flows_to_terminating_endpoints_as_long_as_there_are_no_others(web):
    container = {"lifecycle": {"preStop": {"sleep": {"seconds": 25}}}}
    run = web(replicas=2, container=container, rate="50/s", until=40)
    stay_down(run)
    run.run(62)
    assert {(e["conditions"]["ready"], e["conditions"]["serving"]) for e in endpoints(run)} == {(False, True)}
    assert len(endpoints(run)) == 2
    assert outcomes(run, after=39) == {OK}


def test_j16_and_not_to_them_while_there_are_others(web):
    container = {"lifecycle": {"preStop": {"sleep": {"seconds": 25}}}}
    run = web(replicas=2, container=container, until=40)
    victim = run.pods()[0]
    run.store.delete(victim)
    run.run(60)
    assert is_leaving(run.store.get("Pod", "default", name_of(victim)))
    address = run.store.get("Service", "default", "web")["spec"]["clusterIP"]
    for rules in run.simulation.node_rules.values():
        found = {endpoint.ip for endpoint in rules.lookup("10.244.0.9", address, 80).endpoints}
        assert len(found) == 2
        assert victim["status"]["podIP"] not in found


def test_readiness_is_probed_to_the_last_and_serving_follows_it(web):
    container = {
        "lifecycle": {"preStop": {"sleep": {"seconds": 25}}},
        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 2},
    }
    run = web(replicas=2, container=container, until=40)
    victim = run.pods()[0]
    run.store.delete(victim)
    later(run, 1)
    run.simulation.built.machines[node_of(victim)].kubelet.life_of(victim).fail_readiness()
    later(run, 9)
    (leaving,) = [e for e in endpoints(run) if e["targetRef"]["name"] == name_of(victim)]
    assert leaving["conditions"] == {"ready": False, "serving": False, "terminating": True}


def test_liveness_is_not_probed_any_more(web):
    container = {
        "lifecycle": {"preStop": {"sleep": {"seconds": 25}}},
        "livenessProbe": {"httpGet": {"port": 80}, "initialDelaySeconds": 5, "periodSeconds": 1},
    }
    run = web(container=container, until=40)
    (victim,) = run.pods()
    stay_down(run)
    later(run, 1)
    run.simulation.built.machines[node_of(victim)].kubelet.life_of(victim).fail_liveness()
    later(run, 60)
    assert stopped(run, victim) == pytest.approx(25, abs=0.02)


# deletions of other kinds -----------------------------------------------------------------------------------


def test_a_forced_deletion_removes_the_object_at_once_and_the_program_with_its_grace(web):
    run = web(serving={"stop": "ignore"}, terminationGracePeriodSeconds=10)
    (pod,) = run.pods()
    now = run.simulation.now / S
    run.store.delete(pod, grace=0)
    later(run, 1)
    assert name_of(pod) not in [name_of(p) for p in run.pods()]
    assert run.first("endpoint-not-ready", name_of(pod)) - now < 0.1
    later(run, 15)
    assert run.first("pod-stopped", name_of(pod)) - now == pytest.approx(10, abs=0.02)


def test_an_unscheduled_pod_is_gone_at_once(world, a):
    run = world(a.pod("web", nodeSelector={"disk": "none"})).run(10)
    run.store.delete(run.pods()[0])
    assert not run.pods()


def test_a_pod_deleted_under_a_stopped_kubelet_is_ended_when_it_is_back(web):
    run = web()
    (pod,) = run.pods()
    kubelet = run.simulation.built.machines[node_of(pod)].kubelet
    kubelet.stop()
    run.store.delete(pod)
    later(run, 50)
    assert is_leaving(run.store.get("Pod", "default", name_of(pod)))
    assert not run.changes("pod-stopped", name_of(pod))
    kubelet.start()
    back = run.simulation.now / S
    later(run, 3)
    assert run.first("pod-stopped", name_of(pod)) - back < 0.1
    assert run.store.get("Pod", "default", name_of(pod)) is None
