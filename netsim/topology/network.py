"""What a cluster is built of, as a scenario writes it: machines, links, address ranges, and the CNI family.

Left out: link-layer details. A link has a latency (one way), a bandwidth and an MTU; a CNI family adds
its encapsulation. Sources of the defaults: kubeadm (`podSubnet`, `serviceSubnet`), flannel
(`10.244.0.0/16`, VXLAN 50 bytes), Calico and Cilium documentation (overheads).
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

from pydantic import Field

from netsim.fields import Bandwidth, Duration, Labels, Model, Name, Network, Share
from netsim.units import MS, US


class Taint(Model):
    """A taint that a node is born with."""

    key: str
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Capacity(Model):
    """What a node can hold, as Kubernetes quantities."""

    cpu: str = "4"
    memory: str = "16Gi"
    pods: int = 110


class Nodes(Model):
    """A node, or a group of equal ones: with `count` N they are called `name-1` to `name-N`."""

    name: Name
    count: int | None = Field(default=None, ge=1, le=20_000)
    role: Literal["worker", "control-plane"] = "worker"
    zone: str = ""
    region: str = ""
    labels: Labels = Field(default={})
    taints: tuple[Taint, ...] = ()
    capacity: Capacity = Capacity()

    def names(self) -> list[str]:
        """The nodes' names, in order."""
        return [self.name] if self.count is None else [f"{self.name}-{i + 1}" for i in range(self.count)]


class Jitter(Model):
    """How much longer a packet may take on a link, at the most; drawn evenly for each packet."""

    node: Duration = 0
    zone: Duration = 0
    outside: Duration = 0


class Loss(Model):
    """The share of packets that a link loses."""

    node: Share = 0.0
    zone: Share = 0.0
    outside: Share = 0.0


class Bandwidths(Model):
    """How much a link carries in each direction. Packets leave one after the other, first come first served."""

    node: Bandwidth | None = None  # None: more than anybody sends
    zone: Bandwidth | None = None
    outside: Bandwidth | None = None


class Links(Model):
    """One-way latencies of the links: pod to node, node to its zone's switch, switch to core, core to outside."""

    pod: Duration = 10 * US
    node: Duration = 50 * US
    zone: Duration = 250 * US
    outside: Duration = 10 * MS
    encapsulation: Duration = 10 * US  # added once on a path between nodes, by an overlay
    jitter: Jitter = Jitter()
    loss: Loss = Loss()
    bandwidth: Bandwidths = Bandwidths()

    def between(self, kind: str) -> tuple[int, int, float, int | None]:
        """The latency, jitter, loss and bandwidth of a kind of link: node, zone or outside."""
        return (
            getattr(self, kind), getattr(self.jitter, kind), getattr(self.loss, kind), getattr(self.bandwidth, kind)
        )  # fmt: skip


class Addresses(Model):
    """Where addresses come from: all ranges of IPv4, or all of IPv6."""

    pods: Network = ip_network("10.244.0.0/16")
    services: Network = ip_network("10.96.0.0/12")
    nodes: Network = ip_network("192.168.0.0/16")  # the machines' own network; internal addresses
    external: Network = ip_network("203.0.113.0/24")  # nodes' external addresses, then outside clients
    load_balancers: Network = ip_network("198.51.100.0/24")
    node_mask: int = Field(default=24, ge=8, le=126)  # the size of each node's pod range; IPv6: 64 is usual


CniFamily = Literal["flannel-vxlan", "flannel-host-gw", "calico-vxlan", "calico-ipip", "calico-bgp", "bridge"]

ENCAPSULATION = {"flannel-vxlan": 50, "calico-vxlan": 50, "calico-ipip": 20}
"""Bytes that a CNI family puts around each packet between nodes; 0 where it is not listed."""
