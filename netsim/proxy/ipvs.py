"""kube-proxy's IPVS mode: what it does to a packet, and what it costs.

Every service address is an address of the node itself (on the dummy device kube-ipvs0), so a packet to it
always ends in the INPUT hook, where IPVS hands it to a real server. What packets notice: policy Local without
a local endpoint falls back to the cluster's endpoints; an empty virtual server refuses; other ports of a
service address are rejected; node ports are served on every address but loopback; load balancer source ranges
are a filter of their own.

`ipvs_rules.py` has the iptables rules and ipsets beside it, `ipvs_state.py` what changes with every
connection: whose turn it is, who is bound, who drains.
Sources: kubernetes 1.32 `pkg/proxy/ipvs/proxier.go`; kernel `net/netfilter/ipvs`.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from netsim.proxy.addresses import is_loopback, join
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.ipvs_rules import SNAT, hairpin_rule, marking_rule, other_port_rule
from netsim.proxy.packet import NO_MATCH, Query, Step, Verdict
from netsim.proxy.paths import address_kind, admits, chosen_addresses, families
from netsim.proxy.services import ServicePort
from netsim.proxy.tables import HEALTH_CHECK, Version
from netsim.units import US

if TYPE_CHECKING:
    from netsim.proxy.ipvs_state import IPVS as State
    from netsim.proxy.node import NodeRules

class IPVS:
    """Virtual servers in the kernel's load balancer."""

    name = "ipvs"
    commits: tuple[str, ...] = ("ipvs", "iptables")

    def node_port_addresses(self, rules: NodeRules, version: int) -> tuple[str, ...] | None:
        """Every local address but loopback, unless nodePortAddresses names some."""
        chosen = chosen_addresses(rules, version)
        return None if chosen is None else tuple(a for a in chosen if not is_loopback(a))

    def refuses_loopback(self, rules: NodeRules, query: Query) -> bool:
        """There is no virtual server at loopback."""
        return is_loopback(query.destination)

    def decide(self, rules: NodeRules, query: Query) -> Verdict:
        """The source ranges' filter, then the virtual server, then the filter of other ports."""
        for version in rules.claims((query.destination, query.port, query.protocol)):
            port = version.service_port
            via = address_kind(port, query.destination)
            if via == "load-balancer-ip" and not admits(rules, port, query.source):
                words = f"{port.label}: source not in loadBalancerSourceRanges"
                return Verdict("DROP", port, via=via, reason=words)
            return _served(rules, version, query, via)
        for version in rules.node_port_claims(query):
            return _served(rules, version, query, "node-port")
        return _other_port(rules, query)

    def explain(
        self, rules: NodeRules, query: Query, endpoint: Endpoint | None, remembered: bool
    ) -> tuple[Step, ...]:
        """The sets the packet is found in, the virtual server and the real one."""
        verdict = self.decide(rules, query)
        steps = list(_marks(rules, query, verdict))
        if verdict.action in ("DROP", "REJECT"):
            chain, rule = _refusing_rule(query, verdict)
            return (*steps, Step(chain, rule, verdict.reason))
        if verdict.action == "DNAT":
            line = _virtual_line(rules, verdict, query.destination, query.port)
            steps.append(Step("ipvs", line, "the client's persistence template" if remembered else ""))
            if endpoint is not None:
                steps.append(Step("ipvs", _real_line(endpoint), f"destination becomes {endpoint.address}"))
                if verdict.masquerades(endpoint, query.source):
                    steps.append(_masquerade(query, verdict))
        return tuple(steps)

    def render(self, rules: NodeRules, state: State | None = None, now: int = 0) -> str:
        """`ipvsadm -Ln`, with weights and connections if the node's state is at hand."""
        lines = [
            "IP Virtual Server version 1.2.1 (size=4096)",
            "Prot LocalAddress:Port Scheduler Flags",
            "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn",
        ]
        for address, port, verdict in virtual_servers(rules):
            assert verdict.service_port is not None
            lines.append(_virtual_line(rules, verdict, address, port))
            key = (address, port, verdict.service_port.protocol)
            if state is None or key not in state.virtual:
                lines += [_real_line(endpoint) for endpoint in verdict.endpoints]
            else:
                lines += [_real_line(r.endpoint, r.weight, r.active, r.inactive) for r in state.seen(key, now)]
        return "\n".join(lines) + "\n"

    def first_packet_cost(self, position: int, services: int) -> int:
        """The same for every Service: a look-up in a hash table, a little slower than nftables."""
        return 10 * US

    def sync_cost(self, *, full: bool, services: int, endpoints: int, changed: int) -> int:
        """Every sync walks all Services: a netlink call of about 25 us each, and one for each change."""
        return services * 25 * US + (endpoints if full else changed) * 25 * US


