"""The rules of iptables mode, chain by chain, and the walk of a packet through them.

The same builder writes the whole node (for `iptables-save`) or only the rules that could concern one packet
(to explain it). Source: kubernetes 1.32 `pkg/proxy/iptables/proxier.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from netsim.proxy.addresses import Ranges
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.iptables_text import Rule, Ruleset, chain_name, kept, probability
from netsim.proxy.packet import Query, Step
from netsim.proxy.paths import Backends, backends, hooks
from netsim.proxy.tables import Version

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules

PORTALS = "kubernetes service portals"
EXTERNAL_PORTALS = "kubernetes externally-visible service portals"
FIREWALL = "kubernetes load balancer firewall"
NODE_PORTS = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"
LARGE_CLUSTER = 1000  # more endpoint entries than this: comments on private chains are left out

# Each jump as kube-proxy ensures it, first on top.
JUMPS = (
    ("filter", "INPUT", Rule("KUBE-PROXY-FIREWALL", FIREWALL, ctstate="NEW", ctstate_first=True)),
    ("filter", "INPUT", Rule("KUBE-NODEPORTS", "kubernetes health check service ports")),
    ("filter", "INPUT", Rule("KUBE-EXTERNAL-SERVICES", EXTERNAL_PORTALS, ctstate="NEW", ctstate_first=True)),
    ("filter", "INPUT", Rule("KUBE-FIREWALL")),
    ("filter", "FORWARD", Rule("KUBE-PROXY-FIREWALL", FIREWALL, ctstate="NEW", ctstate_first=True)),
    ("filter", "FORWARD", Rule("KUBE-FORWARD", "kubernetes forwarding rules")),
    ("filter", "FORWARD", Rule("KUBE-SERVICES", PORTALS, ctstate="NEW", ctstate_first=True)),
    ("filter", "FORWARD", Rule("KUBE-EXTERNAL-SERVICES", EXTERNAL_PORTALS, ctstate="NEW", ctstate_first=True)),
    ("filter", "OUTPUT", Rule("KUBE-PROXY-FIREWALL", FIREWALL, ctstate="NEW", ctstate_first=True)),
    ("filter", "OUTPUT", Rule("KUBE-SERVICES", PORTALS, ctstate="NEW", ctstate_first=True)),
    ("filter", "OUTPUT", Rule("KUBE-FIREWALL")),
    ("nat", "PREROUTING", Rule("KUBE-SERVICES", PORTALS)),
    ("nat", "OUTPUT", Rule("KUBE-SERVICES", PORTALS)),
    ("nat", "POSTROUTING", Rule("KUBE-POSTROUTING", "kubernetes postrouting rules")),
)


def build(rules: NodeRules, family: int, versions: Iterable[Version]) -> Ruleset:
    """The rules for these service ports of one address family."""
    ruleset = Ruleset(family)
    _fixed_chains(ruleset)
    large = rules.tables.count(rules.revision).endpoints > LARGE_CLUSTER
    for version in versions:
        _ServiceRules(rules, ruleset, backends(rules, version), large).write()
    _node_ports_jump(rules, ruleset)
    return ruleset


def _fixed_chains(ruleset: Ruleset) -> None:
    for table in ruleset.tables:
        ruleset.add(table, "KUBE-PROXY-CANARY")
    for table, chain, jump in JUMPS:
        ruleset.add(table, chain, jump)
    for chain in ("KUBE-NODEPORTS", "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL"):
        ruleset.add("filter", chain)
    if ruleset.family == 4:
        ruleset.add("filter", "KUBE-FIREWALL", Rule(
            "DROP", "block incoming localnet connections", source="!127.0.0.0/8", destination="127.0.0.0/8",
            ctstate="!RELATED,ESTABLISHED,DNAT",
        ))  # fmt: skip
    else:
        ruleset.add("filter", "KUBE-FIREWALL")
    ruleset.add(
        "filter", "KUBE-FORWARD",
        Rule("DROP", ctstate="INVALID"),
        Rule("ACCEPT", "kubernetes forwarding rules", marked=True),
        Rule("ACCEPT", "kubernetes forwarding conntrack rule", ctstate="RELATED,ESTABLISHED"),
    )  # fmt: skip
    for chain in ("KUBE-SERVICES", "KUBE-NODEPORTS"):
        ruleset.add("nat", chain)
    ruleset.add("nat", "KUBE-MARK-MASQ", Rule("MARK", mark="or"))
    ruleset.add(
        "nat", "KUBE-POSTROUTING",
        Rule("RETURN", unmarked=True),
        Rule("MARK", mark="xor"),
        Rule("MASQUERADE", "kubernetes service traffic requiring SNAT"),
    )  # fmt: skip


def _node_ports_jump(rules: NodeRules, ruleset: Ruleset) -> None:
    """The last rule of KUBE-SERVICES."""
    addresses = rules.node_port_addresses(ruleset.family)
    if addresses is not None:
        for address in addresses:
            jump = Rule("KUBE-NODEPORTS", NODE_PORTS, destination=_host(address))
            ruleset.add("nat", "KUBE-SERVICES", jump)
        return
    loopback = "!::1/128" if ruleset.family == 6 else "!127.0.0.0/8"
    open_loopback = ruleset.family == 4 and rules.config.localhost_node_ports
    ruleset.add("nat", "KUBE-SERVICES", Rule(
        "KUBE-NODEPORTS", NODE_PORTS, destination="" if open_loopback else loopback, dst_type="LOCAL"
    ))  # fmt: skip


class _ServiceRules:
    """The rules of one service port."""

    def __init__(self, rules: NodeRules, ruleset: Ruleset, there: Backends, large: bool) -> None:
        self.rules, self.set, self.there, self.port = rules, ruleset, there, there.port
        self.protocol = self.port.protocol.lower()
        self.svc, self.svl, self.ext, self.fw = (
            chain_name(prefix, self.port) for prefix in ("KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-")
        )
        self.internal = self.svl if self.port.internal_local else self.svc
        self.external = self.svl if self.port.external_local else self.svc
        self.detector = rules.detector(ruleset.family)
        self.large = large

    def write(self) -> None:
        self._entrances()
        self._refusals()
        if self.there.any:
            self._internal_marks()
            if self.port.externally_accessible:
                self._external_chain()
            if self.port.has_firewall:
                self._firewall_chain()
            self._balance(self.svc, self.there.cluster)
            self._balance(self.svl, self.there.local)
            for endpoint in self.there.categories.all:
                self._endpoint_chain(endpoint)

    def _nat(self, chain: str, *rules: Rule) -> None:
        self.set.add("nat", chain, *rules)

    def _to(self, jump: str, comment: str, address: str, port: int = 0) -> Rule:
        return Rule(
            jump, comment, destination=_host(address) if address else "", protocol=self.protocol,
            port=port or self.port.port,
        )  # fmt: skip

    def _entrances(self) -> None:
        """How packets come to the service's chains."""
        port, there = self.port, self.there
        if there.internal:
            self._nat("KUBE-SERVICES", self._to(self.internal, f"{port.label} cluster IP", port.cluster_ip))
        if not there.any:
            return
        for address in port.external_ips:
            self._nat("KUBE-SERVICES", self._to(self.ext, f"{port.label} external IP", address))
        for address in port.load_balancer_vips:
            target = self.fw if port.has_firewall else self.ext
            self._nat("KUBE-SERVICES", self._to(target, f"{port.label} loadbalancer IP", address))
            if port.has_firewall:
                words = f"{port.label} traffic not accepted by {self.fw}"
                self.set.add("filter", "KUBE-PROXY-FIREWALL", self._to("DROP", words, address))
        if port.node_port:
            self._nat("KUBE-NODEPORTS", self._to(self.ext, port.label, "", port.node_port))

    def _refusals(self) -> None:
        """What the filter table says when there is no endpoint to go to."""
        port, there = self.port, self.there
        action, words = there.refusal
        if not there.internal:
            self.set.add("filter", "KUBE-SERVICES", self._to(action, words, port.cluster_ip))
        if not there.external:
            for address in (*port.external_ips, *port.load_balancer_vips):
                self.set.add("filter", "KUBE-EXTERNAL-SERVICES", self._to(action, words, address))
            if port.node_port:
                self.set.add("filter", "KUBE-EXTERNAL-SERVICES", Rule(
                    action, words, protocol=self.protocol, port=port.node_port, dst_type="LOCAL"
                ))  # fmt: skip
        if port.health_check_node_port:
            self.set.add("filter", "KUBE-NODEPORTS", Rule(
                "ACCEPT", f"{port.label} health check node port", protocol="tcp",
                port=port.health_check_node_port,
            ))  # fmt: skip

    def _internal_marks(self) -> None:
        """Packets to the cluster IP from outside the cluster are masqueraded, or all of them."""
        if not self.there.internal:
            return
        mark = self._to("KUBE-MARK-MASQ", f"{self.port.label} cluster IP", self.port.cluster_ip)
        if self.rules.config.masquerade_all:
            self._nat(self.internal, mark)
        elif self.detector:
            self._nat(self.internal, replace(mark, source=f"!{_one(self.detector)}"))

    def _external_chain(self) -> None:
        words = f"traffic for {self.port.label} external destinations"
        if not self.port.external_local:
            self._nat(self.ext, Rule("KUBE-MARK-MASQ", f"masquerade {words}"))
        else:
            if self.detector:
                self._nat(self.ext, Rule(self.svc, f"pod {words}", source=_one(self.detector)))
            self._nat(
                self.ext,
                Rule("KUBE-MARK-MASQ", f"masquerade LOCAL {words}", src_type="LOCAL"),
                Rule(self.svc, f"route LOCAL {words}", src_type="LOCAL"),
            )
        if self.there.external:
            self._nat(self.ext, Rule(self.external))

    def _firewall_chain(self) -> None:
        """Who may come in by the load balancer; who falls out is dropped by KUBE-PROXY-FIREWALL."""
        comment = f"{self.port.label} loadbalancer IP"
        for allowed in self.port.source_ranges.networks:
            self._nat(self.fw, Rule(self.ext, comment, source="" if allowed.prefixlen == 0 else str(allowed)))
        node = self.rules.node.primary(self.set.family)
        if node and node in self.port.source_ranges:
            for address in self.port.load_balancer_vips:
                self._nat(self.fw, Rule(self.ext, comment, source=_host(address)))
        self._nat(
            self.fw, Rule("", f"other traffic to {self.port.label} will be dropped by KUBE-PROXY-FIREWALL")
        )

    def _balance(self, chain: str, endpoints: tuple[Endpoint, ...]) -> None:
        """Affinity first; then each endpoint with probability one in those that are left."""
        words = {e: "" if self.large else f"{self.port.label} -> {e.address}" for e in endpoints}
        if self.port.affinity_seconds is not None:
            for endpoint in endpoints:
                name = chain_name("KUBE-SEP-", self.port, endpoint)
                recent = ("rcheck", name, self.port.affinity_seconds)
                self._nat(chain, Rule(name, words[endpoint], recent=recent))
        for place, endpoint in enumerate(endpoints):
            remaining = len(endpoints) - place
            self._nat(chain, Rule(
                chain_name("KUBE-SEP-", self.port, endpoint),
                words[endpoint],
                probability=probability(remaining) if remaining > 1 else "",
            ))  # fmt: skip

    def _endpoint_chain(self, endpoint: Endpoint) -> None:
        chain = chain_name("KUBE-SEP-", self.port, endpoint)
        label = "" if self.large else self.port.label
        recent = ("set", chain, 0) if self.port.affinity_seconds is not None else None
        self._nat(
            chain,
            Rule("KUBE-MARK-MASQ", label, source=_host(endpoint.ip)),
            Rule("DNAT", label, protocol=self.protocol, recent=recent, to=endpoint),
        )


