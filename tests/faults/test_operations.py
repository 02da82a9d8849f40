"""What people do on purpose: drains, cordons, rollouts, edits; and undoing them."""

from __future__ import annotations

import pytest

from netsim.report.run import Run
from netsim.units import S


def budget(least):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"app": "web"}}},
    }


def on(run, node):
    return [p for p in run.pods() if p["spec"].get("nodeName") == node]


def test_a_drain_empties_the_node_and_ends_with_an_uncordon(world):
    run = world({"action": "node-drain", "duration": "60s", "selector": {"nodes": ["b-1"]}}).run(100)
    assert not on(run, "b-1")
    assert run.store.get("Node", "", "b-1")["spec"]["unschedulable"]
    run.run(125)
    assert "unschedulable" not in run.store.get("Node", "", "b-1")["spec"]


def test_a_budget_without_room_keeps_a_drain_waiting(world, a):
    objects = [a.deployment(replicas=4), a.service(), budget(4)]
    run = world({"action": "node-drain", "selector": {"nodes": ["b-1"]}}, objects=objects).run(300)
    assert len(on(run, "b-1")) == 1
    assert not run.changes("pod-terminating")


def test_a_drain_that_is_let_go_asks_for_nothing_any_more(world, a):
    objects = [a.deployment(replicas=4), a.service(), budget(4)]
    drain = {"action": "node-drain", "duration": "62s", "selector": {"nodes": ["b-1"]}}
    run = world(drain, objects=objects).run(121)
    (pod,) = on(run, "b-1")
    assert len(run.changes("refused")) == 13
    run.store.remove("PodDisruptionBudget", "default", "web")
    run.run(200)
    assert len(run.changes("refused")) == 13
    assert on(run, "b-1")[0]["metadata"]["uid"] == pod["metadata"]["uid"]
    (incident,) = Run(run.simulation.record()).strokes
    assert incident.kept == (f"pod/default/{pod['metadata']['name']}",)


def test_a_drain_that_waits_for_the_api_server_can_be_let_go_too(world):
    down = {"action": "control-plane-down", "at": "50s", "duration": "30s"}
    run = world(down, {"action": "node-drain", "duration": "10s", "selector": {"nodes": ["b-1"]}}).run(120)
    assert len(on(run, "b-1")) == 1
    assert "unschedulable" not in run.store.get("Node", "", "b-1")["spec"]
    assert not run.changes("pod-terminating")


def test_a_budget_lets_go_one_by_one(world, a):
    objects = [a.deployment(replicas=4), a.service(), budget(3)]
    drain = {"action": "node-drain", "mode": "all", "selector": {"zones": ["zone-b"]}}
    run = world(drain, objects=objects).run(200)
    assert not on(run, "b-1") + on(run, "b-2")
    gone = sorted(c.time for c in run.changes("endpoint-not-ready", after=60))
    back = sorted(c.time for c in run.changes("endpoint-ready", after=60))
    assert gone[1] > back[0]


def test_nothing_new_lands_on_a_cordoned_node(world):
    cordon = {"action": "node-cordon", "mode": "all", "selector": {"zones": ["zone-b"]}}
    run = world(cordon, {"action": "scale", "target": "deployment/web", "replicas": 9, "at": "70s"}).run(120)
    assert {c.node for c in run.changes("pod-scheduled", after=60)} == {"a-1", "a-2"}


def test_a_deleted_node_loses_its_pods_after_the_quarantine_and_can_come_back(world):
    run = world({"action": "node-delete", "duration": "3m", "selector": {"nodes": ["b-1"]}}).run(200)
    gone = run.first("pod-deleted", "web-")
    assert 100 <= gone <= 120.1
    assert run.store.get("Node", "", "b-1") is None
    run.run(280)
    node = run.store.get("Node", "", "b-1")
    assert next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready") == "True"
    assert not run.changes("node-not-ready", "b-1", after=241)


