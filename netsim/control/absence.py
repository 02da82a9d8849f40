"""Clients that never were: pods from which requests should have come, but which never ran, and why not.

A pod's own status says it: the scheduler writes there why it fits nowhere, the kubelet what its containers wait for.
"""

from __future__ import annotations

from collections.abc import Iterable

from netsim.api.objects import Object, condition, node_of
from netsim.api.store import Store
from netsim.dataplane.history import Change
from netsim.dataplane.sources import Source


def never_ran(sources: Iterable[Source], store: Store, changes: Iterable[Change]) -> dict[str, str]:
    """By the name of a source: which pod of it never ran until now, and why."""
    ran = {change.subject for change in changes if change.kind == "pod-started"}
    absent = {}
    for source in sources:
        origin = source.origin
        if origin.kind == "pod" and f"pod/{origin.namespace}/{origin.name}" not in ran:
            why = why_not_running(store.get("Pod", origin.namespace, origin.name))
            absent[source.name] = f"pod {origin.namespace}/{origin.name} never ran: {why}"
    return absent


def why_not_running(pod: Object | None) -> str:
    """What keeps a pod from running.

    >>> why_not_running(None), why_not_running({"spec": {}, "status": {}})
    ('there is no such pod', 'no node was chosen for it')
    >>> why_not_running({"spec": {"nodeName": "node-9"}, "status": {}})
    'it is bound to node-9, which has not started it'
    >>> message = "0/2 nodes are available: 2 Insufficient cpu."
    >>> unfit = {"type": "PodScheduled", "status": "False", "message": message}
    >>> why_not_running({"spec": {}, "status": {"conditions": [unfit]}})
    '0/2 nodes are available: 2 Insufficient cpu.'
    """
    if pod is None:
        return "there is no such pod"
    scheduled = condition(pod, "PodScheduled")
    if scheduled is None and node_of(pod):
        return f"it is bound to {node_of(pod)}, which has not started it"
    if scheduled is None or scheduled["status"] != "True":
        return str((scheduled or {}).get("message") or "no node was chosen for it")
    waiting = [
        status["state"]["waiting"]["reason"]
        for status in pod["status"].get("containerStatuses", ())
        if "waiting" in status.get("state", {})
    ]
    return f"on its node it is {waiting[0] if waiting else 'Pending'}"
