"""Where a packet goes next: one hop of the road, decided where the packet is.

A connection's first packet meets, in this order: the rules of the machine it leaves (a pod's or node's own
kernel translates what it sends); on the way a load balancer, which hands it to one of its nodes, or the cloud's
edge, which knows nodes by their external addresses; the rules of the node it enters the cluster through; and
the program that listens. At each of them one question is answered: *onward* (to which place, translated or
not), *delivered* (to which program), *refused* (with which outcome), or *silence*.

What a machine chose for a connection it keeps choosing: `pins` is that memory (conntrack's, and a load
balancer's connection table), one entry per machine, for as long as the client uses the same socket.

Sources: reference behaviour of Linux netfilter (translation on the first packet only, reply translation by
conntrack); kube-proxy's rules in `netsim/proxy`; a passthrough load balancer as GCP's and MetalLB's; external
addresses as AWS, Azure and GCP translate them, one to one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.requests import HOST_UNREACHABLE, NET_UNREACHABLE, REFUSED
from netsim.dataplane.server import Server
from netsim.draws import index
from netsim.proxy.addresses import is_loopback
from netsim.proxy.conntrack import Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet, Verdict
from netsim.units import MS

FLOW = "flow"  # among a connection's pins: what a load balancer has hashed it to
NEIGHBOUR_FAILURE = 3070 * MS
"""How long a kernel asks for a neighbour that is gone before it answers host unreachable (three probes)."""


@dataclass(slots=True)  # not frozen, nor is Delivered: one is made for every packet, and freezing costs a microsecond
class Onward:
    """The packet travels to `place`; `packet` is what it then looks like."""

    place: Place
    way: int  # how long the road takes
    delay: int  # and with what it spends in rules, before and after it
    packet: Packet
    verdict: Verdict | None = None
    endpoint: Endpoint | None = None
    masqueraded: bool | None = False  # None: as the connection's first packet was


@dataclass(slots=True)
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


@dataclass(frozen=True, slots=True)
class Translation:
    """Where a connection's packets were translated last, and whether with their source."""

    place: Place
    masqueraded: bool

    def bypassed(self, client: Place, server: Server) -> bool:
        """Whether answers go straight to the client, past the node that would translate them back.

        They then come from an address that the client never spoke to: it resets them and goes on waiting.
        """
        return not self.masqueraded and self.place.machine not in (client.machine, server.machine)


def heard(state: Forwarding, at: Place, client: Place, end: Hop, translated: Translation | None) -> Hop:
    """What the client learns of a road that ends `at` a place: an answer must find its way back."""
    if translated is not None and isinstance(end, Delivered) and translated.bypassed(client, end.server):
        return Silence(f"the answers bypass {translated.place.machine}, which translated")
    if state.topology.one_sided and not isinstance(end, Silence):
        through = [translated.place] if translated is not None and translated.masqueraded else []
        for here, there in pairwise([at, *through, client]):
            if state.travel(here, there) is None:
                return Silence(f"the answers get lost between {here.machine} and {there.machine}")
    return end


Pins = dict[str, "Endpoint | str | int"]
Chance = Callable[[str], int]  # 64 bits for a purpose: "endpoint" or "balancer"


def leave(state: Forwarding, client: Place, packet: Packet, pins: Pins, chance: Chance) -> Hop:
    """The first hop: what the client's own machine does with a packet it sends."""
    looped = is_loopback(packet.destination)
    if client.kind == "outside" or (looped and client.kind == "pod"):
        return _looped(state, client, packet) if looped else _onward(state, client, packet)
    hop = _translated(state, client, packet, pins, chance)
    if hop is None:
        cost = state.kernels[client.machine].cost(None)
        hop = _looped(state, client, packet) if looped else _onward(state, client, packet, cost)
    return hop


def arrive(
    state: Forwarding, place: Place, packet: Packet, pins: Pins, chance: Chance, *, translated: bool
) -> Hop:
    """A later hop: what happens to a packet at the place it has come to."""
    if place.kind == "balancer":
        return _balanced(state, place, packet, pins, chance)
    if not state.powered[place.machine]:
        return Silence(state.why_silent(place.machine))
    if place.kind == "node" and not translated:
        return _entered(state, place, packet, pins, chance)
    return _no_room(state, place, packet, pins) or deliver(state, place, packet)


def deliver(state: Forwarding, place: Place, packet: Packet) -> Hop:
    """What the machine of `place` does with a packet that is for it."""
    server = state.listener(place, packet)
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
    if dropped := _no_room(state, here, packet, pins):
        return dropped
    kernel = state.kernels[here.machine]
    if packet.protocol == "UDP" and (entry := kernel.recall(packet, state.time)) is not None:
        return _established(state, here, packet, entry)
    verdict, endpoint = kernel.rules.verdict(packet), pins.get(here.machine)
    if isinstance(endpoint, Endpoint) and verdict.action != "DNAT":
        return _to_endpoint(state, here, packet, endpoint, None, None, 0)  # a retry: conntrack asks no rule
    if verdict.action == "REJECT":
        return Refused(REFUSED, f"rejected: {verdict.reason}", kernel.cost(verdict), verdict)
    if verdict.action == "DROP":
        return Silence(f"dropped: {verdict.reason}", verdict)
    if verdict.action != "DNAT":
        if packet.protocol == "UDP":
            kernel.conntrack.add(packet, None, state.time)
        return None
    if not isinstance(endpoint, Endpoint):
        endpoint = kernel.choose(verdict, packet, chance("endpoint"), state.time)
        if endpoint is None:
            return Refused(REFUSED, "no real server takes it", verdict=verdict)
        pins[here.machine] = endpoint
        if packet.protocol == "UDP":
            seen = kernel.rules.source_seen(packet, endpoint, verdict)
            kernel.conntrack.add(packet, endpoint, state.time, seen, at_socket=verdict.on_connect)
    masqueraded = verdict.masquerades(endpoint, packet.source)
    return _to_endpoint(state, here, packet, endpoint, verdict, masqueraded, kernel.cost(verdict))


