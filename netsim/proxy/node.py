"""One node's kube-proxy, as packets meet it: which revision it has programmed, and what that says.

A verdict depends on the packet's destination and on a few facts about its source (a pod? the node itself?),
so it is worked out once for those and kept until the node programs a revision that changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netsim.proxy.addresses import Ranges, family, is_loopback
from netsim.proxy.endpoints import Categories, Endpoint, categorize
from netsim.proxy.modes import MODES
from netsim.proxy.packet import NO_MATCH, Packet, Query, Step, Verdict
from netsim.proxy.tables import HEALTH_CHECK, NODE_PORT, AddressKey, Tables, Version

if TYPE_CHECKING:
    from netsim.proxy.modes import Mode

ZONE_LABEL = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node's rules depend on besides Services: its name, place and addresses."""

    name: str
    addresses: tuple[str, ...]  # the primary one of each family first
    zone: str = ""
    labels: dict[str, str] = field(default_factory=dict, compare=False)
    pod_cidrs: tuple[str, ...] = ()
    bridge_addresses: tuple[str, ...] = ()  # of the pods' bridge (cni0), where the CNI has one
    tunnel_addresses: tuple[str, ...] = ()  # of the overlay's device (flannel.1, tunl0), where there is one

    @property
    def topology_zone(self) -> str:
        """The zone that hints are compared with."""
        return self.zone or self.labels.get(ZONE_LABEL, "")

    def primary(self, version: int) -> str:
        """The node's first address of an address family; "" if it has none."""
        return next((address for address in self.addresses if family(address) == version), "")


