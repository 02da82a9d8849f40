"""What changed, and when: the record that explains a run, draws it, and replays it.

The control half writes here whenever it changes something a packet can meet (the forwarding state), and
whenever something happened that a person would want on a timeline. Nothing is ever taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

KINDS = {
    "fault": "a fault struck; the detail says which",
    "healed": "a fault let go of what it had struck",
    "refused": "the API server refused what somebody wanted",
    "api-down": "the API server no longer answers",
    "api-up": "the API server answers again",
    "leader-lost": "no controller manager leads any more",
    "leader-elected": "a controller manager leads again",
    "power-off": "a machine lost power",
    "power-on": "a machine got power back",
    "booted": "kubelet and kube-proxy of a machine started",
    "node-not-ready": "the node lifecycle controller gave up on a node, or its kubelet said so",
    "node-ready": "a node is Ready",
    "taint-added": "a taint was put on a node",
    "taint-removed": "a taint was taken off a node",
    "pod-created": "a pod object was created; the detail names its owner",
    "pod-scheduled": "a pod was bound to a node",
    "pod-started": "a pod runs and has its address",
    "pod-listening": "a pod's program accepts connections",
    "sandbox-lost": "a kubelet saw that a pod's sandbox had died",
    "pod-ready": "a pod's Ready condition became true",
    "pod-not-ready": "a pod's Ready condition became false",
    "pod-terminating": "a pod was given a deletion timestamp; the detail says why, if the API server knows",
    "pod-collected": "pod garbage collection gave a pod up: its node's object is gone, or its node is out of service",
    "pod-stopped": "a pod's program is gone",
    "pod-deleted": "a pod object was removed",
    "endpoint-ready": "an endpoint is ready in its EndpointSlice",
    "endpoint-not-ready": "an endpoint is no longer ready in its EndpointSlice",
    "programmed": "a node's kube-proxy has put a revision of the rules into effect",
    "lb-address": "a load balancer got its address",
    "lb-node-in": "a load balancer sends to a node",
    "lb-node-out": "a load balancer stopped sending to a node",
    "link-down": "a link went down",
    "link-up": "a link came up",
}
"""Every kind of change, and what it says."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed at one instant."""

    time: int  # nanoseconds
    kind: str  # one of KINDS
    subject: str  # node/NAME, pod/NAMESPACE/NAME, endpoint/NAMESPACE/SERVICE/POD, service/NAMESPACE/NAME
    node: str = ""  # the node concerned, if there is one
    detail: str = ""
    revision: int = 0  # with `programmed` and endpoint changes: the rules' revision


@dataclass
class History:
    """All changes of a run, in the order they happened."""

    changes: list[Change] = field(default_factory=list)
    cause: str = ""  # the fault that is at work in this instant: what it changes bears its name

    def record(
        self, time: int, kind: str, subject: str, node: str = "", detail: str = "", revision: int = 0
    ) -> None:
        """Note that something changed."""
        self.changes.append(Change(time, kind, subject, node, detail or self.cause, revision))

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)
