"""What the API has told every kube-proxy so far: versions of each service port, shared by all nodes.

One integer, the revision, numbers the states of all Services and EndpointSlices together. A change appends a
new version to the chain of each service port (and each address) that it concerns and to no other, so a change
costs what changed. A node only records which revision it has programmed (`node.py`); 5,000 nodes hold 5,000
integers, not 5,000 copies. Nothing is forgotten: the cluster can be looked at as any node saw it at any time.

Revision 0 means that no rules are programmed at all; 1 is what a kube-proxy programs without any Service.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from netsim.proxy.addresses import AnyNetwork, Ranges
from netsim.proxy.change_log import ChangeLog, Changes
from netsim.proxy.config import ProxyConfig
from netsim.proxy.endpoints import (
    NO_ENDPOINTS,
    Endpoint,
    Endpoints,
    PortKey,
    join_slices,
    slice_endpoints,
    slice_owner,
)
from netsim.proxy.services import PortId, ServicePort, service_ports

T = TypeVar("T")

NODE_PORT = "node-port"  # stands for "any address of the node" in an address key
HEALTH_CHECK = "health-check"
Said = dict[PortKey, list[Endpoint]]
"""What one EndpointSlice says."""

AddressKey = tuple[str, int, str]
"""What a rule can match: an address (or NODE_PORT, HEALTH_CHECK), a port and a protocol."""


class Chain(Generic[T]):
    """A value that changes at some revisions."""

    __slots__ = ("revisions", "values")

    def __init__(self, revision: int, value: T) -> None:
        self.revisions = [revision]
        self.values = [value]

    def set(self, revision: int, value: T) -> None:
        """From `revision` on, this is the value."""
        if self.revisions[-1] == revision:
            self.values[-1] = value
        else:
            self.revisions.append(revision)
            self.values.append(value)

    def at(self, revision: int, missing: T) -> T:
        """The value at `revision`; `missing` before there was one."""
        if revision >= self.revisions[-1]:
            return self.values[-1]
        place = bisect_right(self.revisions, revision)
        return self.values[place - 1] if place else missing


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One service port with its endpoints, as it is from some revision on."""

    service_port: ServicePort
    endpoints: Endpoints


@dataclass(frozen=True, slots=True)
class Count:
    """How much there is to program."""

    service_ports: int = 0
    endpoints: int = 0  # entries over all service ports: kube-proxy's measure of a large cluster


