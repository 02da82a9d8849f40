"""Whether a Deployment gets on: its Progressing condition, which `kubectl rollout status` reads.

It gets on whenever more pods are of the new template, ready or available, or fewer are old. When nothing of that
has happened for `progressDeadlineSeconds` it is said to have failed; nothing is done about it. Once all pods are
new and available it has arrived, and stays so whatever happens to them, until the template changes.

Source: kubernetes `pkg/controller/deployment` (progress.go, util/deployment_util.go).
"""

from __future__ import annotations

from netsim.api.objects import Object, condition, name_of
from netsim.units import S

Said = tuple[str, str, str, int]  # status, reason, message, when it was last seen to get on
DONE, LATE = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether all pods are of the new template, and available."""
    wanted = deployment["spec"]["replicas"]
    return status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == wanted


def has_moved(old: Object, new: Object) -> bool:
    """Whether a status is further on than another.

    >>> before = {"replicas": 3, "updatedReplicas": 1, "readyReplicas": 2}
    >>> has_moved(before, {**before, "readyReplicas": 3}), has_moved(before, {**before, "readyReplicas": 1})
    (True, False)
    """

    def grew(field: str) -> bool:
        return int(new.get(field, 0)) > int(old.get(field, 0))

    old_ones = [status.get("replicas", 0) - status.get("updatedReplicas", 0) for status in (old, new)]
    return any(map(grew, ("updatedReplicas", "readyReplicas", "availableReplicas"))) or old_ones[1] < old_ones[0]


def progress(deployment: Object, status: Object, new: Object | None, now: int) -> Said | None:
    """What to say of a Deployment's progress, given the status it is about to have; None for nothing."""
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    known = condition(deployment, "Progressing")
    if deadline is None:
        return None
    if deployment["spec"].get("paused"):
        return "Unknown", "DeploymentPaused", "Deployment is paused", now
    if known and known["reason"] == DONE and status["replicas"] == status["updatedReplicas"]:
        return known["status"], DONE, known["message"], known["lastUpdateTime"]
    about = f'ReplicaSet "{name_of(new)}"' if new else "ReplicaSet"
    if is_complete(deployment, status):
        return "True", DONE, f"{about} has successfully progressed.", now
    if known is None or known["reason"] == "DeploymentPaused" or _is_new(known, about):
        return "True", "NewReplicaSetCreated", f"Created new replica set {about.removeprefix('ReplicaSet ')}", now
    if has_moved(deployment.get("status", {}), status):
        return "True", "ReplicaSetUpdated", f"{about} is progressing.", now
    if known["reason"] != DONE and known["lastUpdateTime"] + deadline * S <= now:
        return "False", LATE, f"{about} has timed out progressing.", known["lastUpdateTime"]
    return known["status"], known["reason"], known["message"], known["lastUpdateTime"]


def _is_new(known: Object, about: str) -> bool:
    """Whether the last thing said was about another ReplicaSet."""
    return about.removeprefix("ReplicaSet ") not in known["message"]


def due(deployment: Object) -> int | None:
    """When the Deployment will be late, if nothing happens."""
    known, deadline = condition(deployment, "Progressing"), deployment["spec"].get("progressDeadlineSeconds")
    if known is None or deadline is None or known["reason"] in (DONE, LATE, "DeploymentPaused"):
        return None
    return int(known["lastUpdateTime"]) + deadline * S
