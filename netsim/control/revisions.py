"""The revisions of a Deployment: a ReplicaSet for each of its templates, and what is noted on them.

The ReplicaSet of the present template has the highest number. One that is taken up again, as a rollback does,
gets a new number, and remembers the old ones. What else a Deployment has in its annotations is handed down; how
large it was is noted on each set, so that a change of its size can be told from a rollout.

Source: kubernetes `pkg/controller/deployment/util/deployment_util.go`.
"""

from __future__ import annotations

from netsim.api.objects import Object, name_of, owned_by
from netsim.control.rollout import surge_and_unavailable

HASH = "pod-template-hash"
REVISION, HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
DESIRED, MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
ITS_OWN = (
    "kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST,
    "deprecated.deployment.rollback.to",
)  # fmt: skip


def new_replica_set(deployment: Object, old: list[Object], ending: str) -> Object:
    """The ReplicaSet for a Deployment's template, whose hash is `ending`; still empty."""
    template = deployment["spec"]["template"]
    labels = {**(template.get("metadata", {}).get("labels") or {}), HASH: ending}
    selector = deployment["spec"]["selector"]
    made = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{ending}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": sizes_of(deployment),
            "ownerReferences": [owned_by(deployment)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": deployment["spec"].get("minReadySeconds", 0),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: ending}},
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        },
    }
    return in_use(deployment, made, old)


def in_use(deployment: Object, replica_set: Object, old: list[Object]) -> Object:
    """The ReplicaSet of the present template as it should be noted; `old` are the others."""
    notes = dict(replica_set["metadata"].get("annotations") or {})
    given = deployment["metadata"].get("annotations") or {}
    notes |= {name: text for name, text in given.items() if name not in ITS_OWN}
    number = 1 + max(map(revision_of, old), default=0)
    if number > revision_of(replica_set):
        if REVISION in notes:
            notes[HISTORY] = ",".join(filter(None, (notes.get(HISTORY), notes[REVISION])))
        notes[REVISION] = str(number)
    spec = {**replica_set["spec"], "minReadySeconds": deployment["spec"].get("minReadySeconds", 0)}
    return {**replica_set, "metadata": {**replica_set["metadata"], "annotations": notes}, "spec": spec}


def with_revision(deployment: Object, replica_set: Object) -> Object:
    """The Deployment with the number of the ReplicaSet in use."""
    metadata = deployment["metadata"]
    notes = {**(metadata.get("annotations") or {}), REVISION: noted(replica_set, REVISION)}
    return {**deployment, "metadata": {**metadata, "annotations": notes}}


def revision_of(obj: Object) -> int:
    """The number of a ReplicaSet, or of the one that a Deployment uses; 0 if it has none."""
    return int(noted(obj, REVISION) or 0)


def sizes_of(deployment: Object) -> dict[str, str]:
    """What each ReplicaSet is told of its Deployment's size."""
    replicas = deployment["spec"]["replicas"]
    return {DESIRED: str(replicas), MOST: str(replicas + surge_and_unavailable(deployment)[0])}


def was_scaled(deployment: Object, sets: list[Object]) -> bool:
    """Whether the Deployment's size is another than its sets were last told."""
    wanted = str(deployment["spec"]["replicas"])
    return any(rs["spec"]["replicas"] and noted(rs, DESIRED) not in ("", wanted) for rs in sets)


def noted(obj: Object, name: str) -> str:
    """An annotation of an object, or an empty text."""
    return str((obj["metadata"].get("annotations") or {}).get(name, ""))
