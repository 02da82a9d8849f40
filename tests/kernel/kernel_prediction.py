"""What the simulator says will become of a connection: every outcome it could have, with its chance.

The first packet is followed by the very functions that move requests (`route.leave`, `route.arrive`), once for
each way in which the choices on its road can fall. Nothing here knows any rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from netsim.dataplane.connection import Connection
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.requests import OUTCOMES
from netsim.dataplane.route import Delivered, Hop, Onward, Refused, arrive, leave
from netsim.proxy.packet import Packet

Outcome = tuple[str, ...]
Choice = tuple[int, int]  # the k-th of n


@dataclass(frozen=True)
class Prediction:
    """The chance of each outcome of a new connection, and whether one client's connections all share theirs."""

    chances: dict[Outcome, Fraction]
    sticky: bool = False

    @property
    def silent(self) -> bool:
        """Nobody ever answers."""
        return set(self.chances) == {("timeout",)}

    def __str__(self) -> str:
        odds = ", ".join(f"{' '.join(outcome)} {chance}" for outcome, chance in self.chances.items())
        return f"{odds}{' (always the same)' if self.sticky else ''}"


def predict(state: Forwarding, client: Place, packet: Packet) -> Prediction:
    """What may become of `packet`, the first of a connection, if no node remembers anything."""
    chances: dict[Outcome, Fraction] = {}
    for chance, outcome in _roads(state, client, packet):
        chances[outcome] = chances.get(outcome, Fraction(0)) + chance
    assert sum(chances.values()) == 1
    return Prediction(dict(sorted(chances.items())), len(chances) > 1 and _sticky(state, client, packet))


def _sticky(state: Forwarding, client: Place, packet: Packet) -> bool:
    """Whether a second connection, from another port, must end where the first did."""
    _forget(state)
    first, _ = follow(state, client, packet, ())
    again = {outcome for _, outcome in _roads(state, client, packet, forget=False)}
    _forget(state)
    return again == {first}


def _roads(
    state: Forwarding, client: Place, packet: Packet, *, forget: bool = True
) -> Iterator[tuple[Fraction, Outcome]]:
    """Every road a first packet can take, with its chance; each from a port of its own, and if nodes `forget`
    with no memory of the others."""
    pending: list[tuple[Choice, ...]] = [()]
    while pending:
        made = pending.pop()
        packet = replace(packet, source_port=packet.source_port + 1)
        if forget:
            _forget(state)
        outcome, choices = follow(state, client, packet, made)
        chance = Fraction(1)
        for place, (_, among) in enumerate(choices):
            chance /= among
            if place >= len(made):
                pending += [(*choices[:place], (other, among)) for other in range(1, among)]
        yield chance, outcome


def follow(
    state: Forwarding, client: Place, packet: Packet, made: tuple[Choice, ...]
) -> tuple[Outcome, tuple[Choice, ...]]:
    """One road to its end: the choices `made` first, then always the first way. Returns all choices it met."""
    connection = Connection(client, packet)
    choices: list[Choice] = []
    drawn: list[str] = []

    def chance(purpose: str) -> int:
        drawn.append(purpose)
        which, among = made[len(choices)] if len(choices) < len(made) else (0, 1)
        return -(-(which << 32) // among) << 32

    at, seen = client, packet.source
    hop: Hop = leave(state, client, packet, connection.pins, chance)
    while True:
        if drawn:
            which = made[len(choices)][0] if len(choices) < len(made) else 0
            choices.append((which, _ways(state, at, hop)))
            drawn.clear()
        if not isinstance(hop, Onward):
            return _outcome(connection, hop, seen), tuple(choices)
        if hop.endpoint is not None:
            seen = state.kernels[at.machine].rules.source_seen(packet, hop.endpoint, hop.verdict)
            connection.translated(state, packet, hop)
            connection.ingress = 0
        elif connection.translator is None:
            seen = hop.packet.source
        connection.places.append(hop.place)
        translated = connection.translator is not None
        at, packet = hop.place, hop.packet
        hop = arrive(state, at, packet, connection.pins, chance, translated=translated)


def _ways(state: Forwarding, at: Place, hop: Hop) -> int:
    """Among how many a choice was made."""
    if at.kind == "balancer":
        return len(state.balancers[at.address].targets)
    verdict = getattr(hop, "verdict", None)
    return len(verdict.endpoints) if verdict is not None else 1


def _outcome(connection: Connection, hop: Hop, seen: str) -> Outcome:
    if isinstance(hop, Delivered):
        return ("timeout",) if connection.asymmetric(hop.server) else ("ok", hop.server.name, seen)
    return (OUTCOMES[hop.outcome],) if isinstance(hop, Refused) else ("timeout",)


def _forget(state: Forwarding) -> None:
    """No node remembers a client or a connection."""
    for kernel in state.kernels.values():
        kernel.affinity.clear()
        kernel.conntrack.clear()
