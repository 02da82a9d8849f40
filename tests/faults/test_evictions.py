"""Who is evicted from silent nodes, when, and by whom: taints today, node lifecycle itself up to Kubernetes 1.12."""

from __future__ import annotations

import pytest

from netsim.units import S

LOSS = {"action": "node-power-loss", "selector": {"nodes": ["b-1"]}}
UNREACHABLE = "node.kubernetes.io/unreachable:NoExecute"


def lost(run):
    return next(p["metadata"]["name"] for p in run.pods() if p["spec"].get("nodeName") == "b-1")


@pytest.mark.parametrize("seed", range(5))
def test_legacy_eviction_counts_five_minutes_from_the_last_sign_of_life(world, seed):
    run = world(LOSS, seed=seed, profile="legacy").run(420)
    # U of the last renewal in [0, 10.4), V until the next tick in [0, 5)
    assert 90 <= run.first("node-not-ready", "b-1") <= 105
    assert 349 <= run.first("pod-terminating", lost(run)) <= 365.2
    assert not [c for c in run.changes("taint-added", "b-1") if c.detail == UNREACHABLE]
    assert len(run.ready_endpoints()) == 4


def test_legacy_eviction_spares_daemons_and_a_node_that_is_back_in_time(world, a):
    daemon = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"containers": [{"name": "c", "image": "agent"}]},
            },
        },
    }
    objects = [a.deployment(), a.service(), daemon]
    run = world(LOSS, objects=objects, profile="legacy").run(420)
    assert {c.subject.rpartition("/")[2] for c in run.changes("pod-terminating")} == {lost(run)}
    back = world({**LOSS, "duration": "3m"}, objects=objects, profile="legacy").run(420)
    assert not back.changes("pod-terminating")
    assert len(back.ready_endpoints()) == 4


def test_a_countdown_is_called_off_when_the_node_is_back(world):
    run = world({**LOSS, "duration": "2m"}).run(500)
    events = [e["message"] for e in run.store.list("Event") if e["reason"] == "TaintManagerEviction"]
    assert not run.changes("pod-terminating")
    assert f"Cancelling deletion of Pod default/{lost(run)}" in events


def test_a_new_leader_counts_the_tolerations_from_its_own_beginning(world):
    down = {"action": "control-plane-down", "part": "controllers", "at": "200s", "duration": "20s"}
    run = world(LOSS, down).run(560)
    elected = run.first("leader-elected")
    assert elected + 300 <= run.first("pod-terminating", lost(run)) <= elected + 300.1


def test_a_pod_that_says_how_long_it_bears_a_silent_node_is_taken_at_its_word(world, a):
    patient = a.deployment()
    patient["spec"]["template"]["spec"]["tolerations"] = [
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    ]
    run = world(LOSS, objects=[patient, a.service()]).run(240)
    tainted = next(c.time for c in run.changes("taint-added", "b-1") if c.detail == UNREACHABLE)
    assert run.first("pod-terminating", lost(run)) * S == pytest.approx(tainted + 60 * S, abs=S / 10)


def test_an_eviction_that_falls_into_a_short_absence_of_the_api_is_made_up_for(world):
    reference = world(LOSS).run(450)
    due = reference.first("pod-terminating", lost(reference))
    down = {"action": "control-plane-down", "at": f"{int(due) - 2}s", "duration": "8s"}
    run = world(LOSS, down).run(450)
    assert not run.changes("leader-lost")
    assert run.first("pod-terminating", lost(run)) == pytest.approx(int(due) + 6, abs=0.1)
