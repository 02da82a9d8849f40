"""The proxy modes behind one interface. A new mode is one class and one line in `MODES`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from netsim.proxy.ebpf import EBPF
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.iptables import IPTables
from netsim.proxy.ipvs import IPVS
from netsim.proxy.nftables import NFTables
from netsim.proxy.packet import Query, Step, Verdict

if TYPE_CHECKING:
    from netsim.proxy.node import NodeRules


class Mode(Protocol):
    """How one mode of kube-proxy turns Services into rules, and what those do and cost."""

    name: str
    commits: tuple[str, ...]  # what a sync puts into effect, one after the other

    def node_port_addresses(self, rules: NodeRules, version: int) -> tuple[str, ...] | None:
        """The node's addresses that serve node ports; None: all of them."""

    def refuses_loopback(self, rules: NodeRules, query: Query) -> bool:
        """Whether node ports do not exist at the loopback address a packet goes to."""

    def decide(self, rules: NodeRules, query: Query) -> Verdict:
        """What the rules say of a packet."""

    def explain(
        self, rules: NodeRules, query: Query, endpoint: Endpoint | None, remembered: bool
    ) -> tuple[Step, ...]:
        """The rules a packet meets."""

    def render(self, rules: NodeRules) -> str:
        """The rules as text."""

    def first_packet_cost(self, position: int, services: int) -> int:
        """Nanoseconds the first packet of a connection spends in the rules, at `position` of `services`."""

    def sync_cost(self, *, full: bool, services: int, endpoints: int, changed: int) -> int:
        """Nanoseconds one sync takes: `changed` endpoints of all `endpoints` of `services` service ports."""


MODES: dict[str, Mode] = {mode.name: mode for mode in (IPTables(), NFTables(), IPVS(), EBPF())}
