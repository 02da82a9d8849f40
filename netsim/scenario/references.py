"""Whom traffic asks and whom `serving` selects, looked up among the Kubernetes objects of the scenario.

A pod can be named only if a manifest names it: what a Deployment creates is called as chance has it. A
Service is found as the client would find it: by `svc/NAME`, or by a DNS name that the client's search path
completes (in a pod; elsewhere only whole names mean something). Names outside the cluster are not simulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from netsim.api.objects import container_ports, labels_of
from netsim.control.corefile import NAMESPACE, SERVICE, dns_objects
from netsim.scenario.draft import Draft
from netsim.scenario.mistakes import Mistake, nearest, one_of
from netsim.scenario.model import Cluster
from netsim.traffic import Origin, Target, Traffic, parse_origin, parse_target

Object = dict[str, Any]
NODE_PORTS = range(30000, 32768)
KUBELET_PORTS = (10248, 10249, 10250, 10256)  # what answers on a node by itself: kubelet and kube-proxy


@dataclass(frozen=True)
class Known:
    """What a scenario's cluster and objects hold, by name."""

    nodes: tuple[str, ...]
    domain: str
    pods: Mapping[tuple[str, str], Object] = field(default_factory=dict)  # by namespace and name
    services: Mapping[tuple[str, str], Object] = field(default_factory=dict)
    templates: tuple[tuple[str, Object], ...] = ()  # namespace, and pod or pod template
    objects: Mapping[tuple[str, str, str], Object] = field(default_factory=dict)  # by kind, namespace and name

    @classmethod
    def of(cls, draft: Draft) -> Known:
        """Sort out a draft's objects."""
        objects = (*_of_the_cluster(draft.cluster), *(draft.objects or ()))
        return cls(
            nodes=tuple(draft.nodes()),
            domain=draft.cluster.domain if draft.cluster else "cluster.local",
            pods=_named(objects, "Pod"),
            services=_named(objects, "Service"),
            templates=tuple(
                (obj["metadata"].get("namespace", "default"), pod) for obj in objects if (pod := pod_of(obj))
            ),
            objects={
                (obj["kind"], obj["metadata"].get("namespace", "default"), obj["metadata"]["name"]): obj
                for obj in objects
                if obj["metadata"].get("name")
            },
        )

    def names(self, kind: Mapping[tuple[str, str], Object], namespace: str = "default") -> list[str]:
        """The names of pods or Services as one writes them in that namespace."""
        return [name if space == namespace else f"{name}.{space}" for space, name in kind]

    def listening_ports(self) -> set[int]:
        """The ports of a node on which pods listen: host ports, and all ports of pods on the host network."""
        ports: set[int] = set()
        for _, pod in self.templates:
            inside = "containerPort" if pod["spec"].get("hostNetwork") else "hostPort"
            ports |= {port[inside] for port in container_ports(pod) if port.get(inside)}
        return ports


def _of_the_cluster(cluster: Cluster | None) -> tuple[Object, ...]:
    """The objects that the cluster brings itself."""
    if cluster is None:
        return ()
    return dns_objects(cluster.dns, cluster.addresses.services, cluster.version, cluster.domain)


def _named(objects: Iterable[Object], kind: str) -> dict[tuple[str, str], Object]:
    """The objects of one of the core kinds, by namespace and name."""
    return {
        (obj["metadata"].get("namespace", "default"), obj["metadata"]["name"]): obj
        for obj in objects
        if (obj["apiVersion"], obj["kind"]) == ("v1", kind) and obj["metadata"].get("name")
    }


def pod_of(obj: Object) -> Object | None:
    """The pod that an object is, or is a template of."""
    spec = obj.get("spec")
    while isinstance(spec, dict) and obj["kind"] != "Pod":
        if "template" in spec:
            template = spec["template"]
            return (
                {"metadata": {}, **template}
                if isinstance(template, dict) and _has_containers(template)
                else None
            )
        spec = spec["jobTemplate"].get("spec") if isinstance(spec.get("jobTemplate"), dict) else None
    return obj if obj["kind"] == "Pod" and _has_containers(obj) else None


def _has_containers(pod: Object) -> bool:
    return isinstance(pod.get("spec"), dict) and isinstance(pod["spec"].get("containers"), list)


# traffic -----------------------------------------------------------------------------------------------


def misdirected(draft: Draft) -> Iterator[Mistake]:
    """Traffic that comes from, or goes to, what is not there."""
    known = Known.of(draft)
    for i, traffic in enumerate(draft.traffic):
        if traffic is None:
            continue
        origin, target = parse_origin(traffic.source), parse_target(traffic.target)
        wrong = (
            ("from", _wrong_origin(draft, known, origin)),
            ("to", _wrong_target(draft, known, traffic, target)),
        )
        for name, words in wrong:
            if words is not None:
                yield Mistake(("traffic", i, name), f"traffic[{i}].{name}: {words[0]}", words[1])


