"""Reading Kubernetes objects: plain dictionaries, never changed in place; a change is a new dictionary.

An object keeps the shape of its JSON. The few questions that everybody asks of one (is this pod ready?
is it leaving? who owns it?) are functions here, named as Kubernetes' own helpers are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str]  # namespace ("" for cluster-scoped kinds) and name


def key_of(obj: Object) -> Key:
    """Namespace and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def name_of(obj: Object) -> str:
    """The object's name."""
    return obj["metadata"]["name"]


def labels_of(obj: Object) -> dict[str, str]:
    """The object's labels."""
    return obj["metadata"].get("labels") or {}


def reference(obj: Object) -> str:
    """`kind/namespace/name`, as histories and messages call an object.

    >>> reference({"kind": "Pod", "metadata": {"name": "web", "namespace": "default"}})
    'pod/default/web'
    """
    namespace, name = key_of(obj)
    return "/".join(part for part in (obj["kind"].lower(), namespace, name) if part)


def merged(obj: Any, patch: Any) -> Any:
    """A new value with `patch` laid over `obj`, as a JSON merge patch (RFC 7386): maps merge, None removes.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}})
    {'a': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(obj) if isinstance(obj, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def controller_of(obj: Object) -> Object | None:
    """The owner reference of the controller that manages `obj`, if there is one."""
    return next((r for r in obj["metadata"].get("ownerReferences") or () if r.get("controller")), None)


def owned_by(owner: Object) -> Object:
    """The owner reference that makes `owner` the controller of a new object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


# conditions ------------------------------------------------------------------------------------------


def condition(obj: Object, kind: str) -> Object | None:
    """The condition of type `kind` in the object's status, or None."""
    return next((c for c in obj.get("status", {}).get("conditions", ()) if c["type"] == kind), None)


def with_condition(obj: Object, now: int, kind: str, status: str, **also: Any) -> Object:
    """A copy of `obj` with that condition set; lastTransitionTime moves only when the status changes."""
    old = condition(obj, kind)
    since = old["lastTransitionTime"] if old and old["status"] == status else now
    new = {"type": kind, "status": status, "lastTransitionTime": since, **also}
    conditions = obj.get("status", {}).get("conditions", [])
    conditions = [new if c is old else c for c in conditions] if old else [*conditions, new]
    return {**obj, "status": {**obj.get("status", {}), "conditions": conditions}}


def is_true(obj: Object, kind: str) -> bool:
    """Whether a condition is there and True."""
    found = condition(obj, kind)
    return found is not None and found["status"] == "True"


# pods --------------------------------------------------------------------------------------------------


def pod_ready(pod: Object) -> bool:
    """The pod's Ready condition is True."""
    return is_true(pod, "Ready")


def is_leaving(obj: Object) -> bool:
    """The object was asked to go: it has a deletion timestamp."""
    return obj["metadata"].get("deletionTimestamp") is not None


def is_finished(pod: Object) -> bool:
    """The pod ran to its end, well or badly."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """The pod counts for its controller: neither finished nor leaving (`controller.IsPodActive`)."""
    return not is_finished(pod) and not is_leaving(pod)


def node_of(pod: Object) -> str:
    """The node the pod is bound to, or an empty text."""
    return pod["spec"].get("nodeName", "")


def container_ports(pod: Object) -> list[Object]:
    """All ports that the pod's containers name."""
    return [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]


# nodes -------------------------------------------------------------------------------------------------

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
HOSTNAME = "kubernetes.io/hostname"
SERVICE_NAME = "kubernetes.io/service-name"


def has_taint(node: Object, key: str, effect: str) -> bool:
    """Whether a node carries that taint."""
    return any(t["key"] == key and t["effect"] == effect for t in node["spec"].get("taints") or ())


def with_taints(node: Object, add: Iterable[Object] = (), remove: Iterable[tuple[str, str]] = ()) -> Object:
    """A copy of `node` with taints taken off (by key and effect) and put on (once each)."""
    off = set(remove) | {(taint["key"], taint["effect"]) for taint in add}
    kept = [t for t in node["spec"].get("taints") or () if (t["key"], t["effect"]) not in off]
    return {**node, "spec": {**node["spec"], "taints": [*kept, *add]}}
