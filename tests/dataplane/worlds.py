"""Random worlds for the data half: a cluster without a control half, traffic, and changes at random instants.

A world follows from its number. Instants and durations are often round, so that many things happen at once; some
links take no time at all, which is where an order that is not the canonical one would show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from netsim.dataplane.forwarding import Balancer, Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.plain import syn_schedule
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.dataplane.sources import Source
from netsim.draws import Draws
from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.tables import Tables
from netsim.topology.graph import build
from netsim.topology.network import Bandwidths, Jitter, Links, Loss, Nodes
from netsim.traffic import Traffic
from netsim.units import MS, US, S

VIP, LB, NODE_PORT, LB_NODE_PORT = "10.96.0.20", "198.51.100.7", 30080, 30090
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sed", "nq", "sh", "dh", "mh")
SERVICE_TIMES = ("0", "1ms", "10ms", "50ms", "exponential(5ms)", "exponential(400ms)", "uniform(1ms,900ms)")
TARGETS = (
    f"{VIP}:80", f"{VIP}:80", "svc/web:80", "lb/web:80", f"node/node-1:{NODE_PORT}", f"node/node-2:{NODE_PORT}",
    "pod/web-0:80", "pod/client:80", "http://web", "http://web.default", "10.96.0.99:80", "127.0.0.1:80",
    "svc/web:81",
)  # fmt: skip


class World:
    """World number `seed`; `play` moves an engine through it."""

    def __init__(self, seed: int, modes: Sequence[str] = ("iptables", "nftables", "ebpf", "ipvs")) -> None:
        self.random = random = Random(seed)
        self.seed = seed
        self.end = random.choice((1, 2, 4, 12)) * S
        groups = tuple(Nodes(name=f"node-{i + 1}", zone=random.choice("ab")) for i in range(random.randint(2, 4)))
        links = Links(
            pod=random.choice((0, 10 * US, 10 * US)),
            node=random.choice((0, 50 * US, 1 * MS)),
            zone=random.choice((0, 250 * US, 2 * MS)),
            outside=random.choice((0, 10 * MS, 10 * MS)),
            jitter=Jitter(node=random.choice((0, 0, 0, 30 * US)), zone=random.choice((0, 0, 2 * MS))),
            loss=Loss(zone=random.choice((0.0, 0.0, 0.05)), outside=random.choice((0.0, 0.0, 0.2))),
            bandwidth=Bandwidths(
                node=random.choice((None, None, None, 1_000_000_000, 7_000_000)),
                zone=random.choice((None, None, None, 10_000_000)),
            ),
        )
        cni = random.choice(("flannel-vxlan", "calico-bgp", "bridge"))
        self.state = Forwarding(build(groups, links), History(), links, cni, "203.0.113.254")
        self.state.add_address(self.state.outside)
        config = ProxyConfig(
            mode=random.choice(modes),
            ipvs_scheduler=random.choice(SCHEDULERS),
            masquerade_all=random.random() < 0.2,
        )
        self.tables = Tables(config, ("10.244.0.0/16",), ("10.96.0.0/12",))
        self.nodes = [group.name for group in groups]
        for i, name in enumerate(self.nodes):
            info = NodeInfo(name, (f"192.168.0.{i + 1}",), pod_cidrs=(f"10.244.{i + 1}.0/24",))
            self.state.kernels[name] = Kernel(NodeRules(self.tables, info))
            self.state.node_places[name] = Place("node", name, f"192.168.0.{i + 1}", name)
            self.state.external_places[name] = self.state.node_places[name]
            self.state.add_address(self.state.node_places[name])
        self.serving = Serving(
            service_time=random.choice(SERVICE_TIMES),  # type: ignore[arg-type]
            workers=random.randint(1, 4),
            backlog=random.choice((0, 2, 50, 500)),
        )
        self.pods: dict[str, tuple[int, str, str]] = {}  # name -> index, node, address
        self.living: dict[str, Server] = {}
        for name in (*(f"web-{i}" for i in range(random.randint(1, 6))), "client"):
            number = random.randint(1, len(self.nodes))
            self.pods[name] = (len(self.pods), self.nodes[number - 1], f"10.244.{number}.{len(self.pods) + 2}")
            self.start(name)
        self.serve()
        self.publish()
        self.balance()
        self.name(known=True)
        self.sources = [self.source(i) for i in range(random.randint(1, 4))]
        self.changes = sorted(
            ((self.instant(), i, random.choice(CHANGES)) for i in range(random.choice((0, 6, 40)))),
        )  # fmt: skip

    def instant(self) -> int:
        """Some time in the run, often a round one."""
        if self.random.random() < 0.5:
            return self.random.randrange(1, self.end // (50 * MS)) * 50 * MS
        return self.random.randrange(self.end)

    def source(self, index: int) -> Source:
        """A source of requests, with everything a source can have."""
        random = self.random
        entry: dict[str, Any] = {
            "name": f"s{index}",
            "from": random.choice(("pod/client", "pod/client", "node/node-1", "outside", "pod/web-0")),
            "to": random.choice(TARGETS),
            "start": random.choice(("0", "100ms", "333ms")),
            "timeout": random.choice((None, "30ms", "300ms", "3s")),
            "connectTimeout": random.choice((None, "10ms", "200ms", "1s", "4s")),
        }
        if random.random() < 0.5:
            entry["rate"] = random.choice(("5/s", "50/s", "100/s"))
            entry["arrivals"] = random.choice(("poisson", "constant"))
        else:
            entry["clients"] = random.choice((1, 3, 20))
            entry["think"] = random.choice(("7ms", "10ms", "50ms"))
        if random.random() < 0.5:
            entry["keepAlive"] = {
                "connections": random.choice((1, 2, 100)),
                "idle": random.choice(("20ms", "1s", "90s")),
                "requests": random.choice((None, 1, 3)),
            }
        if random.random() < 0.5:
            entry["retries"] = {
                "attempts": random.choice((1, 3)),
                "backoff": random.choice(("1ms", "25ms")),
                "maxBackoff": random.choice(("1ms", "60ms")),
                "jitter": random.random() < 0.5,
            }
        if random.random() < 0.2:
            entry["stop"] = f"{random.randint(400, 900)}ms"
        return Source(index, Traffic(**entry), Draws(self.seed), self.end)

    def play(self, engine: type, patience: int = 500 * US) -> Any:
        """Move an engine of this kind through the world; the table that it leaves."""
        random = Random(self.seed)
        moved = engine(self.state, self.sources, self.nodes, syn_schedule(6, random.choice((0, 4))), patience)
        for time, _, change in self.changes:
            moved.advance(time)
            change(self)
        return moved.finish(self.end)

    # what may change ------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        index, node, address = self.pods[name]
        if name in self.living or not self.state.powered[node]:
            return
        server = self.living[name] = Server(
            index, f"default/{name}", node, (address,), self.serving, [(80, "TCP")]
        )
        self.state.add_address(Place("pod", node, address, server.name))
        self.state.start(server)
        self.state.listen(server)

    def restart(self) -> None:
        """A program that is gone comes back, or one that runs dies."""
        name = self.random.choice(list(self.pods))
        if name in self.living:
            self.stop(name)
        else:
            self.start(name)

    def stop(self, name: str) -> None:
        self.state.stop(self.living.pop(name), farewell=self.random.random() < 0.8)
        if self.random.random() < 0.5:
            self.state.drop_address(self.pods[name][2])

    def power(self) -> None:
        """A machine loses its power, or gets it back; its rules come later."""
        node = self.random.choice(self.nodes)
        self.state.power(node, on=not self.state.powered[node])
        self.living = {name: server for name, server in self.living.items() if server.ended is None}

    def link(self) -> None:
        node = self.random.choice(self.nodes)
        switch = next(iter(self.state.topology.graph.adj[node]))
        self.state.link(node, switch, up=not self.state.topology.graph.edges[node, switch]["up"])

    def serve(self) -> None:
        """The Service, with policies and affinity as they may be."""
        random = self.random
        affinity = random.choice((None, None, 1, 3))
        spec: dict[str, Any] = {
            "clusterIP": VIP,
            "type": "LoadBalancer",
            "ports": [{"port": 80, "nodePort": NODE_PORT}],
            "externalTrafficPolicy": random.choice(("Cluster", "Cluster", "Local")),
            "internalTrafficPolicy": random.choice(("Cluster", "Cluster", "Local")),
        }
        if affinity:
            spec["sessionAffinity"] = "ClientIP"
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": affinity}}
        ingress = [{"ip": LB, "ipMode": random.choice(("VIP", "Proxy"))}]
        self.tables.set_service(
            {
                "metadata": {"namespace": "default", "name": "web"},
                "spec": spec,
                "status": {"loadBalancer": {"ingress": ingress}},
            }
        )
        self.state.cluster_ips["default/web"] = (VIP,)

    def publish(self) -> None:
        """Some pods are endpoints now, on the nodes that have heard of it."""
        random = self.random
        chosen = [name for name in self.pods if name != "client" and random.random() < 0.8]
        self.tables.set_slice(
            {
                "metadata": {
                    "namespace": "default",
                    "name": "web-1",
                    "labels": {"kubernetes.io/service-name": "web"},
                },
                "addressType": "IPv4",
                "ports": [{"port": 80}],
                "endpoints": [
                    {
                        "addresses": [self.pods[name][2]],
                        "conditions": {"ready": random.random() < 0.9, "serving": True},
                        "nodeName": self.pods[name][1],
                    }
                    for name in chosen
                ],
            }
        )
        self.program(share=0.7 if self.state.time else 1)

    def program(self, share: float = 0.5) -> None:
        for node in self.nodes:
            if self.state.powered[node] and self.random.random() < share:
                self.state.program(node, self.tables.revision)

    def balance(self) -> None:
        targets = tuple(node for node in self.nodes if self.random.random() < 0.8)
        self.state.balance(Balancer("default/web", LB, ((80, "TCP"),), targets))

    def name(self, known: bool | None = None) -> None:
        known = self.random.random() < 0.7 if known is None else known
        self.state.name("web.default.svc.cluster.local", (VIP,) if known else None)

    def deafen(self) -> None:
        """A program accepts no more connections, or again, unless it is about to end."""
        server = self.random.choice(list(self.living.values()) or [None])
        if server is not None and server.accepting:
            self.state.unlisten(server)
        elif server is not None and server.hung_up is None:
            self.state.listen(server)

    def drain(self) -> None:
        """A program answers what it has begun, and hangs up."""
        server = self.random.choice(list(self.living.values()) or [None])
        if server is not None and server.hung_up is None:
            self.state.drain(server)

    def slow(self) -> None:
        for server in self.living.values():
            server.slowness = self.random.choice((1.0, 0.3, 7.0))

    def dns(self) -> None:
        self.state.silence_dns(silent=self.random.random() < 0.5)


CHANGES: tuple[Callable[[World], None], ...] = (
    *[World.restart] * 6, World.power, World.power, World.link, World.serve, World.publish, World.publish,
    World.program, World.balance, World.name, World.deafen, World.drain, World.drain, World.slow, World.dns,
)  # fmt: skip
