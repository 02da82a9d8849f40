"""A node's routing table, as `ip route` prints it: how its CNI family carries pod traffic to other nodes.

Sources: flannel `backend/vxlan` and `backend/hostgw`; Calico documentation (BIRD routes, IPIP, VXLAN); the CNI
bridge plugin. Interfaces of single pods are named after a hash, as Calico names them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from netsim.topology.network import CniFamily


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another node, as a routing table knows it."""

    address: str
    pod_cidr: str


TO_NODE = {
    "flannel-vxlan": "{cidr} via {tunnel} dev flannel.1 onlink",
    "flannel-host-gw": "{cidr} via {address} dev eth0",
    "bridge": "{cidr} via {address} dev eth0",
    "calico-bgp": "{cidr} via {address} dev eth0 proto bird",
    "calico-ipip": "{cidr} via {address} dev tunl0 proto bird onlink",
    "calico-vxlan": "{cidr} via {tunnel} dev vxlan.calico onlink",
}
"""The route to another node's pods, by CNI family."""


def routes(
    cni: CniFamily,
    address: str,
    network: str,
    pod_cidr: str,
    others: Iterable[Neighbour],
    pods: Iterable[str],
) -> str:
    """The main table of the node at `address`; `pods` are the addresses of its own pods.

    >>> print(routes("bridge", "192.168.0.2", "192.168.0.0/16", "10.244.1.0/24",
    ...              [Neighbour("192.168.0.3", "10.244.2.0/24")], []), end="")
    default via 192.168.255.254 dev eth0
    10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
    10.244.2.0/24 via 192.168.0.3 dev eth0
    192.168.0.0/16 dev eth0 proto kernel scope link src 192.168.0.2
    """
    lines = _lines(cni, address, network, pod_cidr, others, pods)
    return "".join(f"{line}\n" for line in sorted(lines, key=_place))


def _place(line: str) -> tuple[int, int]:
    """Where the kernel lists a route: by its network, and of two that begin alike the narrower one first."""
    network = _network(line)
    return int(network.network_address), -network.prefixlen


def route_to(table: str, destination: str) -> str:
    """The line of a routing table by which packets to a destination leave: that of the longest prefix.

    >>> table = "default via 192.168.255.254 dev eth0\\n10.244.1.0/24 dev cni0\\n10.244.0.0/16 dev flannel.1\\n"
    >>> [route_to(table, address) for address in ("10.244.1.7", "10.244.2.7", "203.0.113.9")]
    ['10.244.1.0/24 dev cni0', '10.244.0.0/16 dev flannel.1', 'default via 192.168.255.254 dev eth0']
    """
    address = ip_address(destination)
    found = {_network(line): line for line in table.splitlines()}
    fitting = [network for network in found if address in network]
    return found[max(fitting, key=lambda network: network.prefixlen)] if fitting else ""


def _network(line: str) -> IPv4Network | IPv6Network:
    words = [word for word in line.split() if word != "blackhole"]
    everything = "::/0" if ":" in line else "0.0.0.0/0"
    return ip_network(everything if words[0] == "default" else words[0])


def _lines(
    cni: CniFamily,
    address: str,
    network: str,
    pod_cidr: str,
    others: Iterable[Neighbour],
    pods: Iterable[str],
) -> Iterator[str]:
    gateway = ip_network(network).broadcast_address - 1
    yield f"default via {gateway} dev eth0"
    routed = cni.startswith("calico")
    own = ip_network(pod_cidr)
    if routed:
        yield f"blackhole {own} proto bird"
        for pod in pods:
            yield f"{pod} dev cali{hashlib.sha1(pod.encode()).hexdigest()[:11]} scope link"
    else:
        yield f"{own} dev cni0 proto kernel scope link src {own.network_address + 1}"
    for other in others:
        tunnel = ip_network(other.pod_cidr).network_address
        line = TO_NODE[cni].format(cidr=other.pod_cidr, address=other.address, tunnel=tunnel)
        yield line.replace("dev flannel.1", "dev flannel-v6.1") if own.version == 6 else line
    yield f"{network} dev eth0 proto kernel scope link src {address}"