def test_the_daemons_of_a_deleted_node_are_collected_with_its_other_pods(world, a):
    deployment = a.deployment("agent")
    spec = {name: deployment["spec"][name] for name in ("selector", "template")}
    objects = [a.deployment(), a.service(), {**deployment, "kind": "DaemonSet", "spec": spec}]
    run = world({"action": "node-delete", "selector": {"nodes": ["b-1"]}}, objects=objects).run(140)
    assert 100 <= run.first("pod-deleted", "agent-") <= 120.1
    assert not run.changes("pod-terminating")
    assert len(run.pods("agent")) == 3


def test_collected_pods_are_said_to_have_failed_before_they_are_deleted(world):
    run = world({"action": "node-delete", "selector": {"nodes": ["b-1"]}})
    seen = []
    run.store.watch("Pod", seen.append)
    run.run(140)
    collected, deleted = run.changes("pod-collected"), run.changes("pod-deleted")
    assert [c.subject for c in collected] == [d.subject for d in deleted]
    assert all(c.time < d.time for c, d in zip(collected, deleted, strict=True))
    last = [change.object for change in seen if change.type == "DELETED"]
    assert last
    for pod in last:
        condition = next(c for c in pod["status"]["conditions"] if c["type"] == "DisruptionTarget")
        assert (pod["status"]["phase"], condition["reason"]) == ("Failed", "DeletionByPodGC")


def test_many_pods_are_collected_one_after_the_other_at_twenty_calls_a_second(world, a):
    gone = {"action": "node-delete", "selector": {"nodes": ["b-1"]}}
    run = world(gone, objects=[a.deployment(replicas=160), a.service()], sources=[]).run(140)
    times = [change.time for change in run.changes("pod-deleted")]
    calls = 2 * len(times)  # each is said to have failed, then deleted
    assert len(times) == 40
    assert (times[-1] - times[0]) / S == pytest.approx((calls - 30) / 20, abs=0.3)  # 30 of them in a burst


def test_a_node_that_comes_back_within_the_quarantine_keeps_its_pods(world):
    run = world({"action": "node-delete", "duration": "39s", "selector": {"nodes": ["b-1"]}}).run(200)
    assert run.changes("pod-collected") == []
    assert run.changes("pod-deleted") == []


def test_the_out_of_service_taint_frees_the_pods_of_a_dead_node(world):
    loss = {"action": "node-power-loss", "selector": {"nodes": ["b-1"]}}
    taint = {"action": "node-taint", "at": "2m", "selector": {"nodes": ["b-1"]}}
    run = world(loss, taint).run(160)
    assert not on(run, "b-1")
    assert 120 < run.first("pod-deleted") <= 140.1


def test_a_new_image_rolls_out_and_is_rolled_back_after_the_duration(world):
    new = {"action": "set-image", "target": "deployment/web", "image": "nginx:2", "duration": "60s"}
    run = world(new).run(110)
    assert {p["spec"]["containers"][0]["image"] for p in run.pods()} == {"nginx:2"}
    run.run(200)
    assert {p["spec"]["containers"][0]["image"] for p in run.pods()} == {"nginx:1"}
    assert len(run.store.list("ReplicaSet")) == 2


def test_a_restart_replaces_every_pod_and_never_has_too_few(world):
    run = world({"action": "rollout-restart", "target": "deployment/web"}).run(59)
    before = {p["metadata"]["name"] for p in run.pods()}
    run.run(150)
    assert not before & {p["metadata"]["name"] for p in run.pods()}
    ready = 4
    for change in run.simulation.cluster.history:
        if change.time >= 60 * S and change.kind in ("endpoint-ready", "endpoint-not-ready"):
            ready += 1 if change.kind == "endpoint-ready" else -1
            assert ready >= 3