class Tables:
    """Every version of every service port. Feed it Services and EndpointSlices; it numbers what they mean.

    >>> tables = Tables(ProxyConfig(), ("10.244.0.0/16",))
    >>> web = {"metadata": {"namespace": "default", "name": "web"},
    ...        "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80}]}}
    >>> tables.set_service(web), tables.set_service(web), tables.revision
    (2, None, 2)
    """

    def __init__(
        self,
        config: ProxyConfig,
        cluster_cidrs: Iterable[AnyNetwork | str] = (),
        service_cidrs: Iterable[AnyNetwork | str] = (),
    ) -> None:
        self.config = config
        self.cluster_cidrs = Ranges(cluster_cidrs)
        self.service_cidrs = Ranges(service_cidrs)
        self.node_addresses: set[str] = set()  # of all nodes, to look an address up
        self.revision = 1
        self._ports: dict[PortId, Chain[Version | None]] = {}
        self._in_order: list[PortId] = []  # of all that have ever been; empty: to be sorted anew
        self._of_service: dict[tuple[str, str], list[PortId]] = {}
        self._addresses: dict[AddressKey, Chain[tuple[Version, ...]]] = {}
        self._cluster_ips: dict[str, Chain[int]] = {}  # how many service ports own a cluster IP
        self._vips: dict[str, Chain[int]] = {}  # the same for any virtual address
        self._counts: Chain[Count] = Chain(1, Count())
        self._changed = ChangeLog()
        self._services: dict[tuple[str, str], tuple[ServicePort, ...]] = {}
        self._slices: dict[tuple[str, str], dict[str, Said]] = {}
        self._owners: dict[tuple[str, str], tuple[str, str]] = {}  # slice -> Service
        self._endpoints: dict[tuple[str, str], dict[PortKey, Endpoints]] = {}

    # -- what the API says ----------------------------------------------------------------------------

    def set_service(self, service: Mapping[str, Any]) -> int | None:
        """A Service is new or has changed. The new revision, if a proxy would program anything new."""
        metadata = service["metadata"]
        owner = (metadata.get("namespace", "default"), metadata["name"])
        ports = service_ports(service, lb_ip_mode=self.config.enabled("LoadBalancerIPMode"))
        if ports == self._services.get(owner, ()):
            return None
        before = self._services.get(owner, ())
        if ports:
            self._services[owner] = ports
        else:
            self._services.pop(owner, None)
        return self._publish(owner, before)

    def delete_service(self, namespace: str, name: str) -> int | None:
        """A Service is gone."""
        before = self._services.pop((namespace, name), ())
        return self._publish((namespace, name), before)

    def set_slice(self, slice_: Mapping[str, Any]) -> int | None:
        """An EndpointSlice is new or has changed."""
        metadata = slice_["metadata"]
        key = (metadata.get("namespace", "default"), metadata["name"])
        owner = slice_owner(slice_)
        if owner is None:
            return self.delete_slice(*key)
        moved = self._owners.get(key) not in (None, owner)
        revision = self.delete_slice(*key) if moved else None
        said = slice_endpoints(slice_)
        parts = self._slices.setdefault(owner, {})
        if parts.get(key[1]) == said:
            return revision
        parts[key[1]] = _sharing(parts.get(key[1], {}), said)
        self._owners[key] = owner
        return self._join(owner) or revision

    def delete_slice(self, namespace: str, name: str) -> int | None:
        """An EndpointSlice is gone."""
        owner = self._owners.pop((namespace, name), None)
        if owner is None:
            return None
        del self._slices[owner][name]
        return self._join(owner)

    def _join(self, owner: tuple[str, str]) -> int | None:
        joined = join_slices(self._slices.get(owner, {}))
        known = self._endpoints.get(owner, {})
        # An unchanged port keeps its object, and with it the lists that nodes have asked for.
        self._endpoints[owner] = {k: known[k] if known.get(k) == e else e for k, e in joined.items()}
        return self._publish(owner, self._services.get(owner, ()))

    # -- versions -------------------------------------------------------------------------------------

    def _publish(self, owner: tuple[str, str], before: tuple[ServicePort, ...]) -> int | None:
        """Give the next revision to what is new of a Service; None if nothing is."""
        endpoints = self._endpoints.get(owner, {})
        wanted = {p.id: p for p in self._services.get(owner, ())}
        changed: list[tuple[PortId, Version | None, Version | None]] = []
        for id_ in dict.fromkeys([*(p.id for p in before), *wanted]):
            old = self._latest(id_)
            port = wanted.get(id_)
            if port is None:
                if old is not None:
                    changed.append((id_, old, None))
                continue
            new = Version(port, endpoints.get(id_[2:5], NO_ENDPOINTS))
            if old is None or old.service_port != port or old.endpoints is not new.endpoints:
                changed.append((id_, old, new))
        if not changed:
            return None
        self.revision += 1
        for change in changed:
            self._write(*change)
        return self.revision

    def _latest(self, id_: PortId) -> Version | None:
        chain = self._ports.get(id_)
        return chain.values[-1] if chain else None

    def _write(self, id_: PortId, old: Version | None, new: Version | None) -> None:
        revision = self.revision
        if id_ not in self._ports:
            self._in_order = []
            self._of_service.setdefault(id_[:2], []).append(id_)
        _append(self._ports, id_, revision, new)
        count = self._counts.values[-1]
        self._counts.set(
            revision,
            Count(
                count.service_ports + (new is not None) - (old is not None),
                count.endpoints + _size(new) - _size(old),
            ),
        )
        udp = id_[3] == "UDP" and (new and new.endpoints) != (old and old.endpoints)
        self._changed.append(revision, id_, max(_size(new), _size(old)), udp=bool(udp))
        keys = dict.fromkeys([*(address_keys(old.service_port) if old else ()),
                              *(address_keys(new.service_port) if new else ())])  # fmt: skip
        for key in keys:
            chain = self._addresses.get(key)
            claims = [v for v in (chain.values[-1] if chain else ()) if v.service_port.id != id_]
            if new is not None and key in address_keys(new.service_port):
                claims.append(new)
                claims.sort(key=lambda version: version.service_port.id)
            _append(self._addresses, key, revision, tuple(claims))
        for addresses, chains in ((_cluster_ip, self._cluster_ips), (virtual_addresses, self._vips)):
            for version, step in ((old, -1), (new, 1)):
                for address in addresses(version.service_port) if version else ():
                    owners = chains.get(address)
                    _append(chains, address, revision, (owners.values[-1] if owners else 0) + step)

    # -- what a revision holds ------------------------------------------------------------------------

    def claims(self, key: AddressKey, revision: int) -> tuple[Version, ...]:
        """The service ports that own an address and port, in the order of their names."""
        chain = self._addresses.get(key)
        return chain.at(revision, ()) if chain else ()

    def is_cluster_ip(self, address: str, revision: int) -> bool:
        """Whether some service port has this cluster IP."""
        chain = self._cluster_ips.get(address)
        return bool(chain and chain.at(revision, 0))

    def is_virtual(self, address: str, revision: int) -> bool:
        """Whether some service port has this cluster IP, external IP or load balancer VIP."""
        chain = self._vips.get(address)
        return bool(chain and chain.at(revision, 0))

    def version(self, id_: PortId, revision: int) -> Version | None:
        """One service port as it was."""
        chain = self._ports.get(id_)
        return chain.at(revision, None) if chain else None

    def versions(self, revision: int, family: int) -> Iterator[Version]:
        """All service ports of an address family, in the order of their names."""
        self._in_order = self._in_order or sorted(self._ports)
        for id_ in self._in_order:
            version = self._ports[id_].at(revision, None) if id_[4] == family else None
            if version is not None:
                yield version

    def versions_of(self, namespace: str, service: str, revision: int) -> Iterator[Version]:
        """The service ports of one Service, of both families."""
        for id_ in self._of_service.get((namespace, service), ()):
            version = self._ports[id_].at(revision, None)
            if version is not None:
                yield version

    def count(self, revision: int) -> Count:
        """How much there is to program."""
        return self._counts.at(revision, Count())

    def changes(self, since: int, until: int) -> Changes:
        """What changed after revision `since`, up to `until`."""
        return self._changed.between(since, until)

    def health_checks(self, revision: int) -> dict[str, int]:
        """The health check node port of each Service ("namespace/name") that has one."""
        found = {}
        for version in (*self.versions(revision, 4), *self.versions(revision, 6)):
            port = version.service_port
            if port.health_check_node_port:
                found[f"{port.namespace}/{port.service}"] = port.health_check_node_port
        return found

    def slices(self) -> Iterator[tuple[str, str]]:
        """The EndpointSlices known now, as (namespace, name)."""
        return iter(self._owners)


