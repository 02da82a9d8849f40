"""The simulator's side of the lab: a cluster without a control half, and the world of Services it is asked about.

Three nodes, seven pods that all serve on 8080 (TCP and UDP) and 9090 (TCP), plain routes between the nodes.
Services and EndpointSlices are given to the simulator's tables, and programmed on every node at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netsim.dataplane.forwarding import Balancer, Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.tables import Tables
from netsim.topology.graph import build
from netsim.topology.network import Links, Nodes

PODS = {"a1": 1, "a2": 1, "a3": 1, "b1": 2, "b2": 2, "c1": 3, "c2": 3}
"""Which pod runs on which node."""

LISTENS = ((8080, "TCP"), (8080, "UDP"), (9090, "TCP"))
NODE_SERVER = (6443, "TCP")  # a program on the network of node-1 itself, as the API server is


class Addresses:
    """Who has which address, in one address family."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.pods = "10.244.0.0/16" if family == 4 else "fd00:10:244::/48"
        self.services = "10.96.0.0/16" if family == 4 else "fd00:10:96::/108"
        self.nodes = "192.168.0.0/24" if family == 4 else "fd00:192:168::/64"
        self.outside = ("203.0.113.254", "203.0.113.99") if family == 4 else ("fd00:203::254", "fd00:203::99")

    def node(self, number: int) -> str:
        return f"192.168.0.{number}" if self.family == 4 else f"fd00:192:168::{number}"

    def pod_range(self, number: int) -> str:
        return f"10.244.{number}.0/24" if self.family == 4 else f"fd00:10:244:{number}::/64"

    def bridge(self, number: int) -> str:
        return f"10.244.{number}.1" if self.family == 4 else f"fd00:10:244:{number}::1"

    def pod(self, name: str) -> str:
        place = list(PODS).index(name) + 2
        return f"10.244.{PODS[name]}.{place}" if self.family == 4 else f"fd00:10:244:{PODS[name]}::{place}"

    def cluster_ip(self, number: int) -> str:
        return f"10.96.0.{number}" if self.family == 4 else f"fd00:10:96::{number}"

    def vip(self, number: int) -> str:
        """An address of a load balancer, or an external IP."""
        return f"198.51.100.{number}" if self.family == 4 else f"fd00:198::{number}"

    def loopback(self) -> str:
        return "127.0.0.1" if self.family == 4 else "::1"