def walk(
    ruleset: Ruleset, query: Query, endpoint: Endpoint | None, remembered: bool, *, leaves: bool
) -> tuple[Step, ...]:
    """Every rule that takes the packet somewhere, from the hook it enters by to where it leaves."""
    walker = _Walker(ruleset, query, endpoint, remembered)
    walker.run("nat", "OUTPUT" if query.from_node else "PREROUTING")
    if walker.translated is None:
        for hook in hooks(query):
            if walker.run("filter", hook) is not None:
                return tuple(walker.steps)
    if leaves:
        walker.run("nat", "POSTROUTING")
    return tuple(walker.steps)


class _Walker:
    """A packet on its way through the chains. Where a rule rolls dice, the endpoint chosen decides."""

    def __init__(self, ruleset: Ruleset, query: Query, endpoint: Endpoint | None, remembered: bool) -> None:
        self.set, self.query, self.endpoint, self.remembered = ruleset, query, endpoint, remembered
        self.steps: list[Step] = []
        self.marked = False
        self.translated: Endpoint | None = None

    def run(self, table: str, chain: str) -> str | None:
        """What ends the walk of a chain: a target's name, or None if the packet falls out of it."""
        for rule in self.set.tables[table].get(chain, ()):
            if not self._matches(rule, table):
                continue
            place = len(self.steps)
            result = self._take(rule, table)
            if result == "ignored":
                continue
            self.steps.insert(place, Step(f"{table} {chain}", rule.text(self.set.family), self._effect(rule)))
            if result == "RETURN":
                return None
            if result is not None:
                return result
            if len(self.steps) == place + 1 and rule.jump in self.set.tables[table]:
                self.steps.pop()  # the chain it jumped to had nothing for this packet
        return None

    def _take(self, rule: Rule, table: str) -> str | None:
        if rule.jump in self.set.tables[table]:
            return self.run(table, rule.jump)
        if rule.jump == "MARK":
            self.marked = rule.mark == "or"
            return None
        if rule.jump == "DNAT":
            self.translated = rule.to
        return rule.jump or "ignored"

    def _effect(self, rule: Rule) -> str:
        if rule.jump == "MARK":
            return "mark 0x4000" if rule.mark == "or" else "clear mark 0x4000"
        if rule.probability:
            return f"taken with probability {kept(rule.probability)}"
        if rule.recent and rule.recent[0] == "rcheck":
            return "the client came here before"
        if rule.jump == "DNAT" and rule.to:
            return f"destination becomes {rule.to.address}"
        if rule.jump == "MASQUERADE":
            return "source becomes the address of the device it leaves by"
        return ""

    def _matches(self, rule: Rule, table: str) -> bool:
        query = self.query
        if rule.port and (rule.port != query.port or rule.protocol != query.protocol.lower()):
            return False
        if rule.source and not _inside(query.source, rule.source):
            return False
        if rule.destination and not _inside(query.destination, rule.destination):
            return False
        if (rule.src_type and not query.from_local) or (rule.dst_type and not query.to_node):
            return False
        if rule.ctstate not in ("", "NEW", "!RELATED,ESTABLISHED,DNAT"):
            return False
        if (rule.unmarked and self.marked) or (rule.marked and not self.marked):
            return False
        if rule.recent and rule.recent[0] == "rcheck":
            return self.remembered and self._leads_to_choice(rule, table)
        return not rule.probability or self._leads_to_choice(rule, table)

    def _leads_to_choice(self, rule: Rule, table: str) -> bool:
        if self.endpoint is None:
            return True
        chain = self.set.tables[table].get(rule.jump, ())
        return any(r.to is not None and r.to.address == self.endpoint.address for r in chain)


def _inside(address: str, wanted: str) -> bool:
    negated, text = wanted.startswith("!"), wanted.lstrip("!")
    return (address in Ranges([text])) != negated


def _host(address: str) -> str:
    return f"{address}/128" if ":" in address else f"{address}/32"


def _one(detector: Ranges) -> str:
    """The pod range a rule names. kube-proxy is given one per family."""
    return str(detector.networks[0])
