"""Cluster DNS: which names exist, and what they answer.

CoreDNS watches Services and EndpointSlices and answers from what it has heard; a name is there one watch
latency after the Service is. A Service with a virtual address has its address, endpoints or not; a headless
one has its ready endpoints and is unknown without any; an ExternalName is another name for something else.

Left out here: the DNS pods themselves and clients' caches.
Sources: Kubernetes DNS specification 1.1.0; coredns `plugin/kubernetes`.
"""

from __future__ import annotations

from netsim.api.objects import SERVICE_NAME, Object, key_of, labels_of
from netsim.api.store import Change
from netsim.control.cluster import Cluster


def addresses_of(service: Object, slices: list[Object]) -> tuple[str, ...]:
    """What a Service's name answers; nothing means that the name does not exist."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return ()
    if spec.get("clusterIP") != "None":
        return tuple(spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else ()))
    publish_all = spec.get("publishNotReadyAddresses", False)
    found = {
        address: None
        for piece in slices
        for endpoint in piece.get("endpoints") or ()
        if publish_all or endpoint.get("conditions", {}).get("ready") is not False
        for address in endpoint["addresses"]
    }
    return tuple(sorted(found))


class Dns:
    """Keeps the names in the forwarding state as CoreDNS would serve them."""

    def __init__(self, cluster: Cluster, domain: str) -> None:
        self.cluster = cluster
        self.domain = domain
        cluster.hear("Service", lambda change: self._refresh(*key_of(change.object)))
        cluster.hear("EndpointSlice", self._slice)

    def _slice(self, change: Change) -> None:
        self._refresh(*slice_service(change.object))

    def _refresh(self, namespace: str, name: str) -> None:
        store = self.cluster.store
        service = store.get("Service", namespace, name)
        slices = store.find("EndpointSlice", "service", (namespace, name))
        addresses = addresses_of(service, slices) if service else ()
        forwarding = self.cluster.forwarding
        forwarding.name(f"{name}.{namespace}.svc.{self.domain}", addresses or None)
        forwarding.cluster_ips[f"{namespace}/{name}"] = addresses if service else ()


def slice_service(endpoint_slice: Object) -> tuple[str, str]:
    """The Service an EndpointSlice belongs to: namespace and name."""
    return endpoint_slice["metadata"]["namespace"], labels_of(endpoint_slice).get(SERVICE_NAME, "")