class World:
    """A simulated cluster, and how to describe it to the lab."""

    def __init__(self, family: int = 4, **config: Any) -> None:
        self.at = Addresses(family)
        self.config = ProxyConfig(**config)
        self.tables = Tables(self.config, (self.at.pods,), (self.at.services,))
        self.state = Forwarding(
            build((Nodes(name="node", count=3),), Links()), History(), Links(), "flannel-host-gw", self.at.outside[0]
        )
        self.state.add_address(self.state.outside)
        for number in (1, 2, 3):
            self._node(number)
        for index, (name, number) in enumerate(PODS.items()):
            self._server(index, f"default/{name}", f"node-{number}", self.at.pod(name), LISTENS)
        self._server(len(PODS), "default/host", "node-1", self.at.node(1), (NODE_SERVER,))
        self.program()

    def _node(self, number: int) -> None:
        name, address = f"node-{number}", self.at.node(number)
        info = NodeInfo(
            name, (address,), pod_cidrs=(self.at.pod_range(number),), bridge_addresses=(self.at.bridge(number),)
        )
        self.state.kernels[name] = Kernel(NodeRules(self.tables, info))
        self.state.node_places[name] = Place("node", name, address, name)
        self.state.add_address(self.state.node_places[name])

    def _server(self, index: int, name: str, node: str, address: str, ports: Iterable[tuple[int, str]]) -> None:
        server = Server(index, name, node, (address,), Serving(), ports)
        if address not in self.state.places:
            self.state.add_address(Place("pod", node, address, name))
        self.state.start(server)
        self.state.listen(server)

    # what the API says ------------------------------------------------------------------------------------

    def service(self, name: str, number: int, **spec: Any) -> None:
        """A Service with the given cluster IP; `ingress` numbers load balancer VIPs."""
        ingress = [{"ip": self.at.vip(n)} for n in spec.pop("ingress", ())]
        ports = spec.pop("ports", [{"port": 80, **spec.pop("port", {})}])
        spec["externalIPs"] = [self.at.vip(n) for n in spec.get("externalIPs", ())]
        address = self.at.cluster_ip(number)
        self.tables.set_service(
            {
                "metadata": {"namespace": "default", "name": name},
                "spec": {"clusterIP": address, "clusterIPs": [address], "ports": ports, **spec},
                "status": {"loadBalancer": {"ingress": ingress}},
            }
        )

    def endpoints(self, name: str, pods: Iterable[str], *ports: dict[str, Any], **conditions: bool) -> None:
        """The Service's EndpointSlice; a name that is no pod's is a node's."""
        self.tables.set_slice(
            {
                "metadata": {
                    "namespace": "default",
                    "name": f"{name}-1",
                    "labels": {"kubernetes.io/service-name": name},
                },
                "addressType": f"IPv{self.at.family}",
                "ports": list(ports) or [{"name": "", "port": 8080, "protocol": "TCP"}],
                "endpoints": [self._endpoint(pod, conditions) for pod in pods],
            }
        )

    def _endpoint(self, pod: str, conditions: dict[str, bool]) -> dict[str, Any]:
        if pod in PODS:
            address, node = self.at.pod(pod), f"node-{PODS[pod]}"
        else:
            address, node = self.state.node_places[pod].address, pod
        return {"addresses": [address], "nodeName": node, "conditions": conditions or {"ready": True}}

    def balance(self, service: str, number: int, *nodes: str, protocol: str = "TCP") -> None:
        """What the network outside does with a VIP or an external IP: it brings it to these nodes."""
        self.state.balance(Balancer(service, self.at.vip(number), ((80, protocol),), nodes))

    def program(self) -> None:
        """Every node programs what the API says now."""
        for node in self.state.kernels:
            self.state.program(node, self.tables.revision)

    def rule_texts(self) -> dict[str, str]:
        """Each node's rules, as text."""
        return {name: kernel.rules.render() for name, kernel in self.state.kernels.items()}

    def pod_at(self, address: str) -> str:
        """The pod that has an address."""
        return next(name for name in PODS if self.at.pod(name) == address)

    def place(self, name: str) -> Place:
        """Who is meant: a pod, a node, `outside`, or `stranger` (another client outside)."""
        if name in PODS:
            return self.state.places[self.at.pod(name)]
        if name == "outside":
            return self.state.outside
        if name == "stranger":
            return Place("outside", self.state.outside.machine, self.at.outside[1])
        return self.state.node_places[name]


def describe(state: Forwarding, networks: Iterable[str], outside: Iterable[str]) -> dict[str, Any]:
    """The lab that stands for a forwarding state: the same machines, pods, addresses and programs."""
    infos = {name: kernel.rules.node for name, kernel in state.kernels.items()}
    pods = [place for place in state.places.values() if place.kind == "pod"]
    modes = {kernel.rules.config.mode for kernel in state.kernels.values()}
    open_loopback = all(kernel.rules.config.localhost_node_ports for kernel in state.kernels.values())
    return {
        "nodes": [
            {
                "name": name,
                "addresses": list(info.addresses),
                "pod_cidrs": list(info.pod_cidrs),
                "bridges": list(info.bridge_addresses),
            }
            for name, info in infos.items()
        ],
        "pods": [{"name": p.name, "node": p.machine, "addresses": [p.address]} for p in pods],
        "listeners": [
            {
                "name": server.name,
                "space": space_of(state.places[address]),
                "address": address,
                "port": port,
                "protocol": protocol,
            }
            for (address, port, protocol), server in state.listeners.items()
        ],
        "node_networks": list(networks),
        "outside": list(outside),
        "balanced": {address: list(b.targets) for address, b in state.balancers.items()},
        "edge": [
            {
                "outside": state.external_places[name].address,
                "inside": state.node_places[name].address,
                "pods": [network for network in info.pod_cidrs if ":" not in network],
            }
            for name, info in infos.items()
            if name in state.external_places
        ],
        "localhost_node_ports": modes == {"iptables"} and open_loopback,
    }


def space_of(place: Place) -> str:
    """The name of a place's network namespace in the lab."""
    return {"pod": place.name, "node": place.machine}.get(place.kind, "outside")