def _wrong_origin(draft: Draft, known: Known, origin: Origin) -> tuple[str, str] | None:
    if origin.kind == "node":
        return _no_node(known, origin.name) if known.nodes else None
    if origin.kind == "pod" and draft.objects is not None:
        return _no_pod(known, origin.namespace, origin.name)
    return None


def _wrong_target(draft: Draft, known: Known, traffic: Traffic, target: Target) -> tuple[str, str] | None:
    """What is wrong with a target, and what would do; None if nothing is, or nobody can tell."""
    if target.kind == "node" or (target.kind == "dns" and target.name in known.nodes):
        return (_no_node(known, target.name) if known.nodes else None) or (
            _no_node_port(known, target.port) if draft.objects is not None else None
        )
    if draft.objects is None or target.kind == "address":
        return None
    if target.kind == "pod":
        return _no_pod(known, target.namespace, target.name) or _no_pod_port(draft, known, target)
    if target.kind == "dns":
        return _wrong_name(known, parse_origin(traffic.source), traffic, target)
    service = known.services.get((target.namespace, target.name))
    if service is None:
        return _no_service(known, target.namespace, target.name)
    return _wrong_type(service, target) or _no_service_port(service, traffic, target.port)


def _no_node(known: Known, name: str) -> tuple[str, str] | None:
    if name in known.nodes:
        return None
    return f'there is no node "{name}"', one_of("nodes", name, known.nodes)


def _no_pod(known: Known, namespace: str, name: str) -> tuple[str, str] | None:
    if (namespace, name) in known.pods:
        return None
    hint = nearest(_short(namespace, name), known.names(known.pods))
    return f'no manifest has a Pod "{name}" in namespace "{namespace}"', hint or (
        "only Pods that manifests name can be named here; what controllers create is not known by name"
    )


def _no_service(known: Known, namespace: str, name: str) -> tuple[str, str]:
    message = f'no manifest has a Service "{name}" in namespace "{namespace}"'
    return message, _like(known, _short(namespace, name), "default")


def _like(known: Known, name: str, namespace: str) -> str:
    """A hint for the name of a Service that is not there, written as in that namespace."""
    names = known.names(known.services, namespace)
    elsewhere = [other for other in names if other.partition(".")[0] == name.partition(".")[0]]
    return f"did you mean {elsewhere[0]}?" if elsewhere else one_of("Services", name, names)


def _short(namespace: str, name: str) -> str:
    return name if namespace == "default" else f"{name}.{namespace}"


def _wrong_type(service: Object, target: Target) -> tuple[str, str] | None:
    kind = service["spec"].get("type", "ClusterIP")
    called = f'the Service "{target.name}"'
    if target.kind == "lb" and kind != "LoadBalancer":
        return (
            f"{called} is of type {kind}, which has no load balancer",
            f"svc/{target.name}:{target.port} is its address",
        )
    if target.kind == "svc" and (kind == "ExternalName" or service["spec"].get("clusterIP") == "None"):
        return f"{called} has no cluster IP", f"write http://{target.name}, which asks DNS"
    return None


def _no_service_port(service: Object, traffic: Traffic, port: int) -> tuple[str, str] | None:
    """A Service answers on its ports only; a headless one is just a name, and has none of its own."""
    spec = service["spec"]
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return None
    ports = [(p["port"], p.get("protocol", "TCP")) for p in spec.get("ports") or ()]
    if (port, traffic.protocol) in ports:
        return None
    message = f'the Service "{service["metadata"]["name"]}" has no port {port}/{traffic.protocol}'
    return message, "its ports: " + ", ".join(f"{number}/{protocol}" for number, protocol in ports)


def _no_pod_port(draft: Draft, known: Known, target: Target) -> tuple[str, str] | None:
    pod = known.pods[target.namespace, target.name]
    if None in draft.serving:
        return None
    chosen = next(
        (s for s in draft.serving if s and s.namespace in (None, target.namespace) and has_labels(pod, s.selector)),
        None,
    )
    ports = (
        list(chosen.ports) if chosen and chosen.ports else [p["containerPort"] for p in container_ports(pod)]
    )
    if target.port in ports:
        return None
    hint = (
        f"its ports: {', '.join(map(str, ports))}"
        if ports
        else "give its container ports, or `serving` for it"
    )
    return f'the Pod "{target.name}" does not listen on port {target.port}', hint


