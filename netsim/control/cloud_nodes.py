"""What the cloud controllers decide: whom a load balancer sends to, when the cloud is called, who is dead.

Readiness is not asked for: an unready node stays behind the balancer, whose own health check decides. A node
that the autoscaler is about to take, or that is labelled so, is left out, but only the label (and the node's
identity in the cloud) causes an update at once; the taint is heeded when something else does.

Sources: kubernetes `cloud-provider/controllers/service/controller.go`, `service/helpers/helper.go`,
`controllers/nodelifecycle/node_lifecycle_controller.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Literal

from netsim.api.objects import Object, is_leaving, is_true, labels_of, name_of

EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
AUTOSCALER = "ToBeDeletedByClusterAutoscaler"
SHUTDOWN = "node.cloudprovider.kubernetes.io/shutdown"
FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
EVERYWHERE = "0.0.0.0/0"

_FALSE = ("0", "f", "F", "FALSE", "false", "False")  # what Go reads as false


# nodes ---------------------------------------------------------------------------------------------------


def eligible(node: Object, *, stable: bool = True) -> bool:
    """Whether load balancers send to a node.

    Before the node set was `stable` (1.27), an unready node was left out, and one being deleted was not.
    """
    tainted = any(taint["key"] == AUTOSCALER for taint in node["spec"].get("taints") or ())
    fit = not is_leaving(node) if stable else is_true(node, "Ready")
    return fit and not excluded(node) and not tainted


def excluded(node: Object) -> bool:
    """Whether the node's label keeps load balancers away; a value that means no does not.

    >>> [excluded({"metadata": {"labels": {EXCLUDE: value}}}) for value in ("", "true", "false")]
    [True, True, False]
    """
    return labels_of(node).get(EXCLUDE, "false") not in _FALSE


def calls_for_update(old: Object, new: Object) -> bool:
    """Whether a change of a node makes the controller look at all load balancers at once."""
    identities = [node["spec"].get("providerID") or "" for node in (old, new)]
    return excluded(old) != excluded(new) or identities[0] != identities[1]


def nodes_to_send(last: Iterable[Object], now: Iterable[Object]) -> list[Object] | None:
    """The nodes to tell a load balancer of; None if it has been told of the same nodes before.

    Only the eligible ones of `last`, as they were then, count.
    """
    nodes, told = ([node for node in group if eligible(node)] for group in (now, last))
    return None if _identities(nodes) == _identities(told) else nodes


def _identities(nodes: Iterable[Object]) -> dict[str, str]:
    return {name_of(node): node["spec"].get("providerID") or "" for node in nodes}


# Services ------------------------------------------------------------------------------------------------


def wants_balancer(service: Object) -> bool:
    """Whether a Service is this controller's: it wants a load balancer, and not one of another class."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and spec.get("loadBalancerClass") is None


def needs_cleanup(service: Object) -> bool:
    """Whether a Service has, or may have, a load balancer that it should no longer have."""
    if FINALIZER not in (service["metadata"].get("finalizers") or ()):
        return False
    return is_leaving(service) or service["spec"].get("type") != "LoadBalancer"


def cloud_call(service: Object, *, exists: bool) -> Literal["create", "delete"] | None:
    """What the cloud is asked to do for a Service; `exists` says whether there is a load balancer."""
    if wants_balancer(service) and not needs_cleanup(service):
        return "create"
    return "delete" if exists else None


def only_local(service: Object) -> bool:
    """Whether traffic from outside must stay on the node where it arrives."""
    spec = service["spec"]
    return spec.get("type") in ("NodePort", "LoadBalancer") and spec.get("externalTrafficPolicy") == "Local"


def needs_health_check(service: Object) -> bool:
    """Whether a Service has a port of its own for health checks: balancers must find the nodes with pods."""
    return service["spec"].get("type") == "LoadBalancer" and only_local(service)


def source_ranges(service: Object) -> tuple[str, ...]:
    """Who may reach a Service's load balancer, by field, by annotation, or everybody; else a ValueError.

    >>> source_ranges({"metadata": {}, "spec": {"loadBalancerSourceRanges": ["10.0.0.7/8", " 10.0.0.0/8 "]}})
    ('10.0.0.0/8',)
    """
    given = service["spec"].get("loadBalancerSourceRanges")
    if not given:
        annotation = (service["metadata"].get("annotations") or {}).get(SOURCE_RANGES, "").strip()
        given = (annotation or EVERYWHERE).split(",")
    return tuple(dict.fromkeys(map(_range, given)))


def _range(text: str) -> str:
    text = text.strip()
    if not re.fullmatch(r"[^/]+/[0-9]+", text):
        raise ValueError(f"{text!r} is not a range of addresses; write 10.0.0.0/24")
    return str(ip_network(text, strict=False))


def allows_all(ranges: Iterable[str]) -> bool:
    """Whether everybody may come."""
    return any(str(ip_network(cidr, strict=False)) == EVERYWHERE for cidr in ranges)


# dead machines -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Instance:
    """What the cloud says of a node's machine; None where it answers with an error."""

    exists: bool | None
    shut_down: bool | None = False


def verdict(node: Object, instance: Instance) -> Literal["delete", "taint", "untaint", "keep"]:
    """What becomes of a node: a ready one is well; of an unready one the cloud knows whether it is there.

    The node of a machine that is gone is deleted; that of a machine switched off is tainted.
    """
    if is_true(node, "Ready"):
        return "untaint"
    if instance.exists is None:
        return "keep"
    if not instance.exists:
        return "delete"
    return "taint" if instance.shut_down else "keep"
