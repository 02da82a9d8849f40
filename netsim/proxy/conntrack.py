"""The connection tracking table of one node: what was decided for the first packet holds for the rest.

An entry joins a connection's original tuple to the tuple its answers carry. It outlives the endpoint:
kube-proxy never touches TCP entries, so an established connection keeps going to a pod that is no endpoint
any more, and the retries of a SYN stay with the endpoint first chosen. Only UDP is cleaned up after
(`stale`). A client that takes the same port again after its connection was closed meets the rules anew; before
that it goes where the old one went. A full table first gives up entries that are not ASSURED; if there are none,
new connections are dropped and established ones go on.

Left out: expectations, zones, offload; what becomes of a handshake whose entry was given up; the kernel looks
for an entry to give up in a few hash buckets, here it is the oldest. Sources: kernel
`Documentation/networking/nf_conntrack-sysctl.rst`, `net/netfilter/nf_conntrack_{core,proto_tcp,proto_udp,
proto_sctp}.c`; kubernetes 1.34 `pkg/proxy/conntrack/cleanup.go`; kube-proxy's own settings, `defaults.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from netsim.proxy.addresses import join
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet
from netsim.proxy.tables import Version
from netsim.units import S

TIMEOUTS = {
    "TCP": {
        "SYN_SENT": 120 * S, "SYN_RECV": 60 * S, "ESTABLISHED": 86400 * S, "FIN_WAIT": 120 * S,
        "CLOSE_WAIT": 3600 * S, "LAST_ACK": 30 * S, "TIME_WAIT": 120 * S, "CLOSE": 10 * S,
    },
    "UDP": {"UNREPLIED": 30 * S, "REPLIED": 30 * S, "STREAM": 120 * S},
    "SCTP": {
        "COOKIE_WAIT": 3 * S, "COOKIE_ECHOED": 3 * S, "ESTABLISHED": 210 * S, "SHUTDOWN_SENT": 3 * S,
        "CLOSED": 10 * S,
    },
}  # fmt: skip
"""How long an entry waits for the next packet; TCP as kube-proxy sets it (86,400 s and 3,600 s)."""

STREAM_AFTER = 2 * S  # a UDP flow that talks in both directions for longer than this is a stream

NEXT = {
    "TCP": {
        "SYN_SENT": {"syn-ack": "SYN_RECV", "rst": "CLOSE", "established": "ESTABLISHED"},
        "SYN_RECV": {"ack": "ESTABLISHED", "rst": "CLOSE", "established": "ESTABLISHED", "fin": "FIN_WAIT"},
        "ESTABLISHED": {"data": "ESTABLISHED", "fin": "FIN_WAIT", "rst": "CLOSE"},
        "FIN_WAIT": {"ack": "CLOSE_WAIT", "fin": "LAST_ACK", "rst": "CLOSE"},
        "CLOSE_WAIT": {"fin": "LAST_ACK", "data": "CLOSE_WAIT", "rst": "CLOSE"},
        "LAST_ACK": {"ack": "TIME_WAIT", "rst": "CLOSE"},
        "TIME_WAIT": {},
        "CLOSE": {},
    },
    "SCTP": {
        "COOKIE_WAIT": {"cookie": "COOKIE_ECHOED", "abort": "CLOSED", "established": "ESTABLISHED"},
        "COOKIE_ECHOED": {"ack": "ESTABLISHED", "abort": "CLOSED", "established": "ESTABLISHED"},
        "ESTABLISHED": {"data": "ESTABLISHED", "shutdown": "SHUTDOWN_SENT", "abort": "CLOSED"},
        "SHUTDOWN_SENT": {"ack": "CLOSED", "abort": "CLOSED"},
        "CLOSED": {},
    },
}
"""What a packet makes of an entry; one that is not listed leaves it as it is."""

FIRST = {"TCP": "SYN_SENT", "UDP": "UNREPLIED", "SCTP": "COOKIE_WAIT"}
ASSURED = {"ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "STREAM", "SHUTDOWN_SENT"}
CLOSED = {"TIME_WAIT", "CLOSE", "CLOSED"}
NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132}


class Tuple(NamedTuple):
    """One direction of a connection."""

    protocol: str
    source: str
    source_port: int
    destination: str
    port: int


@dataclass(slots=True)
class Entry:
    """One connection as a node remembers it."""

    original: Tuple
    reply: Tuple  # what its answers look like when they arrive
    endpoint: Endpoint | None  # what the destination was translated to; None: it was not
    state: str
    expires: int
    began: int
    replied: bool = False
    assured: bool = False
    at_socket: bool = False  # it was the socket that translated: packets name the endpoint from the start

    @property
    def masqueraded(self) -> bool:
        """Whether the source was replaced, too."""
        return self.reply.destination != self.original.source

    def text(self, now: int) -> str:
        """One line of `conntrack -L`."""
        protocol = self.original.protocol
        state = f"{self.state} " if protocol != "UDP" else ""
        left = max(0, self.expires - now) // S
        unreplied = "" if self.replied else "[UNREPLIED] "
        return (
            f"{protocol.lower():<8} {NUMBERS[protocol]} {left} {state}{_pair(self._seen())} {unreplied}"
            f"{_pair(self.reply)} {'[ASSURED] ' if self.assured else ''}mark=0 use=1"
        )

    def _seen(self) -> Tuple:
        """The original tuple as netfilter meets it."""
        if not self.at_socket:
            return self.original
        there = self.reply
        return Tuple(there.protocol, there.destination, there.port, there.source, there.source_port)


def maximum(cores: int) -> int:
    """How many entries kube-proxy lets a node's table hold: 32,768 a core, at least 131,072.

    >>> maximum(2), maximum(8)
    (131072, 262144)
    """
    return max(32768 * cores, 131072)


@dataclass
class Conntrack:
    """The table of one node.

    >>> table, pod = Conntrack(), Endpoint("10.1.0.1", 8080)
    >>> entry = table.add(Packet("10.1.0.9", 40000, "10.96.0.1", 80), pod, now=0)
    >>> table.find(Packet("10.1.0.9", 40000, "10.96.0.1", 80), now=119 * S).endpoint.ip
    '10.1.0.1'
    >>> table.find(Packet("10.1.0.9", 40000, "10.96.0.1", 80), now=120 * S) is None
    True
    """

    limit: int = 131072
    early_drops: int = 0  # entries given up for new ones
    drops: int = 0  # new connections that found the table full
    _entries: dict[Tuple, Entry] = field(default_factory=dict)
    _replies: dict[Tuple, Entry] = field(default_factory=dict)
    _weak: dict[Tuple, None] = field(default_factory=dict)  # not ASSURED, oldest first
    _swept: int = -1  # when entries out of time were last looked for

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, packet: Packet, now: int, *, opens: bool = False) -> Entry | None:
        """The entry of a packet of either direction. One that `opens` a connection ends what was closed before."""
        key = _original(packet)
        entry = self._entries.get(key) or self._replies.get(key)
        if entry is not None and (entry.expires <= now or (opens and entry.state in CLOSED)):
            self.delete(entry)
            return None
        return entry

    def admits(self, packet: Packet, now: int) -> bool:
        """Whether a packet that opens a connection gets through: there is room, or it is known already."""
        if len(self._entries) < self.limit or self._weak:
            return True
        self.expire(now)
        return self.find(packet, now, opens=True) is not None or len(self._entries) < self.limit

    def add(
        self,
        packet: Packet,
        endpoint: Endpoint | None,
        now: int,
        source_seen: str = "",
        port_seen: int = 0,
        *,
        at_socket: bool = False,
    ) -> Entry | None:
        """Remember a new connection; None if the table is full, and the packet is dropped.

        `source_seen` and `port_seen` are the source the endpoint sees, if it was replaced. Two connections
        that would look the same to the endpoint get different ports. `at_socket`: the socket translated.
        """
        if len(self._entries) >= self.limit and not self._make_room(now):
            self.drops += 1
            return None
        original = _original(packet)
        there, port = (endpoint.ip, endpoint.port) if endpoint else (packet.destination, packet.port)
        reply = Tuple(
            packet.protocol, there, port, source_seen or packet.source, port_seen or packet.source_port
        )
        while reply in self._replies and self._replies[reply].original != original:
            reply = reply._replace(port=reply.port % 65535 + 1 if reply.port != 65535 else 1024)
        old = self._entries.get(original)
        if old is not None:
            self.delete(old)
        state = FIRST[packet.protocol]
        expires = now + TIMEOUTS[packet.protocol][state]
        entry = Entry(original, reply, endpoint, state, expires, now, at_socket=at_socket)
        self._entries[original] = self._replies[reply] = entry
        self._weak[original] = None
        return entry

    def saw(self, entry: Entry, what: str, now: int, *, reply: bool = False) -> None:
        """A packet of a connection passed: a flag of TCP (syn-ack, ack, data, fin, rst), or just data.

        `established` stands for a whole handshake, `reply` says that it came from the endpoint.
        """
        protocol = entry.original.protocol
        entry.replied |= reply or what in ("syn-ack", "established")
        if protocol == "UDP":
            if entry.replied:
                entry.state = "STREAM" if now - entry.began > STREAM_AFTER else "REPLIED"
        else:
            entry.state = NEXT[protocol][entry.state].get(what, entry.state)
        entry.expires = now + TIMEOUTS[protocol][entry.state]
        assured = entry.assured or (entry.replied and entry.state in ASSURED)
        if assured and not entry.assured:
            entry.assured = True
            self._weak.pop(entry.original, None)

    def delete(self, entry: Entry) -> None:
        """Forget a connection: its next packet meets the rules anew."""
        self._entries.pop(entry.original, None)
        self._replies.pop(entry.reply, None)
        self._weak.pop(entry.original, None)

    def clean_up(self, versions: Iterable[Version]) -> list[Entry]:
        """What kube-proxy does after a sync that changed the endpoints of a UDP port."""
        gone: list[Entry] = list(stale(self._entries.values(), versions))
        for entry in gone:
            self.delete(entry)
        return gone

    def expire(self, now: int) -> None:
        """Drop what has timed out; looking an entry up does the same for it alone."""
        for entry in [e for e in self._entries.values() if e.expires <= now]:
            self.delete(entry)

    def entries(self, now: int) -> list[Entry]:
        """The entries that are alive, in the order they were made."""
        return [entry for entry in self._entries.values() if entry.expires > now]

    def render(self, now: int) -> str:
        """`conntrack -L`."""
        return "".join(f"{entry.text(now)}\n" for entry in self.entries(now))

    def clear(self) -> None:
        """The node booted."""
        self._entries.clear()
        self._replies.clear()
        self._weak.clear()

    def _make_room(self, now: int) -> bool:
        """Early drop: give up the oldest entry that is not ASSURED."""
        if self._swept != now:  # the kernel's garbage collector has long taken what is out of time
            self.expire(now)
            self._swept = now
        if len(self._entries) < self.limit:
            return True
        oldest = next(iter(self._weak), None)
        if oldest is None:
            return False
        self.delete(self._entries[oldest])
        self.early_drops += 1
        return True


class Flow(Protocol):
    """What clean-up looks at in an entry."""

    @property
    def original(self) -> Tuple: ...

    @property
    def reply(self) -> Tuple: ...


F = TypeVar("F", bound=Flow)


def stale(entries: Iterable[F], versions: Iterable[Version]) -> Iterator[F]:
    """The UDP entries of services that do not lead to one of their serving endpoints, address and port.

    A service without a serving endpoint keeps its entries. Policies, topology and termination do not count:
    what serves may keep its flows. An entry is a service's by the address and port called, or by a node port.
    """
    addresses: dict[str, set[str]] = {}
    node_ports: dict[int, set[str]] = {}
    for version in versions:
        port = version.service_port
        serving = {e.address for e in version.endpoints.all if e.serving}
        if port.protocol != "UDP" or not serving:
            continue
        for address in (port.cluster_ip, *port.external_ips, *port.load_balancer_vips):
            addresses[join(address, port.port)] = serving
        if port.node_port:
            node_ports[port.node_port] = serving
    for entry in entries:
        if entry.original.protocol != "UDP":
            continue
        leads_to = join(entry.reply.source, entry.reply.source_port)
        called = addresses.get(join(entry.original.destination, entry.original.port))
        by_port = node_ports.get(entry.original.port)
        if any(wanted is not None and leads_to not in wanted for wanted in (called, by_port)):
            yield entry


def _original(packet: Packet) -> Tuple:
    return Tuple(packet.protocol, packet.source, packet.source_port, packet.destination, packet.port)


def _pair(flow: Tuple) -> str:
    return f"src={flow.source} dst={flow.destination} sport={flow.source_port} dport={flow.port}"
