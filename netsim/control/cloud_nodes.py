"""Which nodes an external load balancer may send to.

Ready or not does not matter (since 1.27 the balancer's own health check decides); a node is left out by label,
by the autoscaler's taint, or because it is being deleted.
Source: kubernetes `cloud-provider/controllers/service/controller.go`.
"""

from __future__ import annotations

from netsim.api.objects import Object, is_leaving, labels_of

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
AUTOSCALER = "ToBeDeletedByClusterAutoscaler"


def eligible(node: Object) -> bool:
    """Whether a load balancer may send to this node."""
    doomed = any(taint["key"] == AUTOSCALER for taint in node["spec"].get("taints") or ())
    return EXCLUDED not in labels_of(node) and not doomed and not is_leaving(node)
