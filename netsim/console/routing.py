"""`ip route` on a node: its table, and with `get ADDRESS` the route that packets to an address take.

An address of the node itself is reached over `lo`; else the longest prefix decides. Packets come from the address
that the route names, else from that of the interface they leave by. Left out: other tables and rules, IPv6 sources.
Source: iproute2 `ip/iproute.c`.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from itertools import pairwise
from typing import TYPE_CHECKING

from netsim.console.node_states import addresses
from netsim.console.output import Failure
from netsim.dataplane.routes import route_to

if TYPE_CHECKING:
    from netsim.simulation import Simulation


def ip_route(simulation: Simulation, node: str, words: Sequence[str]) -> str:
    """What `ip route` prints with these words behind it."""
    if not words or words[0] in ("show", "list", "ls"):
        return simulation.routes_text(node)
    if words[0] != "get":
        raise Failure(f'Command "{words[0]}" is unknown, try "ip route help".', 255)
    if len(words) < 2:
        raise Failure("need at least a destination address", 255)
    try:
        destination = str(ip_address(words[1].partition("/")[0]))
    except ValueError:
        raise Failure(f'Error: any valid prefix is expected rather than "{words[1]}".') from None
    return taken(simulation.routes_text(node), held(addresses(simulation, node)), destination)


def taken(table: str, own: dict[str, list[str]], destination: str) -> str:
    """The route to a destination, by a routing table and a node's addresses on each interface.

    >>> taken("default via 10.0.0.1 dev eth0\\n", {"eth0": ["10.0.0.2"]}, "8.8.8.8")
    '8.8.8.8 via 10.0.0.1 dev eth0 src 10.0.0.2 uid 0 \\n    cache \\n'
    """
    if ip_address(destination).is_loopback or any(destination in addresses for addresses in own.values()):
        return f"local {destination} dev lo src {destination} uid 0 \n    cache <local> \n"
    words = route_to(table, destination).split()
    if not words:
        raise Failure("RTNETLINK answers: Network is unreachable", 2)
    if words[0] == "blackhole":
        raise Failure("RTNETLINK answers: Invalid argument", 2)
    said = dict(pairwise(words))
    via = f"via {said['via']} " if "via" in said else ""
    source = said.get("src") or own.get(said["dev"], own["eth0"])[0]
    return f"{destination} {via}dev {said['dev']} src {source} uid 0 \n    cache \n"


def held(text: str) -> dict[str, list[str]]:
    """The addresses in what `ip addr` prints, by interface.

    >>> held("2: eth0: <UP> mtu 1500\\n    inet 10.0.0.2/16 scope global eth0\\n")
    {'eth0': ['10.0.0.2']}
    """
    found: dict[str, list[str]] = {}
    device = ""
    for words in map(str.split, text.splitlines()):
        if words[0].startswith("inet"):
            found.setdefault(device, []).append(words[1].partition("/")[0])
        else:
            device = words[1].removesuffix(":")
    return found
