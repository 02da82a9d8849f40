"""Faults of pods and of their programs."""

from __future__ import annotations

from netsim.report.run import Run
from netsim.units import S

WEB = {"selector": {"labelSelectors": {"app": "web"}}}


def hit(run):
    """The pod that the fault struck."""
    return run.changes("fault")[0].subject.rpartition("/")[2]


def pod(run, name):
    return run.store.get("Pod", "default", name)


def test_a_killed_pod_leaves_with_its_grace_and_is_replaced(world):
    run = world({"action": "pod-kill", **WEB}).run(90)
    assert run.first("pod-terminating", hit(run)) == 60
    assert len(run.changes("pod-created", after=60)) == 1
    assert len(run.ready_endpoints()) == 4
    assert pod(run, hit(run)) is None


def test_a_pod_killed_by_force_is_gone_at_once(world):
    run = world({"action": "pod-kill", "gracePeriod": "0s", **WEB}).run(61)
    assert run.first("pod-deleted", hit(run)) == 60


def test_a_container_that_exits_once_is_started_again_in_the_same_pod(world):
    run = world({"action": "container-kill", **WEB}).run(70)
    name = hit(run)
    status = pod(run, name)["status"]["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert name in run.ready_endpoints()
    assert run.first("pod-listening", name, after=60) < 63.2
    assert run.outcomes(60, 62)["refused"] > 0


def test_a_container_that_goes_on_crashing_waits_ever_longer(world):
    run = world({"action": "container-kill", "duration": "4m", "crashAfter": "1s", **WEB}).run(300)
    name = hit(run)
    starts = [c.time / S for c in run.changes("pod-listening", name, after=60)]
    ends = [c.time / S for c in run.changes("pod-stopped", name, after=60)]
    waits = [start - end for end, start in zip(ends, starts, strict=False)]
    assert len(waits) >= 5
    for wait, backoff in zip(waits, (0, 10, 20, 40, 80), strict=False):
        assert backoff <= wait < backoff + 3.5
    assert pod(run, name)["status"]["containerStatuses"][0]["restartCount"] >= 5


def test_a_failing_readiness_probe_takes_the_endpoint_out_and_brings_it_back(world, a):
    objects = [a.deployment(probe=True), a.service()]
    run = world({"action": "readiness-failing", "duration": "60s", **WEB}, objects=objects).run(200)
    name = hit(run)
    out, back = run.first("endpoint-not-ready", name), run.first("endpoint-ready", name, after=60)
    assert 62 <= out <= 64.3
    assert 120 <= back <= 122.3
    assert set(run.outcomes(16)) <= {"ok", "unfinished"}


def test_a_failing_liveness_probe_has_the_container_restarted(world, a):
    deployment = a.deployment()
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["livenessProbe"] = {"httpGet": {"port": 80}, "periodSeconds": 5, "failureThreshold": 2}
    failing = {"action": "liveness-failing", "duration": "30s", **WEB}
    run = world(failing, objects=[deployment, a.service()]).run(120)
    assert pod(run, hit(run))["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_a_slow_pod_is_slow_by_its_factor_and_only_as_long_as_it_lasts(world):
    slow = {"action": "slow-pod", "factor": 20, "duration": "60s", "mode": "all", **WEB}
    run = world(slow).run(200)
    rows = run.simulation.record().requests
    mean = [
        rows["service"][(rows["sent"] > begin * S) & (rows["sent"] < end * S) & (rows["outcome"] == 0)].mean()
        for begin, end in ((20, 60), (60, 118), (121, 190))
    ]
    assert 15 < mean[1] / mean[0] < 25
    assert 0.7 < mean[2] / mean[0] < 1.4


def test_while_a_program_does_not_listen_connections_are_refused_until_a_probe_notices(world, a):
    refusing = {"action": "connection-refused", "duration": "60s", **WEB}
    run = world(refusing, objects=[a.deployment(probe=True), a.service()]).run(200)
    name = hit(run)
    assert 62 <= run.first("endpoint-not-ready", name) <= 64.3
    assert run.outcomes(60, 64)["refused"] > 0
    assert set(run.outcomes(66)) <= {"ok", "unfinished"}
    assert name in run.ready_endpoints()
    assert pod(run, name)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_pods_are_chosen_by_namespace_name_node_and_zone(world):
    for selector, nodes in (({"zones": ["zone-a"]}, {"a-1", "a-2"}), ({"nodes": ["b-2"]}, {"b-2"})):
        run = world({"action": "pod-kill", "mode": "all", "selector": {"labelSelectors": {"app": "web"}, **selector}})
        homes = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in run.run(59).pods()}
        run.run(61)
        struck = {c.subject.rpartition("/")[2] for c in run.changes("fault")}
        assert {homes[name] for name in struck} == nodes
        assert len(struck) == sum(home in nodes for home in homes.values())
    run = world({"action": "pod-kill", "mode": "all", "selector": {"pods": ["client"]}}).run(61)
    assert [c.subject for c in run.changes("fault")] == ["pod/default/client"]


def test_a_fault_that_finds_nobody_says_so(world):
    gone = {"action": "delete", "target": "deployment/web", "at": "30s"}
    run = world({"action": "pod-kill", **WEB}, gone).run(61)
    assert [c.subject for c in run.changes("fault") if c.detail == "f0"] == ["nobody"]


def test_pods_that_fail_again_and_again_are_drawn_anew_each_time(world):
    run = world({"action": "pod-kill", "mtbf": "uniform(20s,40s)", **WEB}).run(590)
    struck = [c.subject for c in run.changes("fault")]
    assert 12 <= len(struck) <= 27
    assert len(set(struck)) == len(struck)
    assert len(run.ready_endpoints()) >= 3


def test_a_pod_whose_sandbox_is_killed_comes_back_with_another_address(world):
    run = world({"action": "sandbox-kill", **WEB}).run(59)
    before = {p["metadata"]["name"]: p["status"]["podIP"] for p in run.pods()}
    run.run(120)
    name = hit(run)
    assert pod(run, name)["status"]["podIP"] != before[name]
    assert name in run.ready_endpoints()
    assert not run.changes("pod-created", after=60)


def test_a_killed_pod_is_told_by_the_fault_that_killed_it(world):
    run = world({"action": "pod-kill", "selector": {"labelSelectors": {"app": "web"}}}).run(90)
    (victim,) = [c.subject.rpartition("/")[2] for c in run.changes("fault")]
    told = [entry for entry in Run(run.simulation.record()).timeline if entry.time >= 60 * S]
    assert (told[0].text, told[0].since) == (f"{victim} killed (f0)", 0)
    assert all(entry.since is not None for entry in told)