class NodeRules:
    """The rules of one node at the revision it has programmed.

    >>> from netsim.proxy.config import ProxyConfig
    >>> tables = Tables(ProxyConfig(), ["10.244.0.0/16"])
    >>> web = {"metadata": {"namespace": "default", "name": "web"},
    ...        "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80}]}}
    >>> rules = NodeRules(tables, NodeInfo("node-1", ("192.168.0.1",)))
    >>> rules.program(tables.set_service(web))
    >>> rules.verdict(Packet("10.244.0.2", 40000, "10.96.0.20", 80)).reason
    'default/web has no endpoints'
    """

    def __init__(self, tables: Tables, node: NodeInfo) -> None:
        self.tables = tables
        self.node = node
        self.config = tables.config
        self.mode: Mode = MODES[tables.config.mode]
        self.revision = 0  # nothing is programmed: after boot every packet passes untouched
        self._own = (
            frozenset(node.addresses) | frozenset(node.bridge_addresses) | frozenset(node.tunnel_addresses)
        )
        # kube-proxy's detector knows one range a family, or none at all
        known = tables.cluster_cidrs if self.config.detect_local == "ClusterCIDR" else Ranges(())
        self._detectors = {v: Ranges(known.of_family(v).networks[:1]) for v in (4, 6)}
        self._own_pods = Ranges(node.pod_cidrs)
        tables.node_addresses.update(node.addresses)
        self._sources: dict[str, tuple[bool, bool, bool]] = {}
        self._memo: dict[tuple[Any, ...], tuple[int, tuple[object, ...], Verdict]] = {}
        self._node_port_addresses = {v: self.mode.node_port_addresses(self, v) for v in (4, 6)}

    def program(self, revision: int) -> None:
        """Put a revision into effect; 0 when the node has lost its rules (it booted)."""
        self.revision = revision

    # -- packets --------------------------------------------------------------------------------------

    def verdict(self, packet: Packet) -> Verdict:
        """What this node's rules say of the first packet of a connection."""
        return self.lookup(
            packet.source,
            packet.destination,
            packet.port,
            packet.protocol,
            None if not packet.entry else packet.entry == "node",
        )

    def lookup(
        self, source: str, destination: str, port: int, protocol: str = "TCP", from_node: bool | None = None
    ) -> Verdict:
        """The same without a `Packet`; `from_node` None: a local source means a process of the node."""
        facts = self._sources.get(source) or self._classify(source)
        key: tuple[Any, ...] = (
            destination, port, protocol, facts, facts[1] if from_node is None else from_node
        )  # fmt: skip
        known = self._memo.get(key)
        if known is None or known[0] != self.revision:
            known = self._refresh(key, source)
        if known[2] is _BY_SOURCE:
            key = (*key, source)
            known = self._memo.get(key)
            if known is None or known[0] != self.revision:
                known = self._refresh(key, source)
        return known[2]

    def explain(
        self, packet: Packet, endpoint: Endpoint | None = None, *, remembered: bool = False
    ) -> tuple[Step, ...]:
        """Every rule the packet meets, in order.

        `endpoint` is the one that was chosen for a DNAT; `remembered` says that session affinity chose it.
        """
        if not self.revision:
            return ()
        return self.mode.explain(self, self.query(packet), endpoint, remembered)

    def render(self) -> str:
        """The rules as the node's tool prints them: `iptables-save`, `nft list ruleset`, `ipvsadm -Ln`."""
        return self.mode.render(self) if self.revision else ""

    def source_seen(self, packet: Packet, endpoint: Endpoint, verdict: Verdict | None = None) -> str:
        """The source address that `endpoint` sees of a packet this node translates.

        MASQUERADE takes the address of the device the packet leaves by: the pods' bridge for a pod of this
        node, the overlay's device or the node's own for others. Nothing leaves if the endpoint is the node
        itself (a pod on the host's network).
        """
        verdict = self.verdict(packet) if verdict is None else verdict
        query = self.query(packet)
        if not verdict.masquerades(endpoint, packet.source):
            return packet.source
        if self.is_local(endpoint.ip) and not query.from_node:
            return packet.source
        return self.device_address(endpoint.ip, on_node=endpoint.node == self.node.name)

    def source_for(self, destination: str) -> str:
        """The address that a process of this node sends from: what it calls itself for one of its own
        addresses, else that of the device by which the destination is reached."""
        return destination if self.is_local(destination) else self.device_address(destination)

    def device_address(self, destination: str, *, on_node: bool = False) -> str:
        """The address of the device by which this node's packets to a destination leave.

        `on_node` says that a pod is here, where no range of pods belongs to the node.
        """
        version = family(destination)
        if destination in self._own_pods or (not self._own_pods and on_node):
            devices = self.node.bridge_addresses
        elif destination in self.tables.cluster_cidrs:
            devices = self.node.tunnel_addresses
        else:
            devices = ()  # a pod on a host's network, a machine elsewhere
        if destination in self._own:
            devices = ()
        return next((a for a in devices if family(a) == version), self.node.primary(version))

    # -- what modes ask -------------------------------------------------------------------------------

    def query(self, packet: Packet) -> Query:
        """A packet reduced to what rules can see of it."""
        facts = self._sources.get(packet.source) or self._classify(packet.source)
        from_node = facts[1] if not packet.entry else packet.entry == "node"
        return self._query(packet.source, packet.destination, packet.port, packet.protocol, facts, from_node)

    def is_local(self, address: str) -> bool:
        """Whether the kernel would deliver the address on this node (its type is LOCAL)."""
        return address in self._own or is_loopback(address)

    @property
    def local_addresses(self) -> list[str]:
        """Every address of the node, loopback first."""
        return ["127.0.0.1", "::1", *dict.fromkeys([*self.node.addresses, *sorted(self._own)])]

    def detector(self, version: int) -> Ranges:
        """The ranges whose sources count as pods; empty: pods cannot be told apart."""
        return self._detectors[version]

    def claims(self, key: AddressKey) -> tuple[Version, ...]:
        """The service ports programmed for an address and port."""
        return self.tables.claims(key, self.revision)

    def node_port_claims(self, query: Query) -> tuple[Version, ...]:
        """The service ports whose node port a packet would reach."""
        accepted = self._node_port_addresses[query.family]
        if not (query.to_node if accepted is None else query.destination in accepted):
            return ()
        if accepted is None and self.mode.refuses_loopback(self, query):
            return ()
        return self.claims((_of(NODE_PORT, query.family), query.port, query.protocol))

    def claims_elsewhere(self, query: Query) -> tuple[Version, ...]:
        """The service ports whose node port a packet to another node of the cluster would reach there."""
        if query.to_node or query.destination not in self.tables.node_addresses:
            return ()
        return self.claims((_of(NODE_PORT, query.family), query.port, query.protocol))

    def node_port_addresses(self, version: int) -> tuple[str, ...] | None:
        """The addresses that serve node ports; None: every local one."""
        return self._node_port_addresses[version]

    def versions(self, version: int) -> list[Version]:
        """All service ports programmed, of one address family."""
        return list(self.tables.versions(self.revision, version)) if self.revision else []

    def categories(self, version: Version) -> Categories:
        """The endpoints of a service port that this node may use."""
        port = version.service_port
        return categorize(
            version.endpoints,
            self.node.name,
            self.node.topology_zone,
            uses_cluster=port.uses_cluster,
            uses_local=port.uses_local,
            node_hints=self.config.enabled("PreferSameTrafficDistribution"),
        )

    def health_service(self, destination: str, port: int) -> tuple[str, str] | None:
        """The Service (namespace, name) whose health check node port that is, on an address of this node."""
        version = family(destination)
        accepted = self._node_port_addresses[version]
        claims = self.claims((_of(HEALTH_CHECK, version), port, "TCP"))
        if not claims or not (self.is_local(destination) if accepted is None else destination in accepted):
            return None
        return claims[0].service_port.namespace, claims[0].service_port.service

    def local_ready(self, namespace: str, service: str) -> int:
        """How many pods of this node the health check node port of a Service reports as ready."""
        found = set()
        for version in self.tables.versions_of(namespace, service, self.revision) if self.revision else ():
            endpoints = version.endpoints.seen_by(self.node.name)
            found |= {e.ip for e in endpoints.ready if e.node == self.node.name}
        return len(found)

    # -- inside ---------------------------------------------------------------------------------------

    def _classify(self, source: str) -> tuple[bool, bool, bool]:
        """Whether a source is a pod, an address of this node, a pod of this node."""
        pod = source in self._detectors[family(source)]
        own = source in self._own_pods if self._own_pods else pod
        found = pod, self.is_local(source), own
        self._sources[source] = found
        return found

    def _query(
        self, source: str, destination: str, port: int, protocol: str, facts: tuple[bool, bool, bool],
        from_node: bool,
    ) -> Query:  # fmt: skip
        pod, local, own = facts
        return Query(
            source, destination, port, protocol, family(destination), pod, local, from_node,
            to_node=self.is_local(destination), from_own_pod=own,
        )  # fmt: skip

    def _refresh(self, key: tuple[Any, ...], source: str) -> tuple[int, tuple[object, ...], Verdict]:
        """Work a verdict out, or find that the one at hand still holds at this revision."""
        query = self._query(source, *key[:5])
        stamp = self._stamp(query)
        known = self._memo.get(key)
        if known is not None and known[1] == stamp:
            found = (self.revision, stamp, known[2])
        elif not self.revision:
            found = (0, stamp, NO_MATCH)
        elif len(key) == 5 and self._depends_on_source(query):
            found = (self.revision, stamp, _BY_SOURCE)
        else:
            found = (self.revision, stamp, self.mode.decide(self, query))
        self._memo[key] = found
        return found

    def _depends_on_source(self, query: Query) -> bool:
        """Whether the facts about a source do not settle the verdict: source ranges, packets to loopback."""
        claims = self.claims((query.destination, query.port, query.protocol))
        return is_loopback(query.destination) or any(v.service_port.has_firewall for v in claims)

    def _stamp(self, query: Query) -> tuple[object, ...]:
        """Everything in the tables that a verdict can depend on; equal stamps, equal verdicts."""
        if not self.revision:
            return ()
        tables, revision, destination = self.tables, self.revision, query.destination
        to_a_node = query.to_node or destination in tables.node_addresses
        return (
            self.claims((destination, query.port, query.protocol)),
            self.claims((_of(NODE_PORT, query.family), query.port, query.protocol)) if to_a_node else (),
            self.claims((_of(HEALTH_CHECK, query.family), query.port, "TCP")) if query.to_node else (),
            tables.is_cluster_ip(destination, revision),
            tables.is_virtual(destination, revision),
        )


_BY_SOURCE = Verdict("NO_MATCH", reason="depends on the very source")


def _of(kind: str, version: int) -> str:
    return kind if version == 4 else kind + "6"
