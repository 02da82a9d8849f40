"""Faults of machines and of what runs on them: who notices, what is repaired, what comes back."""

from __future__ import annotations

import pytest

from netsim.units import S

HIT = {"selector": {"nodes": ["b-1"]}}


def lost_pod(run):
    return next(p["metadata"]["name"] for p in run.pods() if p["spec"].get("nodeName") == "b-1")


def test_a_reboot_is_over_before_anybody_declares_the_node_dead(world):
    run = world({"action": "node-reboot", **HIT}).run(130)
    assert run.first("booted", "b-1") == 90
    assert not run.changes("node-not-ready", "b-1")
    assert not run.changes("pod-created", after=60)
    assert len(run.ready_endpoints()) == 4


def test_a_hanging_kernel_looks_dead_and_then_goes_on_without_a_new_container(world):
    run = world({"action": "kernel-hang", "duration": "2m", **HIT}).run(240)
    name = lost_pod(run)
    assert 100 <= run.first("node-not-ready", "b-1") <= 115
    assert not run.changes("pod-stopped", name)
    assert 180 < run.first("node-ready", "b-1", after=60) <= 190
    assert name in run.ready_endpoints()
    assert not run.changes("pod-terminating")
    found = run.outcomes(62, 95)
    assert found["timeout"] > 0
    assert set(found) == {"ok", "timeout"}


def test_while_the_kubelet_is_stopped_its_pods_serve_although_they_are_taken_out(world):
    run = world({"action": "kubelet-stopped", "duration": "2m", **HIT}).run(100)
    name = lost_pod(run)
    assert name in run.ready_endpoints()
    run.run(130)
    assert name not in run.ready_endpoints()
    run.run(200)
    assert name in run.ready_endpoints()
    assert set(run.outcomes(16)) <= {"ok", "unfinished"}


def test_after_the_tolerations_a_kubelet_that_stays_away_loses_its_pods(world):
    run = world({"action": "kubelet-stopped", **HIT}).run(500)
    name = lost_pod(run)
    assert 405 <= run.first("pod-terminating", name) <= 420.2
    assert len(run.ready_endpoints()) == 4
    assert f"default/{name}" in run.forwarding.servers


def test_a_dead_container_runtime_is_told_by_the_kubelet_itself_after_thirty_seconds(world):
    run = world({"action": "container-runtime-dead", "duration": "2m", **HIT}).run(240)
    change = run.changes("node-not-ready", "b-1")[0]
    assert 90 <= change.time / S <= 100.2
    assert change.detail == "False KubeletNotReady"
    assert [c.detail for c in run.changes("taint-added", "b-1") if c.time > 60 * S] == [
        "node.kubernetes.io/not-ready:NoSchedule",
        "node.kubernetes.io/not-ready:NoExecute",
    ]
    assert run.changes("node-ready", "b-1", after=180)
    assert lost_pod(run) in run.ready_endpoints()
    assert not run.changes("pod-not-ready", after=60)


def test_pods_of_a_node_that_said_itself_it_is_not_ready_are_not_marked_when_it_falls_silent(world):
    broken = {"action": "container-runtime-dead", **HIT}
    run = world(broken, {"action": "kubelet-stopped", "at": "110s", **HIT}).run(200)
    details = [c.detail for c in run.changes("taint-added", "b-1") if c.time > 110 * S]
    assert "node.kubernetes.io/unreachable:NoExecute" in details
    assert lost_pod(run) in run.ready_endpoints()
    assert not run.changes("pod-not-ready", after=60)


def test_a_stopped_kube_proxy_goes_on_sending_to_yesterdays_pods(world, a):
    source = a.traffic(**{"from": "node/a-1"})
    stopped = {"action": "kube-proxy-stopped", "at": "50s", "duration": "60s", "selector": {"nodes": ["a-1"]}}
    scaled = {"action": "scale", "target": "deployment/web", "replicas": 1}
    run = world(stopped, scaled, sources=[source]).run(200)
    assert not run.changes("programmed", "a-1", after=50, until=110)
    assert run.changes("programmed", "a-2", after=60, until=70)
    lost = run.outcomes(70, 110)
    assert lost["ok"] < sum(lost.values()) / 2
    assert set(run.outcomes(115)) <= {"ok", "unfinished"}


