"""What one node's kernel remembers of connections, beside the rules kube-proxy has programmed.

For TCP the choice made for a connection's first packet stays with the connection for as long as the client uses
the socket; netsim keeps it there (`connection.py`). What is kept *here*, per node, is what one connection
leaves behind for the next: affinity, IPVS's turns and counts, and UDP's conntrack entries, which pin a client's
socket to an endpoint until they time out or kube-proxy cleans them up. TCP entries are kept too when somebody
wants to see them (`track`), and where the table has a size: a full one lets no new connection in.

The first packet of every connection pays for the rules it walks, on the client's node and again on the
server's, by the position of its Service; positions are shuffled at each sync, as kube-proxy's map order does.
"""

from __future__ import annotations

import sys

from netsim.draws import index, stream_key
from netsim.proxy.affinity import Affinity
from netsim.proxy.conntrack import Conntrack, Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.ipvs import IPVS as Servers
from netsim.proxy.ipvs_state import IPVS, ServerKey
from netsim.proxy.node import NodeRules
from netsim.proxy.packet import Packet, Verdict


class Kernel:
    """The connection memory of one node."""

    def __init__(self, rules: NodeRules) -> None:
        self.rules = rules
        self.affinity = Affinity(rules.config.mode)
        self.ipvs = IPVS()
        self.conntrack = Conntrack(rules.config.conntrack_max or sys.maxsize)
        self._programmed: dict[ServerKey, tuple[Endpoint, ...]] = {}
        self._costs: dict[object, int] = {}
        self._revision = -1

    def program(self, revision: int) -> None:
        """kube-proxy's sync: new rules, and the UDP entries that lead to where nobody serves are gone."""
        self.rules.program(revision)
        for port in self.affinity.ports():
            version = self.rules.tables.version(port, revision)
            self.affinity.retain(port, version.endpoints.all if version else ())
        if len(self.conntrack):
            self.conntrack.clean_up([*self.rules.versions(4), *self.rules.versions(6)])

    def render(self, now: int) -> str:
        """The node's rules as its own tool prints them; IPVS lists weights and connections, too."""
        mode = self.rules.mode
        if isinstance(mode, Servers) and self.rules.revision:
            return mode.render(self.rules, self.ipvs, now)
        return self.rules.render()

    def reset(self) -> None:
        """The machine lost power: a fresh kernel has neither rules nor memories."""
        self.rules.program(0)
        self.affinity.clear()
        self.ipvs.clear()
        self.conntrack.clear()
        self._programmed.clear()

    # choosing an endpoint --------------------------------------------------------------------------------

    def choose(self, verdict: Verdict, packet: Packet, bits: int, now: int) -> Endpoint | None:
        """The endpoint for a new connection; None where IPVS has no real server that takes it."""
        if verdict.scheduler != "random":
            return self._scheduled(verdict, packet, now)
        if verdict.affinity is None:
            return verdict.choose(bits)
        endpoint = self.affinity.find(verdict, packet.source, now) or verdict.choose(bits)
        self.affinity.remember(verdict, endpoint, packet.source, now)
        return endpoint

    def _scheduled(self, verdict: Verdict, packet: Packet, now: int) -> Endpoint | None:
        key = (packet.destination, packet.port, packet.protocol)
        if self._programmed.get(key) is not verdict.endpoints:
            self._programmed[key] = verdict.endpoints
            self.ipvs.program(key, verdict.endpoints, verdict.scheduler, verdict.affinity)
        return self.ipvs.choose(key, packet.source, now)

    # connections that come and go ---------------------------------------------------------------------------

    def opened(self, packet: Packet, endpoint: Endpoint) -> None:
        """A connection through this node is established."""
        if self.ipvs.virtual:
            key = (packet.destination, packet.port, packet.protocol)
            self.ipvs.opened(key, endpoint)
            self.ipvs.established(key, endpoint)

    def closed(self, packet: Packet, endpoint: Endpoint, now: int) -> None:
        """A connection through this node has ended."""
        if self.ipvs.virtual:
            self.ipvs.closed((packet.destination, packet.port, packet.protocol), endpoint, now)

    def recall(self, packet: Packet, now: int) -> Entry | None:
        """The entry that a packet belongs to, refreshed by it."""
        entry = self.conntrack.find(packet, now)
        if entry is not None:
            self.conntrack.saw(entry, "data", now)
        return entry

    def admits(self, packet: Packet, now: int) -> bool:
        """Whether conntrack has room for a new connection."""
        return self.conntrack.admits(packet, now)

    # what rules cost ------------------------------------------------------------------------------------------

    def cost(self, verdict: Verdict | None) -> int:
        """What a connection's first packet spends in this node's rules, in nanoseconds."""
        revision = self.rules.revision
        if not revision:
            return 0
        if revision != self._revision:
            self._costs.clear()
            self._revision = revision
        service = (
            verdict.service_port.id if verdict is not None and verdict.service_port is not None else None
        )
        known = self._costs.get(service)
        if known is None:
            services = self.rules.tables.count(revision).service_ports
            position = services
            if service is not None and services:
                bits = stream_key(revision, "rule-order", f"{self.rules.node.name}/{service}")
                position = index(bits, services)
            known = self._costs[service] = self.rules.mode.first_packet_cost(position, services)
        return known

    def scan(self) -> int:
        """What a first packet that comes from another node spends here: all rules are tried, none matches."""
        return self.cost(None) - self.rules.mode.first_packet_cost(0, 0) if self.rules.revision else 0