def virtual_servers(rules: NodeRules) -> list[tuple[str, int, Verdict]]:
    """Every virtual server of a node: address, port, and where it sends an ordinary client."""
    found: dict[tuple[int, str, str, int], Verdict] = {}
    for family in families(rules):
        listed = rules.node_port_addresses(family)
        own = listed if listed is not None else [
            a for a in rules.local_addresses if not is_loopback(a) and (":" in a) == (family == 6)
        ]  # fmt: skip
        for version in rules.versions(family):
            port = version.service_port
            places = [(a, port.port, address_kind(port, a)) for a in
                      (port.cluster_ip, *port.external_ips, *port.load_balancer_vips)]  # fmt: skip
            places += [(a, port.node_port, "node-port") for a in own if port.node_port]
            for address, number, via in places:
                query = Query("", address, number, port.protocol, family, True, False, False, True)
                key = (("TCP", "UDP", "SCTP").index(port.protocol), port.protocol, address, number)
                found.setdefault(key, _served(rules, version, query, via, with_empty=True))
    return [(address, number, verdict) for (_, _, address, number), verdict in sorted(
        found.items(), key=lambda item: (item[0][0], _number(item[0][2]), item[0][3])
    )]  # fmt: skip


def _served(rules: NodeRules, version: Version, query: Query, via: str, with_empty: bool = False) -> Verdict:
    """What the virtual server does. Policy Local without a local endpoint falls back to the cluster's.

    (The cluster's list is not worked out for a Service with internal policy Local and no other way in; such a
    Service falls back, too: kubernetes issue 121371.)
    """
    port, categories = version.service_port, rules.categories(version)
    local = port.internal_local if via == "cluster-ip" else port.external_local
    fallback = version.endpoints.fallback if categories.cluster is None else categories.cluster
    endpoints = (categories.local if local else None) or fallback
    if not endpoints and not with_empty:
        return Verdict("REJECT", port, via=via, reason=f"{port.label}: no destination available")
    return Verdict(
        "DNAT",
        port,
        endpoints,
        _masquerades(rules, query, port, via),
        hairpin=True,
        affinity=port.affinity,
        scheduler=rules.config.ipvs_scheduler,
        via=via,
        policy="Local" if local and categories.local else "Cluster",
    )


def _masquerades(rules: NodeRules, query: Query, port: ServicePort, via: str) -> bool:
    if via != "cluster-ip":
        return not port.external_local
    if rules.config.masquerade_all:
        return True
    # Without a detector, only the node itself is known to need it: its source is the very address it calls.
    return not query.from_pod if rules.detector(query.family) else query.from_local


def _other_port(rules: NodeRules, query: Query) -> Verdict:
    """A port without a virtual server: health checks are let in, service addresses reject."""
    kind = HEALTH_CHECK if query.family == 4 else HEALTH_CHECK + "6"
    if query.to_node and query.protocol == "TCP":
        for version in rules.claims((kind, query.port, "TCP")):
            return Verdict("ACCEPT", version.service_port, via="health-check")
    if rules.tables.is_virtual(query.destination, rules.revision) and not rules.is_local(query.destination):
        return Verdict("REJECT", reason="KUBE-IPVS-FILTER: no such port at this service address")
    return NO_MATCH


def _marks(rules: NodeRules, query: Query, verdict: Verdict) -> list[Step]:
    """The rules before IPVS that mark a packet for masquerading."""
    if verdict.action != "DNAT" or not verdict.masquerade:
        return []
    chain, rule = marking_rule(rules, query.family, verdict.via, query.protocol)
    return [Step(f"nat {chain}", rule.text(query.family), "mark 0x4000")]


def _masquerade(query: Query, verdict: Verdict) -> Step:
    """The rule that replaces the source: of what is marked, or of a pod that has been sent to itself."""
    rule = SNAT if verdict.masquerade else hairpin_rule(query.family)
    effect = "source becomes the address of the device it leaves by"
    return Step("nat KUBE-POSTROUTING", rule.text(query.family), effect)


def _refusing_rule(query: Query, verdict: Verdict) -> tuple[str, str]:
    if verdict.action == "DROP":
        return "filter KUBE-SOURCE-RANGES-FIREWALL", "-j DROP"
    if verdict.service_port is None:
        return "filter KUBE-IPVS-FILTER", other_port_rule(query.family).text(query.family)
    return "ipvs", f"{query.protocol:4} {join(query.destination, query.port)}"


def _virtual_line(rules: NodeRules, verdict: Verdict, address: str, port: int) -> str:
    assert verdict.service_port is not None
    line = f"{verdict.service_port.protocol:4} {join(address, port)} {rules.config.ipvs_scheduler}"
    seconds = verdict.service_port.affinity_seconds
    return line if seconds is None else f"{line} persistent {seconds}"


def _real_line(endpoint: Endpoint, weight: int = 1, active: int = 0, inactive: int = 0) -> str:
    return f"  -> {endpoint.address:<28} {'Masq':<7} {weight:<6} {active:<10} {inactive:<10}".rstrip()


def _number(address: str) -> tuple[int, int]:
    parsed = ip_address(address)
    return parsed.version, int(parsed)
