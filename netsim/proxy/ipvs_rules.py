"""The iptables rules of IPVS mode: a fixed few, which look packets up in ipsets, however many Services there are.

They mark what is to be masqueraded, let service traffic pass, and guard the node's own ports, which would else be
open at every service address. A rule whose set is empty is not written.

Left out: KUBE-IPVS-OUT-FILTER's rules (load balancer addresses whose source ranges exclude the node itself),
kubelet's KUBE-FIREWALL. Source: kubernetes 1.32 `pkg/proxy/ipvs/{proxier,ipset}.go`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.proxy.addresses import is_loopback
from netsim.proxy.iptables_text import Rule, Ruleset
from netsim.proxy.paths import families
from netsim.proxy.services import ServicePort

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules

Sets = dict[str, list[str]]
"""The members of each ipset, by its name in IPv4."""

COMMENTS = {
    "KUBE-LOOP-BACK": "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
    "KUBE-CLUSTER-IP": "Kubernetes service cluster ip + port for masquerade purpose",
    "KUBE-EXTERNAL-IP": "Kubernetes service external ip + port for masquerade and filter purpose",
    "KUBE-EXTERNAL-IP-LOCAL": "Kubernetes service external ip + port with externalTrafficPolicy=local",
    "KUBE-LOAD-BALANCER": "Kubernetes service lb portal",
    "KUBE-LOAD-BALANCER-FW": "Kubernetes service load balancer ip + port for load balancer with sourceRange",
    "KUBE-LOAD-BALANCER-LOCAL": "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
    "KUBE-LOAD-BALANCER-SOURCE-IP":
        "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
    "KUBE-LOAD-BALANCER-SOURCE-CIDR":
        "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
    "KUBE-NODE-PORT-TCP": "Kubernetes nodeport TCP port for masquerade purpose",
    "KUBE-NODE-PORT-LOCAL-TCP": "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
    "KUBE-NODE-PORT-UDP": "Kubernetes nodeport UDP port for masquerade purpose",
    "KUBE-NODE-PORT-LOCAL-UDP": "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
    "KUBE-NODE-PORT-SCTP-HASH": "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
    "KUBE-NODE-PORT-LOCAL-SCTP-HASH":
        "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
    "KUBE-HEALTH-CHECK-NODE-PORT": "Kubernetes health check node port",
    "KUBE-IPVS-IPS": "",
}  # fmt: skip
"""Every set, and what the rules that match it say."""

# table, chain, set, what of the packet is looked up, protocol, target
BY_SET = (
    ("nat", "KUBE-POSTROUTING", "KUBE-LOOP-BACK", "dst,dst,src", "", "MASQUERADE"),
    ("nat", "KUBE-SERVICES", "KUBE-LOAD-BALANCER", "dst,dst", "", "KUBE-LOAD-BALANCER"),
    ("nat", "KUBE-LOAD-BALANCER", "KUBE-LOAD-BALANCER-LOCAL", "dst,dst", "", "RETURN"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-LOCAL-TCP", "dst", "tcp", "RETURN"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-TCP", "dst", "tcp", "KUBE-MARK-MASQ"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-LOCAL-UDP", "dst", "udp", "RETURN"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-UDP", "dst", "udp", "KUBE-MARK-MASQ"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-LOCAL-SCTP-HASH", "dst,dst", "sctp", "RETURN"),
    ("nat", "KUBE-NODE-PORT", "KUBE-NODE-PORT-SCTP-HASH", "dst,dst", "sctp", "KUBE-MARK-MASQ"),
    ("filter", "KUBE-PROXY-FIREWALL", "KUBE-LOAD-BALANCER-FW", "dst,dst", "", "KUBE-SOURCE-RANGES-FIREWALL"),
    ("filter", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-LOAD-BALANCER-SOURCE-CIDR", "dst,dst,src", "", "RETURN"),
    ("filter", "KUBE-SOURCE-RANGES-FIREWALL", "KUBE-LOAD-BALANCER-SOURCE-IP", "dst,dst,src", "", "RETURN"),
)

SNAT = Rule("MASQUERADE", "kubernetes service traffic requiring SNAT")

# Each jump as kube-proxy ensures it, first on top.
JUMPS = (
    ("filter", "INPUT", Rule("KUBE-IPVS-FILTER", "kubernetes ipvs access filter")),
    ("filter", "INPUT", Rule("KUBE-PROXY-FIREWALL", "kube-proxy firewall rules")),
    ("filter", "INPUT", Rule("KUBE-NODE-PORT", "kubernetes health check rules")),
    ("filter", "FORWARD", Rule("KUBE-PROXY-FIREWALL", "kube-proxy firewall rules")),
    ("filter", "FORWARD", Rule("KUBE-FORWARD", "kubernetes forwarding rules")),
    ("filter", "OUTPUT", Rule("KUBE-IPVS-OUT-FILTER", "kubernetes ipvs access filter")),
    ("nat", "PREROUTING", Rule("KUBE-SERVICES", "kubernetes service portals")),
    ("nat", "OUTPUT", Rule("KUBE-SERVICES", "kubernetes service portals")),
    ("nat", "POSTROUTING", Rule("KUBE-POSTROUTING", "kubernetes postrouting rules")),
)


def render(rules: NodeRules) -> str:
    """`iptables-save` of tables filter and nat; `ip6tables-save` follows if there is any IPv6."""
    if not rules.revision:
        return ""
    return "\n".join(build(rules, family).text() for family in families(rules))


def members(rules: NodeRules, family: int) -> Sets:
    """What the ipsets of one address family hold on a node."""
    sets: Sets = {name: [] for name in COMMENTS}
    listed = rules.node_port_addresses(family)
    own = rules.local_addresses if listed is None else listed
    nodes = [a for a in own if (":" in a) == (family == 6) and not is_loopback(a)]
    for version in rules.versions(family):
        port = version.service_port
        _add_service(sets, port, rules.node.primary(family))
        if port.node_port:
            _add_node_port(sets, port, nodes)
        for endpoint in version.endpoints.all:
            if endpoint.node == rules.node.name:
                key = f"{endpoint.ip},{port.protocol.lower()}:{endpoint.port},{endpoint.ip}"
                sets["KUBE-LOOP-BACK"].append(key)
    return {name: list(dict.fromkeys(found)) for name, found in sets.items()}


def _add_service(sets: Sets, port: ServicePort, node: str) -> None:
    entry = {a: f"{a},{port.protocol.lower()}:{port.port}" for a in
             (port.cluster_ip, *port.external_ips, *port.load_balancer_vips)}  # fmt: skip
    sets["KUBE-IPVS-IPS"] += list(entry)
    sets["KUBE-CLUSTER-IP"].append(entry[port.cluster_ip])
    external = "KUBE-EXTERNAL-IP-LOCAL" if port.external_local else "KUBE-EXTERNAL-IP"
    sets[external] += [entry[a] for a in port.external_ips]
    for address in port.load_balancer_vips:
        sets["KUBE-LOAD-BALANCER"].append(entry[address])
        if port.external_local:
            sets["KUBE-LOAD-BALANCER-LOCAL"].append(entry[address])
        if port.has_firewall:
            sets["KUBE-LOAD-BALANCER-FW"].append(entry[address])
            ranges = [f"{entry[address]},{allowed}" for allowed in port.source_ranges.networks]
            sets["KUBE-LOAD-BALANCER-SOURCE-CIDR"] += ranges
            if node and node in port.source_ranges:
                sets["KUBE-LOAD-BALANCER-SOURCE-IP"].append(f"{entry[address]},{address}")
    if port.health_check_node_port:
        sets["KUBE-HEALTH-CHECK-NODE-PORT"].append(str(port.health_check_node_port))


def _add_node_port(sets: Sets, port: ServicePort, nodes: list[str]) -> None:
    hashed = port.protocol == "SCTP"
    entries = [f"{a},sctp:{port.node_port}" for a in nodes] if hashed else [str(port.node_port)]
    for local in ("", "LOCAL-") if port.external_local else ("",):
        sets[f"KUBE-NODE-PORT-{local}{port.protocol}{'-HASH' if hashed else ''}"] += entries


def build(rules: NodeRules, family: int) -> Ruleset:
    """The rules of one address family."""
    sets, ruleset = members(rules, family), Ruleset(family, {"filter": {}, "nat": {}})
    for chain in ("KUBE-IPVS-OUT-FILTER", "KUBE-PROXY-FIREWALL"):
        ruleset.add("filter", chain)
    for chain in ("KUBE-NODE-PORT", "KUBE-LOAD-BALANCER"):
        ruleset.add("nat", chain)
    for table, chain, jump in JUMPS:
        ruleset.add(table, chain, jump)
    ruleset.add("nat", "KUBE-SERVICES", Rule("RETURN", source="::1/128" if family == 6 else "127.0.0.0/8"))
    for table, chain, name, looks, protocol, target in BY_SET:
        if sets[name]:
            ruleset.add(table, chain, _lookup(name, family, looks, protocol, target))
    _services(rules, ruleset, sets)
    _filters(ruleset)
    ruleset.add("nat", "KUBE-LOAD-BALANCER", Rule("KUBE-MARK-MASQ"))
    ruleset.add("nat", "KUBE-MARK-MASQ", Rule("MARK", mark="or"))
    ruleset.add(
        "nat", "KUBE-POSTROUTING",
        Rule("RETURN", unmarked=True),
        Rule("MARK", mark="xor"),
        SNAT,
    )  # fmt: skip
    return ruleset


def _lookup(name: str, family: int, looks: str, protocol: str, target: str) -> Rule:
    match = (set_name(name, family), looks)
    return Rule(target, COMMENTS[name], protocol=protocol, match_set=match)


def hairpin_rule(family: int) -> Rule:
    """The rule that masquerades a pod which was sent to itself."""
    return _lookup("KUBE-LOOP-BACK", family, "dst,dst,src", "", "MASQUERADE")


def other_port_rule(family: int) -> Rule:
    """The rule that rejects ports of service addresses which no Service has."""
    match = (set_name("KUBE-IPVS-IPS", family), "dst")
    return Rule("REJECT", ctstate="NEW", ctstate_first=True, match_set=match)


def marking_rule(rules: NodeRules, family: int, via: str, protocol: str) -> tuple[str, Rule]:
    """The chain and the rule that mark a packet for masquerading, by what it addresses."""
    if via == "cluster-ip":
        return "KUBE-SERVICES", cluster_ip_mark(rules, family)
    if via == "external-ip":
        return "KUBE-SERVICES", _lookup("KUBE-EXTERNAL-IP", family, "dst,dst", "", "KUBE-MARK-MASQ")
    if via == "load-balancer-ip":
        return "KUBE-LOAD-BALANCER", Rule("KUBE-MARK-MASQ")
    chain = "KUBE-NODE-PORT"
    (found,) = [(n, looks) for _, c, n, looks, p, target in BY_SET
                if (c, p, target) == (chain, protocol.lower(), "KUBE-MARK-MASQ")]  # fmt: skip
    return chain, _lookup(found[0], family, found[1], protocol.lower(), "KUBE-MARK-MASQ")


def _services(rules: NodeRules, ruleset: Ruleset, sets: Sets) -> None:
    """KUBE-SERVICES: what is marked, what is a node port, and what passes."""
    family = ruleset.family
    cluster = set_name("KUBE-CLUSTER-IP", family)
    found: list[Rule] = []
    if sets["KUBE-CLUSTER-IP"]:
        found.append(cluster_ip_mark(rules, family))
    for name in ("KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL"):
        if sets[name]:
            match, words = (set_name(name, family), "dst,dst"), COMMENTS[name]
            if name == "KUBE-EXTERNAL-IP":
                found.append(marking_rule(rules, family, "external-ip", "")[1])
            found.append(Rule("ACCEPT", words, match_set=match, unbridged=True, src_type="!LOCAL"))
            found.append(Rule("ACCEPT", words, match_set=match, dst_type="LOCAL"))
    found.append(Rule("KUBE-NODE-PORT", dst_type="LOCAL"))
    if sets["KUBE-CLUSTER-IP"]:
        found.append(Rule("ACCEPT", match_set=(cluster, "dst,dst")))
    if sets["KUBE-LOAD-BALANCER"]:
        found.append(Rule("ACCEPT", match_set=(set_name("KUBE-LOAD-BALANCER", family), "dst,dst")))
    ruleset.add("nat", "KUBE-SERVICES", *found)


def cluster_ip_mark(rules: NodeRules, family: int) -> Rule:
    """The rule that marks packets to a cluster IP which are to be masqueraded.

    Where pods cannot be told apart, it is the node's own: their source is the very address they call.
    """
    detector, everybody = rules.detector(family), rules.config.masquerade_all
    source = f"!{detector.networks[0]}" if detector and not everybody else ""
    looks = "dst,dst" if detector or everybody else "src,dst"
    match = (set_name("KUBE-CLUSTER-IP", family), looks)
    return Rule("KUBE-MARK-MASQ", COMMENTS["KUBE-CLUSTER-IP"], source=source, match_set=match)


def _filters(ruleset: Ruleset) -> None:
    """The filter table: forwarding, health checks, and no other ports at service addresses."""
    family = ruleset.family
    health = (set_name("KUBE-HEALTH-CHECK-NODE-PORT", family), "dst")
    ruleset.add(
        "filter", "KUBE-FORWARD",
        Rule("ACCEPT", "kubernetes forwarding rules", marked=True),
        Rule("ACCEPT", "kubernetes forwarding conntrack rule", ctstate="RELATED,ESTABLISHED"),
    )  # fmt: skip
    ruleset.add("filter", "KUBE-NODE-PORT", Rule(
        "ACCEPT", COMMENTS["KUBE-HEALTH-CHECK-NODE-PORT"], match_set=health
    ))  # fmt: skip
    known = ("KUBE-LOAD-BALANCER", "KUBE-CLUSTER-IP", "KUBE-EXTERNAL-IP", "KUBE-EXTERNAL-IP-LOCAL")
    passing = [Rule("RETURN", match_set=(set_name(name, family), "dst,dst")) for name in known]
    ruleset.add(
        "filter", "KUBE-IPVS-FILTER", *passing,
        Rule("RETURN", match_set=health),
        other_port_rule(family),
    )  # fmt: skip
    ruleset.add("filter", "KUBE-SOURCE-RANGES-FIREWALL", Rule("DROP"))


def set_name(name: str, family: int) -> str:
    """A set's name, of at most 31 characters as the kernel wants it.

    >>> set_name("KUBE-CLUSTER-IP", 4), set_name("KUBE-CLUSTER-IP", 6)
    ('KUBE-CLUSTER-IP', 'KUBE-6-CLUSTER-IP')
    """
    return name if family == 4 else name.replace("KUBE-", "KUBE-6-", 1)[:31]
