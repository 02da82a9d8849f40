"""Who hands out addresses and ports: Service IPs, node ports, pod ranges of nodes, pod addresses.

The API server's allocators split their range in two bands: the lower one is left to people who pick a value
themselves, the upper one feeds automatic allocation, until it is full (KEP-3070 for Service addresses,
KEP-3668 for node ports). An automatic choice starts at a random place and takes the next free value; chance
is not generated here, the caller hands in 64 random bits. Node ranges are handed out in order; a node's pod
addresses go round robin from the last one reserved, so that an address is not reused at once.

Left out: the IPAddress objects and the repair loop. Sources: kubernetes 1.32 `pkg/registry/core/service/
ipallocator` and `portallocator`, `pkg/controller/nodeipam/ipam/cidrset`, containernetworking/plugins
`host-local`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

AnyNetwork = IPv4Network | IPv6Network


class AllocationError(Exception):
    """A value cannot be handed out; the message is the API server's."""


class Full(AllocationError):
    """Nothing is free."""


class NotInRange(AllocationError):
    """The wanted value lies outside the range."""


class AlreadyAllocated(AllocationError):
    """The wanted value is taken."""


@dataclass
class Band:
    """A range of `size` places, counted from zero; the first `static` ones are kept for explicit wishes."""

    size: int
    static: int
    used: set[int] = field(default_factory=set)
    _sorted: list[int] = field(default_factory=list)

    def take(self, place: int) -> bool:
        """Take one place; False if it is taken already."""
        if place in self.used:
            return False
        self.used.add(place)
        insort(self._sorted, place)
        return True

    def give_back(self, place: int) -> None:
        """Free a place; a free one stays free."""
        if place in self.used:
            self.used.remove(place)
            del self._sorted[bisect_left(self._sorted, place)]

    def take_any(self, bits: int) -> int | None:
        """Take a free place: in the upper band from a random start on, else in the lower; None if full."""
        for first, last in ((self.static, self.size), (0, self.static)):
            inside = bisect_left(self._sorted, last) - bisect_left(self._sorted, first)
            if last > first and inside < last - first:
                start = first + (bits * (last - first) >> 64)
                place = self._free_from(start, last)
                if place is None:
                    place = self._free_from(first, start)
                assert place is not None
                self.take(place)
                return place
        return None

    def _free_from(self, first: int, last: int) -> int | None:
        """The first free place in [first, last): skip runs of taken ones by bisection."""
        low = bisect_left(self._sorted, first)
        count = bisect_left(self._sorted, last) - low
        if first >= last or count == last - first:
            return None
        left, right = 0, count  # the taken places first, first + 1, ... form a run of `left` places
        while left < right:
            middle = (left + right) // 2
            if self._sorted[low + middle] == first + middle:
                left = middle + 1
            else:
                right = middle
        return first + left


