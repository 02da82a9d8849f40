"""One packet, explained: where it went, what each machine made of it, and what decided that.

A trace sends the first packet of a new connection through the forwarding state as it is, by the very functions
that move requests (`route.py`), and asks the rules of each node on the way to show their steps. What chance
would decide is decided by a named draw; every step that was a choice says how likely it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import onlooking
from netsim.dataplane.requests import DNS_FAILURE, OUTCOMES
from netsim.dataplane.route import Delivered, Hop, Onward, Pins, Refused, Silence, Translation, arrive, leave
from netsim.dataplane.trace_text import told
from netsim.draws import Draws
from netsim.proxy.packet import Packet, Step
from netsim.topology.network import ENCAPSULATION, CniFamily

CLIENT_PORT = 40_000


@dataclass(frozen=True)
class TraceHop:
    """What happened to the packet at one place."""

    where: str  # "pod/default/client on worker-3"
    time: int  # nanoseconds since it was sent
    packet: str  # as it came here
    what: str  # what was done with it
    becomes: str = ""  # what it looks like afterwards, if it changed
    steps: tuple[Step, ...] = ()  # the rules it met, in their own words
    road: tuple[str, ...] = ()  # the machines and switches up to the next place
    delay: int = 0  # how long that road takes
    encapsulation: str = ""


@dataclass(frozen=True)
class Trace:
    """A packet's whole way; as text, the way that `netsim trace` prints it."""

    source: str
    target: str
    at: int  # when it was sent, in nanoseconds
    hops: tuple[TraceHop, ...]
    outcome: str  # one of OUTCOMES; timeout where nobody answers
    reason: str
    round_trip: int | None = None  # nanoseconds until the client knows

    def __str__(self) -> str:
        return told(self)


class Tracer:
    """Explains packets in one forwarding state."""

    def __init__(self, state: Forwarding, draws: Draws, cni: CniFamily) -> None:
        self.state = onlooking(state)
        self.draws = draws
        self.cni = cni

    def trace(
        self, source: str, client: Place, target: str, address: str | None, port: int, protocol: str
    ) -> Trace:
        """Follow the first packet from `client` to `address` (None: the target's name means nothing)."""
        if address is None:
            reason = f"{target} has no address now"
            return Trace(source, target, self.state.time, (), OUTCOMES[DNS_FAILURE], reason)
        chance = self.draws.stream("trace", f"{source} {target} {self.state.time}")
        packet = Packet(self.state.source(client, address), CLIENT_PORT, address, port, protocol)
        pins: Pins = {}
        hops: list[TraceHop] = []
        at, time = client, 0
        translation: Translation | None = None
        places, shown = [client], str(packet)

        def draw(purpose: str) -> int:
            return chance.next()

        hop = leave(self.state, client, packet, pins, draw)
        while True:
            hops.append(self._explained(at, packet, shown, hop, time, translated=translation is not None))
            if not isinstance(hop, Onward):
                break
            shown = hops[-1].becomes or shown
            time += hop.delay
            if hop.endpoint is not None:
                translation = Translation(at, hop.masqueraded)
            at, packet = hop.place, hop.packet
            places.append(at)
            hop = arrive(self.state, at, packet, pins, draw, translated=translation is not None)
        outcome, reason = _ending(hop if translation is None else translation.heard(client, hop))
        back = self._back(places) if outcome != "timeout" else None
        after = hop.after if isinstance(hop, Refused) else 0
        round_trip = None if back is None else time + back + after
        return Trace(source, target, self.state.time, tuple(hops), outcome, reason, round_trip)

    def _explained(
        self, at: Place, packet: Packet, shown: str, hop: Hop, time: int, *, translated: bool
    ) -> TraceHop:
        """One hop in words."""
        steps: tuple[Step, ...] = ()
        if at.kind in ("pod", "node") and not translated and self.state.powered[at.machine]:
            endpoint = hop.endpoint if isinstance(hop, Onward) else None
            steps = self.state.kernels[at.machine].rules.explain(packet, endpoint)
        becomes = self._becomes(at, packet, hop)
        road: tuple[str, ...] = ()
        if isinstance(hop, Onward):
            road = tuple(self.state.topology.path(at.machine, hop.place.machine))
        return TraceHop(
            where=_where(at),
            time=time,
            packet=shown,
            what=_what(hop),
            becomes=becomes,
            steps=steps,
            road=road,
            delay=hop.delay if isinstance(hop, Onward) else 0,
            encapsulation=self._wrapped(at, hop),
        )

    def _becomes(self, at: Place, packet: Packet, hop: Hop) -> str:
        """The packet after translation, with the source that the server will see."""
        if not isinstance(hop, Onward) or hop.endpoint is None:
            return ""
        rules = self.state.kernels[at.machine].rules
        seen = rules.source_seen(packet, hop.endpoint, hop.verdict)
        port = packet.source_port
        return str(Packet(seen, port, hop.packet.destination, hop.packet.port, packet.protocol))

    def _wrapped(self, at: Place, hop: Hop) -> str:
        if not isinstance(hop, Onward) or at.kind not in ("pod", "node") or hop.place.kind != "pod":
            return ""
        size = ENCAPSULATION.get(self.cni, 0)
        if not size or at.machine == hop.place.machine:
            return ""
        return f"{self.cni}: {size} bytes around it between {at.machine} and {hop.place.machine}"

    def _back(self, places: list[Place]) -> int | None:
        legs = [self.state.travel(a, b) for a, b in pairwise(places)]
        return None if None in legs else sum(leg for leg in legs if leg is not None)


def _where(place: Place) -> str:
    if place.kind == "pod":
        return f"pod/{place.name or place.address} on {place.machine}"
    if place.kind == "balancer":
        return f"load balancer of {place.name}"
    return f"node/{place.machine}" if place.kind == "node" else "outside"


def _what(hop: Hop) -> str:
    if isinstance(hop, Delivered):
        return f"delivered to {hop.server.name}, which accepts the connection"
    if isinstance(hop, Refused):
        return f"{OUTCOMES[hop.outcome]}: {hop.reason}"
    if isinstance(hop, Silence):
        return f"silence: {hop.reason}"
    if hop.endpoint is not None:
        how = "translated and masqueraded" if hop.masqueraded else "translated"
        among = len(hop.verdict.endpoints) if hop.verdict else 1
        return f"{how}: one of {among} endpoint{'s' if among != 1 else ''}"
    return f"sent on to {_where(hop.place)}"


def _ending(hop: Hop) -> tuple[str, str]:
    if isinstance(hop, Delivered):
        return "ok", f"{hop.server.name} answers"
    if isinstance(hop, Refused):
        return OUTCOMES[hop.outcome], hop.reason
    return "timeout", hop.reason if isinstance(hop, Silence) else ""
