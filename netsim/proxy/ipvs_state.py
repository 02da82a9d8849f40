"""IPVS on one node, as state: virtual servers, their real servers, connections, and whose turn it is.

A TCP connection counts as active while it is established. When it has ended, however it did, it counts as
inactive for as long as TIME_WAIT lasts.

kube-proxy gives every real server weight 1. One that must go gets weight 0 and stays until its connections
are gone, active and inactive (TCP); it is asked about once a minute, here by the first connection of each minute.
UDP and SCTP ones go at once. A client with affinity is bound
by a persistence template, which does not count if its server has weight 0 (expire_quiescent_template).

The schedulers are the kernel's. With sh and dh a server of weight 0 keeps its bucket, and connections that
hash to it are refused until it is removed. mh is a Maglev table over our own hash: the kernel's is keyed by
chance.

Left out: thresholds, lblc and lblcr; connections of UDP and SCTP, handshakes under way and those that fail are
not counted; a reset counts as long as a proper end (the kernel: 10 s). Sources: kernel
`net/netfilter/ipvs/ip_vs_{rr,lc,wlc,sh,dh,mh,sed,nq,proto_tcp}.c`; kubernetes 1.32
`pkg/proxy/ipvs/graceful_termination.go`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address

from netsim.proxy.endpoints import Endpoint
from netsim.units import S

BUCKETS = 256  # of sh and dh
MAGLEV_SIZE = 4093  # of mh, IP_VS_MH_TAB_INDEX 12

TIME_WAIT = 120 * S
MINUTE = 60 * S

ServerKey = tuple[str, int, str]
"""A virtual server: address, port, protocol."""


@dataclass(slots=True)
class RealServer:
    """One endpoint of a virtual server."""

    endpoint: Endpoint
    weight: int = 1
    active: int = 0  # established connections
    inactive: int = 0  # others: opening or closed
    ends: deque[int] = field(default_factory=deque)  # when those that are closed are forgotten, soonest first

    @property
    def load(self) -> int:
        """What lc and wlc compare: an active connection counts for 256 others."""
        return self.active * 256 + self.inactive

    def expire(self, now: int) -> None:
        """Forget the connections that have been closed for long enough."""
        while self.ends and self.ends[0] <= now:
            self.ends.popleft()
            self.inactive -= 1


@dataclass(slots=True)
class VirtualServer:
    """A service address with its real servers."""

    scheduler: str = "rr"
    persistence: int | None = None  # nanoseconds
    servers: dict[str, RealServer] = field(default_factory=dict)  # by endpoint address, in order of arrival
    last: str = ""  # the real server that rr gave last
    templates: dict[str, tuple[str, int]] = field(default_factory=dict)  # client -> endpoint address, when
    maglev: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # for which servers, and the table


class IPVS:
    """The virtual servers of one node.

    >>> ipvs, web = IPVS(), ("10.96.0.1", 80, "TCP")
    >>> pods = [Endpoint("10.1.0.1", 80), Endpoint("10.1.0.2", 80)]
    >>> ipvs.program(web, pods)
    >>> [ipvs.choose(web, "10.1.0.9", now=0).ip for _ in range(3)]
    ['10.1.0.1', '10.1.0.2', '10.1.0.1']
    """

    def __init__(self) -> None:
        self.virtual: dict[ServerKey, VirtualServer] = {}
        self._asked = 0  # the minute in which it was last looked for drained servers

    def program(
        self,
        key: ServerKey,
        endpoints: Iterable[Endpoint],
        scheduler: str = "rr",
        persistence: int | None = None,
    ) -> None:
        """A sync: these are the endpoints of a virtual server now."""
        server = self.virtual.setdefault(key, VirtualServer(scheduler))
        server.scheduler, server.persistence = scheduler, persistence
        wanted = {e.address: e for e in endpoints}
        for address, real in list(server.servers.items()):
            if address in wanted:
                if real.weight == 0:
                    del server.servers[address]  # it came back while it drained: removed and added anew
            elif key[2] == "TCP" and real.active + real.inactive:
                real.weight = 0
            else:
                del server.servers[address]
        for address in sorted(wanted):
            if address not in server.servers:
                server.servers[address] = RealServer(wanted[address])
            else:
                server.servers[address].endpoint = wanted[address]

    def remove(self, key: ServerKey) -> None:
        """A virtual server is gone."""
        self.virtual.pop(key, None)

    def drain(self) -> None:
        """Take away the real servers of weight 0 without a connection."""
        for server in self.virtual.values():
            for address, real in list(server.servers.items()):
                if real.weight == 0 and not real.active + real.inactive:
                    del server.servers[address]

    def pass_time(self, now: int) -> None:
        """What has happened by now: connections are forgotten, and kube-proxy has looked for drained servers."""
        if now // MINUTE == self._asked:
            return
        self._asked = now // MINUTE
        for server in self.virtual.values():
            for real in server.servers.values():
                real.expire(now // MINUTE * MINUTE)
        self.drain()

    def choose(self, key: ServerKey, client: str, now: int) -> Endpoint | None:
        """The endpoint for a new connection; None if no real server takes it, and it is refused."""
        self.pass_time(now)
        server = self.virtual.get(key)
        if server is None or not server.servers:
            return None
        for real in server.servers.values():
            real.expire(now)
        bound = self._bound(server, client, now)
        chosen = bound or SCHEDULERS[server.scheduler](server, client, key[0])
        if chosen is None:
            return None
        if server.persistence is not None:
            server.templates[client] = (chosen.endpoint.address, now)
        return chosen.endpoint

    def opened(self, key: ServerKey, endpoint: Endpoint) -> None:
        """A connection was begun: it counts as inactive until it is established."""
        self._count(key, endpoint, inactive=1)

    def established(self, key: ServerKey, endpoint: Endpoint) -> None:
        """A connection's handshake is done."""
        self._count(key, endpoint, active=1, inactive=-1)

    def closed(self, key: ServerKey, endpoint: Endpoint, now: int) -> None:
        """An established connection has ended."""
        real = self._real(key, endpoint)
        if real is not None and real.active:  # one that came back has forgotten those of its former life
            real.active -= 1
            real.inactive += 1
            real.ends.append(now + TIME_WAIT)

    def seen(self, key: ServerKey, now: int) -> list[RealServer]:
        """The real servers of a virtual one by address, with the connections they have now."""
        server = self.virtual.get(key)
        found = [real for _, real in sorted(server.servers.items())] if server else []
        for real in found:
            real.expire(now)
        return found

    def clear(self) -> None:
        """The node booted."""
        self.virtual.clear()

    def _count(self, key: ServerKey, endpoint: Endpoint, active: int = 0, inactive: int = 0) -> None:
        real = self._real(key, endpoint)
        if real is not None:
            real.active = max(0, real.active + active)
            real.inactive = max(0, real.inactive + inactive)

    def _real(self, key: ServerKey, endpoint: Endpoint) -> RealServer | None:
        server = self.virtual.get(key)
        return server.servers.get(endpoint.address) if server else None

    def _bound(self, server: VirtualServer, client: str, now: int) -> RealServer | None:
        if server.persistence is None or client not in server.templates:
            return None
        address, since = server.templates[client]
        real = server.servers.get(address)
        if now - since >= server.persistence or real is None or real.weight == 0:
            del server.templates[client]
            return None
        return real


