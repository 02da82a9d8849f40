"""CoreDNS as objects of the cluster: the Service kube-dns, two pods behind it, and the Corefile they read.

What kubeadm sets up, cut to what is simulated. From 1.32 its Corefile takes the cluster's own domain out of
the cache, in both directions; before, an answer (or its absence) could be up to 30 s old. NodeLocal DNSCache is
a pod on every node's own network, which answers that node's pods.

Left out: pod disruption budget, RBAC, health and metrics ports, `lameduck`, `loop`, `reload`.
Sources: kubernetes `cmd/kubeadm/app/phases/addons/dns/manifests.go` of releases 1.31 and 1.32;
coredns `plugin/cache`; `cluster/addons/dns/nodelocaldns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import islice
from typing import Any

from pydantic import Field

from netsim.api.objects import Object, key_of
from netsim.fields import Model
from netsim.units import S

NAMESPACE, SERVICE, CONFIG, NODE_LOCAL = "kube-system", "kube-dns", "coredns", "node-local-dns"
LABELS, NODE_LOCAL_LABELS = {"k8s-app": "kube-dns"}, {"k8s-app": NODE_LOCAL}
PORTS = (("dns", "UDP"), ("dns-tcp", "TCP"))
DNS_PLACE = 10  # kubeadm gives DNS the tenth address of the Service range
OFF_FROM = (1, 32)  # the cluster's domain is not cached from this release on


class ClusterDns(Model):
    """DNS from pods of the cluster: every lookup is packets, and what stops those pods stops names.

    Without it (and without a Service `kube-dns` among the manifests) names are looked up by servers that nothing
    can break, in `nameLookup`.
    """

    replicas: int = Field(default=2, ge=0, le=1000)  # of CoreDNS
    node_local: bool = False  # a cache on every node (NodeLocal DNSCache)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a Corefile says that decides answers."""

    ttl: int = 5 * S
    cache: int = 0  # the longest an answer is kept; 0: no cache at all
    uncached: tuple[str, ...] = ()  # zones that are not

    def cached(self, name: str) -> int:
        """How long an answer for a name may be kept at most.

        >>> Settings(cache=30 * S, uncached=("cluster.local",)).cached("web.default.svc.cluster.local")
        0
        """
        inside = any(name == zone or name.endswith(f".{zone}") for zone in self.uncached)
        return 0 if inside else self.cache


@lru_cache(maxsize=16)
def settings(corefile: str) -> Settings:
    """Read the `ttl` of the kubernetes plugin and the `cache` line with its `disable`s.

    >>> settings(corefile_text("1.32", "cluster.local"))
    Settings(ttl=30000000000, cache=30000000000, uncached=('cluster.local',))
    >>> settings(corefile_text("1.31", "cluster.local")).uncached
    ()
    """
    ttl, cache, uncached = 5 * S, 0, []
    for words in (line.replace("{", " ").split("#")[0].split() for line in corefile.splitlines()):
        if words[:1] == ["ttl"] and words[1:2] and words[1].isdigit():
            ttl = int(words[1]) * S
        elif words[:1] == ["cache"]:
            given = words[1] if len(words) > 1 and words[1].isdigit() else "3600"
            cache = int(given) * S
        elif words[:2] == ["disable", "success"]:
            uncached = words[2:]
    return Settings(ttl, cache, tuple(uncached))


def corefile_text(version: str, domain: str) -> str:
    """The Corefile that kubeadm of that release writes, cut to what is simulated."""
    off = release(version) >= OFF_FROM
    cache = ["cache 30 {", f"   disable success {domain}", f"   disable denial {domain}", "}"] if off else ["cache 30"]
    lines = [
        "errors", "ready",
        f"kubernetes {domain} in-addr.arpa ip6.arpa {{", "   pods insecure", "   ttl 30", "}",
        "forward . /etc/resolv.conf", *cache, "loadbalance",
    ]  # fmt: skip
    return "\n".join([".:53 {", *(f"    {line}" for line in lines), "}", ""])


