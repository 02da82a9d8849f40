"""Session affinity: which endpoint a client was sent to, on one node.

Every new connection refreshes the memory; a client that stays away for the Service's timeout is forgotten.
Nodes share nothing. The memory belongs to the endpoint: iptables mode keeps a list of the 100 latest clients
for each (xt_recent, ip_list_tot), so a busy endpoint forgets its oldest; nftables mode keeps a set of 65,535,
which takes nobody new while it is full. IPVS has its own (`ipvs_state.py`).

Sources: kernel `net/netfilter/xt_recent.c`, nft's default for dynamic sets; netsim's kernel measurements.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Verdict
from netsim.proxy.services import PortId

Place = tuple[PortId, str]  # a service port and one of its endpoints' addresses

LIMITS = {
    "iptables": (100, True),
    "nftables": (65535, False),
}  # how many clients, and whether old ones give way


@dataclass
class Affinity:
    """The affinity memory of one node.

    >>> from netsim.proxy.services import ServicePort
    >>> web = ServicePort("default", "web", "", "TCP", "10.96.0.1", 80, affinity_seconds=10)
    >>> pod = Endpoint("10.1.0.1", 80)
    >>> memory, verdict = Affinity("iptables"), Verdict("DNAT", web, (pod,), affinity=10)
    >>> memory.remember(verdict, pod, "10.1.0.9", now=0)
    >>> memory.find(verdict, "10.1.0.9", now=9), memory.find(verdict, "10.1.0.9", now=10)
    (<Endpoint 10.1.0.1:80 on ? ready>, None)
    """

    mode: str = "iptables"
    _clients: dict[Place, dict[str, int]] = field(default_factory=dict)  # last connections, oldest first
    _places: dict[tuple[PortId, str], set[str]] = field(default_factory=dict)  # client -> endpoint addresses

    def find(self, verdict: Verdict, client: str, now: int) -> Endpoint | None:
        """The endpoint that `client` is bound to, if it still is one of the verdict's."""
        assert verdict.service_port is not None
        assert verdict.affinity is not None
        port = verdict.service_port.id
        known = self._places.get((port, client))
        for address in sorted(known) if known else ():  # rules ask in the order of the addresses
            if now - self._clients[port, address][client] >= verdict.affinity:
                continue
            endpoint = _endpoint(verdict.endpoints, address)
            if endpoint is not None:
                return endpoint
        return None

    def remember(self, verdict: Verdict, endpoint: Endpoint, client: str, now: int) -> None:
        """A new connection of `client` goes to `endpoint`."""
        assert verdict.service_port is not None
        port, address = verdict.service_port.id, endpoint.address
        clients = self._clients.setdefault((port, address), {})
        limit, gives_way = LIMITS.get(self.mode, (1 << 62, True))
        if client in clients:
            del clients[client]  # to be put at the end
        elif len(clients) >= limit:
            if not gives_way:
                self._expire(port, address, now, verdict.affinity or 0)
                if len(clients) >= limit:
                    return
            else:
                self._forget(port, address, next(iter(clients)))
        clients[client] = now
        self._places.setdefault((port, client), set()).add(address)

    def retain(self, port: PortId, endpoints: Iterable[Endpoint]) -> None:
        """The rules of a service port were rewritten: what endpoints that are gone remembered is lost."""
        kept = {endpoint.address for endpoint in endpoints}
        for place in [p for p in self._clients if p[0] == port and p[1] not in kept]:
            for client in list(self._clients[place]):
                self._forget(*place, client)
            del self._clients[place]

    def __bool__(self) -> bool:
        """Whether any client is remembered."""
        return bool(self._clients)

    def ports(self) -> set[PortId]:
        """The service ports that are remembered."""
        return {port for port, _ in self._clients}

    def clients(self, port: PortId, endpoint: Endpoint) -> dict[str, int]:
        """The clients an endpoint remembers, and when each last came; the oldest first."""
        return dict(self._clients.get((port, endpoint.address), {}))

    def clear(self) -> None:
        """The node booted."""
        self._clients.clear()
        self._places.clear()

    def _expire(self, port: PortId, address: str, now: int, timeout: int) -> None:
        for client, last in list(self._clients[port, address].items()):
            if now - last >= timeout:
                self._forget(port, address, client)

    def _forget(self, port: PortId, address: str, client: str) -> None:
        del self._clients[port, address][client]
        places = self._places[port, client]
        places.discard(address)
        if not places:
            del self._places[port, client]


def _endpoint(endpoints: tuple[Endpoint, ...], address: str) -> Endpoint | None:
    """The endpoint of an address: the verdict's endpoints are sorted by it."""
    place = bisect_left(endpoints, address, key=lambda endpoint: endpoint.address)
    if place < len(endpoints) and endpoints[place].address == address:
        return endpoints[place]
    return None
