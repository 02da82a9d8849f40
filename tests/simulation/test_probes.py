"""Probes: what a kubelet asks, when, and what follows (J: assertions by number)."""

from __future__ import annotations

import pytest

from netsim.api.objects import node_of, pod_ready
from netsim.api.tables.pods import summary
from netsim.units import S

HTTP = {"httpGet": {"port": 80, "path": "/"}}


@pytest.fixture
def one(world, a):
    """A run with one pod behind a Service; `readiness`, `liveness`, `startup` are its probes."""

    def build(until=60, seed=None, pod=None, container=None, duration="20m", serving=None, **probes):
        named = {f"{kind}Probe": probe for kind, probe in probes.items()}
        deployment = a.deployment(replicas=1, container={**named, **(container or {})}, **(pod or {}))
        more = {"serving": [serving]} if serving else {}
        return world(deployment, a.service(), seed=seed, duration=duration, **more).run(until)

    return build


def life(run):
    """The one pod as its kubelet keeps it."""
    (pod,) = run.pods()
    return run.simulation.built.machines[node_of(pod)].kubelet.life_of(pod)


def later(run, seconds):
    """Let some time pass."""
    return run.run(run.simulation.now / S + seconds)


def events(run, reason):
    return [event for event in run.store.list("Event") if event["reason"] == reason]


def restarts(run):
    (pod,) = run.pods()
    return pod["status"]["containerStatuses"][0]["restartCount"]


# readiness ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_j22_a_failing_readiness_probe_takes_the_endpoint_away_after_20_to_31_seconds(one, seed):
    run = one(60 + seed * 0.97, seed, readiness=HTTP)
    broke = run.simulation.now / S
    life(run).fail_readiness()
    later(run, 40)
    assert 20 <= run.first("endpoint-not-ready", after=broke) - broke <= 31


@pytest.mark.parametrize("seed", range(6))
def test_j22_a_program_that_does_not_answer_in_time_costs_the_timeout_too(one, seed):
    run = one(60 + seed * 1.7, seed, readiness=HTTP)
    broke = run.simulation.now / S
    life(run).slow(1e6)
    later(run, 40)
    assert 21 <= run.first("endpoint-not-ready", after=broke) - broke <= 31.2
    assert any("context deadline exceeded" in event["message"] for event in events(run, "Unhealthy"))


def test_a_tcp_probe_does_not_notice_that_a_program_hangs(one):
    run = one(readiness={"tcpSocket": {"port": 80}})
    life(run).slow(1e6)
    assert pod_ready(later(run, 60).pods()[0])


def test_readiness_comes_back_with_the_first_success_and_nothing_is_restarted(one):
    run = one(readiness={**HTTP, "periodSeconds": 5})
    life(run).fail_readiness()
    later(run, 30)
    assert not run.ready_endpoints()
    assert summary(run.pods()[0]).status == "Running"
    assert summary(run.pods()[0]).ready == 0
    life(run).fail_readiness(False)
    healed = run.simulation.now / S
    later(run, 10)
    assert run.first("endpoint-ready", after=healed) - healed <= 5.2
    assert restarts(run) == 0


def test_the_success_threshold_is_waited_for(one):
    run = one(readiness={**HTTP, "periodSeconds": 5, "successThreshold": 3})
    assert 10 <= run.first("pod-ready", "web") - run.first("pod-listening", "web") <= 16


@pytest.mark.parametrize(("delay", "earliest"), [(0, 0), (7, 7), (20, 20)])
def test_nothing_counts_before_the_initial_delay(one, delay, earliest):
    run = one(readiness={**HTTP, "initialDelaySeconds": delay, "periodSeconds": 2})
    waited = run.first("pod-ready", "web") - run.first("pod-listening", "web")
    assert earliest - 1.5 <= waited <= earliest + 3.3


def test_without_a_probe_a_pod_is_ready_before_its_program_listens(one):
    run = one(serving={"startup": "8s"})
    assert run.first("pod-ready", "web") < run.first("pod-listening", "web") - 4


def test_a_readiness_gate_is_waited_for(one):
    run = one(pod={"readinessGates": [{"conditionType": "example.com/wired"}]})
    (pod,) = run.pods()
    assert not pod_ready(pod)
    wired = {"type": "example.com/wired", "status": "True", "lastTransitionTime": run.simulation.now}
    status = {**pod["status"], "conditions": [*pod["status"]["conditions"], wired]}
    run.store.update({**pod, "status": status})
    later(run, 1)
    assert pod_ready(run.pods()[0])


