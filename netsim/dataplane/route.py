"""Where a packet goes next: one hop of the road, decided where the packet is.

A connection's first packet meets, in this order: the rules of the machine it leaves (a pod's or node's own
kernel translates what it sends); on the way a load balancer, which hands it to one of its nodes; the rules
of the node it enters the cluster through; and the program that listens. At each of them one question is
answered: *onward* (to which place, translated or not), *delivered* (to which program), *refused* (with which
outcome), or *silence*.

What a machine chose for a connection it keeps choosing: `pins` is that memory (conntrack's, and a load
balancer's connection table), one entry per machine, for as long as the client uses the same socket.

Sources: reference behaviour of Linux netfilter (translation on the first packet only, reply translation by
conntrack); kube-proxy's rules in `netsim/proxy`; a passthrough load balancer as GCP's and MetalLB's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.requests import HOST_UNREACHABLE, NET_UNREACHABLE, REFUSED
from netsim.dataplane.server import Server
from netsim.draws import index
from netsim.proxy.conntrack import Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet, Verdict
from netsim.units import MS

NEIGHBOUR_FAILURE = 3070 * MS
"""How long a kernel asks for a neighbour that is gone before it answers host unreachable (three probes)."""


@dataclass(frozen=True, slots=True)
class Onward:
    """The packet travels to `place`; `packet` is what it then looks like."""

    place: Place
    delay: int
    packet: Packet
    verdict: Verdict | None = None
    endpoint: Endpoint | None = None
    masqueraded: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """A program has it."""

    server: Server


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer says no: `outcome`, sent `after` this long."""

    outcome: int
    reason: str
    after: int = 0
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody answers."""

    reason: str
    verdict: Verdict | None = None


Hop = Onward | Delivered | Refused | Silence
Pins = dict[str, "Endpoint | str"]
Chance = Callable[[str], int]  # 64 bits for a purpose: "endpoint" or "balancer"


def leave(state: Forwarding, client: Place, packet: Packet, pins: Pins, chance: Chance) -> Hop:
    """The first hop: what the client's own machine does with a packet it sends."""
    if client.kind == "outside":
        return _onward(state, client, packet)
    hop = _translated(state, client, packet, pins, chance)
    if hop is None:
        cost = state.kernels[client.machine].cost(None)
        hop = _onward(state, client, packet, cost)
    return hop


def arrive(
    state: Forwarding, place: Place, packet: Packet, pins: Pins, chance: Chance, *, translated: bool
) -> Hop:
    """A later hop: what happens to a packet at the place it has come to."""
    if place.kind == "balancer":
        return _balanced(state, place, packet, pins, chance)
    if not state.powered[place.machine]:
        return Silence(f"{place.machine} has no power")
    if place.kind == "node" and not translated:
        return _entered(state, place, packet, pins, chance)
    return deliver(state, place, packet)


def deliver(state: Forwarding, place: Place, packet: Packet) -> Hop:
    """What the machine of `place` does with a packet that is for it."""
    server = state.listeners.get((packet.destination, packet.port, packet.protocol))
    if server is not None and server.accepting:
        return Delivered(server)
    if packet.destination in state.places:
        return Refused(REFUSED, f"nobody listens on port {packet.port} of {packet.destination}")
    if state.routed:
        return Refused(HOST_UNREACHABLE, f"{place.machine} has no route to {packet.destination} any more")
    return Refused(HOST_UNREACHABLE, f"no neighbour answers for {packet.destination}", NEIGHBOUR_FAILURE)


def _entered(state: Forwarding, place: Place, packet: Packet, pins: Pins, chance: Chance) -> Hop:
    """What a node makes of a packet that comes to it from outside its own pods."""
    hop = _translated(state, place, packet, pins, chance)
    if hop is not None:
        return hop
    owner = state.places.get(packet.destination)
    if owner is not None and owner.machine == place.machine:
        return deliver(state, owner, packet)
    return Silence(f"{place.machine} has no rule for {packet.destination}:{packet.port} and sends it away again")


