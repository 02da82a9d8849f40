"""What kube-proxy says of itself on port 10256, where load balancers ask.

It is well unless an update has waited for its sync for longer than two sync periods. A node that is about to
be taken away (deleted, or tainted by the autoscaler) says 503 as well, so that balancers drain it first.
The health check node port of a Service says 503 besides where no ready pod of it runs.

Sources: kubernetes `pkg/proxy/healthcheck/proxy_health.go`, `service_health.go`; KEP-3836.
"""

from __future__ import annotations

from dataclasses import dataclass

from netsim.api.objects import Object, is_leaving
from netsim.control.cloud_nodes import AUTOSCALER


@dataclass
class ProxyHealth:
    """One node's kube-proxy, as its health server sees it."""

    patience: int  # how long an update may wait: two sync periods
    running: bool = False
    waiting: int | None = None  # since when an update has waited

    def queued(self, now: int) -> None:
        """There is something to sync."""
        if self.waiting is None:
            self.waiting = now

    def updated(self) -> None:
        """A sync has succeeded."""
        self.waiting = None

    def well(self, now: int) -> bool:
        """Whether updates get through (livez).

        >>> health = ProxyHealth(patience=60, running=True)
        >>> health.queued(100)
        >>> health.well(160), health.well(161)
        (True, False)
        """
        return self.waiting is None or now - self.waiting <= self.patience


def stays(node: Object) -> bool:
    """Whether balancers may go on sending to a node, as its kube-proxy sees it (healthz asks livez and this)."""
    tainted = any(taint["key"] == AUTOSCALER for taint in node["spec"].get("taints") or ())
    return not is_leaving(node) and not tainted
