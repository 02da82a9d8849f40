"""The Services of the lab and the flows that cross it: a table of who calls whom.

A flow names its client (a pod, a node, `outside`, `stranger`) and its target: `svc NAME`, `node N`, `vip N`
(an external IP or load balancer VIP), `pod NAME`, `ip N` (an address of the Service range) or `loopback`, then
the port. What should become of it stands nowhere here: the simulator says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kernel_judge import complaints, connections, patience
from kernel_lab import Lab
from kernel_prediction import Prediction, predict
from kernel_world import World, space_of

from netsim.dataplane.forwarding import Place
from netsim.proxy.packet import Packet

NODE_PORT = "NodePort"
LB = "LoadBalancer"
LOCAL = "Local"

NUMBERS = {
    "web": 10, "one": 11, "edge": 12, "inner": 13, "none": 14, "sticky": 15, "lb": 16, "lb-local": 17,
    "ext": 18, "leaving": 19, "dns": 20, "two-ports": 21, "host": 22, "ext-local": 23, "lb-node": 24,
    "lb-open": 25,
}  # fmt: skip


def add_services(world: World) -> None:
    """Everything the flows call, at once, as a real cluster has it."""

    def service(name: str, pods: Iterable[str], *ports: dict[str, Any], **spec: Any) -> None:
        world.service(name, NUMBERS[name], **spec)
        world.endpoints(name, pods, *ports)

    inside = {"loadBalancerSourceRanges": [f"{world.at.outside[0]}/{32 if world.at.family == 4 else 128}"]}
    near_nodes = {"loadBalancerSourceRanges": [world.at.nodes]}
    service("web", ["a1", "a2", "b1", "b2", "c1"], type=NODE_PORT, port={"nodePort": 30010})
    service("one", ["a1"], type=NODE_PORT, port={"nodePort": 30011})
    service("edge", ["a1", "a2", "b1"], type=NODE_PORT, port={"nodePort": 30012}, externalTrafficPolicy=LOCAL)
    service("inner", ["a1", "a2", "b1"], internalTrafficPolicy=LOCAL)
    service("none", [], type=NODE_PORT, port={"nodePort": 30014}, externalIPs=[14])
    service("sticky", ["a1", "b1", "c1"], type=NODE_PORT, port={"nodePort": 30015}, sessionAffinity="ClientIP")
    service("lb", ["a1", "b1", "c1"], type=LB, port={"nodePort": 30016}, ingress=[16], **inside)
    service("lb-local", ["a1", "b1"], type=LB, port={"nodePort": 30017}, ingress=[17], externalTrafficPolicy=LOCAL)
    service("lb-node", ["a1", "b1"], type=LB, port={"nodePort": 30024}, ingress=[24], **near_nodes)
    service("lb-open", ["b1", "c1"], type=LB, port={"nodePort": 30025}, ingress=[25])
    service("ext", ["b1", "b2"], externalIPs=[18])
    service("ext-local", ["a1", "b1"], externalIPs=[23], externalTrafficPolicy=LOCAL)
    world.service("leaving", NUMBERS["leaving"])
    world.endpoints("leaving", ["a2", "b2"], ready=False, serving=True, terminating=True)
    udp = {"name": "", "port": 8080, "protocol": "UDP"}
    dns = {"nodePort": 30020, "protocol": "UDP"}
    service("dns", ["a1", "b1", "c1"], udp, type=NODE_PORT, port=dns)
    both = [{"name": "http", "port": 80}, {"name": "metrics", "port": 9100}]
    numbers = ({"name": "http", "port": 8080}, {"name": "metrics", "port": 9090})
    service("two-ports", ["a3", "c2"], *numbers, ports=both)
    service("host", ["node-1"], {"name": "", "port": 6443}, port={"port": 443})
    for name, number, nodes in (
        ("none", 14, ["node-2"]),
        ("lb", 16, ["node-1", "node-2", "node-3"]),
        ("lb-local", 17, ["node-1", "node-2"]),
        ("ext", 18, ["node-3"]),
        ("ext-local", 23, ["node-3"]),
        ("lb-node", 24, ["node-1"]),
        ("lb-open", 25, ["node-1"]),
    ):
        world.balance(f"default/{name}", number, *nodes)
    world.program()


@dataclass(frozen=True)
class Flow:
    """One client, one target."""

    source: str
    target: str
    port: int
    protocol: str = "TCP"
    even: bool = False  # so many connections that unevenness shows

    def __str__(self) -> str:
        return f"{self.source} to {self.target}:{self.port}{'' if self.protocol == 'TCP' else ' UDP'}"

    def packet(self, world: World) -> tuple[Place, Packet]:
        """Where it starts, and its first packet."""
        place = world.place(self.source)
        address = self._address(world)
        return place, Packet(world.state.source(place, address), 40_000, address, self.port, self.protocol)

    def _address(self, world: World) -> str:
        kind, _, name = self.target.partition(" ")
        find = {
            "svc": lambda: world.at.cluster_ip(NUMBERS[name]),
            "ip": lambda: world.at.cluster_ip(int(name)),
            "node": lambda: world.at.node(int(name)),
            "vip": lambda: world.at.vip(int(name)),
            "pod": lambda: world.at.pod(name),
            "loopback": world.at.loopback,
        }
        return find[kind]()

    def predict(self, world: World) -> Prediction:
        """What the simulator says."""
        return predict(world.state, *self.packet(world))

    def request(self, world: World, prediction: Prediction, longest: float = 60.0) -> dict[str, Any]:
        """The same for the lab."""
        place, packet = self.packet(world)
        return {
            "space": space_of(place),
            "source": place.address if self.source == "stranger" else "",
            "to": packet.destination,
            "port": packet.port,
            "protocol": packet.protocol,
            "count": connections(prediction, even=self.even),
            "window": 1 if prediction.sticky else 64,
            "patience": min(patience(prediction), longest),
        }


FLOWS = (
    # the cluster IP, from everywhere
    Flow("a3", "svc web", 80, even=True),
    Flow("c2", "svc web", 80, even=True),
    Flow("a1", "svc web", 80),  # a client that is an endpoint itself
    Flow("node-1", "svc web", 80, even=True),
    Flow("node-3", "svc web", 80),
    Flow("a3", "svc one", 80),
    Flow("b1", "svc one", 80),
    Flow("node-1", "svc one", 80),
    Flow("node-2", "svc one", 80),
    Flow("a3", "svc two-ports", 80),
    Flow("a3", "svc two-ports", 9100),
    # hairpin: a pod that reaches itself
    Flow("a1", "svc one", 80),
    Flow("a1", "node 1", 30011),
    Flow("a1", "node 2", 30011),
    # node ports under policy Cluster
    Flow("outside", "node 1", 30010, even=True),
    Flow("outside", "node 3", 30010),
    Flow("outside", "node 2", 30011),  # without an endpoint there
    Flow("node-2", "node 2", 30010),
    Flow("node-2", "node 1", 30010),
    Flow("a3", "node 1", 30010),
    Flow("a3", "node 2", 30011),
    Flow("node-1", "loopback", 30010),
    Flow("node-3", "loopback", 30011),
    # node ports under policy Local
    Flow("outside", "node 1", 30012, even=True),
    Flow("outside", "node 2", 30012),
    Flow("outside", "node 3", 30012),
    Flow("node-1", "node 1", 30012),
    Flow("node-3", "node 3", 30012),
    Flow("node-3", "node 1", 30012),
    Flow("a3", "node 1", 30012),
    Flow("c2", "node 3", 30012),
    Flow("c2", "node 1", 30012),  # an endpoint on either side of a node that does not masquerade
    Flow("b2", "node 3", 30012),
    # internal policy Local
    Flow("a3", "svc inner", 80),
    Flow("b2", "svc inner", 80),
    Flow("c2", "svc inner", 80),
    Flow("node-1", "svc inner", 80),
    Flow("node-3", "svc inner", 80),
    # nobody there
    Flow("a3", "svc none", 80),
    Flow("node-2", "svc none", 80),
    Flow("outside", "node 1", 30014),
    Flow("node-1", "node 1", 30014),
    Flow("a3", "node 2", 30014),
    Flow("a3", "vip 14", 80),
    Flow("node-1", "vip 14", 80),
    Flow("outside", "vip 14", 80),
    # terminating endpoints as the last resort
    Flow("c2", "svc leaving", 80),
    # affinity
    Flow("a3", "svc sticky", 80),
    Flow("c2", "svc sticky", 80),
    Flow("node-2", "svc sticky", 80),
    Flow("outside", "node 2", 30015),
    # load balancers
    Flow("outside", "vip 16", 80),
    Flow("stranger", "vip 16", 80),
    Flow("a3", "vip 16", 80),
    Flow("node-1", "vip 16", 80),
    Flow("stranger", "node 1", 30016),  # source ranges guard the VIP alone
    Flow("outside", "vip 17", 80),
    Flow("a3", "vip 17", 80),
    Flow("c2", "vip 17", 80),
    Flow("node-3", "vip 17", 80),
    Flow("outside", "node 3", 30017),
    Flow("node-2", "vip 24", 80),
    Flow("outside", "vip 24", 80),
    Flow("outside", "vip 25", 80),
    Flow("a3", "vip 25", 80),
    # external IPs
    Flow("outside", "vip 18", 80),
    Flow("a3", "vip 18", 80),
    Flow("node-1", "vip 18", 80),
    Flow("outside", "vip 23", 80),
    Flow("c2", "vip 23", 80),
    # UDP
    Flow("a3", "svc dns", 80, "UDP", even=True),
    Flow("node-1", "svc dns", 80, "UDP"),
    Flow("outside", "node 2", 30020, "UDP"),
    Flow("a3", "svc dns", 80),  # the same port by TCP
    Flow("a3", "svc web", 80, "UDP"),
    # a program on a node's own network
    Flow("a3", "svc host", 443),
    Flow("c2", "svc host", 443),
    Flow("node-1", "svc host", 443),
    Flow("node-2", "svc host", 443),
    # wrong ports and addresses
    Flow("a3", "svc web", 81),
    Flow("node-1", "svc web", 81),
    Flow("outside", "svc web", 81),
    Flow("a3", "ip 200", 80),
    Flow("node-2", "ip 200", 80),
    Flow("outside", "node 1", 30999),
    Flow("a3", "node 1", 30999),
    Flow("a3", "pod b1", 8081),
    Flow("node-3", "loopback", 30999),
    # no Service at all
    Flow("a3", "pod b1", 8080),
    Flow("node-1", "pod a1", 8080),
    Flow("node-1", "pod b1", 8080),
    Flow("outside", "pod b1", 8080),
)  # fmt: skip


def judge(lab: Lab, world: World, flows: Iterable[Flow] = FLOWS, longest: float = 60.0) -> dict[Flow, list[str]]:
    """Cross the lab with all flows at once; what is wrong with each prediction."""
    flows = list(flows)
    predictions = [flow.predict(world) for flow in flows]
    asked = [flow.request(world, p, longest) for flow, p in zip(flows, predictions, strict=True)]
    found = lab.cross(asked)
    return {
        flow: complaints(prediction, count) for flow, prediction, count in zip(flows, predictions, found, strict=True)
    }
