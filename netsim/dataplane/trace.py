"""One packet, explained: where it went, what each machine made of it, and what decided that.

A trace sends the first packet of a new connection through the forwarding state as it is, by the very functions
that move requests (`route.py`), and asks the rules of each node on the way to show their steps. What chance
would decide is decided by a named draw; every step that was a choice says how likely it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import Onlooker, onlooking
from netsim.dataplane.requests import DNS_FAILURE, OUTCOMES
from netsim.dataplane.route import Delivered, Hop, Onward, Pins, Refused, Silence, Translation, arrive, heard, leave
from netsim.dataplane.routes import route_to
from netsim.dataplane.trace_text import told
from netsim.draws import Draws
from netsim.proxy.addresses import is_loopback
from netsim.proxy.conntrack import Conntrack
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
    conntrack: str = ""  # what the node then remembers of it, as `conntrack -L` has it
    route: str = ""  # the route by which it leaves the node, as `ip route` has it
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


class Way:
    """A packet's way so far."""

    def __init__(self, client: Place, packet: Packet) -> None:
        self.places = [client]
        self.packet = packet
        self.seen = packet  # the same with the source address that it shows
        self.time = 0
        self.pins: Pins = {}
        self.translation: Translation | None = None

    @property
    def at(self) -> Place:
        """Where it is."""
        return self.places[-1]

    @property
    def meets_rules(self) -> bool:
        """Whether it is about to meet a node's rules: where it is sent, and at a node that is called."""
        if self.translation is not None or self.places[-2:-1] == [self.at]:
            return False
        sent = self.at.kind == "pod" and len(self.places) == 1 and not is_loopback(self.packet.destination)
        return sent or self.at.kind == "node"

    def go(self, hop: Onward, seen: Packet) -> None:
        """It goes on to the next place."""
        if hop.endpoint is not None:
            self.translation = Translation(self.at, bool(hop.masqueraded))
        self.time += hop.delay
        self.packet, self.seen = hop.packet, seen
        self.places.append(hop.place)


class Tracer:
    """Explains packets in one forwarding state. `table` gives a node's routes, if they are to be shown."""

    def __init__(
        self, state: Forwarding, draws: Draws, cni: CniFamily, table: Callable[[str], str] | None = None
    ) -> None:
        self.state = onlooking(state)
        self.draws = draws
        self.cni = cni
        self.table = table

    def trace(
        self, source: str, client: Place, target: str, address: str | None, port: int, protocol: str
    ) -> Trace:
        """Follow the first packet from `client` to `address` (None: the target's name means nothing)."""
        state = self.state
        if address is None:
            reason = f"{target} has no address now"
            return Trace(source, target, state.time, (), OUTCOMES[DNS_FAILURE], reason)
        stream = self.draws.stream("trace", f"{source} {target} {state.time}")

        def chance(purpose: str) -> int:
            return stream.next()

        way = Way(client, Packet(state.source(client, address), CLIENT_PORT, address, port, protocol))
        hops: list[TraceHop] = []
        hop = leave(state, client, way.packet, way.pins, chance)
        while True:
            after = self._after(way, hop)
            hops.append(self._explained(way, hop, after))
            if not isinstance(hop, Onward):
                break
            way.go(hop, after)
            hop = arrive(state, way.at, way.packet, way.pins, chance, translated=way.translation is not None)
        outcome, reason = _ending(heard(state, way.at, client, hop, way.translation))
        back = self._back(way.places) if outcome != "timeout" else None
        after_all = hop.after if isinstance(hop, Refused) else 0
        round_trip = None if back is None else way.time + back + after_all
        return Trace(source, target, state.time, tuple(hops), outcome, reason, round_trip)

    def _after(self, way: Way, hop: Hop) -> Packet:
        """The packet as the next place will see it."""
        if not isinstance(hop, Onward) or hop.packet == way.packet:
            return way.seen
        if hop.endpoint is None:
            return hop.packet
        rules = self.state.kernels[way.at.machine].rules
        return replace(hop.packet, source=rules.source_seen(way.packet, hop.endpoint, hop.verdict))

    def _explained(self, way: Way, hop: Hop, after: Packet) -> TraceHop:
        """One hop in words."""
        at, onward = way.at, hop if isinstance(hop, Onward) else None
        steps: tuple[Step, ...] = ()
        if way.meets_rules and self.state.powered[at.machine]:
            steps = self._steps(way, hop)
        return TraceHop(
            where=_where(at),
            time=way.time,
            packet=str(way.seen),
            what=self._said(way, hop) or _what(way.packet, hop),
            becomes="" if after == way.seen else str(after),
            steps=steps,
            conntrack=self._remembered(way, hop, after),
            route=self._route(at, hop),
            road=tuple(self.state.topology.path(at.machine, onward.place.machine)) if onward else (),
            delay=onward.delay if onward else 0,
            encapsulation=self._wrapped(at, hop),
        )

    def _steps(self, way: Way, hop: Hop) -> tuple[Step, ...]:
        kernel: Onlooker = self.state.kernels[way.at.machine]  # type: ignore[assignment]
        if not isinstance(hop, Onward) or hop.verdict is None:
            return kernel.rules.explain(way.packet)
        known = kernel.remembered(hop.verdict, way.packet, self.state.time) is not None
        return kernel.rules.explain(way.packet, hop.endpoint, remembered=known)

    def _remembered(self, way: Way, hop: Hop, after: Packet) -> str:
        """The entry that a node makes of the packet; what is refused or dropped on the way leaves none."""
        passes = isinstance(hop, Onward) and way.meets_rules and self.state.powered[way.at.machine]
        comes_in = isinstance(hop, Delivered) and way.at.machine not in {place.machine for place in way.places[:-1]}
        if not passes and not comes_in:
            return ""
        verdict, endpoint = (hop.verdict, hop.endpoint) if isinstance(hop, Onward) else (None, None)
        if verdict is not None and verdict.on_connect:  # the client's socket names the pod already
            entry = Conntrack().add(after, None, 0)
        else:
            entry = Conntrack().add(way.seen, endpoint, 0, after.source)
        return entry.text(0) if entry else ""

    def _route(self, at: Place, hop: Hop) -> str:
        """The route of the node's table by which the packet leaves it, or goes to one of its own pods."""
        if self.table is None or not isinstance(hop, Onward) or at.kind not in ("pod", "node"):
            return ""
        return route_to(self.table(at.machine), hop.packet.destination)

    def _said(self, way: Way, hop: Hop) -> str:
        """What kube-proxy answers to a load balancer's health check, where that is asked."""
        asked = isinstance(hop, Delivered) and way.at.kind == "node" and way.packet.protocol == "TCP"
        answer = self.state.health(way.at.machine, way.packet.port) if asked else None
        return f"delivered to kube-proxy, which answers {answer}" if answer else ""

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


def _what(packet: Packet, hop: Hop) -> str:
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
    if hop.packet != packet:
        return f"sent on to {_where(hop.place)}; at the cloud's edge {packet.destination} stands for it"
    return f"sent on to {_where(hop.place)}"


def _ending(hop: Hop) -> tuple[str, str]:
    if isinstance(hop, Delivered):
        return "ok", f"{hop.server.name} answers"
    if isinstance(hop, Refused):
        return OUTCOMES[hop.outcome], hop.reason
    return "timeout", hop.reason if isinstance(hop, Silence) else ""
