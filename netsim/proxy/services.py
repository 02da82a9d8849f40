"""Services as a proxy sees them: one service port per port and address family, with every address it has.

Headless Services, ExternalName and Services without a cluster IP give nothing to proxy. Labels can take a
Service away from kube-proxy, too.

Sources: kubernetes 1.32 `pkg/proxy/serviceport.go`, `servicechangetracker.go`, `pkg/proxy/util`,
`pkg/api/v1/service/util.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netsim.proxy.addresses import Ranges, canonical, family
from netsim.units import S

UNWATCHED_LABELS = ("service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless")
AFFINITY_SECONDS = 10800  # sessionAffinityConfig.clientIP.timeoutSeconds, the API's default

EVERYWHERE = Ranges(())

PortId = tuple[str, str, str, str, int]
"""What identifies a service port: namespace, Service, port name, protocol, address family."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service in one address family, with all the addresses it can be reached at."""

    namespace: str
    service: str
    name: str  # the port's name; "" for the only port of a Service
    protocol: str
    cluster_ip: str
    port: int
    node_port: int = 0
    external_ips: tuple[str, ...] = ()
    load_balancer_vips: tuple[str, ...] = ()  # ingress addresses that nodes intercept: ipMode VIP
    source_ranges: Ranges = EVERYWHERE  # loadBalancerSourceRanges: they guard the load balancer VIPs only
    health_check_node_port: int = 0
    external_local: bool = False  # externalTrafficPolicy: Local
    internal_local: bool = False  # internalTrafficPolicy: Local
    affinity_seconds: int | None = None
    id: PortId = field(init=False, compare=False)
    label: str = field(init=False, compare=False)  # "ns/name:port", as rules' comments name it

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "id", (self.namespace, self.service, self.name, self.protocol, family(self.cluster_ip))
        )
        port = f":{self.name}" if self.name else ""
        object.__setattr__(self, "label", f"{self.namespace}/{self.service}{port}")

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.id[4]

    @property
    def affinity(self) -> int | None:
        """How long a client sticks to its endpoint after its last connection; None: not at all."""
        return None if self.affinity_seconds is None else self.affinity_seconds * S

    @property
    def externally_accessible(self) -> bool:
        """Whether there is a way in besides the cluster IP."""
        return bool(self.node_port or self.load_balancer_vips or self.external_ips)

    @property
    def uses_cluster(self) -> bool:
        """Whether policy Cluster is ever used: for outside traffic it always is, by short circuits."""
        return not self.internal_local or self.externally_accessible

    @property
    def uses_local(self) -> bool:
        """Whether policy Local is ever used."""
        return self.internal_local or (self.external_local and self.externally_accessible)

    @property
    def has_firewall(self) -> bool:
        """Whether load balancer VIPs admit only some sources."""
        return bool(self.load_balancer_vips and self.source_ranges)

    def __repr__(self) -> str:
        return f"<ServicePort {self.label} {self.cluster_ip}:{self.port}/{self.protocol}>"


def is_proxied(service: Mapping[str, Any]) -> bool:
    """Whether kube-proxy cares about a Service at all."""
    spec = service["spec"]
    labels = service["metadata"].get("labels") or {}
    return (
        spec.get("clusterIP") not in (None, "", "None")
        and spec.get("type") != "ExternalName"
        and not any(label in labels for label in UNWATCHED_LABELS)
    )


def cluster_ips(service: Mapping[str, Any]) -> dict[int, str]:
    """The Service's cluster IP of each address family it has."""
    spec = service["spec"]
    texts = spec.get("clusterIPs") or [spec.get("clusterIP", "")]
    found: dict[int, str] = {}
    for text in texts:
        if text not in ("", "None"):
            found.setdefault(family(text), canonical(text))
    return found


def is_externally_accessible(service: Mapping[str, Any]) -> bool:
    """Whether the API lets the Service have an external traffic policy."""
    spec = service["spec"]
    kind = spec.get("type", "ClusterIP")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def external_policy_local(service: Mapping[str, Any]) -> bool:
    """Whether externalTrafficPolicy Local is in force."""
    return is_externally_accessible(service) and service["spec"].get("externalTrafficPolicy") == "Local"


def health_check_node_port(service: Mapping[str, Any]) -> int:
    """The port where nodes tell a load balancer whether they have ready pods; 0 if there is none."""
    if service["spec"].get("type") != "LoadBalancer" or not external_policy_local(service):
        return 0
    return service["spec"].get("healthCheckNodePort") or 0


def service_ports(service: Mapping[str, Any], *, lb_ip_mode: bool = True) -> tuple[ServicePort, ...]:
    """The service ports of a v1 Service and its status.

    >>> web = {"metadata": {"namespace": "default", "name": "web"},
    ...        "spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80}]}}
    >>> service_ports(web)
    (<ServicePort default/web 10.96.0.20:80/TCP>,)
    """
    if not is_proxied(service):
        return ()
    spec = service["spec"]
    ports = []
    for version, cluster_ip in cluster_ips(service).items():
        common: dict[str, Any] = {
            "namespace": service["metadata"].get("namespace", "default"),
            "service": service["metadata"]["name"],
            "cluster_ip": cluster_ip,
            "external_ips": _of_family(spec.get("externalIPs") or (), version),
            "load_balancer_vips": _of_family(_ingress(service, lb_ip_mode), version),
            "source_ranges": Ranges(
                text for text in spec.get("loadBalancerSourceRanges") or () if family(text) == version
            ),
            "health_check_node_port": health_check_node_port(service),
            "external_local": external_policy_local(service),
            "internal_local": spec.get("internalTrafficPolicy") == "Local",
            "affinity_seconds": _affinity_seconds(spec),
        }
        for port in spec.get("ports") or ():
            ports.append(
                ServicePort(
                    name=port.get("name") or "",
                    protocol=port.get("protocol") or "TCP",
                    port=port["port"],
                    node_port=port.get("nodePort") or 0,
                    **common,
                )
            )
    return tuple(ports)


def _ingress(service: Mapping[str, Any], lb_ip_mode: bool) -> list[str]:
    """The load balancer's addresses that nodes intercept. A proxying load balancer wants them left alone."""
    status = (service.get("status") or {}).get("loadBalancer") or {}
    return [
        entry["ip"]
        for entry in status.get("ingress") or ()
        if entry.get("ip") and not (lb_ip_mode and entry.get("ipMode") == "Proxy")
    ]


def _of_family(texts: Iterable[str], version: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical(text) for text in texts if family(text) == version))


def _affinity_seconds(spec: Mapping[str, Any]) -> int | None:
    if spec.get("sessionAffinity") != "ClientIP":
        return None
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return config.get("timeoutSeconds") or AFFINITY_SECONDS
