"""Cluster DNS: which names exist, and what they answer.

CoreDNS watches Services, EndpointSlices and namespaces and answers from what it has heard; a name is there one
watch latency after the Service is. What it answers is in `dns_records.py`.

`Dns` puts the addresses of Services' names into the forwarding state. That is what traffic asks, unless DNS is made
of pods: those, their caches and resolvers are in `nameservers.py` and `lookup.py`.
Sources: Kubernetes DNS specification 1.1.0; coredns `plugin/kubernetes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netsim.api.objects import Key, Object, key_of, name_of
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.dns_records import TTL, Zone, ready_addresses, service_of


def addresses_of(service: Object, slices: Iterable[Object]) -> tuple[str, ...]:
    """What a Service's name answers; nothing means that the name does not exist."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return ()
    if spec.get("clusterIP") != "None":
        return tuple(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else ()))
    return tuple(sorted({address for piece in slices for _, address in ready_addresses(piece)}))


class Heard:
    """What a DNS server has heard of the cluster: everything as it was one watch latency ago."""

    def __init__(self, cluster: Cluster, changed: Callable[[Key], None] = lambda service: None) -> None:
        self.services: dict[Key, Object] = {key_of(s): s for s in cluster.store.list("Service")}
        self.namespaces: dict[str, None] = {name_of(n): None for n in cluster.store.list("Namespace")}
        self.version = 0  # raised by each change
        self._slices: dict[Key, dict[Key, Object]] = {}  # by Service, then by the slice's own key
        self._changed = changed
        for piece in cluster.store.list("EndpointSlice"):
            self._slices.setdefault(service_of(piece), {})[key_of(piece)] = piece
        cluster.hear("Service", self._service)
        cluster.hear("EndpointSlice", self._slice)
        cluster.hear("Namespace", self._namespace)

    def slices(self, service: Key) -> list[Object]:
        """The EndpointSlices of a Service."""
        return list(self._slices.get(service, {}).values())

    def zone(self, domain: str, ttl: int = TTL) -> Zone:
        """The cluster's domain, as far as it has been heard of."""
        slices = {service: self.slices(service) for service in self._slices}
        return Zone(domain, dict(self.services), slices, frozenset(self.namespaces), ttl)

    def _service(self, change: Change) -> None:
        key = key_of(change.object)
        if change.type == "DELETED":
            self.services.pop(key, None)
        else:
            self.services[key] = change.object
        self._tell(key)

    def _slice(self, change: Change) -> None:
        service, key = service_of(change.object), key_of(change.object)
        pieces = self._slices.setdefault(service, {})
        if change.type == "DELETED":
            pieces.pop(key, None)
        else:
            pieces[key] = change.object
        self._tell(service)

    def _namespace(self, change: Change) -> None:
        self.version += 1
        if change.type == "DELETED":
            self.namespaces.pop(name_of(change.object), None)
        else:
            self.namespaces[name_of(change.object)] = None

    def _tell(self, service: Key) -> None:
        self.version += 1
        self._changed(service)


class Dns:
    """Keeps the names in the forwarding state as CoreDNS would serve them."""

    def __init__(self, cluster: Cluster, domain: str) -> None:
        self.cluster = cluster
        self.domain = domain
        self.heard = Heard(cluster, self._refresh)

    def _refresh(self, key: Key) -> None:
        namespace, name = key
        service = self.heard.services.get(key)
        addresses = addresses_of(service, self.heard.slices(key)) if service else ()
        forwarding = self.cluster.forwarding
        forwarding.name(f"{name}.{namespace}.svc.{self.domain}", addresses or None)
        forwarding.cluster_ips[f"{namespace}/{name}"] = addresses if service else ()
