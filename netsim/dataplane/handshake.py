"""What a TLS handshake costs: round trips by version, and the work of both ends.

TLS 1.2 needs two round trips before the first byte of a request, 1.3 one. A session that is resumed proves nothing
again: 1.2 saves a round trip by it, both save the signature; 1.3 may even send the request along (0-RTT). A server
resumes only sessions of its own: the key of its tickets is made when it starts, and no other pod has it.

Left out: handshakes do not queue for a server's workers; client certificates; OCSP.
Sources: RFC 5246, RFC 8446; nginx `ssl_session_timeout` (5 minutes), `ssl_session_ticket_key`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from netsim.dataplane.server import Server
from netsim.units import MINUTE, US

KeyKind = Literal["rsa", "ecdsa"]
TlsVersion = Literal["1.2", "1.3"]

ROUND_TRIPS = {("1.2", False): 2, ("1.2", True): 1, ("1.3", False): 1, ("1.3", True): 1}
"""Round trips before the first byte of a request, by version and whether the session is resumed."""

SIGN = {"rsa": 600 * US, "ecdsa": 30 * US}
VERIFY = {"rsa": 20 * US, "ecdsa": 80 * US}
EXCHANGE = 40 * US
"""What a core spends (RSA with 2048 bits, ECDSA with P-256, X25519): the order of what `openssl speed` prints."""

SESSION_TIME = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a handshake costs."""

    round_trips: int
    client: int  # nanoseconds of its core
    server: int

    def time(self, round_trip: int, slowness: float = 1.0) -> int:
        """How long it takes on a road of that round trip, with a server that may be slow."""
        return self.round_trips * round_trip + self.client + int(self.server * slowness)


def handshake(
    version: TlsVersion = "1.3", key: KeyKind = "ecdsa", *, resumed: bool = False, early: bool = False,
    certificates: int = 1,
) -> Handshake:  # fmt: skip
    """Its round trips and work. A resumed one proves nothing again; `early` sends the request along (0-RTT).

    >>> handshake("1.2").round_trips, handshake("1.3").round_trips
    (2, 1)
    >>> handshake("1.3", resumed=True, early=True).round_trips
    0
    >>> handshake("1.3", "rsa").server > 5 * handshake("1.3", "ecdsa").server
    True
    """
    if resumed:
        exchange = EXCHANGE if version == "1.3" else 0
        return Handshake(0 if early and version == "1.3" else ROUND_TRIPS[version, True], exchange, exchange)
    return Handshake(ROUND_TRIPS[version, False], EXCHANGE + (1 + certificates) * VERIFY[key], EXCHANGE + SIGN[key])


class Sessions:
    """The TLS sessions that a client could resume, by the server that would know them."""

    def __init__(self) -> None:
        self._begun: dict[Server, int] = {}

    def knows(self, server: Server, now: int) -> bool:
        """Whether a session with that life of a program can be resumed."""
        begun = self._begun.get(server)
        return begun is not None and now - begun < SESSION_TIME

    def begin(self, server: Server, now: int) -> None:
        """A handshake is done; those with programs that have ended are forgotten."""
        self._begun = {known: time for known, time in self._begun.items() if known.ended is None}
        self._begun[server] = now
