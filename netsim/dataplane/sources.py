"""Traffic sources as the engines see them: whose requests they are, where they start, and their chance.

A source is one entry of `traffic`. Its clients are lanes of the same named streams: draw (sequence, try) of
lane `client`. So the 17th request of the third client is the same request in every run with that seed.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.handshake import Sessions
from netsim.dataplane.server import Server
from netsim.draws import Draws, Stream
from netsim.traffic import Origin, Target, Traffic, parse_origin, parse_target
from netsim.units import S


class Client:
    """One client of a source: its streams, and the connections it keeps."""

    __slots__ = (
        "asked", "balancer", "endpoint", "idle", "index", "pause", "port", "service", "sessions", "socket",
        "wire",
    )  # fmt: skip

    def __init__(self, draws: Draws, source: str, index: int) -> None:
        self.index = index
        self.endpoint = draws.stream("endpoint", source, index)
        self.balancer = draws.stream("balancer", source, index)
        self.port = draws.stream("port", source, index)
        self.service = draws.stream("service", source, index)
        self.pause = draws.stream("backoff", source, index)
        self.wire = draws.stream("wire", source, index)
        self.idle: list[Any] = []  # connections kept open, the latest used last
        self.asked = 0  # requests begun, of a closed client
        self.sessions: Sessions | None = None  # of TLS, once it has begun one
        self.socket = 0  # the port of a UDP socket that is kept


class Source:
    """One traffic source."""

    def __init__(self, index: int, traffic: Traffic, draws: Draws, end: int) -> None:
        self.index = index
        self.traffic = traffic
        self.name = traffic.name
        self.origin = parse_origin(traffic.source)
        self.target = parse_target(traffic.target)
        self.stop = min(end, traffic.stop if traffic.stop is not None else end)
        self.arrivals: Stream = draws.stream("arrival", traffic.name)
        self.draws = draws
        self.count = traffic.clients or 1  # how many clients
        self.gap = int(S / traffic.rate) if traffic.rate else 0
        self.pod = pod_of(self.origin)
        self._version = -1  # of the forwarding state for which place and address were looked up
        self._place: Place | None = None
        self._address: str | None = None

    @cached_property
    def clients(self) -> list[Client]:
        """Its clients; made when they are first asked for, since there may be very many."""
        return [Client(self.draws, self.name, i) for i in range(self.count)]

    def life(self, state: Forwarding) -> Server | None:
        """The client's own program, where the client is a pod that runs."""
        return state.servers.get(self.pod) if self.pod else None

    def place(self, state: Forwarding) -> Place | None:
        """Where the client is now; None while it is nowhere."""
        self._look(state)
        return self._place

    def address(self, state: Forwarding) -> str | None:
        """The address that the source's target has for it now; None when the name means nothing."""
        self._look(state)
        return self._address

    def _look(self, state: Forwarding) -> None:
        if self._version != state.version:
            self._version = state.version
            self._place = place_of(state, self.origin)
            self._address = address_of(state, self.origin, self.target)


def pod_of(origin: Origin) -> str:
    """The client pod as namespace/name, or an empty text."""
    return f"{origin.namespace}/{origin.name}" if origin.kind == "pod" else ""


def place_of(state: Forwarding, origin: Origin) -> Place | None:
    """Where requests from there start now; None while nothing runs there."""
    if origin.kind == "outside":
        return state.outside
    if origin.kind == "node":
        return state.node_places[origin.name] if state.powered[origin.name] else None
    server = state.servers.get(pod_of(origin))
    return state.places.get(server.addresses[0]) if server else None


def address_of(state: Forwarding, origin: Origin, target: Target) -> str | None:
    """What address a client there uses for a target now; None when the name means nothing."""
    name = f"{target.namespace}/{target.name}"
    if target.kind == "address":
        return target.name
    if target.kind == "dns":
        return state.resolve(target.name, origin.namespace if origin.kind == "pod" else None)
    if target.kind == "node":
        place = (state.external_places if origin.kind == "outside" else state.node_places).get(target.name)
        return place.address if place else None
    if target.kind == "svc":
        return next(iter(state.cluster_ips.get(name, ())), None)
    if target.kind == "lb":
        return state.balanced.get(name)
    server = state.servers.get(name)
    return server.addresses[0] if server else None
