"""StatefulSets, DaemonSets and disruption budgets (J: assertions by number)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from netsim.api.objects import is_leaving, name_of, node_of, pod_ready, with_taints
from netsim.api.tables.columns import View
from netsim.api.tables.table import narrow, table, text
from netsim.control.eviction import VIOLATED, drain, evict
from netsim.control.pod_gc import OUT_OF_SERVICE
from netsim.units import S

LOST = "node-1"


def of_kind(kind, name, replicas=None, *, container=None, pod=None, **spec):
    labels = {"app": name}
    made = {"name": "c", "image": "db", "ports": [{"containerPort": 80}], **(container or {})}
    size = {} if replicas is None else {"replicas": replicas}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [made], **(pod or {})}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**size, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def stateful_set(replicas=3, **fields):
    return of_kind("StatefulSet", "db", replicas, **{"serviceName": "db", **fields})


def daemon_set(**fields):
    return of_kind("DaemonSet", "agent", **fields)


def budget(name="web", **spec):
    selector = {"matchLabels": {"app": name}}
    metadata = {"name": name}
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata,
        "spec": {"selector": selector, **spec},
    }  # fmt: skip


def changed(run, kind, name, **spec):
    """Edit an object's spec."""
    obj = run.store.get(kind, "default", name)
    run.simulation.built.admission.update({**obj, "spec": {**obj["spec"], **spec}})


def new_image(run, kind, name, image="db:2"):
    template = run.store.get(kind, "default", name)["spec"]["template"]
    containers = [{**template["spec"]["containers"][0], "image": image}]
    changed(run, kind, name, template={**template, "spec": {**template["spec"], "containers": containers}})


def images(run, app):
    return {name_of(pod): pod["spec"]["containers"][0]["image"] for pod in run.pods(app)}


def order(run, kind, prefix, after=0.0):
    """The pods of which such a change is recorded, in that order."""
    return [change.subject.rpartition("/")[2] for change in run.changes(kind, f"/{prefix}-", after)]


# StatefulSets ---------------------------------------------------------------------------------------------


def test_pods_of_a_stateful_set_come_one_after_the_other_each_when_the_one_before_is_ready(world):
    run = world(stateful_set()).run(40)
    assert order(run, "pod-created", "db") == ["db-0", "db-1", "db-2"]
    for before, after in (("db-0", "db-1"), ("db-1", "db-2")):
        assert run.first("pod-ready", before) < run.first("pod-created", after)


def test_parallel_pods_come_all_at_once(world):
    run = world(stateful_set(podManagementPolicy="Parallel")).run(40)
    times = [change.time for change in run.changes("pod-created", "/db-")]
    assert len(times) == 3
    assert times[-1] - times[0] < 0.1 * S


def test_a_stateful_set_shrinks_from_the_highest_ordinal_one_at_a_time(world):
    run = world(stateful_set()).run(40)
    changed(run, "StatefulSet", "db", replicas=1)
    run.run(120)
    assert order(run, "pod-terminating", "db") == ["db-2", "db-1"]
    assert run.first("pod-deleted", "db-2") <= run.first("pod-terminating", "db-1")
    assert [name_of(pod) for pod in run.pods("db")] == ["db-0"]


def test_an_update_goes_from_the_highest_ordinal_down_and_waits_for_each(world):
    run = world(stateful_set()).run(40)
    new_image(run, "StatefulSet", "db")
    run.run(200)
    assert order(run, "pod-terminating", "db") == ["db-2", "db-1", "db-0"]
    for before, after in (("db-2", "db-1"), ("db-1", "db-0")):
        assert run.first("pod-ready", before, after=41) < run.first("pod-terminating", after)
    assert set(images(run, "db").values()) == {"db:2"}
    status = run.store.get("StatefulSet", "default", "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["updatedReplicas"] == status["currentReplicas"] == status["readyReplicas"] == 3


def test_pods_below_the_partition_keep_the_old_template_even_when_they_are_made_anew(world):
    run = world(stateful_set(updateStrategy={"rollingUpdate": {"partition": 2}})).run(40)
    new_image(run, "StatefulSet", "db")
    run.run(80)
    run.store.delete(run.store.get("Pod", "default", "db-0"))
    run.run(120)
    assert images(run, "db") == {"db-0": "db", "db-1": "db", "db-2": "db:2"}


def test_nothing_is_updated_on_delete_until_somebody_deletes(world):
    run = world(stateful_set(updateStrategy={"type": "OnDelete"})).run(40)
    new_image(run, "StatefulSet", "db")
    run.run(80)
    assert not run.changes("pod-terminating")
    run.store.delete(run.store.get("Pod", "default", "db-1"))
    run.run(120)
    assert images(run, "db") == {"db-0": "db", "db-1": "db:2", "db-2": "db"}


def test_a_pod_keeps_its_name_as_host_name_and_its_service_lists_it(world, a):
    run = world(stateful_set(), a.service("db", clusterIP="None")).run(60)
    (piece,) = run.store.find("EndpointSlice", "service", ("default", "db"))
    assert sorted(endpoint["hostname"] for endpoint in piece["endpoints"]) == ["db-0", "db-1", "db-2"]
    pod = run.store.get("Pod", "default", "db-1")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    assert pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"


def test_slices_that_somebody_else_writes_are_left_alone(world, a):
    handmade = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "by-hand", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.7"]}],
        "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
    }
    run = world(a.deployment(), a.service(), handmade).run(30)

    def slices():
        found = run.store.find("EndpointSlice", "service", ("default", "web"))
        return {name_of(piece): len(piece["endpoints"]) for piece in found}

    assert sorted(slices().values()) == [1, 2]
    run.store.delete(run.store.get("Service", "default", "web"))
    run.run(40)
    assert slices() == {"by-hand": 1}


