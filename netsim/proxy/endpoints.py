"""Endpoints: where a Service's connections may end, and which of them one node may use.

EndpointSlices list them with their conditions and hints; a port's name joins a slice to a Service's port.
A proxy uses the ready ones. Only when there is none does it fall back to those that still serve while they
terminate. Policy Local looks no further than the node itself; policy Cluster may be narrowed by hints, and
hints count only if every ready endpoint has one and one of them names this node or its zone.

Left out: pods that share an address on different nodes of a Local Service keep Kubernetes' rule (the local
one wins) but not its map-order chance. Sources: kubernetes 1.32 `pkg/proxy/topology.go`,
`endpointslicecache.go`; node hints as from 1.33 (KEP-3015).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netsim.proxy.addresses import canonical, family, join
from netsim.proxy.services import UNWATCHED_LABELS

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port behind a Service's port, as an EndpointSlice reports it."""

    ip: str
    port: int
    node: str = ""  # "" when the slice does not say; such an endpoint is local to no node
    zone: str = ""
    ready: bool = True  # passes its readiness probe and is not terminating
    serving: bool = True  # passes its readiness probe, terminating or not
    terminating: bool = False
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()
    pod: str = ""  # namespace/name, from targetRef
    address: str = field(init=False, compare=False)  # "ip:port": kube-proxy's name for it, and its order

    def __post_init__(self) -> None:
        object.__setattr__(self, "address", join(self.ip, self.port))

    def __repr__(self) -> str:
        state = "ready" if self.ready else "serving" if self.serving and self.terminating else "not-ready"
        return f"<Endpoint {self.address} on {self.node or '?'} {state}>"


@dataclass(frozen=True, slots=True)
class Categories:
    """The endpoints of a service port that one node may use. None: the port has no use for that list."""

    cluster: tuple[Endpoint, ...] | None  # for traffic policy Cluster
    local: tuple[Endpoint, ...] | None  # for traffic policy Local
    any: bool  # whether there is a usable endpoint anywhere in the cluster

    @property
    def all(self) -> tuple[Endpoint, ...]:
        """Everything this node may reach, in kube-proxy's order."""
        if not self.local:
            return self.cluster or ()
        if not self.cluster:
            return self.local
        union = {e.address: e for e in (*self.cluster, *self.local)}
        return tuple(union[address] for address in sorted(union))

    @property
    def only_remote(self) -> bool:
        """There are usable endpoints, and this node may reach none of them: packets are dropped."""
        return self.any and not self.all