def _in_turn(server: VirtualServer, client: str, destination: str) -> RealServer | None:
    """rr, and wrr with equal weights: the next after the last one."""
    order = list(server.servers)
    start = order.index(server.last) + 1 if server.last in server.servers else 0
    for address in order[start:] + order[:start]:
        if server.servers[address].weight:
            server.last = address
            return server.servers[address]
    return None


def _least(cost: Callable[[RealServer], int]) -> Callable[[VirtualServer, str, str], RealServer | None]:
    def choose(server: VirtualServer, client: str, destination: str) -> RealServer | None:
        able = [real for real in server.servers.values() if real.weight]
        return min(able, key=cost, default=None)

    return choose


def _never_queue(server: VirtualServer, client: str, destination: str) -> RealServer | None:
    """An idle server if there is one, otherwise as sed."""
    able = [real for real in server.servers.values() if real.weight]
    idle = next((real for real in able if not real.active), None)
    return idle or min(able, key=lambda real: real.active + 1, default=None)


def _by_source(server: VirtualServer, client: str, destination: str) -> RealServer | None:
    bucket = _fold(client) * 0x61C88647 % 2**32 >> 24  # the kernel's hash_32 to 8 bits
    return _in_bucket(server, bucket)


def _by_destination(server: VirtualServer, client: str, destination: str) -> RealServer | None:
    return _in_bucket(server, _fold(destination) * 2654435761 % 2**32 & (BUCKETS - 1))


def _in_bucket(server: VirtualServer, bucket: int) -> RealServer | None:
    servers = list(server.servers.values())
    real = servers[bucket % len(servers)]  # buckets are dealt out in turn, to draining servers too
    return real if real.weight else None


def _maglev(server: VirtualServer, client: str, destination: str) -> RealServer | None:
    able = tuple(address for address, real in server.servers.items() if real.weight)
    if not able:
        return None
    if server.maglev[0] != able:
        server.maglev = (able, maglev_table(able))
    table = server.maglev[1]
    return server.servers[table[_hash(client) % len(table)]]


def maglev_table(names: tuple[str, ...], size: int = MAGLEV_SIZE) -> tuple[str, ...]:
    """Each name's preferred places, filled in turn: removing one name moves few others.

    >>> table = maglev_table(("a", "b", "c"), 7)
    >>> len(table), set(table) == {"a", "b", "c"}
    (7, True)
    """
    turns = [(_hash(f"offset {n}") % size, _hash(f"skip {n}") % (size - 1) + 1) for n in names]
    table: list[str] = [""] * size
    tried = [0] * len(names)
    filled = 0
    while True:
        for number, (offset, skip) in enumerate(turns):
            place = (offset + tried[number] * skip) % size
            while table[place]:
                tried[number] += 1
                place = (offset + tried[number] * skip) % size
            table[place] = names[number]
            tried[number] += 1
            filled += 1
            if filled == size:
                return tuple(table)


def _fold(address: str) -> int:
    """An address as 32 bits: IPv6 by exclusive or of its words."""
    number, folded = int(ip_address(address)), 0
    while number:
        folded, number = folded ^ number & 0xFFFFFFFF, number >> 32
    return folded


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


SCHEDULERS: dict[str, Callable[[VirtualServer, str, str], RealServer | None]] = {
    "rr": _in_turn,
    "wrr": _in_turn,
    "lc": _least(lambda real: real.load),
    "wlc": _least(lambda real: real.load),
    "sed": _least(lambda real: real.active + 1),
    "nq": _never_queue,
    "sh": _by_source,
    "dh": _by_destination,
    "mh": _maglev,
}
"""How a real server is chosen for a new connection."""
