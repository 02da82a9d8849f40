"""Pods made from a controller's template, and the record a controller keeps of its templates.

StatefulSets and DaemonSets store each version of their template as a ControllerRevision; a pod's label says
which one it was made from.

Source: kubernetes `pkg/controller/controller_utils.go` (GetPodFromTemplate), `pkg/controller/history`.
"""

from __future__ import annotations

from netsim.api.objects import Object, name_of, owned_by
from netsim.control.cluster import Cluster
from netsim.control.rollout import template_hash

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


def recorded(cluster: Cluster, owner: Object) -> str:
    """The hash of the owner's present template, of which there is a ControllerRevision from now on."""
    template = owner["spec"]["template"]
    ending = template_hash(template)
    namespace, name = owner["metadata"]["namespace"], f"{name_of(owner)}-{ending}"
    known = cluster.store.get("ControllerRevision", namespace, name)
    mine = [r for r in cluster.store.list("ControllerRevision", namespace) if _belongs(r, owner)]
    newest = max((r["revision"] for r in mine), default=0)
    if known is None:
        metadata = {
            "name": name,
            "namespace": namespace,
            "labels": {**(template.get("metadata") or {}).get("labels", {}), REVISION: ending},
            "ownerReferences": [owned_by(owner)],
        }
        kind = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata}
        cluster.store.create({**kind, "data": {"spec": {"template": template}}, "revision": newest + 1})
    elif known["revision"] < newest:  # a template that was left and has come back is the newest again
        cluster.store.update({**known, "revision": newest + 1})
    return ending


def recalled(cluster: Cluster, owner: Object, ending: str) -> Object:
    """The template with that hash; the owner's present one if there is no record of it."""
    key = owner["metadata"]["namespace"], f"{name_of(owner)}-{ending}"
    known = cluster.store.get("ControllerRevision", *key)
    template: Object = known["data"]["spec"]["template"] if known else owner["spec"]["template"]
    return template


def _belongs(revision: Object, owner: Object) -> bool:
    return any(r["uid"] == owner["metadata"]["uid"] for r in revision["metadata"]["ownerReferences"])
