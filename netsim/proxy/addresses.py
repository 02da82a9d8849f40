"""Addresses as kube-proxy reads them: plain text in one canonical form, IPv4 or IPv6.

Old objects may hold zero-padded IPv4 addresses ("10.180.00.001"); Kubernetes reads those as decimal and
rewrites them (k8s.io/utils/net, ParseIPSloppy), and so do we.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

AnyNetwork = IPv4Network | IPv6Network

_PADDED = re.compile(r"(?<![0-9a-fA-F.:])0+(?=[0-9])|(?<=\.)0+(?=[0-9])")


def family(text: str) -> int:
    """4 or 6, by the look of an address or range.

    >>> family("10.0.0.1"), family("fd00::/64")
    (4, 6)
    """
    return 6 if ":" in text else 4


@lru_cache(1 << 12)
def canonical(address: str) -> str:
    """The one way to write an address.

    >>> canonical("1.2.3.004"), canonical("FD00:0::1"), canonical("::ffff:10.0.0.1")
    ('1.2.3.4', 'fd00::1', '10.0.0.1')
    """
    parsed = ip_address(address if ":" in address else _PADDED.sub("", address))
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def network(text: str) -> AnyNetwork:
    """The range a CIDR names; bits below its mask are ignored.

    >>> network(" 203.0.113.000/025")
    IPv4Network('203.0.113.0/25')
    """
    address, _, mask = text.strip().partition("/")
    address = address if ":" in address else _PADDED.sub("", address)
    return ip_network(f"{address}/{int(mask)}" if mask else address, strict=False)


def join(address: str, port: int) -> str:
    """An address and a port as one text.

    >>> join("10.0.0.1", 80), join("fd00::1", 80)
    ('10.0.0.1:80', '[fd00::1]:80')
    """
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def is_loopback(address: str) -> bool:
    """Whether an address never leaves its machine.

    >>> is_loopback("127.0.0.53"), is_loopback("::1"), is_loopback("10.0.0.1")
    (True, True, False)
    """
    return address.startswith("127.") or address == "::1"


class Ranges:
    """Some address ranges, quick to ask.

    >>> "10.244.3.7" in Ranges(["10.244.0.0/16"]), "fd00::1" in Ranges(["10.244.0.0/16"])
    (True, False)
    """

    __slots__ = ("_tests", "networks")

    def __init__(self, networks: Iterable[AnyNetwork | str]) -> None:
        self.networks = tuple(network(n) if isinstance(n, str) else n for n in networks)
        self._tests = tuple((n.version, int(n.network_address), int(n.netmask)) for n in self.networks)

    def __contains__(self, address: str) -> bool:
        if not self._tests:
            return False
        parsed = ip_address(address)
        version, number = parsed.version, int(parsed)
        return any(v == version and number & mask == base for v, base, mask in self._tests)

    def __bool__(self) -> bool:
        return bool(self.networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self.networks == other.networks

    def __hash__(self) -> int:
        return hash(self.networks)

    def __repr__(self) -> str:
        return f"Ranges({', '.join(str(n) for n in self.networks)})"

    def of_family(self, version: int) -> Ranges:
        """Only the ranges of one address family."""
        return Ranges(n for n in self.networks if n.version == version)