def test_a_slow_kube_proxy_is_the_last_to_know(world):
    slow = {"action": "kube-proxy-slow", "at": "50s", "factor": 200, "selector": {"nodes": ["a-1"]}}
    run = world(slow, {"action": "scale", "target": "deployment/web", "replicas": 3}).run(90)
    late, usual = (run.first("programmed", node, after=60) for node in ("a-1", "a-2"))
    assert late - usual > 3


def test_a_zone_outage_takes_every_node_of_the_zone(world):
    run = world({"action": "zone-outage", "duration": "60s", "selector": {"zones": ["zone-b"]}}).run(200)
    assert [c.node for c in run.changes("power-off")] == ["b-1", "b-2"]
    assert {c.node for c in run.changes("booted")} == {"b-1", "b-2"}
    assert [c.subject for c in run.changes("fault")] == ["zone/zone-b"]


def test_what_a_fault_changes_bears_its_name(world):
    run = world({"action": "node-power-loss", "name": "storm", "duration": "30s", **HIT}).run(120)
    for kind in ("fault", "power-off", "pod-stopped", "power-on", "healed"):
        assert {c.detail for c in run.changes(kind, after=60, until=90.1)} == {"storm"}
    assert not [c for c in run.changes("booted") if c.detail]


def test_mode_takes_so_many_of_those_it_could_hit(world):
    for mode, count in (("one", 1), ("all", 4), ("fixed", 2), ("fixed-percent", 2)):
        value = 50 if mode == "fixed-percent" else 2
        selector = {"zones": ["zone-a", "zone-b"]}
        run = world({"action": "node-reboot", "mode": mode, "value": value, "selector": selector}).run(61)
        assert len(run.changes("power-off")) == count


def test_chance_decides_whom_and_a_seed_decides_chance(world):
    def victim(seed):
        run = world({"action": "node-reboot", "selector": {"zones": ["zone-a", "zone-b"]}}, seed=seed).run(61)
        return run.changes("power-off")[0].node

    assert victim(3) == victim(3)
    assert len({victim(seed) for seed in range(12)}) > 1


def test_what_fails_again_and_again_has_the_mean_times_it_was_given(world):
    random = {
        "action": "node-power-loss", "at": "0s", "mode": "all", "mtbf": "exponential(20m)",
        "mttr": "uniform(30s,90s)", "selector": {"zones": ["zone-a", "zone-b"]},
    }  # fmt: skip
    run = world(random, duration="12h", sources=[]).run(12 * 3600)
    off = list(run.changes("power-off"))
    hours = 12 * 4  # of node time
    assert len(off) == pytest.approx(hours * 60 / 21, rel=0.35)
    for node in ("a-1", "b-2"):
        times = [c.time for c in off if c.node == node]
        back = [c.time for c in run.changes("power-on", node)]
        down = [on - begin for begin, on in zip(times, back, strict=False)]
        assert all(30 * S <= time <= 90 * S for time in down)


def test_two_faults_may_hold_the_same_machine_and_the_last_one_lets_go(world):
    loss = {"action": "node-power-loss", "selector": {"running": {"app": "web"}, "nodes": ["b-1"]}}
    run = world({**loss, "duration": "60s"}, {**loss, "at": "59s", "duration": "90s"}).run(200)
    assert [c.time / S for c in run.changes("power-off")] == [59]
    assert [c.time / S for c in run.changes("power-on")] == [149]


def test_what_must_not_run_does_not_come_back_with_a_reboot(world):
    stopped = {"action": "kubelet-stopped", "at": "50s", "duration": "3m", **HIT}
    run = world(stopped, {"action": "node-reboot", **HIT}).run(240)
    assert run.first("booted", "b-1") == 90
    assert run.changes("node-not-ready", "b-1")
    assert run.first("node-ready", "b-1", after=60) == pytest.approx(230, abs=0.5)


def test_a_machine_that_boots_answers_nothing_until_it_has_booted(world):
    straight = {"name": "straight", "from": "pod/client", "to": "node/b-1:10256", "rate": "10/s", "start": "15s",
                "timeout": "1s"}  # fmt: skip
    run = world({"action": "node-power-loss", "duration": "30s", **HIT}, sources=[straight]).run(150)
    assert (run.first("power-on", "b-1"), run.first("booted", "b-1")) == (90, 120)
    assert set(run.outcomes(61, 118)) == {"timeout"}
    assert run.outcomes(140)["ok"] > 0