def release(version: str) -> tuple[int, ...]:
    """A release as numbers, so that 1.9 comes before 1.32."""
    return tuple(int(part) for part in version.split("."))


def dns_address(services: IPv4Network | IPv6Network | str) -> str:
    """Where the cluster's DNS is: the tenth address of the Service range, or the last of a shorter one.

    >>> dns_address("10.0.0.0/16"), dns_address("10.0.0.0/29")
    ('10.0.0.10', '10.0.0.6')
    """
    *_, address = islice(ip_network(services).hosts(), DNS_PLACE)
    return str(address)


def cluster_dns_objects(
    services: IPv4Network | IPv6Network | str = "10.96.0.0/12", *, version: str = "1.32",
    domain: str = "cluster.local", replicas: int = 2,
) -> list[Object]:  # fmt: skip
    """The Service, the Deployment and the configuration of a cluster's DNS, to be applied like any manifest."""
    return list(_objects(dns_address(services), version, domain, replicas))


def dns_objects(
    dns: ClusterDns | None, services: IPv4Network | IPv6Network, version: str, domain: str
) -> tuple[Object, ...]:
    """What a scenario's `cluster.dns` stands for."""
    if dns is None:
        return ()
    objects = cluster_dns_objects(services, version=version, domain=domain, replicas=dns.replicas)
    return (*objects, *(node_local_objects(domain) if dns.node_local else ()))


def node_local_objects(domain: str = "cluster.local") -> list[Object]:
    """NodeLocal DNSCache: on every node a pod that answers the node's own pods, from a cache or by asking."""
    text = f"{domain}:53 {{\n    cache {{\n        success 9984 30\n        denial 9984 5\n    }}\n}}\n"
    container = {
        "name": "node-cache",
        "image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23.1",
        "ports": _container_ports(),
        "resources": {"requests": {"cpu": "25m", "memory": "5Mi"}},
    }
    spec = {
        "dnsPolicy": "Default",
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    template = {"metadata": {"labels": NODE_LOCAL_LABELS}, "spec": spec}
    daemons = {"selector": {"matchLabels": NODE_LOCAL_LABELS}, "template": template}
    return [
        _object("v1", "ConfigMap", NODE_LOCAL, data={"Corefile": text}),
        _object("apps/v1", "DaemonSet", NODE_LOCAL, labels=NODE_LOCAL_LABELS, spec=daemons),
    ]


def is_dns_service(obj: Object) -> bool:
    """Whether this is the Service that pods of the cluster ask for names."""
    return obj["kind"] == "Service" and key_of(obj) == (NAMESPACE, SERVICE)


def _objects(address: str, version: str, domain: str, replicas: int) -> Iterator[Object]:
    yield _object("v1", "ConfigMap", CONFIG, data={"Corefile": corefile_text(version, domain)})
    ports = [{"name": name, "port": 53, "targetPort": 53, "protocol": p} for name, p in PORTS]
    labels = {**LABELS, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    spec = {"clusterIP": address, "selector": LABELS, "ports": ports}
    yield _object("v1", "Service", SERVICE, labels=labels, spec=spec)
    container = {
        "name": CONFIG,
        "image": "registry.k8s.io/coredns/coredns:v1.11.3",
        "ports": _container_ports(),
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
    }
    yield _object(
        "apps/v1", "Deployment", CONFIG, labels=LABELS,
        spec={
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": _pod_spec(container)},
        },
    )  # fmt: skip


def _container_ports() -> list[Object]:
    return [{"name": name, "containerPort": 53, "protocol": protocol} for name, protocol in PORTS]


def _pod_spec(container: Object) -> Object:
    """DNS pods keep apart from each other where they can, run on control planes too, and ask the node's DNS."""
    apart = {
        "weight": 100,
        "podAffinityTerm": {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"},
    }
    return {
        "dnsPolicy": "Default",
        "priorityClassName": "system-cluster-critical",
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "containers": [container],
    }


def _object(version: str, kind: str, name: str, labels: Object | None = None, **rest: Any) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE, **({"labels": labels} if labels else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
