"""Pods made from a controller's template, and the record a controller keeps of its templates.

StatefulSets and DaemonSets store each version of their template as a ControllerRevision; a pod's label says
which one it was made from.

Source: kubernetes `pkg/controller/controller_utils.go` (GetPodFromTemplate), `pkg/controller/history`.
"""

from __future__ import annotations

from collections.abc import Collection

from netsim.api.objects import Object, key_of, labels_of, name_of, owned_by
from netsim.control.cluster import Cluster
from netsim.control.naming import generated
from netsim.draws import Stream

REVISION = "controller-revision-hash"


def pod_of(
    owner: Object, template: Object, name: str, labels: dict[str, str] | None = None, spec: Object | None = None
) -> Object:
    """A pod from a template, with a name and further labels; `spec` takes the place of fields of its spec."""
    given = template.get("metadata") or {}
    metadata = {
        **given,
        "name": name,
        "generateName": f"{name_of(owner)}-",
        "namespace": owner["metadata"]["namespace"],
        "labels": {**(given.get("labels") or {}), **(labels or {})},
        "ownerReferences": [owned_by(owner)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template["spec"], **(spec or {})}}


def new_name(cluster: Cluster, owner: Object, chance: Stream) -> str:
    """A generated name for another pod of an owner; one that is taken is drawn again, as the API server does."""
    while True:
        name = generated(f"{name_of(owner)}-", chance.next())
        if cluster.store.get("Pod", owner["metadata"]["namespace"], name) is None:
            return name


def record(cluster: Cluster, owner: Object, ending: str) -> None:
    """See to it that there is a ControllerRevision of the owner's present template, whose hash is `ending`."""
    key = owner["metadata"]["namespace"], f"{name_of(owner)}-{ending}"
    known = cluster.store.get("ControllerRevision", *key)
    newest = max((revision["revision"] for revision in records(cluster, owner)), default=0)
    if known is None:
        template = owner["spec"]["template"]
        metadata = {
            "name": key[1],
            "namespace": key[0],
            "labels": {**(template.get("metadata") or {}).get("labels", {}), REVISION: ending},
            "annotations": dict(owner["metadata"].get("annotations") or {}),
            "ownerReferences": [owned_by(owner)],
        }
        kind = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata}
        cluster.store.create({**kind, "data": {"spec": {"template": template}}, "revision": newest + 1})
    elif known["revision"] < newest:  # a template that was left and has come back is the newest again
        cluster.store.update({**known, "revision": newest + 1})


def recalled(cluster: Cluster, owner: Object, ending: str) -> Object:
    """The template with that hash; the owner's present one if there is no record of it."""
    key = owner["metadata"]["namespace"], f"{name_of(owner)}-{ending}"
    known = cluster.store.get("ControllerRevision", *key)
    template: Object = known["data"]["spec"]["template"] if known else owner["spec"]["template"]
    return template


def forget(cluster: Cluster, owner: Object, needed: Collection[str]) -> None:
    """The oldest records go, beyond the owner's history limit; not those with a hash that is `needed`."""
    old = [revision for revision in records(cluster, owner) if labels_of(revision)[REVISION] not in needed]
    old.sort(key=lambda revision: int(revision["revision"]))
    for revision in old[: max(0, len(old) - owner["spec"].get("revisionHistoryLimit", 10))]:
        cluster.store.remove("ControllerRevision", *key_of(revision))


def records(cluster: Cluster, owner: Object) -> list[Object]:
    """The ControllerRevisions of an owner."""
    return cluster.store.find("ControllerRevision", "owner", owner["metadata"]["uid"])
