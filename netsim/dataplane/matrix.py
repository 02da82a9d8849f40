"""Who can reach whom: every source against every way into every Service, at one instant.

Rows are the pods that run, the nodes that have power, and the outside. Columns are the ways in: a Service's
cluster IP, its external IPs, its node port (through every node), its load balancer, and its health check port,
where a load balancer would ask every node; for a headless Service each address that DNS has for it, at the port of
the Service itself, since nobody translates. A cell is the share of new connections that would be answered (of
health checks: by 200), and why the others would not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from netsim.api.objects import Object
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.reach import PROBE_PORT, Reach, reach_of
from netsim.proxy.packet import Packet

ALL, NONE, SOME = ".", "X", "/"
HEALTHY = 200


@dataclass(frozen=True, slots=True)
class Way:
    """A way into a Service: what it is called, and the addresses it leads through."""

    name: str  # "default/web:80", "default/dns:53/UDP node-port 30053", "default/web health-check 30081"
    addresses: tuple[str, ...]
    port: int
    protocol: str
    external: tuple[str, ...] = ()  # the addresses that the outside uses, where they differ
    health: bool = False  # kube-proxy itself is asked how it is


@dataclass(frozen=True, slots=True)
class Cell:
    """What one source gets of one way."""

    source: str
    way: str
    share: Fraction
    reasons: tuple[str, ...]

    @property
    def sign(self) -> str:
        """`.` all new connections are answered, `X` none, `/` some."""
        return ALL if self.share == 1 else SOME if self.share else NONE


def sources(state: Forwarding) -> Iterator[tuple[str, Place]]:
    """Everybody who could ask: pods, nodes, the outside."""
    for name in sorted(state.servers):
        place = state.places.get(state.servers[name].addresses[0])
        if place is not None and place.kind == "pod":
            yield f"pod/{name}", place
    for name, place in state.node_places.items():
        if state.powered[name]:
            yield f"node/{name}", place
    yield "outside", state.outside


def ways(state: Forwarding, services: Iterable[Object]) -> Iterator[Way]:
    """Every way into every Service and port."""
    nodes = tuple(place.address for place in state.node_places.values())
    external = tuple(place.address for place in state.external_places.values())
    for service in services:
        spec, namespace, name = service["spec"], service["metadata"]["namespace"], service["metadata"]["name"]
        for port in spec.get("ports") or ():
            number, protocol = port["port"], port.get("protocol", "TCP")
            label = f"{namespace}/{name}:{number}{'' if protocol == 'TCP' else f'/{protocol}'}"
            if spec.get("clusterIP") == "None":
                yield Way(f"{label} headless", state.published(namespace, name), number, protocol)
            elif spec.get("clusterIP"):
                yield Way(label, tuple(spec["clusterIPs"]), number, protocol)
            for address in spec.get("externalIPs") or ():
                yield Way(f"{label} external-ip {address}", (address,), number, protocol)
            if node_port := port.get("nodePort"):
                yield Way(f"{label} node-port {node_port}", nodes, node_port, protocol, external)
            if spec.get("type") == "LoadBalancer":
                address = state.balanced.get(f"{namespace}/{name}")
                yield Way(f"{label} load-balancer", (address,) if address else (), number, protocol)
        if health := spec.get("healthCheckNodePort"):
            yield Way(f"{namespace}/{name} health-check {health}", nodes, health, "TCP", external, health=True)


def matrix(state: Forwarding, services: Iterable[Object]) -> list[list[Cell]]:
    """One row a source, one cell a way."""
    columns = list(ways(state, services))
    return [[cell(state, name, place, way) for way in columns] for name, place in sources(state)]


def cell(state: Forwarding, name: str, place: Place, way: Way) -> Cell:
    """What a source gets of a way; through several addresses, the mean of them."""
    addresses = way.external if place.kind == "outside" and way.external else way.addresses
    if not addresses:
        return Cell(name, way.name, Fraction(0), ("no address yet",))
    found = [_reach(state, place, address, way) for address in addresses]
    reasons = dict.fromkeys(
        f"{address}: {reason}" if len(found) > 1 else reason
        for address, one in zip(addresses, found, strict=True)
        for reason in one.reasons
    )
    share = sum((one.share for one in found), Fraction(0)) / len(found)
    return Cell(name, way.name, share, tuple(reasons))


def _reach(state: Forwarding, place: Place, address: str, way: Way) -> Reach:
    packet = Packet(state.source(place, address), PROBE_PORT, address, way.port, way.protocol)
    found = reach_of(state, place, packet)
    health = state.health(state.places[address].machine, way.port) if way.health and found.share else None
    if health and health.status != HEALTHY:
        return Reach(Fraction(0), (*found.reasons, str(health)))
    return found
