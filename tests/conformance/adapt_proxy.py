"""Cases about what kube-proxy makes of Services and EndpointSlices, short of packets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from netsim.proxy.affinity import Affinity
from netsim.proxy.config import ProxyConfig
from netsim.proxy.endpoints import (
    Endpoint,
    Endpoints,
    categorize,
    local_ready_addresses,
)
from netsim.proxy.endpoints import (
    endpoints_map as map_of,
)
from netsim.proxy.iptables_text import probability
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet
from netsim.proxy.paths import backends
from netsim.proxy.services import ServicePort
from netsim.proxy.tables import Tables, needs_udp_clean_up
from netsim.units import S

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def categorize_endpoints(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Which endpoints of a service port a node programs."""
    for case in document["cases"]:
        yield case["id"], partial(_categorize, case["input"], case["expected"])


def _categorize(given: dict[str, Any], expected: dict[str, Any]) -> None:
    labels = given.get("node_labels") or {}
    node = given.get("node_name") or given.get("node") or labels.get(HOSTNAME) or "test-node"
    service = given["service"]
    port = ServicePort(
        "ns", "svc", "", "TCP", "172.30.0.1", 80,
        node_port=service.get("nodePort") or 0,
        internal_local=service.get("internalTrafficPolicy") == "Local",
        external_local=service.get("externalTrafficPolicy") == "Local",
    )  # fmt: skip
    gates = given.get("feature_gates") or {}
    found = categorize(
        Endpoints(_endpoint(entry, node) for entry in given["endpoints"]),
        node,
        labels.get(ZONE, ""),
        uses_cluster=port.uses_cluster,
        uses_local=port.uses_local,
        node_hints=gates.get("PreferSameTrafficDistribution", True),
    )
    assert _texts(found.cluster) == _sorted(expected["cluster_endpoints"])
    assert _texts(found.local) == _sorted(expected["local_endpoints"])
    assert _texts(found.all) == (_sorted(expected["all_endpoints"]) or [])
    assert found.only_remote == expected["only_remote_endpoints"]
    assert found.any == expected["has_any_endpoints"]


def _endpoint(entry: dict[str, Any], node: str) -> Endpoint:
    address, _, port = entry["endpoint"].rpartition(":")
    return Endpoint(
        address.strip("[]"), int(port), node if entry["is_local"] else "elsewhere",
        ready=entry["ready"], serving=entry["serving"], terminating=entry["terminating"],
        zone_hints=tuple(entry.get("zone_hints") or ()), node_hints=tuple(entry.get("node_hints") or ()),
    )  # fmt: skip


def _texts(endpoints: tuple[Endpoint, ...] | None) -> list[str] | None:
    return None if endpoints is None else [endpoint.address for endpoint in endpoints]


def _sorted(texts: list[str] | None) -> list[str] | None:
    return None if texts is None else sorted(texts)


