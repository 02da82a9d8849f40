"""The rules of nftables mode, set by set and chain by chain, and the walk of a packet through them.

Services are elements of verdict maps, so a packet finds its chain in one look-up whatever their number. The
base chains are those of 1.34: filters run at priority filter, after translation, except for the firewall,
which must see the address before it (1.32 ran them all before, and so dropped a node's packets to a Local
load balancer).

Source: kubernetes `pkg/proxy/nftables/proxier.go`, 1.32 and 1.34.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from netsim.proxy.endpoints import Endpoint
from netsim.proxy.nftables_text import BaseChain, Map, MapKind, Rule, Ruleset, Set, chain_name
from netsim.proxy.paths import Backends, backends
from netsim.proxy.tables import Version

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules

BASES = {
    "filter-prerouting-pre-dnat": BaseChain("filter", "prerouting", "dstnat - 10"),
    "filter-output-pre-dnat": BaseChain("filter", "output", "-110"),
    "filter-forward": BaseChain("filter", "forward", "filter"),
    "filter-input": BaseChain("filter", "input", "filter"),
    "filter-output": BaseChain("filter", "output", "filter"),
    "nat-output": BaseChain("nat", "output", "-100"),
    "nat-postrouting": BaseChain("nat", "postrouting", "srcnat"),
    "nat-prerouting": BaseChain("nat", "prerouting", "dstnat"),
}

JUMPS = (
    ("filter-prerouting-pre-dnat", Rule("jump firewall-check", new=True)),
    ("filter-output-pre-dnat", Rule("jump firewall-check", new=True)),
    ("filter-forward", Rule("jump service-endpoints-check", new=True)),
    ("filter-forward", Rule("jump cluster-ips-check", new=True)),
    ("filter-input", Rule("jump nodeport-endpoints-check", new=True)),
    ("filter-input", Rule("jump service-endpoints-check", new=True)),
    ("filter-output", Rule("jump service-endpoints-check", new=True)),
    ("filter-output", Rule("jump cluster-ips-check", new=True)),
    ("nat-output", Rule("jump services")),
    ("nat-postrouting", Rule("jump masquerading")),
    ("nat-prerouting", Rule("jump services")),
)

MAPS: dict[str, tuple[MapKind, str]] = {
    "firewall-ips": ("services", "destinations that are subject to LoadBalancerSourceRanges"),
    "no-endpoint-nodeports": (
        "node-ports",
        "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    "no-endpoint-services": ("services", "vmap to drop or reject packets to services with no endpoints"),
    "service-ips": ("services", "ClusterIP, ExternalIP and LoadBalancer IP traffic"),
    "service-nodeports": ("node-ports", "NodePort traffic"),
}


def build(rules: NodeRules, family: int, versions: Iterable[Version]) -> Ruleset:
    """The table for these service ports of one address family."""
    ruleset = Ruleset(family, bases=dict(BASES))
    _fixed(rules, ruleset)
    for version in versions:
        _ServiceRules(rules, ruleset, backends(rules, version)).write()
    return ruleset


def _fixed(rules: NodeRules, ruleset: Ruleset) -> None:
    """What is there without any Service."""
    ruleset.sets["cluster-ips"] = Set("Active ClusterIPs")
    for name, (kind, comment) in MAPS.items():
        ruleset.maps[name] = Map(kind, comment)
    for chain, rule in JUMPS:
        ruleset.add(chain, rule)
    ruleset.add("reject-chain", Rule("reject"))
    ruleset.comments["reject-chain"] = "helper for @no-endpoint-services / @no-endpoint-nodeports"
    ruleset.add("mark-for-masquerade", Rule(mark="or"))
    ruleset.add("masquerading", Rule("return", unmarked=True), Rule(mark="xor"), Rule(masquerade=True))
    ruleset.add("firewall-check", Rule(vmap="firewall-ips"))
    ruleset.add("service-endpoints-check", Rule(vmap="no-endpoint-services"))
    known = Rule("reject", "Reject traffic to invalid ports of ClusterIPs", daddr="@cluster-ips")
    ruleset.add("cluster-ips-check", known)
    ranges = rules.tables.service_cidrs.of_family(ruleset.family).networks
    if ranges:
        unknown = Rule("drop", "Drop traffic to unallocated ClusterIPs", daddr_ranges=ranges)
        ruleset.add("cluster-ips-check", unknown)
    ruleset.add("services", Rule(vmap="service-ips"))
    addresses = rules.node_port_addresses(ruleset.family)
    if addresses is None:
        loopback = "127.0.0.0/8" if ruleset.family == 4 else "::1"
        ruleset.add("services", Rule(
            daddr_local=True, daddr_not=loopback, vmap="service-nodeports", by="node-ports"
        ))  # fmt: skip
        ruleset.add("nodeport-endpoints-check", Rule(
            daddr_not=loopback, vmap="no-endpoint-nodeports", by="node-ports"
        ))  # fmt: skip
    else:
        ruleset.sets["nodeport-ips"] = Set("IPs that accept NodePort traffic", elements=list(addresses))
        own = "@nodeport-ips"
        ruleset.add("services", Rule(daddr=own, vmap="service-nodeports", by="node-ports"))
        ruleset.add(
            "nodeport-endpoints-check", Rule(daddr=own, vmap="no-endpoint-nodeports", by="node-ports")
        )


class _ServiceRules:
    """The rules and elements of one service port."""

    def __init__(self, rules: NodeRules, ruleset: Ruleset, there: Backends) -> None:
        self.rules, self.set, self.there, self.port = rules, ruleset, there, there.port
        self.protocol = self.port.protocol.lower()
        self.service, self.local, self.external, self.firewall = (
            chain_name(prefix, self.port) for prefix in ("service-", "local-", "external-", "firewall-")
        )
        self.internal = self.local if self.port.internal_local else self.service
        self.detector = rules.detector(ruleset.family)

    def write(self) -> None:
        self._elements()
        if self.port.has_firewall:
            self._firewall_chain()
        if not self.there.any:
            return
        self._internal_marks()
        if self.port.externally_accessible:
            self._external_chain()
        self._balance(self.service, self.there.cluster)
        self._balance(self.local, self.there.local)
        for endpoint in self.there.categories.all:
            self._endpoint_chain(endpoint)

    def _put(self, name: str, key: tuple[str, ...], verdict: str, comment: str = "") -> None:
        self.set.maps[name].elements.setdefault(key, (verdict, comment))

    def _elements(self) -> None:
        """The service's addresses in the maps."""
        port, there = self.port, self.there
        if port.cluster_ip not in self.set.sets["cluster-ips"].elements:
            self.set.sets["cluster-ips"].elements.append(port.cluster_ip)
        action, _ = there.refusal
        refuse = "goto reject-chain" if action == "REJECT" else "drop"
        key = (self.protocol, str(port.port))
        if there.internal:
            self._put("service-ips", (port.cluster_ip, *key), f"goto {self.internal}")
        else:
            self._put("no-endpoint-services", (port.cluster_ip, *key), refuse, port.label)
        for address in (*port.external_ips, *port.load_balancer_vips):
            if there.any:
                self._put("service-ips", (address, *key), f"goto {self.external}")
            if not there.external:
                self._put("no-endpoint-services", (address, *key), refuse, port.label)
        if port.has_firewall:
            for address in port.load_balancer_vips:
                self._put("firewall-ips", (address, *key), f"goto {self.firewall}")
        if port.node_port:
            key = (self.protocol, str(port.node_port))
            if there.any:
                self._put("service-nodeports", key, f"goto {self.external}")
            if not there.external:
                self._put("no-endpoint-nodeports", key, refuse, port.label)

    def _internal_marks(self) -> None:
        if not self.there.internal:
            return
        outside = () if self.rules.config.masquerade_all else tuple(map(str, self.detector.networks))
        if outside or self.rules.config.masquerade_all:
            self.set.add(self.internal, Rule(
                "jump mark-for-masquerade", daddr=self.port.cluster_ip, protocol=self.protocol,
                port=self.port.port, saddr_not=outside,
            ))  # fmt: skip

    def _external_chain(self) -> None:
        if not self.port.external_local:
            self.set.add(self.external, Rule("jump mark-for-masquerade"))
        else:
            for pods in self.detector.networks:
                self.set.add(
                    self.external,
                    Rule(f"goto {self.service}", "short-circuit pod traffic", saddr=str(pods)),
                )
            self.set.add(
                self.external,
                Rule("jump mark-for-masquerade", "masquerade local traffic", saddr_local=True),
                Rule(f"goto {self.service}", "short-circuit local traffic", saddr_local=True),
            )
        if self.there.external:
            chain = self.local if self.port.external_local else self.service
            self.set.add(self.external, Rule(f"goto {chain}"))
        self.set.chains.setdefault(self.external, [])

    def _firewall_chain(self) -> None:
        sources = [str(network) for network in self.port.source_ranges.networks]
        node = self.rules.node.primary(self.set.family)
        if node and node in self.port.source_ranges:
            sources += self.port.load_balancer_vips
        if any(network.prefixlen == 0 for network in self.port.source_ranges.networks):
            self.set.chains.setdefault(self.firewall, [])  # everybody may come in
        else:
            self.set.add(self.firewall, Rule("drop", saddr_not=tuple(_disjoint(sources))))

    def _balance(self, chain: str, endpoints: tuple[Endpoint, ...]) -> None:
        if not endpoints:
            return
        names = tuple(chain_name("endpoint-", self.port, e) for e in endpoints)
        if self.port.affinity_seconds is not None:
            for endpoint, name in zip(endpoints, names, strict=True):
                known = chain_name("affinity-", self.port, endpoint)
                self.set.add(chain, Rule(f"goto {name}", saddr=f"@{known}"))
        self.set.add(chain, Rule(numgen=names))

    def _endpoint_chain(self, endpoint: Endpoint) -> None:
        chain = chain_name("endpoint-", self.port, endpoint)
        self.set.add(chain, Rule("jump mark-for-masquerade", saddr=endpoint.ip))
        if self.port.affinity_seconds is not None:
            known = chain_name("affinity-", self.port, endpoint)
            self.set.sets[known] = Set(timeout=self.port.affinity_seconds)
            self.set.add(chain, Rule(update=known))
        self.set.add(chain, Rule(protocol=self.protocol, to=endpoint))


def _disjoint(texts: list[str]) -> list[str]:
    """The ranges without those inside another: an interval set holds no overlaps."""
    from ipaddress import collapse_addresses, ip_network

    networks = [ip_network(text) for text in texts]
    kept = collapse_addresses(networks)  # type: ignore[type-var]
    return [str(n.network_address) if n.prefixlen == n.max_prefixlen else str(n) for n in kept]
