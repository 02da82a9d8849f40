"""Can a source reach its target now? Worked out from the forwarding state, without sending anything.

Every road that a new connection could take is followed to its end, each weighted with its chance: a choice
among n endpoints or load balancer nodes is n roads. What comes out is the share of new connections that
would be answered, and why the others would not be. It only changes when the forwarding state does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import onlooking
from netsim.dataplane.requests import OUTCOMES
from netsim.dataplane.route import Delivered, Hop, Onward, Refused, Silence, Translation, arrive, heard, leave
from netsim.dataplane.sources import Source
from netsim.proxy.packet import Packet

PROBE_PORT = 40_000


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of what a source sends now would be answered."""

    share: Fraction
    reasons: tuple[str, ...] = ()  # why the rest would not be

    @property
    def lost(self) -> float:
        """The share of new connections that would fail."""
        return float(1 - self.share)


def reach(state: Forwarding, source: Source) -> Reach | None:
    """How a source reaches its target now; None while the source itself is nowhere."""
    client = source.place(state)
    if client is None:
        return None
    address = source.address(state)
    if address is None:
        return Reach(Fraction(0), (f"{source.traffic.target}: no such name",))
    own = state.source(client, address)
    packet = Packet(own, PROBE_PORT, address, source.target.port, source.traffic.protocol)
    found = reach_of(state, client, packet)
    server = state.resolution.nameserver(source) if state.resolution and source.target.kind == "dns" else None
    return found if server is None else _after_asking(state, client, server, found)


@dataclass(frozen=True, slots=True)
class Judged:
    """How a source reached its target, and what that rests on: everything but the rules of nodes it does not meet.

    On a large cluster some node programs its rules at almost every instant. Of most that is no matter to a source.
    """

    found: Reach | None
    address: str | None  # what the target's name meant
    others: int  # changes of the forwarding state that were no node's programming
    programmed: dict[str, int]  # the revision of each node whose rules were asked
    lasts: bool  # nothing that was asked changes by itself, as conntrack does

    @classmethod
    def of(cls, state: Forwarding, source: Source) -> Judged:
        """Judge it now."""
        view = onlooking(state)
        found = reach(view, source)
        asks = state.resolution is not None and source.target.kind == "dns"
        lasts = source.traffic.protocol == "TCP" and not state.limited and not asks
        lasts = lasts and not any(state.kernels[node].affinity for node in view.kernels)
        programmed = {node: state.kernels[node].rules.revision for node in view.kernels}
        return cls(found, source.address(state), state.version - state.syncs, programmed, lasts)

    def holds(self, state: Forwarding, source: Source) -> bool:
        """Whether the same would be found now."""
        if not self.lasts or state.version - state.syncs != self.others or source.address(state) != self.address:
            return False
        kernels = ((state.kernels[node], revision) for node, revision in self.programmed.items())
        return all(kernel.rules.revision == revision and not kernel.affinity for kernel, revision in kernels)


def _after_asking(state: Forwarding, client: Place, server: str, found: Reach) -> Reach:
    """The same where a name server has to answer first."""
    asked = reach_of(state, client, Packet(client.address, PROBE_PORT, server, 53, "UDP"))
    share = Fraction(0) if state.dns_silent else asked.share
    reasons = ("the DNS pods do not answer",) if state.dns_silent else asked.reasons
    return Reach(share * found.share, (*(f"DNS: {why}" for why in reasons), *found.reasons))


def reach_of(state: Forwarding, client: Place, packet: Packet) -> Reach:
    """The same for any client and packet."""
    share = Fraction(0)
    reasons: dict[str, None] = {}
    for weight, end in roads(state, client, packet):
        if isinstance(end, Delivered):
            share += weight
        elif isinstance(end, Refused):
            reasons[f"{OUTCOMES[end.outcome]}: {end.reason}"] = None
        elif isinstance(end, Silence):
            reasons[f"silence: {end.reason}"] = None
    return Reach(share, tuple(reasons))


def roads(state: Forwarding, client: Place, packet: Packet) -> Iterator[tuple[Fraction, Hop]]:
    """Every end a connection could come to, with its chance; answers that get lost are silence."""
    yield from _follow(onlooking(state), None, client, packet, None)


def _follow(
    state: Forwarding, at: Place | None, client: Place, packet: Packet, translated: Translation | None
) -> Iterator[tuple[Fraction, Hop]]:
    for hop, weight in _choices(state, at, client, packet, translated=translated is not None):
        if not isinstance(hop, Onward):
            yield weight, heard(state, at or client, client, hop, translated)
            continue
        further = translated
        if hop.endpoint is not None:
            further = Translation(at or client, bool(hop.masqueraded))
        for chance, end in _follow(state, hop.place, client, hop.packet, further):
            yield weight * chance, end


def _choices(
    state: Forwarding, at: Place | None, client: Place, packet: Packet, *, translated: bool
) -> Iterator[tuple[Hop, Fraction]]:
    """The hops that may follow at a place, one for each way a choice there can fall."""
    drawn: list[int] = []

    def step(which: int, among: int) -> Hop:
        def chance(purpose: str) -> int:
            drawn.append(1)
            return -(-(which << 32) // among) << 32

        if at is None:
            return leave(state, client, packet, {}, chance)
        return arrive(state, at, packet, {}, chance, translated=translated)

    first = step(0, 1)
    count = _options(state, at, first) if drawn else 1
    yield first, Fraction(1, count)
    for which in range(1, count):
        yield step(which, count), Fraction(1, count)


def _options(state: Forwarding, at: Place | None, hop: Hop) -> int:
    """Among how many a choice was made."""
    if at is not None and at.kind == "balancer":
        return len(state.balancers[at.address].targets)
    verdict = getattr(hop, "verdict", None)
    return len(verdict.endpoints) if verdict is not None else 1
