"""Whether a Deployment gets on, and what is noted on its ReplicaSets."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.control.progress import DONE, LATE, due, has_moved, is_complete, progress
from netsim.control.revisions import (
    DESIRED,
    HISTORY,
    MOST,
    REVISION,
    in_use,
    new_replica_set,
    revision_of,
    was_scaled,
    with_revision,
)
from netsim.units import S

Object = dict[str, Any]
NEW = {"metadata": {"name": "web-new"}}


Said = tuple[str, int] | None  # a reason, and when it last got on


def deployment(replicas: int = 3, deadline: int | None = 60, said: Said = None, **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    conditions = []
    if said:
        reason, seen = said
        conditions = [
            {
                "type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": seen,
                "lastTransitionTime": 0, "message": 'ReplicaSet "web-new" is progressing.',
            }
        ]  # fmt: skip
    given = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec}
    if deadline is not None:
        given["progressDeadlineSeconds"] = deadline
    metadata = {"name": "web", "namespace": "default", "uid": "uid-web", "annotations": {}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": given,
            "status": {**counts(1, 1), "conditions": conditions}}  # fmt: skip


def counts(updated: int, available: int, total: int = 3) -> Object:
    return {"replicas": total, "updatedReplicas": updated, "readyReplicas": available, "availableReplicas": available}


def test_a_rollout_is_complete_when_all_pods_are_new_and_available() -> None:
    assert is_complete(deployment(), counts(3, 3))
    assert not is_complete(deployment(), counts(3, 2))
    assert not is_complete(deployment(), counts(2, 3))
    assert not is_complete(deployment(), counts(3, 3, total=4))


@pytest.mark.parametrize(
    ("later", "moved"),
    [
        (counts(2, 1), True),
        (counts(1, 2), True),
        (counts(1, 1), False),
        (counts(1, 0), False),
        (counts(1, 1, total=2), True),
    ],
)
def test_moving_is_more_new_or_ready_or_fewer_old(later: Object, moved: bool) -> None:
    assert has_moved(counts(1, 1), later) is moved


SAID = [
    # what was said and when, the status now, now, what is said
    (None, counts(0, 0), 5, ("True", "NewReplicaSetCreated")),
    (("ReplicaSetUpdated", 0), counts(2, 1), 30 * S, ("True", "ReplicaSetUpdated")),
    (("ReplicaSetUpdated", 0), counts(1, 1), 59 * S, ("True", "ReplicaSetUpdated")),
    (("ReplicaSetUpdated", 0), counts(1, 1), 60 * S, ("False", LATE)),
    (("ReplicaSetUpdated", 0), counts(3, 3), 99 * S, ("True", DONE)),
    ((DONE, 0), counts(3, 2), 999 * S, ("True", DONE)),  # once complete, a lost pod is no lack of progress
]


@pytest.mark.parametrize(("said", "status", "now", "expected"), SAID)
def test_what_is_said(said: Said, status: Object, now: int, expected: tuple[str, str]) -> None:
    found = progress(deployment(said=said), status, NEW, now)
    assert found is not None
    assert found[:2] == expected


def test_a_paused_deployment_is_not_late_and_one_without_a_deadline_says_nothing() -> None:
    paused = progress(deployment(said=("ReplicaSetUpdated", 0), paused=True), counts(1, 1), NEW, 999 * S)
    assert paused is not None
    assert paused[:2] == ("Unknown", "DeploymentPaused")
    assert progress(deployment(deadline=None), counts(1, 1), NEW, 999 * S) is None


def test_when_a_deployment_will_be_late() -> None:
    assert due(deployment(said=("ReplicaSetUpdated", 7 * S))) == 67 * S
    assert due(deployment(said=(DONE, 7 * S))) is None
    assert due(deployment()) is None


# revisions ------------------------------------------------------------------------------------------------


def numbered(number: int, **notes: str) -> Object:
    return {"metadata": {"annotations": {REVISION: str(number), **notes}}, "spec": {"replicas": 1}}


def test_a_new_set_gets_the_next_number_and_the_deployments_notes() -> None:
    given = deployment()
    given["metadata"]["annotations"] = {"kubernetes.io/change-cause": "why", REVISION: "2"}
    made = new_replica_set(given, [numbered(1), numbered(2)], "abc")
    assert made["metadata"]["annotations"] == {
        REVISION: "3", "kubernetes.io/change-cause": "why", DESIRED: "3", MOST: "4",
    }  # fmt: skip
    assert made["metadata"]["name"] == "web-abc"
    assert made["spec"]["selector"]["matchLabels"] == made["metadata"]["labels"] == {
        "app": "web", "pod-template-hash": "abc",
    }  # fmt: skip
    assert revision_of(with_revision(given, made)) == 3


def test_a_set_that_is_taken_up_again_remembers_its_numbers() -> None:
    again = in_use(deployment(), numbered(1), [numbered(2)])
    assert again["metadata"]["annotations"][REVISION] == "3"
    assert again["metadata"]["annotations"][HISTORY] == "1"
    once_more = in_use(deployment(), again, [numbered(4)])
    assert once_more["metadata"]["annotations"][REVISION] == "5"
    assert once_more["metadata"]["annotations"][HISTORY] == "1,3"


def test_the_newest_set_is_left_as_it_is() -> None:
    newest = new_replica_set(deployment(), [], "abc")
    assert in_use(deployment(), newest, []) == newest


def test_a_change_of_size_is_told_by_what_the_sets_were_told() -> None:
    assert was_scaled(deployment(4), [numbered(1, **{DESIRED: "3"})])
    assert not was_scaled(deployment(3), [numbered(1, **{DESIRED: "3"})])
    assert not was_scaled(deployment(4), [numbered(1)])
