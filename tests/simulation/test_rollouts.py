"""Rolling updates of Deployments: their pace, their memory, and what stops them (J: assertions by number)."""

from __future__ import annotations

import pytest

from netsim.api.objects import condition, is_leaving, name_of, node_of, pod_ready
from netsim.control.revisions import HISTORY, REVISION, noted, revision_of
from netsim.dataplane.requests import OK
from netsim.units import S


@pytest.fixture
def web(world, a):
    """A run with a Deployment `web` that is up; further fields go into its spec."""

    def build(replicas=4, until=30, container=None, pod=None, duration="60m", **spec):
        deployment = a.deployment(replicas=replicas, container=container or {}, **(pod or {}))
        deployment["spec"] |= spec
        return world(deployment, a.service(), nodes=4, duration=duration).run(until)

    return build


def deployment(run):
    return run.store.get("Deployment", "default", "web")


def change(run, **spec):
    current = deployment(run)
    run.simulation.built.admission.update({**current, "spec": {**current["spec"], **spec}})


def image(run, name, **container):
    """Give the Deployment another image, and perhaps more."""
    template = deployment(run)["spec"]["template"]
    containers = [{**template["spec"]["containers"][0], "image": name, **container}]
    change(run, template={**template, "spec": {**template["spec"], "containers": containers}})


def images(run):
    return sorted(pod["spec"]["containers"][0]["image"] for pod in run.pods() if not is_leaving(pod))


def later(run, seconds):
    return run.run(run.simulation.now / S + seconds)


def progressing(run):
    found = condition(deployment(run), "Progressing")
    return found["status"], found["reason"]


def sizes(run):
    """The sizes of the ReplicaSets, oldest first."""
    return [rs["spec"]["replicas"] for rs in run.store.list("ReplicaSet")]


def follow(run):
    """Keep how many pods are ready, and how many there are, leaving ones apart, at every change."""
    seen = []

    def count(change):
        there = [pod for pod in run.pods() if not is_leaving(pod)]
        seen.append((sum(map(pod_ready, there)), len(there)))

    run.store.watch("Pod", count)
    return seen