def address_keys(port: ServicePort) -> list[AddressKey]:
    """Every address and port that leads to a service port."""
    protocol = port.protocol
    keys = [(address, port.port, protocol) for address in virtual_addresses(port)]
    family = "" if port.family == 4 else "6"
    if port.node_port:
        keys.append((NODE_PORT + family, port.node_port, protocol))
    if port.health_check_node_port:
        keys.append((HEALTH_CHECK + family, port.health_check_node_port, "TCP"))
    return keys


def virtual_addresses(port: ServicePort) -> list[str]:
    """The addresses of a service port that are no node's: cluster IP, external IPs, load balancer VIPs."""
    return list(dict.fromkeys([port.cluster_ip, *port.external_ips, *port.load_balancer_vips]))


def _sharing(old: Said, new: Said) -> Said:
    """The new endpoints, each by the object that already says the same: versions share what did not change."""
    known = {endpoint: endpoint for endpoints in old.values() for endpoint in endpoints}
    return {key: [known.get(endpoint, endpoint) for endpoint in endpoints] for key, endpoints in new.items()}


def _cluster_ip(port: ServicePort) -> list[str]:
    return [port.cluster_ip]


def _size(version: Version | None) -> int:
    return len(version.endpoints) if version else 0


K = TypeVar("K")


def _append(chains: dict[K, Chain[T]], key: K, revision: int, value: T) -> None:
    chain = chains.get(key)
    if chain is None:
        chains[key] = Chain(revision, value)
    else:
        chain.set(revision, value)


def needs_udp_clean_up(before: Mapping[PortKey, Endpoints], after: Mapping[PortKey, Endpoints]) -> bool:
    """Whether a sync must look for stale UDP entries: a Service with a UDP port has other endpoints now.

    Source: kubernetes 1.32 `pkg/proxy/endpointschangetracker.go`.
    """
    return before != after and any(protocol == "UDP" for _, protocol, _ in (*before, *after))
