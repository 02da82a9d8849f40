"""kube-proxy's nftables mode: what its rules do to a packet, and what they cost.

It differs from iptables mode where packets notice: a known cluster IP rejects ports it does not have, an
unallocated address of the Service range is dropped, node ports are served on the primary address alone
(unless told otherwise) and never on loopback, and blocked load balancer sources are dropped even when there
is no endpoint. A sync is one transaction: there is no moment between filter and nat.

Sources: kubernetes 1.32 and 1.34 `pkg/proxy/nftables/proxier.go`, KEP-3866; netsim's kernel measurements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.proxy.addresses import is_loopback
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.nftables_rules import build
from netsim.proxy.nftables_walk import walk
from netsim.proxy.packet import NO_MATCH, Query, Step, Verdict
from netsim.proxy.paths import (
    Backends,
    address_kind,
    admits,
    backends,
    chosen_addresses,
    concerned,
    external_path,
    families,
    hooks,
    internal_path,
    leaves,
    refusal,
)
from netsim.units import MS, US

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules


class NFTables:
    """Verdict maps instead of a list."""

    name = "nftables"
    commits: tuple[str, ...] = ("nftables",)

    def node_port_addresses(self, rules: NodeRules, version: int) -> tuple[str, ...] | None:
        """The primary address, unless nodePortAddresses names others."""
        if rules.config.node_port_addresses is None:
            primary = rules.node.primary(version)
            return (primary,) if primary else ()
        chosen = chosen_addresses(rules, version)
        return None if chosen is None else tuple(a for a in chosen if not is_loopback(a))

    def refuses_loopback(self, rules: NodeRules, query: Query) -> bool:
        """Node ports never exist on loopback."""
        return is_loopback(query.destination)

    def decide(self, rules: NodeRules, query: Query) -> Verdict:
        """The firewall before translation, then the maps, then the checks of what was not translated."""
        claims = [backends(rules, v) for v in rules.claims((query.destination, query.port, query.protocol))]
        for there in claims:
            if query.destination in there.port.load_balancer_vips and there.port.has_firewall:
                if not admits(rules, there.port, query.source):
                    words = "source not in loadBalancerSourceRanges"
                    return Verdict("DROP", there.port, via="load-balancer-ip", reason=words)
                break  # one element of the map: the first one's
        found = _translation(rules, query, claims)
        if found:
            return found
        for hook in hooks(query):
            found = _check(rules, query, claims, hook)
            if found:
                return found
        return NO_MATCH

    def explain(
        self, rules: NodeRules, query: Query, endpoint: Endpoint | None, remembered: bool
    ) -> tuple[Step, ...]:
        """Walk the rules that could concern the packet."""
        ruleset = build(rules, query.family, concerned(rules, query))
        if rules.tables.is_cluster_ip(query.destination, rules.revision):
            own = ruleset.sets["cluster-ips"].elements
            own += [query.destination] if query.destination not in own else []
        return walk(ruleset, query, endpoint, remembered, leaves=leaves(rules, query, endpoint))

    def render(self, rules: NodeRules) -> str:
        """`nft list ruleset`, the tables of both families."""
        return "".join(build(rules, v, rules.versions(v)).text() for v in families(rules))

    def first_packet_cost(self, position: int, services: int) -> int:
        """The same for every Service: a look-up in a hash table."""
        return 8 * US

    def sync_cost(self, *, full: bool, services: int, endpoints: int, changed: int) -> int:
        """Full: grows with the square of the service ports (about 2 s at 1,000, 194 s at 10,000).
        Partial: 50 ms, 9 us a service port for reading the table, and what changed (0.14 s at 10,000)."""
        if full:
            return 50 * MS + services * 400 * US + endpoints * 50 * US + services * services * 1900
        return 50 * MS + services * 9 * US + changed * 100 * US


def _translation(rules: NodeRules, query: Query, claims: list[Backends]) -> Verdict | None:
    """What the maps @service-ips and @service-nodeports lead to. A `goto` does not come back."""
    for there in claims:
        via = address_kind(there.port, query.destination)
        if via == "cluster-ip" and there.internal:
            return internal_path(rules, there, query)
        if via != "cluster-ip" and there.any:
            return external_path(rules, there, query, via)
    for version in rules.node_port_claims(query):
        there = backends(rules, version)
        if there.any:
            return external_path(rules, there, query, "node-port")
    return None


def _check(rules: NodeRules, query: Query, claims: list[Backends], hook: str) -> Verdict | None:
    """What one filter hook says of a packet that was not translated."""
    if hook == "INPUT":
        for version in rules.node_port_claims(query):
            there = backends(rules, version)
            if not there.external:
                return refusal(there, "node-port")
    for there in claims:
        via = address_kind(there.port, query.destination)
        if not (there.internal if via == "cluster-ip" else there.external):
            return refusal(there, via)
    if hook == "INPUT":
        return None
    if rules.tables.is_cluster_ip(query.destination, rules.revision):
        return Verdict("REJECT", via="cluster-ip", reason="Reject traffic to invalid ports of ClusterIPs")
    if query.destination in rules.tables.service_cidrs:
        return Verdict("DROP", via="cluster-ip", reason="Drop traffic to unallocated ClusterIPs")
    return None
