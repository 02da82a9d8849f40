"""The scheduler's queue: pods that fit nowhere wait for a change, and are not tried too often."""

from __future__ import annotations

from itertools import pairwise

import pytest

from netsim.api.objects import condition, name_of, node_of
from netsim.control.eviction import cordon
from netsim.units import S


def bound(run, app="web"):
    return [pod for pod in run.pods(app) if node_of(pod)]


def tried(run):
    """How often the scheduler found no node."""
    return sum(event["count"] for event in run.store.list("Event") if event["reason"] == "FailedScheduling")


@pytest.fixture
def full(world, a):
    """Two nodes that two large pods fill; a third pod waits."""
    large = {"resources": {"requests": {"cpu": "3"}}}
    return world(a.deployment(replicas=3, container=large), nodes=2, duration="30m").run(30)


def test_a_pod_that_fits_nowhere_says_why(full):
    assert len(bound(full)) == 2
    (waiting,) = [pod for pod in full.pods() if not node_of(pod)]
    found = condition(waiting, "PodScheduled")
    assert (found["status"], found["reason"]) == ("False", "Unschedulable")
    assert "2 Insufficient cpu" in found["message"]


def test_nothing_is_tried_while_nothing_changes_but_for_once_in_five_minutes(full):
    before = tried(full)
    full.run(299)
    assert tried(full) == before
    full.run(302)
    assert tried(full) == before + 1


def test_a_pod_is_scheduled_soon_after_there_is_room(full):
    full.run(100)
    gone = bound(full)[0]
    full.store.delete(gone, grace=0)
    full.run(100.5)
    assert len(bound(full)) == 2
    assert name_of(gone) not in [name_of(pod) for pod in full.pods()]


def test_a_pod_that_was_tried_just_now_is_held_back(full):
    times = []
    full.store.watch(
        "Event", lambda change: times.append(full.simulation.now / S)
        if change.object["reason"] == "FailedScheduling" else None,
    )  # fmt: skip
    for _ in range(300):  # something changes ten times a second
        node = full.store.get("Node", "", "node-1")
        labels = {**node["metadata"]["labels"], "beat": str(len(times)) + str(full.simulation.now)}
        full.store.update({**node, "metadata": {**node["metadata"], "labels": labels}})
        full.run(full.simulation.now / S + 0.1)
    waits = [later - sooner for sooner, later in pairwise(times)]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(10, abs=0.2)
    assert waits[0] == pytest.approx(2, abs=0.2)


def test_a_cordoned_node_gets_no_pods_until_it_is_uncordoned(world, a):
    run = world(nodes=1, control_plane=False).run(1)
    (node,) = run.simulation.built.machines
    cordon(run.simulation.cluster, node)
    metadata = {"name": "web", "namespace": "default", "labels": {"app": "web"}}
    run.simulation.built.admission.create({**a.pod("web"), "metadata": metadata})
    run.run(10)
    assert not bound(run)
    cordon(run.simulation.cluster, node, on=False)
    run.run(11)
    assert bound(run)


def test_a_pod_deleted_while_it_is_looked_at_does_no_harm(world, a):
    run = world(a.pod("web", nodeSelector={"disk": "none"}), duration="1m")
    run.store.watch("Pod", lambda change: change.type == "ADDED" and run.simulation.cluster.after(
        3_000_000, run.store.delete, change.object))  # fmt: skip
    run.run(10)
    assert not run.pods()