class Endpoints:
    """The endpoints of one service port, immutable, in kube-proxy's order: sorted by "ip:port" as text.

    Lists for a zone or a node are worked out once and shared by every node that asks.
    """

    __slots__ = ("_others", "_seen", "_terminating", "_views", "all", "fallback", "ready")

    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        first: dict[str, Endpoint] = {}
        others: list[Endpoint] = []  # an address may stand in several slices
        for endpoint in endpoints:
            if first.setdefault(endpoint.address, endpoint) is not endpoint:
                others.append(endpoint)
        self.all: tuple[Endpoint, ...] = tuple(first[address] for address in sorted(first))
        self._others = tuple(e for e in others if e.node)
        self.ready: tuple[Endpoint, ...] = tuple(e for e in self.all if e.ready)
        self._terminating: tuple[Endpoint, ...] = tuple(e for e in self.all if e.serving and e.terminating)
        self.fallback: tuple[Endpoint, ...] = self.ready or self._terminating
        self._views: dict[Any, tuple[Endpoint, ...]] = {}
        self._seen: dict[str, Endpoints] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoints) and self.all == other.all and self._others == other._others

    def __hash__(self) -> int:
        return hash(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __repr__(self) -> str:
        return f"<Endpoints {', '.join(e.address for e in self.all) or 'none'}>"

    @property
    def usable(self) -> bool:
        """Whether there is an endpoint that some node may use."""
        return bool(self.fallback)

    def seen_by(self, node: str) -> Endpoints:
        """The same as `node` reads them: what is said last of its own pod wins where slices disagree."""
        own = {e.address: e for e in self._others if e.node == node}
        if not own:
            return self
        if node not in self._seen:
            self._seen[node] = Endpoints(own.get(e.address, e) for e in self.all)
        return self._seen[node]

    def local(self, node: str) -> tuple[Endpoint, ...]:
        """Those for policy Local on `node`."""
        key = ("local", node)
        if key not in self._views:
            own = [e for e in self.all if e.node == node and node]
            ready = tuple(e for e in own if e.ready)
            self._views[key] = ready or tuple(e for e in own if e.serving and e.terminating)
        return self._views[key]

    def cluster(self, node: str, zone: str, node_hints: bool = True) -> tuple[Endpoint, ...]:
        """Those for policy Cluster on `node` in `zone`."""
        if not self.ready:
            return self._terminating
        if node_hints and self._hinted("node", node):
            return self._views["node", node]
        if self._hinted("zone", zone):
            return self._views["zone", zone]
        return self.ready

    def _hinted(self, kind: str, name: str) -> bool:
        """Whether hints of one kind apply to a node: each ready endpoint has one, and some name it."""
        if kind not in self._views:
            everywhere = all(e.node_hints if kind == "node" else e.zone_hints for e in self.ready)
            self._views[kind] = self.ready if everywhere else ()
        if not self._views[kind]:
            return False
        key = (kind, name)
        if key not in self._views:
            self._views[key] = tuple(
                e for e in self.ready if name in (e.node_hints if kind == "node" else e.zone_hints)
            )
        return bool(self._views[key])


NO_ENDPOINTS = Endpoints()


def categorize(
    endpoints: Endpoints,
    node: str,
    zone: str,
    *,
    uses_cluster: bool,
    uses_local: bool,
    node_hints: bool = True,
) -> Categories:
    """The endpoints that `node` may use for the policies a service port has.

    >>> here, there = Endpoint("10.0.0.1", 80, node="a"), Endpoint("10.0.1.1", 80, node="b")
    >>> categorize(Endpoints([there, here]), "a", "", uses_cluster=True, uses_local=True).local
    (<Endpoint 10.0.0.1:80 on a ready>,)
    """
    if not endpoints.all:
        return Categories(() if uses_cluster else None, () if uses_local else None, any=False)
    endpoints = endpoints.seen_by(node)
    return Categories(
        cluster=endpoints.cluster(node, zone, node_hints) if uses_cluster else None,
        local=endpoints.local(node) if uses_local else None,
        any=endpoints.usable,
    )


PortKey = tuple[str, str, int]
"""How a slice's port is joined to a Service's port: its name, protocol and address family."""


def slice_endpoints(slice_: Mapping[str, Any]) -> dict[PortKey, list[Endpoint]]:
    """What one EndpointSlice says, by port. Ports without a name or a number say nothing."""
    result: dict[PortKey, list[Endpoint]] = {}
    entries = slice_.get("endpoints") or ()
    for port in slice_.get("ports") or ():
        name, number = port.get("name", ""), port.get("port")
        if name is None or not number:
            continue
        for entry in entries:
            if entry.get("addresses"):
                endpoint = _endpoint(entry, number)
                key = (name, port.get("protocol") or "TCP", family(endpoint.ip))
                result.setdefault(key, []).append(endpoint)
    return result


def join_slices(slices: Mapping[str, Mapping[PortKey, list[Endpoint]]]) -> dict[PortKey, Endpoints]:
    """The endpoints of a Service: its slices (by name) put together, port by port."""
    joined: dict[PortKey, list[Endpoint]] = {}
    for name in sorted(slices):
        for key, endpoints in slices[name].items():
            joined.setdefault(key, []).extend(endpoints)
    return {key: Endpoints(endpoints) for key, endpoints in joined.items()}


def endpoints_map(slices: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[PortKey, Endpoints]]:
    """The endpoints of every Service, by (namespace, name), from whole EndpointSlices."""
    grouped: dict[tuple[str, str], dict[str, dict[PortKey, list[Endpoint]]]] = {}
    for slice_ in slices:
        owner = slice_owner(slice_)
        if owner:
            grouped.setdefault(owner, {})[slice_["metadata"]["name"]] = slice_endpoints(slice_)
    return {owner: join_slices(parts) for owner, parts in grouped.items()}


def slice_owner(slice_: Mapping[str, Any]) -> tuple[str, str] | None:
    """The Service (namespace, name) that a slice belongs to; None for those kube-proxy does not watch."""
    metadata = slice_["metadata"]
    labels = metadata.get("labels") or {}
    service = labels.get(SERVICE_NAME_LABEL)
    if not service or any(label in labels for label in UNWATCHED_LABELS) or not metadata.get("name"):
        return None
    return metadata.get("namespace", "default"), service


def local_ready_addresses(ports: Iterable[Endpoints], node: str) -> int:
    """How many distinct pod addresses of `node` are ready, over all ports of a Service.

    This is what a health check node port answers with.
    """
    return len({e.ip for port in ports for e in port.seen_by(node).ready if e.node == node and node})


def _endpoint(entry: Mapping[str, Any], port: int) -> Endpoint:
    """One entry of a slice. What a condition does not say is ready, serving, and not terminating."""
    conditions = entry.get("conditions") or {}
    hints = entry.get("hints") or {}
    target = entry.get("targetRef") or {}
    ready, serving = conditions.get("ready"), conditions.get("serving")
    return Endpoint(
        ip=canonical(entry["addresses"][0]),
        port=port,
        node=entry.get("nodeName") or "",
        zone=entry.get("zone") or "",
        ready=ready is None or ready,
        serving=serving is None or serving,
        terminating=bool(conditions.get("terminating")),
        zone_hints=tuple(sorted({zone["name"] for zone in hints.get("forZones") or ()})),
        node_hints=tuple(sorted({node["name"] for node in hints.get("forNodes") or ()})),
        pod=f"{target.get('namespace', 'default')}/{target['name']}" if target.get("kind") == "Pod" else "",
    )