def _no_node_port(known: Known, port: int) -> tuple[str, str] | None:
    """Node ports that a Service takes from the range by itself cannot be known before the run."""
    explicit: list[int] = []
    for service in known.services.values():
        spec = service["spec"]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            taken = [p.get("nodePort") for p in spec.get("ports") or ()]
            if spec.get("externalTrafficPolicy") == "Local":
                taken.append(spec.get("healthCheckNodePort"))
            if None in taken and port in NODE_PORTS:
                return None
            explicit += [number for number in taken if number]
    listening = {*explicit, *known.listening_ports()}
    if port in listening or port in KUBELET_PORTS or _is_external(known, port):
        return None
    hint = f"ports that answer there: {', '.join(map(str, sorted(listening)))}" if listening else ""
    return f"nothing listens on port {port} of a node", hint or "a Service of type NodePort would"


def _is_external(known: Known, port: int) -> bool:
    """Whether some Service has external IPs, which may be a node's, and that port."""
    specs = [service["spec"] for service in known.services.values() if service["spec"].get("externalIPs")]
    return any(p["port"] == port for spec in specs for p in spec.get("ports") or ())


# names -------------------------------------------------------------------------------------------------


def _wrong_name(known: Known, origin: Origin, traffic: Traffic, target: Target) -> tuple[str, str] | None:
    namespace = origin.namespace if origin.kind == "pod" else None
    service = resolved(known, target.name, namespace)
    if service is not None and namespace is None and (NAMESPACE, SERVICE) in known.services:
        name, space = service["metadata"]["name"], service["metadata"].get("namespace", "default")
        message = f'"{target.name}" is only known to the cluster\'s DNS, which nobody but pods asks'
        return message, f"write svc/{_short(space, name)}:{target.port}"
    if service is not None:
        return _no_service_port(service, traffic, target.port)
    if namespace is None and (service := resolved(known, target.name, "default")) is not None:
        name, space = service["metadata"]["name"], service["metadata"].get("namespace", "default")
        whole = f"{name}.{space}.svc.{known.domain}"
        where = "outside the cluster" if origin.kind == "outside" else "on a node"
        message = f'"{target.name}" means nothing {where}: only in a pod does DNS complete names'
        return message, f"write svc/{_short(space, name)}:{target.port}, or the whole name {whole}"
    return f'no Service is called "{target.name}"', _like(known, target.name, namespace or "default")


def resolved(known: Known, name: str, namespace: str | None) -> Object | None:
    """The Service that a name means to a pod in that namespace (to others: None), by the search path.

    Source: Kubernetes DNS specification 1.1; kubelet's `ClusterFirst` search path.
    """
    suffixes = [f"{namespace}.svc.{known.domain}", f"svc.{known.domain}", known.domain] if namespace else []
    if name.endswith("."):
        suffixes = []
    for whole in (*(f"{name}.{suffix}" for suffix in suffixes), name.rstrip(".")):
        rest = whole.removesuffix(f".svc.{known.domain}")
        labels = rest.split(".")
        if rest == whole or len(labels) not in (2, 3):
            continue
        service = known.services.get((labels[-1], labels[-2]))
        if service is not None and (len(labels) == 2 or service["spec"].get("clusterIP") == "None"):
            return service  # three labels: a pod's own name, which only a headless Service gives
    return None


# serving -----------------------------------------------------------------------------------------------


def unmet_selectors(draft: Draft) -> Iterator[Mistake]:
    """Selectors of `serving` that no pod of the manifests meets."""
    if draft.objects is None:
        return
    pods = Known.of(draft).templates
    for i, serving in enumerate(draft.serving):
        if serving is None or not (serving.selector or serving.namespace):
            continue
        near = [pod for space, pod in pods if serving.namespace in (None, space)]
        if not near and serving.namespace is not None:
            spaces = sorted({space for space, _ in pods})
            message = f'serving[{i}].namespace: no manifest has pods in namespace "{serving.namespace}"'
            yield Mistake(("serving", i, "namespace"), message, nearest(serving.namespace, spaces))
        elif not any(has_labels(pod, serving.selector) for pod in near):
            yield Mistake(
                ("serving", i, "selector"), f"serving[{i}].selector matches no pod", _labels_of_all(near)
            )


def has_labels(pod: Object, labels: Mapping[str, str]) -> bool:
    own = labels_of(pod)
    return all(own.get(name) == value for name, value in labels.items())


def _labels_of_all(pods: Iterable[Object]) -> str:
    """A hint that lists the labels pods have."""
    labels = dict.fromkeys(f"{name}: {value}" for pod in pods for name, value in labels_of(pod).items())
    return f"pods have the labels {', '.join(list(labels)[:10])}" if labels else "no pod has labels"
