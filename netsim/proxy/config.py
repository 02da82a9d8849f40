"""How kube-proxy is configured: the fields of KubeProxyConfiguration that change where packets go, or when.

Defaults: kubernetes 1.32, `pkg/proxy/apis/config/v1alpha1/defaults.go`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from netsim.fields import Duration, Model, Network
from netsim.units import S

Mode = Literal["iptables", "nftables", "ipvs", "ebpf"]
Scheduler = Literal["rr", "lc", "wrr", "wlc", "sh", "dh", "mh", "sed", "nq"]


class ProxyConfig(Model):
    """kube-proxy's configuration, the same on every node."""

    mode: Mode = "iptables"
    min_sync_period: Duration | None = None  # 1s; ipvs: 0
    sync_period: Duration = 30 * S
    masquerade_all: bool = False
    detect_local: Literal["ClusterCIDR", "none"] = "ClusterCIDR"  # how it tells pods from others
    node_port_addresses: tuple[Network, ...] | Literal["primary"] | None = None  # None: the mode's default
    localhost_node_ports: bool = True  # iptables, IPv4 only
    ipvs_scheduler: Scheduler = "rr"
    conntrack_max: int | None = Field(default=None, ge=1)  # connections a node can remember; none: any number
    feature_gates: dict[str, bool] = Field(default_factory=dict)  # by name; see `enabled`

    def enabled(self, gate: str) -> bool:
        """Whether a feature gate is on.

        Rules depend on two, which are on unless told otherwise: LoadBalancerIPMode (a load balancer with
        ipMode Proxy keeps its address to itself) and PreferSameTrafficDistribution (node hints count).
        """
        return self.feature_gates.get(gate, True)

    @property
    def min_sync(self) -> int:
        """The least time between two syncs, as this mode has it by default."""
        if self.min_sync_period is not None:
            return self.min_sync_period
        return 0 if self.mode == "ipvs" else 1 * S
