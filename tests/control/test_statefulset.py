"""What a StatefulSet does next, step by step."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import running

from netsim.control.pod_template import REVISION
from netsim.control.statefulset import Step, new_pod, ordinals, partition, status_of, steps

Object = dict[str, Any]
OLD, NEW = "5b9c", "7d4f"


def stateful_set(replicas: int = 3, **spec: Any) -> Object:
    metadata = {"name": "db", "namespace": "default", "uid": "uid-db", "generation": 4}
    given = {"replicas": replicas, "serviceName": "db", **spec}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": given}


def pods(states: str, revision: str = NEW) -> dict[int, Object]:
    """Pods by ordinal, a letter each: r ready, u unready, t terminating, o ready and old, f failed, - none."""
    made = {}
    for ordinal, state in enumerate(states):
        if state != "-":
            hashed = OLD if state == "o" else revision
            pod = running(
                f"db-{ordinal}", f"10.0.0.{ordinal}", is_ready=state in "rot", leaving=state == "t",
                labels={REVISION: f"db-{hashed}"}, phase="Failed" if state == "f" else "Running",
            )  # fmt: skip
            made[ordinal] = pod
    return made


def done(given: Object, states: str) -> list[tuple[str, int]]:
    """What is done, as verbs and ordinals."""
    found = steps(given, pods(states), NEW, now=10)
    return [("delete" if step.pod else "create", step.ordinal) for step in found]


ONE_BY_ONE = [
    # replicas, states, what is done
    (3, "---", [("create", 0)]),
    (3, "u--", []),
    (3, "r--", [("create", 1)]),
    (3, "rr-", [("create", 2)]),
    (3, "rrr", []),
    (3, "-rr", [("create", 0)]),
    (3, "tr-", []),  # nothing is made while one before it is leaving
    (3, "rut", []),
    (3, "frr", [("delete", 0)]),
    (1, "rrr", [("delete", 2)]),
    (1, "rrt", []),
    (1, "rru", [("delete", 2)]),  # it is the first unwell itself
    (1, "ruu", []),  # 1 is the first unwell, so 2 has to wait for it
    (1, "urr", []),
    (2, "-rr", [("create", 0)]),
    (0, "rr", [("delete", 1)]),
]


@pytest.mark.parametrize(("replicas", "states", "expected"), ONE_BY_ONE)
def test_one_after_the_other(replicas: int, states: str, expected: list[tuple[str, int]]) -> None:
    assert done(stateful_set(replicas), states) == expected


PARALLEL = [
    (3, "---", [("create", 0), ("create", 1), ("create", 2)]),
    (3, "u-t", [("create", 1)]),
    (1, "uuuu", [("delete", 3), ("delete", 2), ("delete", 1)]),
    (1, "rtr", [("delete", 2)]),
]


@pytest.mark.parametrize(("replicas", "states", "expected"), PARALLEL)
def test_all_at_once(replicas: int, states: str, expected: list[tuple[str, int]]) -> None:
    assert done(stateful_set(replicas, podManagementPolicy="Parallel"), states) == expected


UPDATES = [
    # partition, states, what is done
    (0, "ooo", [("delete", 2)]),
    (0, "oor", [("delete", 1)]),
    (0, "oot", []),
    (0, "oou", []),
    (0, "rrr", []),
    (2, "ooo", [("delete", 2)]),
    (2, "oor", []),
    (3, "ooo", []),
]


@pytest.mark.parametrize(("held", "states", "expected"), UPDATES)
def test_updates_go_down_to_the_partition(held: int, states: str, expected: list[tuple[str, int]]) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": held}}
    for policy in ("OrderedReady", "Parallel"):
        given = stateful_set(updateStrategy=strategy, podManagementPolicy=policy)
        assert done(given, states) == expected


def test_nothing_is_updated_on_delete() -> None:
    assert done(stateful_set(updateStrategy={"type": "OnDelete"}), "ooo") == []


def test_the_first_ordinal_may_be_another_than_zero() -> None:
    given = stateful_set(2, ordinals={"start": 5}, updateStrategy={"rollingUpdate": {"partition": 1}})
    assert ordinals(given) == range(5, 7)
    assert partition(given["spec"]) == 1
    found = {5 + i: pod for i, pod in pods("oo").items()}
    for ordinal, pod in found.items():
        pod["metadata"]["name"] = f"db-{ordinal}"
    assert [step.ordinal for step in steps(given, found, NEW, now=10)] == [6]
    del found[6]
    assert steps(given, found, NEW, now=10) == [Step(6)]


def test_a_pod_that_is_ready_for_too_short_is_waited_for() -> None:
    given = stateful_set(minReadySeconds=10)
    assert done(given, "r--") == []
    assert [step.ordinal for step in steps(given, pods("r--"), NEW, now=10_000_000_000)] == [1]


def test_the_pod_of_an_ordinal_bears_its_name_its_number_and_its_revision() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c"}]}}
    made = new_pod(stateful_set(), 2, template, NEW)
    assert made["metadata"]["name"] == "db-2"
    assert made["metadata"]["labels"] == {
        "app": "db",
        "statefulset.kubernetes.io/pod-name": "db-2",
        "apps.kubernetes.io/pod-index": "2",
        REVISION: f"db-{NEW}",
    }
    assert (made["spec"]["hostname"], made["spec"]["subdomain"]) == ("db-2", "db")


def status(states: str, **old: Any) -> Object:
    given = {**stateful_set(), "status": old}
    return status_of(given, list(pods(states).values()), f"db-{NEW}", now=10)


def test_an_update_under_way_counts_old_and_new() -> None:
    found = status("oor", currentRevision=f"db-{OLD}")
    assert (found["currentReplicas"], found["updatedReplicas"], found["readyReplicas"]) == (2, 1, 3)
    assert (found["currentRevision"], found["updateRevision"]) == (f"db-{OLD}", f"db-{NEW}")


def test_an_update_that_is_complete_makes_the_new_revision_the_current_one() -> None:
    found = status("rrr", currentRevision=f"db-{OLD}")
    assert (found["currentRevision"], found["currentReplicas"]) == (f"db-{NEW}", 3)
    unready = status("rru", currentRevision=f"db-{OLD}")
    assert unready["currentRevision"] == f"db-{OLD}"


def test_a_leaving_pod_is_there_but_not_of_any_revision() -> None:
    found = status("rrt")
    assert (found["replicas"], found["readyReplicas"], found["updatedReplicas"]) == (3, 3, 2)
