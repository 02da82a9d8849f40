"""A cluster for measurements: machines, pods behind one Service, and no control half.

What is measured is the data half. Nodes have programmed everything before the first request; what changes later
(power, rules) the measurement changes itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.dataplane.sources import Source
from netsim.draws import Draws
from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.tables import Tables
from netsim.topology.graph import build
from netsim.topology.network import Links, Nodes
from netsim.traffic import Traffic

VIP, BYSTANDER = "10.96.0.20", "10.96.0.21"


class World:
    """`pods` servers spread over `nodes` machines; the client is outside the nodes that may fail, on the first."""

    def __init__(self, *, nodes: int, pods: int, workers: int, service: str, backlog: int = 1_000_000) -> None:
        self.names = [f"node-{i + 1}" for i in range(nodes)]
        links = Links()
        topology = build((Nodes(name="node", count=nodes),), links)
        self.state = Forwarding(topology, History(), links, "flannel-vxlan", "203.0.113.254")
        self.tables = Tables(ProxyConfig(), ("10.0.0.0/8",), ("10.96.0.0/16",))
        for i, name in enumerate(self.names):
            address = f"192.168.{i // 250}.{i % 250 + 1}"
            self.state.kernels[name] = Kernel(NodeRules(self.tables, NodeInfo(name, (address,))))
            self.state.node_places[name] = Place("node", name, address, name)
            self.state.add_address(self.state.node_places[name])
        serving = Serving(service_time=service, workers=workers, backlog=backlog)
        self.pods = [self._pod(i, self.names[i % nodes], serving) for i in range(pods)]
        self._pod(pods, self.names[0], serving, "client")
        metadata = {"namespace": "default", "name": "web"}
        self.tables.set_service({"metadata": metadata, "spec": {"clusterIP": VIP, "ports": [{"port": 80}]}})
        self.publish()

    def _pod(self, index: int, node: str, serving: Serving, name: str = "") -> Server:
        address = f"10.{index // 62_500}.{index // 250 % 250}.{index % 250 + 1}"
        server = Server(index, f"default/{name or f'web-{index}'}", node, (address,), serving, [(80, "TCP")])
        self.state.add_address(Place("pod", node, address, server.name))
        self.state.start(server)
        self.state.listen(server)
        return server

    def bystander(self, port: int) -> None:
        """Another Service, which listens on a port; not programmed yet."""
        metadata = {"namespace": "default", "name": "bystander"}
        self.tables.set_service({"metadata": metadata, "spec": {"clusterIP": BYSTANDER, "ports": [{"port": port}]}})

    def publish(self, without: str = "") -> None:
        """Make the pods the Service's endpoints, all but those on one machine, and program it everywhere."""
        endpoints = [
            {"addresses": [pod.addresses[0]], "conditions": {"ready": True}, "nodeName": pod.machine}
            for pod in self.pods
            if pod.machine != without
        ]
        labels = {"kubernetes.io/service-name": "web"}
        self.tables.set_slice(
            {
                "metadata": {"namespace": "default", "name": "web-1", "labels": labels},
                "addressType": "IPv4",
                "ports": [{"port": 80}],
                "endpoints": endpoints,
            }
        )
        self.program()

    def program(self) -> None:
        """Every node programs the newest revision."""
        for name in self.names:
            if self.state.powered[name]:
                self.state.program(name, self.tables.revision)

    def sources(self, end: int, traffic: Mapping[str, Any], seed: int = 1) -> list[Source]:
        """One source of requests to the Service."""
        entry = {"name": "load", "from": "pod/client", "to": f"{VIP}:80", **traffic}
        return [Source(0, Traffic(**entry), Draws(seed), end)]