@pytest.fixture
def stuck(world, a):
    """A StatefulSet, ten minutes after one of its nodes has lost its power; and the pod that was there."""
    run = world(stateful_set(), faults=[a.power_loss("60s", selector={"nodes": [LOST]})], duration="20m").run(600)
    (pod,) = [pod for pod in run.pods("db") if node_of(pod) == LOST]
    return run, name_of(pod)


def replaced(run, name):
    """The pod of that name that is on another node and ready, if there is one."""
    pod = run.store.get("Pod", "default", name)
    return pod is not None and node_of(pod) not in ("", LOST) and pod_ready(pod)


def test_j4_a_stateful_pod_on_a_dead_node_is_not_replaced(stuck):
    run, name = stuck
    assert is_leaving(run.store.get("Pod", "default", name))
    run.run(1190)
    assert node_of(run.store.get("Pod", "default", name)) == LOST
    assert len(run.pods("db")) == 3


def test_j4_it_is_replaced_after_a_forced_deletion(stuck):
    run, name = stuck
    run.store.delete(run.store.get("Pod", "default", name), grace=0)
    run.run(620)
    assert replaced(run, name)


def test_j4_it_is_replaced_after_its_node_has_been_deleted(stuck):
    run, name = stuck
    run.store.remove("Node", "", LOST)
    run.run(600 + 40 + 2 * 20 + 10)  # the quarantine, the period of the garbage collector, the start
    assert replaced(run, name)
    assert run.first("pod-deleted", name) >= 640


def test_j4_it_is_replaced_once_its_node_is_marked_out_of_service(stuck):
    run, name = stuck
    taint = {"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
    run.store.update(with_taints(run.store.get("Node", "", LOST), add=[taint]))
    run.run(640)
    assert replaced(run, name)
    assert run.first("pod-deleted", name) <= 620.1


# DaemonSets -----------------------------------------------------------------------------------------------


def test_a_daemon_set_has_a_pod_on_every_node_that_it_bears(world):
    run = world(daemon_set()).run(30)
    assert sorted(map(node_of, run.pods("agent"))) == ["node-1", "node-2", "node-3"]
    everywhere = {"tolerations": [{"operator": "Exists"}]}
    run = world(daemon_set(pod=everywhere)).run(30)
    assert sorted(map(node_of, run.pods("agent"))) == ["master", "node-1", "node-2", "node-3"]


def test_a_daemon_set_follows_the_labels_of_nodes(world):
    run = world(daemon_set(pod={"nodeSelector": {"disk": "ssd"}})).run(20)
    assert not run.pods("agent")
    node = run.store.get("Node", "", "node-2")
    labelled = {**node["metadata"], "labels": {**node["metadata"]["labels"], "disk": "ssd"}}
    run.store.update({**node, "metadata": labelled})
    run.run(40)
    assert [node_of(pod) for pod in run.pods("agent")] == ["node-2"]
    node = run.store.get("Node", "", "node-2")
    labels = {key: value for key, value in node["metadata"]["labels"].items() if key != "disk"}
    run.store.update({**node, "metadata": {**node["metadata"], "labels": labels}})
    run.run(80)
    assert not run.pods("agent")


def test_j5_a_daemon_pod_is_never_evicted_when_its_node_is_lost(world, a):
    loss = a.power_loss("60s", selector={"nodes": [LOST]})
    run = world(daemon_set(), a.deployment(replicas=3), faults=[loss], duration="20m").run(1190)
    assert order(run, "pod-terminating", "web")
    assert not order(run, "pod-terminating", "agent")
    assert sorted(map(node_of, run.pods("agent"))) == ["node-1", "node-2", "node-3"]
    status = run.store.get("DaemonSet", "default", "agent")["status"]
    counts = ("desiredNumberScheduled", "numberReady", "numberMisscheduled")
    assert [status[name] for name in counts] == [2, 2, 1]  # unreachable:NoSchedule is not borne, so it may only stay


def test_a_daemon_pod_comes_onto_a_cordoned_node(world):
    run = world(daemon_set()).run(20)
    node = run.store.get("Node", "", "node-2")
    run.store.update({**node, "spec": {**node["spec"], "unschedulable": True}})
    run.store.delete(next(pod for pod in run.pods("agent") if node_of(pod) == "node-2"))
    run.run(60)
    assert sorted(map(node_of, run.pods("agent"))) == ["node-1", "node-2", "node-3"]


def follow(run, app):
    """Keep the extremes of how many pods of an app there are, and how many are ready and not leaving."""
    seen = {"ready": [], "there": []}

    def count(change):
        there = [pod for pod in run.pods(app) if not is_leaving(pod)]
        seen["there"].append(len(there))
        seen["ready"].append(sum(map(pod_ready, there)))

    run.store.watch("Pod", count)
    return seen


@pytest.mark.parametrize(
    ("rolling", "fewest", "most"),
    [({"maxUnavailable": 1}, 4, 5), ({"maxUnavailable": 2}, 3, 5), ({"maxUnavailable": 0, "maxSurge": "40%"}, 5, 7)],
)
def test_an_update_of_a_daemon_set_keeps_within_its_limits(world, rolling, fewest, most):
    run = world(daemon_set(updateStrategy={"rollingUpdate": rolling}), nodes=5).run(30)
    seen = follow(run, "agent")
    new_image(run, "DaemonSet", "agent")
    run.run(300)
    assert set(images(run, "agent").values()) == {"db:2"}
    assert len(images(run, "agent")) == 5
    assert min(seen["ready"]) == fewest
    assert max(seen["there"]) == most
    assert run.store.get("DaemonSet", "default", "agent")["status"]["updatedNumberScheduled"] == 5


# disruption budgets ---------------------------------------------------------------------------------------


def test_a_budget_counts_the_healthy_pods_it_may_spare(world, a):
    run = world(a.deployment(replicas=4), budget(maxUnavailable="30%")).run(30)
    status = run.store.get("PodDisruptionBudget", "default", "web")["status"]
    assert {key: status[key] for key in ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")} == {
        "expectedPods": 4, "desiredHealthy": 2, "currentHealthy": 4, "disruptionsAllowed": 2,
    }  # fmt: skip
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed", "True", "SufficientPods",
    )  # fmt: skip