def test_scaling_is_undone_after_the_duration(world):
    run = world({"action": "scale", "target": "deployment/web", "replicas": 6, "duration": "30s"}).run(80)
    assert len(run.ready_endpoints()) == 6
    run.run(120)
    assert len(run.ready_endpoints()) == 4


def test_a_patch_changes_what_it_says_and_no_more(world):
    ports = {"spec": {"ports": [{"port": 80, "targetPort": 81}]}}
    patch = {"action": "patch", "target": "service/web", "patch": ports, "duration": "20s"}
    run = world(patch).run(120)
    assert set(run.outcomes(62, 79)) == {"refused"}
    assert set(run.outcomes(83)) <= {"ok", "unfinished"}


def test_what_the_api_server_refuses_is_recorded_and_changes_nothing(world, a):
    port = {"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30099}]}}
    first, second = ({"action": "patch", "target": f"service/{name}", "patch": port} for name in ("other", "web"))
    objects = [a.deployment(), a.service(), a.service("other")]
    run = world(first, {**second, "at": "61s"}, objects=objects).run(70)
    refused = run.changes("refused")
    assert run.store.get("Service", "default", "other")["spec"]["type"] == "NodePort"
    assert run.store.get("Service", "default", "web")["spec"]["type"] == "ClusterIP"
    assert [c.subject for c in refused] == ["service/default/web"]
    assert "provided port is already allocated" in refused[0].detail


def test_a_service_of_another_type_loses_its_node_port_and_has_it_again_afterwards(world, a):
    patch = {"action": "patch", "target": "service/web", "patch": {"spec": {"type": "ClusterIP"}}, "duration": "20s"}
    ports = [{"port": 80, "nodePort": 30080}]
    run = world(patch, objects=[a.deployment(), a.service(type="NodePort", ports=ports)]).run(70)
    spec = run.store.get("Service", "default", "web")["spec"]
    assert spec["type"] == "ClusterIP"
    assert "nodePort" not in spec["ports"][0]
    assert "externalTrafficPolicy" not in spec
    run.run(90)
    spec = run.store.get("Service", "default", "web")["spec"]
    assert (spec["type"], spec["ports"][0]["nodePort"]) == ("NodePort", 30080)
    assert not run.changes("refused")


def test_a_patch_that_nulls_an_address_changes_nothing_and_is_not_refused(world, a):
    ports = {"ports": [{"port": 80}]}
    patch = {"action": "patch", "target": "service/web", "patch": {"spec": {"clusterIP": None, **ports}}}
    run = world(patch, objects=[a.deployment(), a.service(type="NodePort")]).run(59)
    before = run.store.get("Service", "default", "web")["spec"]
    run.run(70)
    assert run.store.get("Service", "default", "web")["spec"] == before
    assert not run.changes("refused")


def test_a_patch_cannot_make_another_object_of_one_nor_write_what_the_server_keeps(world):
    patch = {"metadata": {"uid": "x", "resourceVersion": "1", "labels": {"a": "b"}}, "status": {"replicas": 99}}
    run = world({"action": "patch", "target": "deployment/web", "patch": patch}).run(59)
    before = run.store.get("Deployment", "default", "web")
    run.run(70)
    after = run.store.get("Deployment", "default", "web")
    assert after["metadata"]["labels"] == {"a": "b"}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"] == before["status"]


def test_a_deleted_service_takes_its_name_and_its_slices_with_it(world):
    run = world({"action": "delete", "target": "service/web"}).run(70)
    assert run.store.get("Service", "default", "web") is None
    assert not run.ready_endpoints()


def test_an_operator_waits_for_an_api_server_that_does_not_answer(world):
    down = {"action": "control-plane-down", "duration": "30s"}
    run = world(down, {"action": "scale", "target": "deployment/web", "replicas": 6, "at": "70s"}).run(89)
    assert run.store.get("Deployment", "default", "web")["spec"]["replicas"] == 4
    run.run(91)
    assert run.store.get("Deployment", "default", "web")["spec"]["replicas"] == 6