def _no_room(state: Forwarding, here: Place, packet: Packet, pins: Pins) -> Silence | None:
    """A node whose conntrack table is full drops what would be a new entry; None if it lets the packet pass."""
    if not state.limited or here.machine in pins or here.kind not in ("pod", "node"):
        return None
    if state.kernels[here.machine].admits(packet, state.time):
        return None
    return Silence(f"nf_conntrack: table full on {here.machine}, the packet is dropped")


def _established(state: Forwarding, here: Place, packet: Packet, entry: Entry) -> Hop | None:
    """A packet of a flow that conntrack knows: no rule is asked."""
    if entry.endpoint is None:
        return None
    return _to_endpoint(state, here, packet, entry.endpoint, None, entry.masqueraded, 0)


def _to_endpoint(
    state: Forwarding, here: Place, packet: Packet, endpoint: Endpoint, verdict: Verdict | None,
    masqueraded: bool | None, cost: int,
) -> Hop:  # fmt: skip
    if endpoint.ip == here.address and here.kind == "pod" and not state.hairpin:
        return Silence("the pod is its own endpoint, and the bridge sends nothing back to where it came from", verdict)
    onward = Packet(packet.source, packet.source_port, endpoint.ip, endpoint.port, packet.protocol)
    place = state.places.get(endpoint.ip) or Place("pod", endpoint.node or here.machine, endpoint.ip)
    way = state.travel(here, place)
    if way is None:
        return _no_road(state, here, place, verdict)
    if place.machine != here.machine:
        cost += state.kernels[place.machine].scan()
    return Onward(place, way, way + cost, onward, verdict, endpoint, masqueraded)


def _looped(state: Forwarding, here: Place, packet: Packet) -> Hop:
    """A loopback address: whoever listens on the client's own network has it."""
    server = state.listener(here, packet)
    if server is not None and server.accepting:
        return Delivered(server)
    return Refused(REFUSED, f"nobody listens on port {packet.port} of {packet.destination}")


def _onward(state: Forwarding, here: Place, packet: Packet, cost: int = 0) -> Hop:
    """Untranslated, it goes where its address says."""
    place = state.places.get(packet.destination)
    if place is None:
        return Silence(f"{packet.destination} is nobody's address: it leaves by the default route")
    way = state.travel(here, place)
    if way is None:
        return _no_road(state, here, place, None)
    if place == state.external_places.get(place.machine):
        place, packet = _at_the_edge(state, here, place, packet)
    return Onward(place, way, way + cost, packet)


def _at_the_edge(state: Forwarding, here: Place, place: Place, packet: Packet) -> tuple[Place, Packet]:
    """External addresses of nodes exist at the cloud's edge only: there each stands for its node's own address.

    A node does not know its external address; what it receives is for the internal one. What leaves a node,
    or a pod of it, by the edge has the node's external address as its source.
    """
    inside, sender = state.node_places[place.machine], state.external_places.get(here.machine)
    source = packet.source if sender is None else sender.address
    return inside, replace(packet, source=source, destination=inside.address)


def _no_road(state: Forwarding, here: Place, place: Place, verdict: Verdict | None) -> Hop:
    """The machine has no link at all and says so, or the packet gets lost further on."""
    if here.kind in ("pod", "node") and not state.topology.attached(here.machine):
        return Refused(NET_UNREACHABLE, f"{here.machine} has no link", verdict=verdict)
    return Silence(f"no path to {place.machine}", verdict)


def strayed(state: Forwarding, place: Place, pins: Pins) -> bool:
    """Whether a load balancer no longer takes an open connection where it took its first packet.

    Some keep it there, whatever they think of the node; some reset it once they have turned away from the node.
    A router keeps no record: each packet goes where its hash falls among the nodes there are now (RFC 2992), and
    a node that has not seen the connection resets it.
    """
    balancer, target, bits = state.balancers.get(place.address), pins.get(place.machine), pins.get(FLOW)
    if state.flows == "kept" or balancer is None or not isinstance(bits, int):
        return False
    if state.flows == "reset":
        return target not in balancer.targets
    return bool(balancer.targets) and balancer.targets[index(bits, len(balancer.targets))] != target


def _balanced(state: Forwarding, place: Place, packet: Packet, pins: Pins, chance: Chance) -> Hop:
    """An external load balancer hands a connection to one of its nodes, and keeps it there."""
    balancer = state.balancers.get(place.address)
    if balancer is None or (packet.port, packet.protocol) not in balancer.ports:
        return Silence("the load balancer does not forward this port")
    if balancer.down:
        return Silence("the load balancer is down")
    target = pins.get(place.machine)
    if not isinstance(target, str) or target not in balancer.targets:
        if not balancer.targets:
            return Silence("the load balancer has no nodes")
        pins[FLOW] = bits = chance("balancer")
        target = pins[place.machine] = balancer.targets[index(bits, len(balancer.targets))]
    node = Place("node", target, packet.destination)
    if balancer.node_ports:
        node, number = state.node_places[target], balancer.ports.index((packet.port, packet.protocol))
        packet = replace(packet, destination=node.address, port=balancer.node_ports[number])
    way = state.travel(place, node)
    if way is None:
        return Silence(f"no path to {target}")
    return Onward(node, way, way, packet)
