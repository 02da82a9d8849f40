"""A cluster for the data half alone: nodes, pods behind one Service, and no control half at all."""

from __future__ import annotations

import pytest

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.plain import PlainEngine, syn_schedule
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
from netsim.units import S

VIP = "10.96.0.20"


class Lab:
    """Nodes `node-1`..; a client pod on node-1; `pods` servers spread over the nodes behind VIP:80."""

    def __init__(
        self,
        *,
        nodes: int = 2,
        pods: int = 1,
        links: Links | None = None,
        mode: str = "iptables",
        **serving: object,
    ) -> None:
        groups = (Nodes(name="node", count=nodes),)
        self.links = links or Links()
        self.topology = build(groups, self.links)
        self.now = 0
        self.state = Forwarding(self.topology, History(), self.links, "flannel-vxlan", "203.0.113.254")
        self.state.add_address(self.state.outside)
        self.tables = Tables(ProxyConfig(mode=mode), ("10.244.0.0/16",), ("10.96.0.0/12",))
        for i in range(nodes):
            name, address = f"node-{i + 1}", f"192.168.0.{i + 1}"
            self.state.kernels[name] = Kernel(NodeRules(self.tables, NodeInfo(name, (address,))))
            self.state.node_places[name] = Place("node", name, address, name)
            self.state.add_address(self.state.node_places[name])
        self.serving = Serving(**serving)  # type: ignore[arg-type]
        self.servers = [self.pod(i, f"web-{i}", f"node-{i % nodes + 1}") for i in range(pods)]
        self.client = self.pod(pods, "client", "node-1")
        self.tables.set_service(
            {
                "metadata": {"namespace": "default", "name": "web"},
                "spec": {"clusterIP": VIP, "type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
            }
        )
        self.publish(self.servers)

    def pod(self, index: int, name: str, node: str) -> Server:
        number = int(node.rpartition("-")[2])
        address = f"10.244.{number}.{index + 2}"
        server = Server(index, f"default/{name}", node, (address,), self.serving, [(80, "TCP"), (80, "UDP")])
        self.state.add_address(Place("pod", node, address, server.name))
        self.state.start(server)
        self.state.listen(server)
        return server

    def publish(self, servers: list[Server], protocol: str = "TCP") -> None:
        """Make these the Service's endpoints, on every node at once."""
        self.tables.set_slice(
            {
                "metadata": {
                    "namespace": "default",
                    "name": "web-1",
                    "labels": {"kubernetes.io/service-name": "web"},
                },
                "addressType": "IPv4",
                "ports": [{"port": 80, "protocol": protocol}],
                "endpoints": [
                    {"addresses": [s.addresses[0]], "conditions": {"ready": True}, "nodeName": s.machine}
                    for s in servers
                ],
            }
        )
        for node in self.state.kernels:
            self.state.program(node, self.tables.revision)

    def engine(self, *traffic: dict, end: int = 60 * S, seed: int = 1, kind: type = PlainEngine) -> PlainEngine:
        """The plain engine, or another kind, with this traffic; `from` and `to` default to the client pod and VIP."""
        draws = Draws(seed)
        defaults = {"name": "t", "from": "pod/client", "to": f"{VIP}:80"}
        sources = [Source(i, Traffic(**{**defaults, **entry}), draws, end) for i, entry in enumerate(traffic)]
        return kind(self.state, sources, list(self.state.kernels), syn_schedule(6, 4), 0)


@pytest.fixture
def lab() -> type[Lab]:
    return Lab