# liveness -------------------------------------------------------------------------------------------------


def test_a_failing_liveness_probe_has_the_container_restarted_and_the_pod_stays(one):
    run = one(liveness={**HTTP, "periodSeconds": 5})
    (before,) = run.pods()
    broke = run.simulation.now / S
    life(run).fail_liveness()
    later(run, 15.2)
    stopped = run.first("pod-stopped", "web", after=broke)
    assert 10 <= stopped - broke <= 15.2
    life(run).fail_liveness(False)
    later(run, 10)
    (after,) = run.pods()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    assert restarts(run) == 1
    assert run.first("pod-listening", "web", after=stopped) - stopped < 3
    assert events(run, "Killing")[0]["message"] == "Container c failed liveness probe, will be restarted"


@pytest.mark.parametrize(("own", "grace"), [({}, 12), ({"terminationGracePeriodSeconds": 4}, 4)])
def test_a_program_that_ignores_sigterm_is_killed_at_the_end_of_the_grace(one, own, grace):
    probe = {**HTTP, "periodSeconds": 5, "initialDelaySeconds": 5, **own}
    run = one(liveness=probe, pod={"terminationGracePeriodSeconds": 12}, serving={"stop": "ignore"})
    broke = run.simulation.now / S
    life(run).fail_liveness()
    later(run, 25)
    (failed, *_) = (event["firstTimestamp"] / S for event in events(run, "Killing"))
    assert run.first("pod-stopped", "web", after=broke) - failed == pytest.approx(grace, abs=0.01)
    assert life(run).containers[0].last["terminated"]["exitCode"] == 137


def test_a_slow_start_is_killed_by_liveness_again_and_again(one):
    run = one(200, liveness={**HTTP, "periodSeconds": 5, "failureThreshold": 2}, serving={"startup": "30s"})
    assert restarts(run) >= 3
    assert not run.changes("pod-listening", "web")
    assert summary(run.pods()[0]).status in ("Running", "CrashLoopBackOff", "Completed")


# startup --------------------------------------------------------------------------------------------------


def test_a_startup_probe_gives_a_slow_program_its_time(one):
    probes = {
        "liveness": {**HTTP, "periodSeconds": 5, "failureThreshold": 2},
        "startup": {**HTTP, "periodSeconds": 5, "failureThreshold": 20},
        "readiness": HTTP,
    }
    run = one(120, serving={"startup": "30s"}, **probes)
    assert restarts(run) == 0
    assert 0 <= run.first("pod-ready", "web") - run.first("pod-listening", "web") <= 5.2
    status = run.pods()[0]["status"]["containerStatuses"][0]
    assert (status["started"], status["ready"]) == (True, True)


def test_readiness_does_not_begin_before_startup_has_succeeded(one):
    run = one(20, serving={"startup": "30s"}, startup={**HTTP, "failureThreshold": 20}, readiness=HTTP)
    assert all(event["message"].startswith("Startup") for event in events(run, "Unhealthy"))
    assert not run.pods()[0]["status"]["containerStatuses"][0]["started"]


def test_a_startup_probe_that_never_succeeds_ends_the_container(one):
    run = one(60, serving={"startup": "10m"}, startup={**HTTP, "periodSeconds": 5, "failureThreshold": 3})
    assert restarts(run) >= 2
    assert events(run, "Killing")[0]["message"] == "Container c failed startup probe, will be restarted"


# the kubelet's own restart --------------------------------------------------------------------------------


def test_a_kubelet_that_starts_again_takes_probed_pods_for_unready_until_it_has_asked(one):
    run = one(readiness=HTTP)
    kubelet = run.simulation.built.machines[node_of(run.pods()[0])].kubelet
    kubelet.stop()
    later(run, 5)
    kubelet.start()
    began = run.simulation.now / S
    later(run, 15)
    gone = run.first("pod-not-ready", "web", after=began)
    assert gone - began < 1.5
    assert 0 < run.first("pod-ready", "web", after=gone) - gone <= 10.2
    assert restarts(run) == 0


def test_a_stopped_kubelet_does_not_notice_that_a_program_is_ill(one):
    run = one(readiness=HTTP, liveness=HTTP)
    run.simulation.built.machines[node_of(run.pods()[0])].kubelet.stop()
    (pod,) = run.pods()
    kept = run.simulation.built.machines[node_of(pod)].kubelet.lives[pod["metadata"]["uid"]]
    kept.fail_readiness()
    kept.fail_liveness()
    later(run, 35)
    assert pod_ready(run.pods()[0])
    assert restarts(run) == 0