def endpoints_map(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Slices joined by port, before and after a change."""
    for case in document["cases"]:
        yield case["id"], partial(_endpoints_map, case)


def _endpoints_map(case: dict[str, Any]) -> None:
    node, given, expected = case["local_node"], case["input"], case["expected"]
    family = 6 if case.get("ip_family") == "IPv6" else 4
    before, after = (_join(given[f"{when}_slices"], family) for when in ("previous", "current"))
    assert _flat(before, node) == _wanted(expected["map_before"])
    assert _flat(after, node) == _wanted(expected["map_after"])
    cleans_up = any(
        needs_udp_clean_up(before.get(owner, {}), after.get(owner, {})) for owner in {**before, **after}
    )
    assert cleans_up == expected["conntrack_cleanup_required"]
    ready = {
        f"{namespace}/{service}": count
        for (namespace, service), ports in after.items()
        if (count := local_ready_addresses(ports.values(), node))
    }
    assert ready == expected["local_ready_endpoints_after"]


def _join(slices: list[dict[str, Any]], family: int) -> dict[tuple[str, str], dict[Any, Endpoints]]:
    """What the proxy of one address family knows."""
    found = map_of(slice_ for slice_ in slices if slice_)
    return {owner: {p: e for p, e in ports.items() if p[2] == family} for owner, ports in found.items()}


def _flat(found: dict[tuple[str, str], dict[Any, Endpoints]], node: str) -> dict[str, list[tuple[str, bool]]]:
    return {
        f"{namespace}/{service}{':' if port else ''}{port}/{protocol}": [
            (e.address, e.node == node) for e in endpoints.seen_by(node).all
        ]
        for (namespace, service), ports in found.items()
        for (port, protocol, _), endpoints in ports.items()
    }


def _wanted(wanted: dict[str, list[dict[str, Any]]]) -> dict[str, list[tuple[str, bool]]]:
    # an unnamed port is written "ns/name:/UDP" or "ns/name/UDP"
    return {
        key.replace(":/", "/"): sorted((e["endpoint"], e["is_local"]) for e in endpoints)
        for key, endpoints in wanted.items()
    }


def service_map(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """How many service ports are proxied, and which health check node ports are open."""
    for case in document["cases"]:
        yield (
            case["id"],
            partial(_service_map, case["input"], case["expected"], case.get("ip_family", "IPv4")),
        )


def _service_map(given: dict[str, Any], expected: dict[str, Any], family: str) -> None:
    tables = Tables(ProxyConfig())
    known: set[tuple[str, str]] = set()
    for services, wanted in zip(given["states"], expected["per_state"], strict=True):
        keys = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in services}
        for gone in sorted(known - keys):
            tables.delete_service(*gone)
        for service in services:
            tables.set_service(service)
        known = keys
        found = list(tables.versions(tables.revision, 6 if family == "IPv6" else 4))
        assert len(found) == wanted["service_port_count"]
        assert tables.health_checks(tables.revision) == wanted["health_check_node_ports"]


def endpoint_probability(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """How a balancing rule's chance is written."""
    for case in document["cases"]:
        yield case["id"], partial(_probability, case["input"]["n"], case["expected"]["probability"])


def _probability(count: int, wanted: str) -> None:
    assert probability(count) == wanted


def _rules(given: dict[str, Any], node: str = "test-node", mode: Any = "iptables") -> NodeRules:
    config = ProxyConfig(mode=mode, feature_gates=given.get("feature_gates") or {})
    tables = Tables(config, ["10.0.0.0/8"], ["172.30.0.0/16"])
    tables.set_service(given["service"])
    for slice_ in given.get("endpoint_slices") or ():
        tables.set_slice(slice_)
    rules = NodeRules(tables, NodeInfo(node, ("192.168.0.2",)))
    rules.program(tables.revision)
    return rules


def no_local_endpoints(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """How many Services have endpoints, but none here for a policy Local."""
    for case in document["cases"]:
        yield case["id"], partial(_no_local, case)


def _no_local(case: dict[str, Any]) -> None:
    rules = _rules(case["input"], case["local_node"])
    there = [backends(rules, version) for version in rules.versions(4)]
    found = {
        "internal": sum(b.any and b.port.internal_local and not b.internal for b in there),
        "external": sum(b.any and b.port.external_local and not b.external for b in there),
    }
    assert found == case["expected"]["services_without_local_endpoints"]


def lb_ip_mode(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Whether a node takes packets to a load balancer's address, in both modes that Kubernetes tests."""
    for case in document["cases"]:
        for mode in ("iptables", "nftables"):
            yield f"{case['id']}/{mode}", partial(_lb_ip_mode, case, mode)


def _lb_ip_mode(case: dict[str, Any], mode: str) -> None:
    given = case["input"]
    rules = _rules(given, mode=mode)
    port = given["service"]["spec"]["ports"][0]
    for ingress in given["service"]["status"]["loadBalancer"]["ingress"]:
        packet = Packet("203.0.113.2", 40000, ingress["ip"], port["port"], port.get("protocol", "TCP"))
        taken = rules.verdict(packet).action == "DNAT"
        assert taken == case["expected"]["node_intercepts_lb_ip"]
        assert (ingress["ip"] in rules.render()) == taken


def session_affinity(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Relations between connections, in every mode with affinity of its own, for several chances."""
    for case in document["cases"]:
        for mode in ("iptables", "nftables"):
            yield f"{case['id']}/{mode}", partial(_affinity, case, mode)


def _affinity(case: dict[str, Any], mode: str) -> None:
    runs = [_Run(case["input"], mode, seed) for seed in range(64)]
    for relation, which in case["expected"]["relations"]:
        if relation == "same_endpoint":
            assert all(len({run.chosen[k].address for k in which}) == 1 for run in runs)
        elif relation == "unconstrained":
            assert all(len({run.chosen[k].address for run in runs}) > 1 for k in which)
        elif relation == "among_remaining":
            assert all(run.chosen[k].address in run.remaining[k] for k in which for run in runs)
        else:
            raise AssertionError(f"unknown relation {relation}")


class _Run:
    """The connections of a case, one after the other, with one set of chances."""

    def __init__(self, given: dict[str, Any], mode: str, seed: int) -> None:
        self.rules = _rules(given, mode=mode)
        self.slices = list(given["endpoint_slices"])
        self.memories: dict[str, Affinity] = {}  # a node has its own
        self.mode, self.seed = mode, seed
        self.chosen: list[Endpoint] = []
        self.remaining: list[set[str]] = []
        changes = [
            change
            for key, listed in given.items()
            if key != "connections" and isinstance(listed, list)
            for change in listed
            if isinstance(change, dict) and "t" in change
        ]
        for happening in sorted([*changes, *given["connections"]], key=lambda happening: happening["t"]):
            self._connect(happening) if "dest_ip" in happening else self._change(happening)

    def _connect(self, connection: dict[str, Any]) -> None:
        now = int(connection["t"] * S)
        memory = self.memories.setdefault(connection.get("node", ""), Affinity(self.mode))
        protocol = connection.get("protocol", "TCP")
        source, port = connection["source_ip"], connection["source_port"]
        packet = Packet(source, port, connection["dest_ip"], connection["dest_port"], protocol)
        verdict = self.rules.verdict(packet)
        assert verdict.action == "DNAT"
        endpoint = memory.find(verdict, source, now) if verdict.affinity is not None else None
        if endpoint is None:
            number = self.seed * 64 + len(self.chosen) + 1
            endpoint = verdict.choose(number * 0x9E3779B97F4A7C15 % 2**64)
        if verdict.affinity is not None:
            memory.remember(verdict, endpoint, source, now)
        self.chosen.append(endpoint)
        known = map_of(self.slices).values()
        self.remaining.append({e.address for ports in known for p in ports.values() for e in p.all})

    def _change(self, change: dict[str, Any]) -> None:
        """Other slices take over, or some endpoints go: named, or those that a connection had reached."""
        if "endpoint_slices" in change:
            self.slices = list(change["endpoint_slices"])
        for key, value in change.items():
            if "remove" in key:
                values = value if isinstance(value, list) else [value]
                gone = {self.chosen[v].ip if isinstance(v, int) else v.partition(":")[0] for v in values}
                self.slices = [
                    {**s, "endpoints": [e for e in s["endpoints"] if e["addresses"][0] not in gone]}
                    for s in self.slices
                ]
        tables = self.rules.tables
        kept = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in self.slices}
        for known in [key for key in tables.slices() if key not in kept]:
            tables.delete_slice(*known)
        for slice_ in self.slices:
            tables.set_slice(slice_)
        self.rules.program(tables.revision)
