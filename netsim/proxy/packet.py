"""A packet that opens a connection, and what a node's rules say of it.

Only the first packet of a connection meets these rules; conntrack remembers the answer for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from netsim.proxy.addresses import join
from netsim.proxy.endpoints import Endpoint

if TYPE_CHECKING:
    from netsim.proxy.services import ServicePort

Action = Literal["DNAT", "REJECT", "DROP", "ACCEPT", "NO_MATCH"]
Protocol = Literal["TCP", "UDP", "SCTP"]


@dataclass(slots=True, unsafe_hash=True)  # not frozen: many are made, and freezing costs a microsecond each
class Packet:
    """The first packet of a connection, as it enters a node's network stack."""

    source: str
    source_port: int
    destination: str
    port: int
    protocol: str = "TCP"
    entry: Literal["", "pod", "node", "outside"] = ""  # who hands it over; "": a local source means the node

    def __str__(self) -> str:
        return f"{self.protocol} {join(self.source, self.source_port)} -> {join(self.destination, self.port)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a node's rules say of a packet.

    `endpoints` are the possible targets of a DNAT, in kube-proxy's order; each connection gets one.
    `NO_MATCH`: the proxy does nothing, the packet goes on as it is.
    """

    action: Action
    service_port: ServicePort | None = None
    endpoints: tuple[Endpoint, ...] = ()
    masquerade: bool = False  # whatever endpoint is chosen
    hairpin: bool = False  # masquerade if the endpoint is the packet's own source
    affinity: int | None = None  # nanoseconds a client sticks to its endpoint; None: not at all
    scheduler: str = "random"  # how one endpoint is chosen: random, or a scheduler of IPVS
    via: str = ""  # what was addressed: cluster-ip, external-ip, load-balancer-ip, node-port, health-check
    policy: str = ""  # the traffic policy that gave the endpoints: Cluster or Local
    reason: str = ""  # a DROP or REJECT, in the rule's own words
    on_connect: bool = False  # rewritten inside connect() on the client's node: no translation on the wire

    def masquerades(self, endpoint: Endpoint, source: str) -> bool:
        """Whether the packet's source address is replaced on the way to `endpoint`."""
        return self.masquerade or (self.hairpin and endpoint.ip == source)

    def choose(self, bits: int) -> Endpoint:
        """The endpoint that 64 random bits pick: each equally likely, by the bits' upper half.

        With a scheduler of IPVS nothing is left to chance: ask `ipvs_state.IPVS.choose` instead.
        """
        return self.endpoints[((bits >> 32) * len(self.endpoints)) >> 32]

    def __bool__(self) -> bool:
        return self.action != "NO_MATCH"


NO_MATCH = Verdict("NO_MATCH")


@dataclass(frozen=True, slots=True)
class Query:
    """A packet reduced to what rules can see of it on this node."""

    source: str
    destination: str
    port: int
    protocol: str
    family: int
    from_pod: bool  # the source is in the cluster's pod range, as far as this kube-proxy knows one
    from_local: bool  # the source is an address of this node
    from_node: bool  # sent by a process of the node: it meets the OUTPUT hook instead of PREROUTING
    to_node: bool  # the destination is an address of this node
    from_own_pod: bool = False  # the source is a pod of this very node


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that a packet met on its way through a node, in the rule's own words."""

    chain: str  # where the rule stands, e.g. "nat KUBE-SERVICES"
    rule: str  # the rule as the node's tool would print it
    effect: str = ""  # what it did, e.g. "mark 0x4000", "chosen with probability 0.5"

    def __str__(self) -> str:
        return f"{self.chain}: {self.rule}" + (f"  ({self.effect})" if self.effect else "")
