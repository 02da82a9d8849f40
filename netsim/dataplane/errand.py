"""One packet sent now, by hand, and followed to its end at once: what a resolver or a tool at a prompt does.

The engines move traffic; this moves a single first packet through the same hops (`route.py`). It is a real packet:
affinity, IPVS's turns and conntrack remember it.

Left out: time does not pass on its way. All hops are those of the instant at which it was sent; what it
would have taken comes back as a number.
"""

from __future__ import annotations

from dataclasses import dataclass

from netsim.dataplane.connection import Connection
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.requests import OUTCOMES
from netsim.dataplane.route import Chance, Delivered, Hop, Onward, Refused, Silence, arrive, leave
from netsim.dataplane.server import Server
from netsim.draws import index
from netsim.proxy.addresses import is_loopback
from netsim.proxy.packet import Packet
from netsim.units import US

FIRST_PORT, LAST_PORT = 32768, 60999  # Linux: net.ipv4.ip_local_port_range
LOOPBACK = 10 * US  # a round trip that never leaves the machine


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of a first packet."""

    outcome: str  # ok, refused, timeout, host-unreachable or net-unreachable
    reason: str
    elapsed: int  # until its sender knows; nothing for silence, which ends when the sender's patience does
    packet: Packet  # as it was sent
    server: Server | None = None  # who has it
    port: int = 0  # and on which of its own ports
    seen: str = ""  # the source address the server saw
    connection: Connection | None = None

    @property
    def answered(self) -> bool:
        """Whether a program has it and its answers come back."""
        return self.outcome == "ok"


def socket(state: Forwarding, client: Place, address: str, port: int, protocol: str, chance: Chance) -> Packet:
    """The first packet of a new socket: its source port is any of the ephemeral ones."""
    own = address if is_loopback(address) else state.source(client, address)
    number = FIRST_PORT + index(chance("port"), LAST_PORT - FIRST_PORT + 1)
    return Packet(own, number, address, port, protocol)


def send(state: Forwarding, client: Place, packet: Packet, chance: Chance) -> Reached:
    """Send the first packet of a connection or flow, and follow it to its end."""
    connection = Connection(client, packet)
    hop = leave(state, client, packet, connection.pins, chance)
    seen, at = packet.source, packet
    while isinstance(hop, Onward):
        if hop.endpoint is not None:
            machine = connection.translated(state, at, hop)
            seen = state.kernels[machine].rules.source_seen(at, hop.endpoint, hop.verdict)
            connection.ingress = 0
        connection.goes_on(hop)
        at, translated = hop.packet, hop.endpoint is not None
        hop = arrive(state, hop.place, at, connection.pins, chance, translated=translated)
    return _ended(state, connection, packet, at, hop, seen)


def _ended(
    state: Forwarding, connection: Connection, packet: Packet, at: Packet, hop: Hop, seen: str
) -> Reached:
    """What the sender learns, and when."""
    way = connection.one_way(state)
    if isinstance(hop, Silence) or way is None:
        return Reached("timeout", hop.reason if isinstance(hop, Silence) else "no way back", 0, packet)
    elapsed = 2 * way if len(connection.places) > 1 else LOOPBACK
    if isinstance(hop, Refused):
        connection.refused(state)
        return Reached(OUTCOMES[hop.outcome], hop.reason, elapsed + hop.after, packet)
    assert isinstance(hop, Delivered)
    if connection.asymmetric(hop.server):
        return Reached("timeout", "answers bypass the node that translated", 0, packet)
    if packet.protocol == "UDP":
        connection.server = hop.server
        connection.answered(state)
    else:
        connection.open(state, hop.server)
    return Reached("ok", f"{hop.server.name} answers", elapsed, packet, hop.server, at.port, seen, connection)
