"""Random Services, EndpointSlices, nodes and packets, for laws that must hold for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet
from netsim.proxy.tables import Tables

NODE = NodeInfo(
    "node-1",
    ("192.168.0.1", "192.168.1.1", "fd00:192::1"),
    zone="zone-a",
    pod_cidrs=("10.244.1.0/24",),
    bridge_addresses=("10.244.1.1",),
)
NODES = {"node-1": "zone-a", "node-2": "zone-a", "node-3": "zone-b"}
PODS = {"node-1": "10.244.1.{}", "node-2": "10.244.2.{}", "node-3": "10.244.3.{}"}
EXTERNAL = ("192.168.1.1", "198.51.100.1", "198.51.100.2")
VIPS = ("198.51.100.2", "198.51.100.9", "192.168.1.1")
RANGES = ("203.0.113.0/25", "192.168.0.0/24", "10.244.2.0/24", "0.0.0.0/0")
SOURCES = (
    "10.244.1.2", "10.244.2.3", "10.244.3.4", "10.244.1.1", "192.168.0.1", "192.168.1.1", "127.0.0.1",
    "203.0.113.7", "203.0.113.200", "198.51.100.9", "192.168.0.77",
)  # fmt: skip


@dataclass
class Cluster:
    rules: NodeRules
    services: list[dict[str, Any]]

    def destinations(self) -> list[tuple[str, int, str]]:
        """Every address and port that means something, and some that do not."""
        found = [("10.96.9.9", 80, "TCP"), ("8.8.8.8", 53, "UDP"), ("192.168.0.1", 22, "TCP")]
        for service in self.services:
            spec = service["spec"]
            ingress = service["status"]["loadBalancer"]["ingress"]
            vips = [spec["clusterIP"], *spec["externalIPs"], *(entry["ip"] for entry in ingress)]
            for port in spec["ports"]:
                found += [(vip, port["port"], port["protocol"]) for vip in vips]
                found += [(vip, port["port"] + 1, port["protocol"]) for vip in vips]
                if port["nodePort"]:
                    found += [
                        (address, port["nodePort"], port["protocol"])
                        for address in (*NODE.addresses[:2], "10.244.1.1", "127.0.0.1", "192.168.0.2")
                    ]
            if spec["healthCheckNodePort"]:
                found.append(("192.168.0.1", spec["healthCheckNodePort"], "TCP"))
        return list(dict.fromkeys(found))

    def packets(self) -> list[tuple[Packet, bool]]:
        """Each source to each destination; whether a process of the node sends it."""
        return [
            (
                Packet(source, 40000, address, port, protocol),
                source in (*NODE.addresses, *NODE.bridge_addresses, "127.0.0.1"),
            )
            for source in SOURCES
            for address, port, protocol in self.destinations()
            if source != "127.0.0.1" or address == "127.0.0.1"  # loopback speaks to loopback
        ]


@st.composite
def endpoints(draw: st.DrawFn, hinted: str) -> dict[str, Any]:
    node = draw(st.sampled_from(sorted(NODES)))
    ready = draw(st.booleans())
    entry: dict[str, Any] = {
        "addresses": [PODS[node].format(draw(st.integers(2, 5)))],
        "nodeName": node,
        "zone": NODES[node],
        "conditions": {
            "ready": ready,
            "serving": ready or draw(st.booleans()),
            "terminating": not ready and draw(st.booleans()),
        },
    }
    if hinted in ("zone", "node"):
        entry["hints"] = {"forZones": [{"name": NODES[node]}]}
    if hinted == "node":
        entry["hints"]["forNodes"] = [{"name": node}]
    return entry


@st.composite
def services(draw: st.DrawFn, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    name = f"svc-{number}"
    kind = draw(st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]))
    external = draw(st.lists(st.sampled_from(EXTERNAL), max_size=1))
    ports: list[dict[str, Any]] = [
        {
            "name": f"p{port}",
            "port": port,
            "protocol": protocol,
            "nodePort": 30000 + 10 * number + port % 7 if kind != "ClusterIP" and draw(st.booleans()) else 0,
        }
        for port, protocol in draw(
            st.lists(st.sampled_from([(80 + number, "TCP"), (90 + number, "UDP"), (100 + number, "SCTP")]),
                     min_size=1, max_size=2, unique=True)
        )
    ]  # fmt: skip
    local = draw(st.booleans())
    vips = draw(st.lists(st.sampled_from(VIPS), max_size=2, unique=True)) if kind == "LoadBalancer" else []
    spec = {
        "type": kind,
        "clusterIP": f"10.96.0.{10 + number}",
        "externalIPs": external,
        "ports": ports,
        "externalTrafficPolicy": "Local" if local else "Cluster",
        "internalTrafficPolicy": draw(st.sampled_from(["Cluster", "Local"])),
        "healthCheckNodePort": 32000 + number if kind == "LoadBalancer" and local else 0,
        "loadBalancerSourceRanges": draw(st.lists(st.sampled_from(RANGES), max_size=2, unique=True))
        if vips
        else [],
        "sessionAffinity": draw(st.sampled_from(["None", "None", "ClientIP"])),
    }
    service = {
        "metadata": {"namespace": "default", "name": name},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"ip": vip} for vip in vips]}},
    }
    hinted = draw(st.sampled_from(["no", "no", "zone", "node"]))
    slices = [
        {
            "metadata": {
                "namespace": "default",
                "name": f"{name}-{part}",
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": draw(st.lists(endpoints(hinted), max_size=3)),
            "ports": [
                {"name": port["name"], "port": 8000 + port["port"], "protocol": port["protocol"]}
                for port in ports
            ],
        }
        for part in range(draw(st.integers(0, 2)))
    ]
    return service, slices


@st.composite
def clusters(draw: st.DrawFn, mode: str) -> Cluster:
    config = ProxyConfig(
        mode=mode,
        masquerade_all=draw(st.booleans()),
        localhost_node_ports=draw(st.booleans()),
        detect_local=draw(st.sampled_from(["ClusterCIDR", "ClusterCIDR", "none"])),
        node_port_addresses=draw(
            st.sampled_from([None, None, "primary", ("192.168.0.0/24",), ("0.0.0.0/0",),
                             ("192.168.1.0/24", "127.0.0.0/8")])
        ),
    )  # fmt: skip
    tables = Tables(config, ["10.244.0.0/16"], ["10.96.0.0/16"])
    made = [draw(services(number)) for number in range(draw(st.integers(1, 3)))]
    for service, slices in made:
        tables.set_service(service)
        for slice_ in slices:
            tables.set_slice(slice_)
    rules = NodeRules(tables, NODE)
    rules.program(tables.revision)
    return Cluster(rules, [service for service, _ in made])