def test_an_eviction_is_granted_as_long_as_the_budget_lasts(world, a):
    run = world(a.deployment(replicas=3), budget(minAvailable=2)).run(30)
    first, second, _ = run.pods()
    assert evict(run.simulation.cluster, first) is None
    refused = evict(run.simulation.cluster, second)
    assert (refused.reason, str(refused)) == ("TooManyRequests", VIOLATED)
    run.run(60)  # the replacement is ready
    assert evict(run.simulation.cluster, second) is None


def test_j8_a_budget_of_nothing_makes_a_drain_ask_again_every_five_seconds(world, a):
    run = world(a.deployment(replicas=3), budget(maxUnavailable=0)).run(30)
    run.simulation.env.process(drain(run.simulation.cluster, LOST))
    run.run(60)
    times = [change.time / S for change in run.changes("refused", "pod/default/web")]
    assert len(times) == 6
    assert [later - sooner for sooner, later in pairwise(times)] == pytest.approx([5] * 5, abs=0.01)
    assert all(change.detail == VIOLATED for change in run.changes("refused"))
    assert not run.changes("pod-terminating")
    assert run.store.get("Node", "", LOST)["spec"]["unschedulable"]


def test_j8_a_budget_of_nothing_does_not_stop_taint_eviction(world, a):
    loss = a.power_loss("60s", selector={"nodes": [LOST]})
    run = world(a.deployment(replicas=3), budget(maxUnavailable=0), faults=[loss]).run(500)
    assert len(run.changes("pod-terminating")) == 1
    assert sum(pod_ready(pod) for pod in run.pods()) == 3


def test_a_drain_takes_all_but_the_daemons_and_the_budget_sets_its_pace(world, a):
    run = world(a.deployment(replicas=6), daemon_set(), budget(maxUnavailable=1), nodes=2).run(30)
    leaving = sum(node_of(pod) == LOST for pod in run.pods())
    assert leaving == 3
    process = run.simulation.env.process(drain(run.simulation.cluster, LOST))
    seen = follow(run, "web")
    run.run(200)
    assert not process.is_alive
    assert {node_of(pod) for pod in run.pods()} == {"node-2"}
    assert sorted(map(node_of, run.pods("agent"))) == ["node-1", "node-2"]
    assert min(seen["ready"]) == 5


def test_kubectl_shows_all_three_kinds(world, a):
    objects = (stateful_set(), daemon_set(), a.deployment(), budget(minAvailable=1))
    run = world(*objects).run(60)
    shown = {}
    for kind in ("StatefulSet", "DaemonSet", "PodDisruptionBudget"):
        full = table(kind, run.store.list(kind), View(now=run.simulation.now))
        lines = text(narrow(full, wide=False)).splitlines()
        shown[kind] = [line.split() for line in lines]
    assert shown["StatefulSet"] == [["NAME", "READY", "AGE"], ["db", "3/3", "60s"]]
    assert shown["DaemonSet"][1][:6] == ["agent", "3", "3", "3", "3", "3"]
    assert shown["PodDisruptionBudget"][1] == ["web", "1", "N/A", "1", "60s"]
