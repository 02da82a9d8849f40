"""Cases of kind `flows`: packets through the rules of one node."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet
from netsim.proxy.tables import Tables

ENTRY = {"pod": "pod", "local_node": "node", "localhost": "node", "external": "outside"}


def flows(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """One check a flow; each step of a test is a complete state of the same cluster."""
    for test in document["tests"]:
        state = _Cluster(test)
        name = f"derived/{test['id']}" if test.get("derived") else test["id"]
        for number, step in enumerate(test["steps"]):
            for place, flow in enumerate(step["flows"]):
                yield f"{name}/{number}.{place} {flow['name']}", partial(_check, state, number, flow)


def _check(state: _Cluster, step: int, flow: dict[str, Any]) -> None:
    rules = state.at(step)
    packet = Packet(
        flow["source_ip"],
        40000,
        flow["dest_ip"],
        flow["dest_port"],
        flow["protocol"],
        ENTRY.get(flow["source_kind"], ""),  # type: ignore[arg-type]
    )
    verdict = rules.verdict(packet)
    expected = flow["expected"]
    found = {
        "verdict": verdict.action,
        "endpoints": sorted(endpoint.address for endpoint in verdict.endpoints),
        # the source's tracer notes a masquerade if any of the possible endpoints asks for one
        "masquerade": any(verdict.masquerades(endpoint, packet.source) for endpoint in verdict.endpoints),
    }
    assert found == {**expected, "endpoints": sorted(expected["endpoints"])}, (packet, verdict)


class _Cluster:
    """One test's node, brought to the state of a step; states replace each other on the same tables."""

    def __init__(self, test: dict[str, Any]) -> None:
        self.steps = test["steps"]
        cluster, config = test["cluster"], test["proxy_config"]
        detector = cluster["local_detector"]
        self.tables = Tables(
            ProxyConfig(
                mode=config["mode"],
                masquerade_all=config["masquerade_all"],
                node_port_addresses=config["node_port_addresses"],
                localhost_node_ports=config.get("localhost_node_ports", True),
                feature_gates=config.get("feature_gates") or {},
            ),
            [detector["cidr"]] if detector["type"] == "cluster_cidr" else [],
            config.get("service_cidrs") or [],
        )
        node = cluster["local_node"]
        primary = node["primary_ip"]
        addresses = [address.partition("/")[0] for address in node["addresses"]]
        addresses.sort(key=lambda address: address != primary)
        self.rules = NodeRules(self.tables, NodeInfo(node["name"], tuple(addresses)))
        self.programmed: dict[int, int] = {}

    def at(self, step: int) -> NodeRules:
        """The node's rules in the state of a step."""
        for number in range(len(self.programmed), step + 1):
            before = self.steps[number - 1] if number else {"services": [], "endpoint_slices": []}
            _replace(self.tables, before, self.steps[number])
            self.programmed[number] = self.tables.revision
        self.rules.program(self.programmed[step])
        return self.rules


def _replace(tables: Tables, before: dict[str, Any], after: dict[str, Any]) -> None:
    def key(thing: dict[str, Any]) -> tuple[str, str]:
        return thing["metadata"]["namespace"], thing["metadata"]["name"]

    for kind, put, delete in (
        ("endpoint_slices", tables.set_slice, tables.delete_slice),
        ("services", tables.set_service, tables.delete_service),
    ):
        for gone in {key(x) for x in before[kind]} - {key(x) for x in after[kind]}:
            delete(*gone)
        for thing in after[kind]:
            put(thing)
