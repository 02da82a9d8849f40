"""Short ways to write Services, EndpointSlices and a node with its rules."""

from __future__ import annotations

from typing import Any

from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet
from netsim.proxy.tables import Tables

NODE = NodeInfo(
    "node-1",
    ("192.168.0.1",),
    zone="zone-a",
    pod_cidrs=("10.244.1.0/24",),
    bridge_addresses=("10.244.1.1",),
    tunnel_addresses=("10.244.1.0",),
)
POD, OTHER_POD, OUTSIDE, HOST = "10.244.1.9", "10.244.2.9", "203.0.113.7", "192.168.0.1"


def service(name: str = "web", cluster_ip: str = "10.96.0.20", **spec: Any) -> dict[str, Any]:
    """A Service with one TCP port 80, unless `spec` says otherwise; `ingress` gives load balancer VIPs."""
    ingress = spec.pop("ingress", ())
    port = {"port": 80, "protocol": spec.pop("protocol", "TCP"), "nodePort": spec.pop("nodePort", 0)}
    return {
        "metadata": {"namespace": "default", "name": name},
        "spec": {"clusterIP": cluster_ip, "ports": [port], **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": ip} for ip in ingress]}},
    }


def endpoint(ip: str, node: str = "", **conditions: Any) -> dict[str, Any]:
    """One endpoint of a slice; the node follows from the pod range unless it is given."""
    hints = conditions.pop("hints", None)
    found: dict[str, Any] = {
        "addresses": [ip],
        "nodeName": node or f"node-{ip.split('.')[2]}",
        "conditions": conditions,
    }
    return {**found, "hints": hints} if hints else found


def slice_of(name: str, *endpoints: Any, port: int = 8080, protocol: str = "TCP") -> dict[str, Any]:
    """A slice of a Service's only, unnamed port; plain texts are pod addresses."""
    return {
        "metadata": {
            "namespace": "default",
            "name": f"{name}-1",
            "labels": {"kubernetes.io/service-name": name},
        },
        "endpoints": [endpoint(e) if isinstance(e, str) else e for e in endpoints],
        "ports": [{"name": "", "port": port, "protocol": protocol}],
    }


def rules_of(*objects: dict[str, Any], node: NodeInfo = NODE, **config: Any) -> NodeRules:
    """A node that has programmed these Services and slices."""
    tables = Tables(ProxyConfig(**config), ["10.244.0.0/16"], ["10.96.0.0/12"])
    for thing in objects:
        tables.set_service(thing) if "spec" in thing else tables.set_slice(thing)
    rules = NodeRules(tables, node)
    rules.program(tables.revision)
    return rules


def ask(rules: NodeRules, source: str, destination: str, port: int = 80, protocol: str = "TCP") -> Any:
    """The verdict on a packet."""
    return rules.verdict(Packet(source, 40000, destination, port, protocol))


def targets(verdict: Any) -> list[str]:
    """The pods a verdict may choose."""
    return [endpoint.ip for endpoint in verdict.endpoints]
