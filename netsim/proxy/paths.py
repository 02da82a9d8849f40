"""Where traffic policies send a packet: what iptables and nftables mode have in common.

Internal traffic goes to the cluster IP, external traffic to a node port, an external IP or a load balancer
VIP. Under policy Local external traffic is short-circuited for pods and for the node itself: they may use
every endpoint, as if they had gone out to the load balancer and come back.

Source: kubernetes 1.32, the chains KUBE-SVC, KUBE-SVL, KUBE-EXT and KUBE-FW of
`pkg/proxy/iptables/proxier.go`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from netsim.proxy.addresses import Ranges
from netsim.proxy.endpoints import Categories, Endpoint
from netsim.proxy.packet import Query, Verdict
from netsim.proxy.services import ServicePort
from netsim.proxy.tables import HEALTH_CHECK, NODE_PORT, Version

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules


@dataclass(frozen=True, slots=True)
class Backends:
    """A service port on one node: which of its chains and rules exist there."""

    port: ServicePort
    categories: Categories

    @property
    def any(self) -> bool:
        """There is a usable endpoint somewhere."""
        return self.categories.any

    @property
    def cluster(self) -> tuple[Endpoint, ...]:
        """The endpoints of policy Cluster (chain KUBE-SVC)."""
        return self.categories.cluster or ()

    @property
    def local(self) -> tuple[Endpoint, ...]:
        """The endpoints of policy Local (chain KUBE-SVL)."""
        return self.categories.local or ()

    @property
    def internal(self) -> tuple[Endpoint, ...]:
        """The endpoints behind the cluster IP."""
        return self.local if self.port.internal_local else self.cluster

    @property
    def external(self) -> tuple[Endpoint, ...]:
        """The endpoints for packets from outside."""
        return self.local if self.port.external_local else self.cluster

    @property
    def refusal(self) -> tuple[Literal["REJECT", "DROP"], str]:
        """What meets a packet that finds no endpoint, and the rule's words."""
        if not self.any:
            return "REJECT", f"{self.port.label} has no endpoints"
        return "DROP", f"{self.port.label} has no local endpoints"


def backends(rules: NodeRules, version: Version) -> Backends:
    """A service port as `rules` hold it."""
    return Backends(version.service_port, rules.categories(version))


def internal_path(rules: NodeRules, there: Backends, query: Query) -> Verdict | None:
    """Where a packet to the cluster IP may go; None if no rule takes it."""
    if not there.internal:
        return None
    detector = rules.detector(query.family)
    masquerade = rules.config.masquerade_all or (bool(detector) and not query.from_pod)
    policy = "Local" if there.port.internal_local else "Cluster"
    return _dnat(there.port, there.internal, masquerade, "cluster-ip", policy)


def external_path(rules: NodeRules, there: Backends, query: Query, via: str) -> Verdict | None:
    """Where a packet to an external destination may go; None if it falls out of the chain."""
    if not there.port.external_local:
        return _dnat(there.port, there.cluster, True, via, "Cluster") if there.cluster else None
    if there.cluster and query.from_pod and rules.detector(query.family):
        return _dnat(there.port, there.cluster, False, via, "Cluster")
    if there.cluster and query.from_local:
        return _dnat(there.port, there.cluster, True, via, "Cluster")
    return _dnat(there.port, there.local, False, via, "Local") if there.local else None


def admits(rules: NodeRules, port: ServicePort, source: str) -> bool:
    """Whether a load balancer's source ranges let a packet in.

    A node that may come in also may from the VIP: where the VIP is routed as local, it is the node's source.
    """
    if not port.has_firewall or source in port.source_ranges:
        return True
    node = rules.node.primary(port.family)
    return bool(node) and node in port.source_ranges and source in port.load_balancer_vips


def _dnat(
    port: ServicePort, endpoints: tuple[Endpoint, ...], masquerade: bool, via: str, policy: str
) -> Verdict:
    return Verdict(
        "DNAT", port, endpoints, masquerade, hairpin=True, affinity=port.affinity, via=via, policy=policy
    )


def refusal(service: Backends, via: str) -> Verdict:
    """The verdict of a rule that refuses for want of endpoints."""
    action, words = service.refusal
    return Verdict(action, service.port, via=via, reason=words)


def address_kind(port: ServicePort, address: str) -> str:
    """What an address is to a service port."""
    if address == port.cluster_ip:
        return "cluster-ip"
    return "external-ip" if address in port.external_ips else "load-balancer-ip"


def hooks(query: Query) -> tuple[str, ...]:
    """The filter hooks a packet meets on its way."""
    if query.from_node:
        return ("OUTPUT", "INPUT") if query.to_node else ("OUTPUT",)
    return ("INPUT",) if query.to_node else ("FORWARD",)


def leaves(rules: NodeRules, query: Query, endpoint: Endpoint | None) -> bool:
    """Whether a packet passes POSTROUTING: all do but those that came from elsewhere and are for the node itself."""
    return query.from_node or not (rules.is_local(endpoint.ip) if endpoint else query.to_node)


def concerned(rules: NodeRules, query: Query) -> list[Version]:
    """The service ports with a rule that could match the packet."""
    kind = "" if query.family == 4 else "6"
    found = [
        *rules.claims((query.destination, query.port, query.protocol)),
        *rules.node_port_claims(query),
        *(rules.claims((HEALTH_CHECK + kind, query.port, "TCP")) if query.to_node else ()),
    ]
    if query.to_node:
        found += rules.claims((NODE_PORT + kind, query.port, query.protocol))
    return list({v.service_port.id: v for v in sorted(found, key=lambda v: v.service_port.id)}.values())


def families(rules: NodeRules) -> list[int]:
    """The address families a node has: kube-proxy runs once for each."""
    return [v for v in (4, 6) if rules.node.primary(v)]


def chosen_addresses(rules: NodeRules, version: int) -> tuple[str, ...] | None:
    """The local addresses that nodePortAddresses names; None if it names all of them."""
    wanted = rules.config.node_port_addresses
    if wanted is None:
        return None
    if wanted == "primary":
        primary = rules.node.primary(version)
        return (primary,) if primary else ()
    ranges = [r for r in wanted if not isinstance(r, str) and r.version == version]
    if not ranges or any(r.prefixlen == 0 for r in ranges):
        return None
    inside = Ranges(ranges)
    return tuple(a for a in rules.local_addresses if a in inside)