def _translated(
    state: Forwarding, here: Place, packet: Packet, pins: Pins, chance: Chance
) -> Hop | None:
    """What the rules of the node `here` make of a packet; None if they do not speak of it."""
    kernel = state.kernels[here.machine]
    if packet.protocol == "UDP" and (entry := kernel.recall(packet, state.time)) is not None:
        return _established(state, here, packet, entry)
    verdict = kernel.rules.verdict(packet)
    if verdict.action == "REJECT":
        return Refused(REFUSED, f"rejected: {verdict.reason}", kernel.cost(verdict), verdict)
    if verdict.action == "DROP":
        return Silence(f"dropped: {verdict.reason}", verdict)
    if verdict.action != "DNAT":
        if packet.protocol == "UDP":
            kernel.conntrack.add(packet, None, state.time)
        return None
    endpoint = pins.get(here.machine)
    if not isinstance(endpoint, Endpoint):
        endpoint = kernel.choose(verdict, packet, chance("endpoint"), state.time)
        if endpoint is None:
            return Refused(REFUSED, "no real server takes it", verdict=verdict)
        pins[here.machine] = endpoint
        if packet.protocol == "UDP":
            seen = kernel.rules.source_seen(packet, endpoint, verdict)
            kernel.conntrack.add(packet, endpoint, state.time, seen)
    masqueraded = verdict.masquerades(endpoint, packet.source)
    return _to_endpoint(state, here, packet, endpoint, verdict, masqueraded, kernel.cost(verdict))


def _established(state: Forwarding, here: Place, packet: Packet, entry: Entry) -> Hop | None:
    """A packet of a flow that conntrack knows: no rule is asked."""
    if entry.endpoint is None:
        return None
    return _to_endpoint(state, here, packet, entry.endpoint, None, entry.masqueraded, 0)


def _to_endpoint(
    state: Forwarding, here: Place, packet: Packet, endpoint: Endpoint, verdict: Verdict | None,
    masqueraded: bool, cost: int,
) -> Hop:  # fmt: skip
    onward = Packet(packet.source, packet.source_port, endpoint.ip, endpoint.port, packet.protocol)
    place = state.places.get(endpoint.ip) or Place("pod", endpoint.node or here.machine, endpoint.ip)
    delay = state.travel(here, place)
    if delay is None:
        return _no_road(state, here, place, verdict)
    if place.machine != here.machine:
        cost += state.kernels[place.machine].scan()
    return Onward(place, delay + cost, onward, verdict, endpoint, masqueraded)


def _onward(state: Forwarding, here: Place, packet: Packet, cost: int = 0) -> Hop:
    """Untranslated, it goes where its address says."""
    place = state.places.get(packet.destination)
    if place is None:
        return Silence(f"{packet.destination} is nobody's address: it leaves by the default route")
    delay = state.travel(here, place)
    return _no_road(state, here, place, None) if delay is None else Onward(place, delay + cost, packet)


def _no_road(state: Forwarding, here: Place, place: Place, verdict: Verdict | None) -> Hop:
    """The machine has no link at all and says so, or the packet gets lost further on."""
    if here.kind in ("pod", "node") and not state.topology.attached(here.machine):
        return Refused(NET_UNREACHABLE, f"{here.machine} has no link", verdict=verdict)
    return Silence(f"no path to {place.machine}", verdict)


def _balanced(state: Forwarding, place: Place, packet: Packet, pins: Pins, chance: Chance) -> Hop:
    """An external load balancer hands a connection to one of its nodes, and keeps it there."""
    balancer = state.balancers.get(place.address)
    if balancer is None or (packet.port, packet.protocol) not in balancer.ports:
        return Silence("the load balancer does not forward this port")
    target = pins.get(place.machine)
    if not isinstance(target, str) or target not in balancer.targets:
        if not balancer.targets:
            return Silence("the load balancer has no nodes")
        target = pins[place.machine] = balancer.targets[index(chance("balancer"), len(balancer.targets))]
    delay = state.travel(place, node := Place("node", target, packet.destination))
    if delay is None:
        return Silence(f"no path to {target}")
    return Onward(node, delay, packet)