class ServiceIPAllocator:
    """The cluster IPs of one range. Nobody is given the address `kept` unless he asks for it (kubeadm's DNS).

    >>> ips = ServiceIPAllocator("10.96.0.0/12")
    >>> ips.band()
    ('10.96.0.1', '10.96.1.0', '10.96.1.1', '10.111.255.254')
    >>> ips.allocate_next(0), ips.allocate_next(0), ips.allocate("10.96.0.10")
    ('10.96.1.1', '10.96.1.2', '10.96.0.10')
    """

    def __init__(self, network: AnyNetwork | str, kept: str = "") -> None:
        self.network = ip_network(network) if isinstance(network, str) else network
        self.kept = kept
        size = self.network.num_addresses
        self._first = int(self.network.network_address) + 1  # never the network's own address
        usable = size - 1 - (self.network.version == 4)  # nor the IPv4 broadcast address
        self.offset = 0 if size <= 16 else min(max(16, size // 16), 256)
        self._band = Band(max(0, usable), min(self.offset, max(0, usable)))

    def allocate(self, address: str) -> str:
        """Take the address somebody asked for."""
        place = self._place(address)
        if place is None:
            raise NotInRange(f"the provided IP ({address}) is not in the valid range. "
                             f"The range of valid IPs is {self.network}")  # fmt: skip
        if not self._band.take(place):
            raise AlreadyAllocated("provided IP is already allocated")
        return str(ip_address(address))

    def allocate_next(self, bits: int) -> str:
        """Take a free address; the 64 random bits say where the search begins."""
        place = self._band.take_any(bits)
        if place is not None and self._address(place) == self.kept:
            kept = place
            place = self._band.take_any(bits)
            self._band.give_back(kept)
        if place is None:
            raise Full("range is full")
        return self._address(place)

    def release(self, address: str) -> None:
        """Free an address."""
        place = self._place(address)
        if place is not None:
            self._band.give_back(place)

    def has(self, address: str) -> bool:
        """Whether the address is taken."""
        return self._place(address) in self._band.used

    @property
    def free(self) -> int:
        """How many addresses are left."""
        return self._band.size - len(self._band.used)

    @property
    def used(self) -> int:
        """How many addresses are taken."""
        return len(self._band.used)

    def band(self) -> tuple[str, str, str, str]:
        """First and last static address, first and last dynamic one."""
        static, size = self._band.static, self._band.size
        return self._address(0), self._address(static - 1), self._address(static), self._address(size - 1)

    def __iter__(self) -> Iterator[str]:
        return (self._address(place) for place in self._band._sorted)

    def _address(self, place: int) -> str:
        kind = IPv4Address if self.network.version == 4 else IPv6Address
        return str(kind(self._first + place))

    def _place(self, address: str) -> int | None:
        parsed = ip_address(address)
        place = int(parsed) - self._first
        return place if parsed.version == self.network.version and 0 <= place < self._band.size else None


class NodePortAllocator:
    """The node ports of a cluster. One number is one port, whatever its protocol.

    >>> ports = NodePortAllocator()
    >>> ports.dynamic_first, ports.allocate_next(0), ports.allocate_next(0), ports.allocate(30080)
    (30086, 30086, 30087, 30080)
    """

    def __init__(self, first: int = 30000, last: int = 32767) -> None:
        self.first, self.last = first, last
        size = last - first + 1
        self.offset = 0 if size <= 16 else min(max(16, size // 32), 128)
        self._band = Band(size, min(self.offset, size))

    @property
    def dynamic_first(self) -> int:
        """The first port that automatic allocation gives."""
        return self.first + self.offset

    def allocate(self, port: int) -> int:
        """Take the port somebody asked for."""
        if not self.first <= port <= self.last:
            raise NotInRange(f"provided port is not in the valid range. The range of valid ports is "
                             f"{self.first}-{self.last}")  # fmt: skip
        if not self._band.take(port - self.first):
            raise AlreadyAllocated("provided port is already allocated")
        return port

    def allocate_next(self, bits: int) -> int:
        """Take a free port; the 64 random bits say where the search begins."""
        place = self._band.take_any(bits)
        if place is None:
            raise Full("range is full")
        return self.first + place

    def release(self, port: int) -> None:
        """Free a port."""
        self._band.give_back(port - self.first)

    def has(self, port: int) -> bool:
        """Whether the port is taken."""
        return port - self.first in self._band.used

    @property
    def free(self) -> int:
        """How many ports are left."""
        return self._band.size - len(self._band.used)

    @property
    def used(self) -> int:
        """How many ports are taken."""
        return len(self._band.used)

    def __iter__(self) -> Iterator[int]:
        return (self.first + place for place in self._band._sorted)


class NodeCIDRAllocator:
    """The pod ranges of nodes, cut from the cluster's range in order; a freed one is given again last.

    >>> ranges = NodeCIDRAllocator("10.244.0.0/16", 24)
    >>> ranges.allocate(), ranges.allocate()
    ('10.244.0.0/24', '10.244.1.0/24')
    """

    def __init__(self, cluster: AnyNetwork | str, mask: int) -> None:
        self.cluster = ip_network(cluster) if isinstance(cluster, str) else cluster
        if not self.cluster.prefixlen <= mask <= self.cluster.max_prefixlen:
            raise ValueError(f"a /{mask} does not fit into {self.cluster}")
        self.mask = mask
        self.size = 1 << (mask - self.cluster.prefixlen)
        self._used: set[int] = set()
        self._next = 0

    def allocate(self) -> str:
        """The next free range."""
        if len(self._used) == self.size:
            raise Full(
                "CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range"
            )
        while self._next in self._used:
            self._next = (self._next + 1) % self.size
        place, self._next = self._next, (self._next + 1) % self.size
        self._used.add(place)
        return self._range(place)

    def occupy(self, cidr: str) -> None:
        """Take the range that a node already has."""
        self._used.add(self._place(cidr))

    def release(self, cidr: str) -> None:
        """Free a range."""
        self._used.discard(self._place(cidr))

    @property
    def _step(self) -> int:
        return 1 << (self.cluster.max_prefixlen - self.mask)

    def _range(self, place: int) -> str:
        kind = IPv4Address if self.cluster.version == 4 else IPv6Address
        return f"{kind(int(self.cluster.network_address) + place * self._step)}/{self.mask}"

    def _place(self, cidr: str) -> int:
        network = ip_network(cidr)
        place = (int(network.network_address) - int(self.cluster.network_address)) // self._step
        if (
            network.version != self.cluster.version
            or network.prefixlen != self.mask
            or not 0 <= place < self.size
        ):
            raise NotInRange(f"{cidr} is not a /{self.mask} of {self.cluster}")
        return place


class HostLocal:
    """A node's pod addresses: round robin from the last one reserved. The first address is the gateway's.

    >>> pods = HostLocal("10.244.1.0/24")
    >>> pods.gateway, pods.allocate(), pods.allocate()
    ('10.244.1.1', '10.244.1.2', '10.244.1.3')
    >>> pods.release("10.244.1.2"); pods.allocate()
    '10.244.1.4'
    """

    def __init__(self, cidr: AnyNetwork | str) -> None:
        self.network = ip_network(cidr) if isinstance(cidr, str) else cidr
        self._first = int(self.network.network_address) + 1
        self._count = max(0, self.network.num_addresses - 1 - (self.network.version == 4))
        self._used: set[int] = {0}  # the gateway
        self._last = 0
        self.gateway = self._address(0)

    def allocate(self) -> str:
        """The next free address after the last one reserved."""
        if len(self._used) >= self._count:
            raise Full(
                f"no IP addresses available in range set: {self._address(1)}-{self._address(self._count - 1)}"
            )
        place = (self._last + 1) % self._count
        while place in self._used:
            place = (place + 1) % self._count
        self._used.add(place)
        self._last = place
        return self._address(place)

    def release(self, address: str) -> None:
        """Free an address."""
        place = int(ip_address(address)) - self._first
        if place:
            self._used.discard(place)

    def has(self, address: str) -> bool:
        """Whether the address is reserved."""
        return int(ip_address(address)) - self._first in self._used

    def _address(self, place: int) -> str:
        kind = IPv4Address if self.network.version == 4 else IPv6Address
        return str(kind(self._first + place))
