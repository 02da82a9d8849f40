"""What a node's death looks like, against the published timeline of Kubernetes 1.32 (J: assertions by number)."""

from __future__ import annotations

import pytest

from netsim.api.tables.pods import summary
from netsim.units import S

LOST = "node-1"


@pytest.fixture
def failing(world, a):
    def build(seed=1, replicas=3, duration="10m", back=None):
        loss = a.power_loss("60s", selector={"nodes": [LOST]}, duration=back)
        return world(
            a.deployment(replicas=replicas), a.service(), faults=[loss], seed=seed, duration=duration
        )

    return build


def lost_pod(run):
    return next(p for p in run.pods() if p["spec"].get("nodeName") == LOST)["metadata"]["name"]


@pytest.mark.parametrize("seed", range(12))
def test_j1_nobody_sees_the_node_unknown_before_40_or_after_55_seconds(failing, seed):
    run = failing(seed).run(130)
    assert 100 <= run.first("node-not-ready", LOST) <= 115


def test_j1_the_mean_of_detection_is_that_of_the_theory(failing):
    times = [failing(seed).run(120).first("node-not-ready", LOST) - 60 for seed in range(40)]
    # 50 + V - U with V ~ U(0,5) and U ~ U(0,10.2): mean 47.4, deviation 3.3; five deviations of the mean
    assert abs(sum(times) / len(times) - 47.4) < 5 * 3.3 / len(times) ** 0.5


def test_j1_with_the_grace_of_1_31_detection_comes_ten_seconds_earlier(world, a):
    loss = a.power_loss("60s", selector={"nodes": [LOST]})
    run = world(a.deployment(), a.service(), faults=[loss], cluster={"version": "1.31"}).run(120)
    assert 90 <= run.first("node-not-ready", LOST) <= 105


def test_j2_pods_of_the_dead_node_stay_running_and_1_of_1_but_leave_the_endpoints_at_once(failing):
    run = failing().run(130)
    name, seen = lost_pod(run), run.first("node-not-ready", LOST)
    pod = run.store.get("Pod", "default", name)
    assert pod["status"]["phase"] == "Running"
    shown = summary(pod)
    assert (shown.ready, shown.containers, shown.status) == (1, 1, "Running")
    assert name not in run.ready_endpoints()
    assert 0 < run.first("endpoint-not-ready", name) - seen < 0.05
    endpoints = run.store.get("Endpoints", "default", "web")
    assert pod["status"]["podIP"] not in [x["ip"] for s in endpoints["subsets"] for x in s["addresses"]]


@pytest.mark.parametrize("seed", range(4))
def test_j3_the_replacement_is_created_305_seconds_after_detection(failing, seed):
    run = failing(seed).run(430)
    name, seen = lost_pod(run), run.first("node-not-ready", LOST)
    created = run.changes("pod-created", after=61)
    assert len(created) == 1
    assert created[0].time / S == pytest.approx(seen + 305, abs=0.1)
    assert run.first("pod-terminating", name) == pytest.approx(seen + 305, abs=0.1)


def test_j3_the_old_pod_is_terminating_for_ever_and_the_count_is_met_by_the_new_ones(failing):
    run = failing().run(600)
    name = lost_pod(run)
    old = run.store.get("Pod", "default", name)
    assert old is not None
    assert old["metadata"]["deletionTimestamp"] is not None
    replica_set = run.store.list("ReplicaSet")[0]
    assert replica_set["status"]["readyReplicas"] == 3
    assert len(run.pods()) == 4
    fresh = run.changes("pod-created", after=61)[0].subject.rpartition("/")[2]
    new = run.store.get("Pod", "default", fresh)
    assert new["spec"]["nodeName"] != LOST
    assert new["status"]["podIP"] not in [p["status"]["podIP"] for p in run.pods() if p is not new]


def test_j6_a_node_that_is_back_in_time_gets_its_taints_off_and_nothing_is_deleted(failing):
    run = failing(back="2m").run(400)
    name = lost_pod(run)
    back = run.first("booted", LOST)
    off = {c.detail: c.time / S for c in run.changes("taint-removed", LOST)}
    assert off["node.kubernetes.io/unreachable:NoExecute"] - back <= 5
    assert off["node.kubernetes.io/unreachable:NoSchedule"] - back <= 0.1
    assert not run.changes("pod-terminating")
    assert not run.changes("pod-created", after=61)
    assert run.first("endpoint-ready", name, after=back) - back < 6
    assert name in run.ready_endpoints()
    assert run.store.get("Pod", "default", name)["status"]["containerStatuses"][0]["restartCount"] == 1


def test_a_node_that_is_back_after_eviction_lets_the_deleted_pod_go(failing):
    run = failing(back="7m", duration="12m").run(700)
    name = run.changes("pod-terminating")[0].subject.rpartition("/")[2]
    assert run.first("booted", LOST) < run.first("pod-deleted", name) < run.first("booted", LOST) + 1
    assert len(run.pods()) == 3
    assert all(p["spec"]["nodeName"] != LOST for p in run.pods())  # nothing moves back


def test_a_reboot_too_short_to_be_noticed_still_costs_the_pod_its_address(failing):
    run = failing(back="5s").run(120)
    name = lost_pod(run)
    assert not run.changes("node-not-ready")
    addresses = [c.detail for c in run.changes("pod-started", name)]
    assert len(set(addresses)) == 2
    assert run.store.get("Pod", "default", name)["status"]["podIP"] == addresses[-1]


def test_no_node_programs_rules_while_it_is_off_and_has_none_when_it_boots(failing):
    run = failing(back="2m")
    run.run(100)
    assert run.simulation.node_rules[LOST].revision == 0
    run.run(200)
    assert not [c for c in run.changes("programmed", LOST) if 60 <= c.time / S < run.first("booted", LOST)]
    run.run(230)
    assert run.simulation.node_rules[LOST].revision == run.simulation.node_rules["node-2"].revision


def test_a_node_that_comes_back_makes_no_new_sandbox_for_a_pod_that_is_to_go(failing):
    run = failing(duration="15m", back="8m").run(70)
    old = lost_pod(run)
    run.run(700)
    assert old not in {pod["metadata"]["name"] for pod in run.pods()}
    changed = [e for e in run.store.list("Event") if e["reason"] == "SandboxChanged"]
    assert old not in {event["involvedObject"]["name"] for event in changed}


def test_a_pod_that_stays_gets_a_new_sandbox_when_its_node_is_back(failing):
    run = failing(back="3m").run(70)
    old = lost_pod(run)
    run.run(400)
    changed = [e for e in run.store.list("Event") if e["reason"] == "SandboxChanged"]
    assert old in {event["involvedObject"]["name"] for event in changed}