# pace -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replicas", "rolling", "fewest", "most"),
    [
        (4, {}, 3, 5),
        (3, {}, 3, 4),
        (10, {}, 8, 13),
        (4, {"maxSurge": 0, "maxUnavailable": 1}, 3, 4),
        (4, {"maxSurge": "100%", "maxUnavailable": 0}, 4, 8),
        (4, {"maxSurge": 0, "maxUnavailable": "50%"}, 2, 4),
    ],
)
def test_j21_a_rolling_update_keeps_between_its_bounds_and_uses_them(web, replicas, rolling, fewest, most):
    run = web(replicas, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    seen = follow(run)
    image(run, "nginx:2")
    later(run, 200)
    assert images(run) == ["nginx:2"] * replicas
    assert min(ready for ready, _ in seen) == fewest
    assert max(there for _, there in seen) == most
    assert progressing(run) == ("True", "NewReplicaSetAvailable")


def test_terminating_pods_are_not_counted(web):
    run = web(container={"lifecycle": {"preStop": {"sleep": {"seconds": 25}}}})
    most = []
    run.store.watch("Pod", lambda change: most.append(len(run.pods())))
    image(run, "nginx:2")
    later(run, 100)
    assert max(most) > 5  # old, new and leaving ones together exceed replicas and surge


def test_min_ready_seconds_slow_an_update_down(web):
    times = []
    for patience in (0, 20):
        run = web(minReadySeconds=patience, until=60)
        image(run, "nginx:2")
        later(run, 150)
        assert images(run) == ["nginx:2"] * 4
        times.append(max(change.time for change in run.changes("pod-terminating")) / S)
    assert times[1] - times[0] > 30


def test_recreate_ends_all_before_it_begins_any(web):
    run = web(strategy={"type": "Recreate"})
    image(run, "nginx:2")
    later(run, 60)
    assert images(run) == ["nginx:2"] * 4
    last_gone = max(change.time for change in run.changes("pod-deleted"))
    assert min(change.time for change in run.changes("pod-created", after=30)) >= last_gone


def test_an_update_that_changes_nothing_of_the_template_starts_no_rollout(web):
    run = web()
    change(run, minReadySeconds=1)
    later(run, 20)
    assert len(run.store.list("ReplicaSet")) == 1
    assert run.store.list("ReplicaSet")[0]["spec"]["minReadySeconds"] == 1


def test_pods_without_a_pause_lose_requests_in_a_rollout_and_those_with_one_do_not(world, a):
    """Pods that exit on SIGTERM at once are in the rules a little longer than they listen."""

    def lost(**container):
        traffic = {"name": "client", "from": "node/node-4", "to": "svc/web:80", "start": "25s", "rate": "300/s"}
        probe = {"httpGet": {"port": 80}, "periodSeconds": 1}
        made = a.deployment(replicas=4, container={"readinessProbe": probe, **container})
        run = world(made, a.service(), nodes=4, traffic=[traffic], duration="90s").run(30)
        image(run, "nginx:2")
        run.run(90)
        rows = run.simulation.record().requests
        rows = rows[rows["sent"] < 88 * S]
        return int((rows["outcome"] != OK).sum())

    assert lost() > 0
    assert lost(lifecycle={"preStop": {"sleep": {"seconds": 5}}}) == 0


# what stops it --------------------------------------------------------------------------------------------


BROKEN = {"readinessProbe": {"tcpSocket": {"port": 81}, "periodSeconds": 2}}


def test_a_broken_image_stops_an_update_and_the_old_pods_go_on_serving(web):
    run = web(progressDeadlineSeconds=60)
    image(run, "nginx:bad", **BROKEN)
    later(run, 50)
    assert progressing(run)[0] == "True"
    later(run, 20)
    assert progressing(run) == ("False", "ProgressDeadlineExceeded")
    assert sizes(run) == [3, 2]
    assert len(run.ready_endpoints()) == 3
    assert condition(deployment(run), "Available")["status"] == "True"


def test_a_paused_deployment_keeps_what_it_has_until_it_is_resumed(web):
    run = web()
    change(run, paused=True)
    later(run, 1)
    image(run, "nginx:2")
    later(run, 30)
    assert images(run) == ["nginx"] * 4
    assert progressing(run) == ("Unknown", "DeploymentPaused")
    change(run, paused=False)
    later(run, 60)
    assert images(run) == ["nginx:2"] * 4


def test_an_update_in_the_middle_of_another_goes_straight_to_the_newest(web):
    run = web()
    image(run, "nginx:2")
    later(run, 1)
    image(run, "nginx:3")
    later(run, 100)
    assert images(run) == ["nginx:3"] * 4
    assert sizes(run) == [0, 0, 4]


# memory -----------------------------------------------------------------------------------------------------


def test_each_template_has_a_revision_and_a_rollback_makes_the_old_one_newest(web):
    run = web()
    assert noted(deployment(run), REVISION) == "1"
    image(run, "nginx:2")
    later(run, 60)
    first, second = run.store.list("ReplicaSet")
    assert (revision_of(first), revision_of(second)) == (1, 2)
    image(run, "nginx")
    later(run, 60)
    first, second = run.store.list("ReplicaSet")
    assert (revision_of(first), revision_of(second)) == (3, 2)
    assert noted(first, HISTORY) == "1"
    assert noted(deployment(run), REVISION) == "3"
    assert images(run) == ["nginx"] * 4
    assert sizes(run) == [4, 0]


def test_why_a_deployment_was_changed_is_noted_on_its_newest_set(web):
    run = web()
    current = deployment(run)
    notes = {**current["metadata"].get("annotations", {}), "kubernetes.io/change-cause": "a better image"}
    run.store.update({**current, "metadata": {**current["metadata"], "annotations": notes}})
    image(run, "nginx:2")
    later(run, 60)
    assert noted(run.store.list("ReplicaSet")[1], "kubernetes.io/change-cause") == "a better image"


def test_only_so_many_old_sets_are_kept(web):
    run = web(replicas=1, revisionHistoryLimit=2)
    for number in range(2, 7):
        image(run, f"nginx:{number}")
        later(run, 30)
    assert [revision_of(rs) for rs in run.store.list("ReplicaSet")] == [4, 5, 6]


# sizes ------------------------------------------------------------------------------------------------------


def test_a_new_size_in_the_middle_of_an_update_is_shared_out(web):
    run = web(replicas=10, strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}})
    image(run, "nginx:bad", **BROKEN)
    later(run, 20)
    assert sizes(run) == [8, 5]
    change(run, replicas=15)
    later(run, 1)
    assert sizes(run) == [11, 7]  # the example of Kubernetes' documentation


def test_shrinking_takes_the_unready_first_and_then_from_the_fullest_node(web):
    run = web(replicas=6)
    bad = run.pods()[2]
    stopped = [{**c, "status": "False"} if c["type"] == "Ready" else c for c in bad["status"]["conditions"]]
    run.simulation.built.machines[node_of(bad)].kubelet.stop()
    run.store.update({**bad, "status": {**bad["status"], "conditions": stopped}})
    later(run, 1)
    change(run, replicas=5)
    later(run, 1)
    assert [pod["metadata"]["name"] for pod in run.pods() if is_leaving(pod)] == [name_of(bad)]
    change(run, replicas=4)
    later(run, 1)
    staying = [node_of(pod) for pod in run.pods() if not is_leaving(pod)]
    assert max(staying.count(node) for node in staying) <= 2
    assert len(staying) == 4


def test_who_made_and_deleted_pods_is_told(web):
    run = web(replicas=2)
    change(run, replicas=1)
    later(run, 5)
    found = [(event["source"]["component"], event["reason"]) for event in run.store.list("Event")]
    assert found.count(("replicaset-controller", "SuccessfulCreate")) == 2
    assert found.count(("replicaset-controller", "SuccessfulDelete")) == 1
    assert found.count(("deployment-controller", "ScalingReplicaSet")) == 2
