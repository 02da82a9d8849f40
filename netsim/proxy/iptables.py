"""kube-proxy's iptables mode: what its rules do to a packet, and what they cost.

Services are a list in the nat chain KUBE-SERVICES that the first packet of every connection walks from the
top; packets after it use conntrack. Nothing in nat can refuse, so "no endpoints" is said by the filter table:
REJECT if there are none anywhere, DROP if policy Local finds none on this node. The two tables are two
commits.

The verdict here is worked out directly; `iptables_rules.py` writes the same as rules, and a property test
lets an independent interpreter of that text agree.

Left out: the nfacct counters, kubelet's own KUBE-FIREWALL (martian packets are not sent here).
Sources: kubernetes 1.32 `pkg/proxy/iptables/proxier.go`; netsim's kernel measurements for the costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netsim.proxy.addresses import is_loopback
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.iptables_rules import build, walk
from netsim.proxy.iptables_text import chain_name
from netsim.proxy.packet import NO_MATCH, Query, Step, Verdict
from netsim.proxy.paths import (
    Backends,
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
from netsim.proxy.tables import HEALTH_CHECK
from netsim.units import MS, US

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules


class IPTables:
    """The default mode."""

    name = "iptables"
    commits: tuple[str, ...] = ("filter", "nat")

    def node_port_addresses(self, rules: NodeRules, version: int) -> tuple[str, ...] | None:
        """All local addresses, unless nodePortAddresses names some."""
        chosen = chosen_addresses(rules, version)
        if chosen is None:
            return None
        loopback = version == 4 and rules.config.localhost_node_ports
        return tuple(a for a in chosen if loopback or not is_loopback(a))

    def refuses_loopback(self, rules: NodeRules, query: Query) -> bool:
        """IPv6 has no route_localnet; for IPv4 it is a choice."""
        return is_loopback(query.destination) and (query.family == 6 or not rules.config.localhost_node_ports)

    def decide(self, rules: NodeRules, query: Query) -> Verdict:
        """The nat table first; what it leaves alone meets the filter table."""
        there = [backends(rules, v) for v in rules.claims((query.destination, query.port, query.protocol))]
        node_ports = [backends(rules, v) for v in rules.node_port_claims(query)]
        for found in _translations(rules, query, there, node_ports):
            return found
        for hook in hooks(query):
            for found in _refusals(rules, query, there, hook):
                return found
        return NO_MATCH

    def explain(
        self, rules: NodeRules, query: Query, endpoint: Endpoint | None, remembered: bool
    ) -> tuple[Step, ...]:
        """Walk the rules that could concern the packet."""
        ruleset = build(rules, query.family, concerned(rules, query))
        return walk(ruleset, query, endpoint, remembered, leaves=leaves(rules, query, endpoint))

    def render(self, rules: NodeRules) -> str:
        """`iptables-save` of tables mangle, filter and nat; `ip6tables-save` follows if there is any IPv6."""
        return "\n".join(build(rules, v, rules.versions(v)).text() for v in families(rules))

    def first_packet_cost(self, position: int, services: int) -> int:
        """A base, and 15 ns for each rule of KUBE-SERVICES that is tried before one matches.

        Measured slopes: 4.4-7 ns a rule (legacy), 15-24 ns (nf_tables), here the latter's lower end.
        `position` counts from 0; a packet to no Service walks all of them (position = services).
        """
        return 8 * US + 15 * position

    def sync_cost(self, *, full: bool, services: int, endpoints: int, changed: int) -> int:
        """Full: 0.1 s and 0.5 ms a nat rule (40.1 s for 10,000 Services of 2). Partial: the top-level chains
        are rewritten, 30 us a service port, the private ones only for what changed."""
        if full:
            return 100 * MS + (2 * services + 3 * endpoints) * 500 * US
        return 50 * MS + services * 30 * US + changed * 3 * 50 * US


def _translations(
    rules: NodeRules, query: Query, there: list[Backends], node_ports: list[Backends]
) -> Iterator[Verdict]:
    """What KUBE-SERVICES would do, rule by rule; a packet that falls out of a chain goes on."""
    for service in there:
        port = service.port
        if query.destination == port.cluster_ip and (found := internal_path(rules, service, query)):
            yield found
        if query.destination in port.external_ips and (
            found := external_path(rules, service, query, "external-ip")
        ):
            yield found
        if (
            query.destination in port.load_balancer_vips
            and admits(rules, port, query.source)
            and (found := external_path(rules, service, query, "load-balancer-ip"))
        ):
            yield found
    for service in node_ports:
        if found := external_path(rules, service, query, "node-port"):
            yield found


def _refusals(rules: NodeRules, query: Query, there: list[Backends], hook: str) -> Iterator[Verdict]:
    """What the filter table would do at one hook, rule by rule."""
    for service in there:
        if query.destination in service.port.load_balancer_vips and service.port.has_firewall and service.any:
            words = f"{service.port.label} traffic not accepted by {chain_name('KUBE-FW-', service.port)}"
            yield Verdict("DROP", service.port, via="load-balancer-ip", reason=words)
    kind = HEALTH_CHECK if query.family == 4 else HEALTH_CHECK + "6"
    if hook == "INPUT" and query.protocol == "TCP":
        for version in rules.claims((kind, query.port, "TCP")):
            yield Verdict("ACCEPT", version.service_port, via="health-check")
    if hook in ("FORWARD", "OUTPUT"):
        for service in there:
            if query.destination == service.port.cluster_ip and not service.internal:
                yield refusal(service, "cluster-ip")
    if hook in ("INPUT", "FORWARD"):
        for service in there:
            if not service.external:
                if query.destination in service.port.external_ips:
                    yield refusal(service, "external-ip")
                if query.destination in service.port.load_balancer_vips:
                    yield refusal(service, "load-balancer-ip")
        if query.to_node:
            key = ("node-port" if query.family == 4 else "node-port6", query.port, query.protocol)
            for version in rules.claims(key):
                service = backends(rules, version)
                if not service.external:
                    yield refusal(service, "node-port")
    if hook != "FORWARD" and query.destination.startswith("127.") and not is_loopback(query.source):
        yield Verdict("DROP", reason="block incoming localnet connections")
