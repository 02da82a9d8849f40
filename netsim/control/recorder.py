"""What of the control half belongs on a timeline: one rule per kind of object, from a write to changes.

The store says what was written; this says what happened, in the words of `dataplane/history.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from netsim.api.objects import Object, condition, controller_of, is_leaving, key_of, name_of, node_of, pod_ready
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.dns_records import service_of

Notable = tuple[str, str, str, str]  # kind of change, subject, node, detail


def of_node(change: Change) -> Iterator[Notable]:
    """A node became Ready or not, or its taints changed."""
    name = name_of(change.object)
    before, now = _ready(change.old), _ready(change.object)
    if before != now and now is not None:
        reason = (condition(change.object, "Ready") or {}).get("reason", "")
        yield ("node-ready" if now == "True" else "node-not-ready"), f"node/{name}", name, f"{now} {reason}"
    old, new = _taints(change.old), _taints(change.object)
    for taint in new:
        if taint not in old and change.type != "ADDED":
            yield "taint-added", f"node/{name}", name, taint
    for taint in old:
        if taint not in new:
            yield "taint-removed", f"node/{name}", name, taint


def of_pod(change: Change) -> Iterator[Notable]:
    """A pod's life, step by step."""
    pod, old = change.object, change.old
    subject, node = f"pod/{'/'.join(key_of(pod))}", node_of(pod)
    if change.type == "ADDED":
        yield "pod-created", subject, node, _owner(pod)
    if change.type == "DELETED":
        yield "pod-deleted", subject, node, ""
        return
    if node and (old is None or not node_of(old)):
        yield "pod-scheduled", subject, node, ""
    address = pod.get("status", {}).get("podIP", "")
    if address and (old is None or old.get("status", {}).get("podIP", "") != address):
        yield "pod-started", subject, node, address
    was, now = old is not None and pod_ready(old), pod_ready(pod)
    if was != now:
        yield ("pod-ready" if now else "pod-not-ready"), subject, node, ""
    if is_leaving(pod) and (old is None or not is_leaving(old)):
        yield "pod-terminating", subject, node, (condition(pod, "DisruptionTarget") or {}).get("reason", "")


def of_slice(change: Change) -> Iterator[Notable]:
    """Endpoints that became ready, or stopped being so."""
    namespace, service = service_of(change.object)
    before = _endpoints(change.old)
    now = _endpoints(change.object) if change.type != "DELETED" else {}
    for address, (pod, node) in now.items():
        if address not in before:
            yield "endpoint-ready", f"endpoint/{namespace}/{service}/{pod}", node, address
    for address, (pod, node) in before.items():
        if address not in now:
            yield "endpoint-not-ready", f"endpoint/{namespace}/{service}/{pod}", node, address


NOTABLE = {"Node": of_node, "Pod": of_pod, "EndpointSlice": of_slice}


def record(cluster: Cluster) -> None:
    """Write what is notable of every change into the history."""

    def follow(change: Change) -> None:
        for kind, subject, node, detail in NOTABLE[change.object["kind"]](change):
            cluster.history.record(cluster.now, kind, subject, node, detail)

    for kind in NOTABLE:
        cluster.store.watch(kind, follow)


def _owner(pod: Object) -> str:
    """The controller that made a pod, as KIND/NAME."""
    owner = controller_of(pod)
    return f"{owner['kind']}/{owner['name']}" if owner else ""


def _ready(node: Object | None) -> str | None:
    found = condition(node, "Ready") if node else None
    return found["status"] if found else None


def _taints(node: Object | None) -> list[str]:
    return [f"{t['key']}:{t['effect']}" for t in (node or {"spec": {}})["spec"].get("taints") or ()]


def _endpoints(endpoint_slice: Object | None) -> dict[str, tuple[str, str]]:
    """Ready addresses of a slice, with pod and node."""
    found = {}
    for endpoint in (endpoint_slice or {}).get("endpoints") or ():
        if endpoint.get("conditions", {}).get("ready") is not False:
            pod = (endpoint.get("targetRef") or {}).get("name", "")
            for address in endpoint["addresses"]:
                found[address] = (pod, endpoint.get("nodeName", ""))
    return found
