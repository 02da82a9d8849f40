"""Kubernetes' defaulting: what the API server fills in before it stores an object. One function a kind.

Each takes an object and returns a new one; what was written stays. Addresses and node ports are not chosen
here: that takes knowledge of what is taken. Nor are the tolerations that admission gives to pods.
Source: Kubernetes 1.32, pkg/apis/core/v1/defaults.go, pkg/apis/apps/v1/defaults.go, the strategies in
pkg/registry.
"""

from __future__ import annotations

import base64
from typing import Any

Object = dict[str, Any]


def defaulted(obj: Object) -> Object:
    """The object as the API server would store it.

    >>> defaulted({"kind": "Service", "spec": {"ports": [{"port": 80}]}})["spec"]["ports"]
    [{'port': 80, 'protocol': 'TCP', 'targetPort': 80}]
    """
    default = DEFAULTS.get(obj.get("kind", ""))
    return default(obj) if default else dict(obj)


def filled(obj: Object | None, defaults: Object) -> Object:
    """A copy with what is missing taken from `defaults`.

    >>> filled({"a": 1}, {"a": 2, "b": 3})
    {'a': 1, 'b': 3}
    """
    given = {name: value for name, value in (obj or {}).items() if value is not None}
    return {**given, **{name: value for name, value in defaults.items() if name not in given}}


# Services ---------------------------------------------------------------------------------------------


def service(obj: Object) -> Object:
    """A Service with its defaults."""
    spec = filled(obj.get("spec"), {"type": "ClusterIP", "sessionAffinity": "None"})
    kind = spec["type"]
    if spec.get("ports"):
        spec["ports"] = [_service_port(port) for port in spec["ports"]]
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        client_ip = filled(config.get("clientIP"), {"timeoutSeconds": 10800})
        spec["sessionAffinityConfig"] = {**config, "clientIP": client_ip}
    if kind != "ExternalName":
        spec = filled(spec, {"internalTrafficPolicy": "Cluster"})
    if kind in ("NodePort", "LoadBalancer"):
        spec = filled(spec, {"externalTrafficPolicy": "Cluster"})
    if kind == "LoadBalancer":
        spec = filled(spec, {"allocateLoadBalancerNodePorts": True})
    return {**obj, "spec": spec}


def _service_port(port: Object) -> Object:
    port = filled(port, {"protocol": "TCP"})
    if port.get("targetPort") in (None, 0, ""):
        port["targetPort"] = port.get("port")
    return port


# Pods -------------------------------------------------------------------------------------------------


def pod(obj: Object) -> Object:
    """A Pod with its defaults."""
    spec = filled(pod_spec(obj.get("spec")), {"enableServiceLinks": True})
    spec["containers"] = [_requests_from_limits(container) for container in spec.get("containers") or ()]
    return {**obj, "spec": spec}


def pod_spec(spec: Object | None) -> Object:
    """What a pod and a template of pods have in common."""
    spec = filled(
        spec,
        {
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    on_host = spec.get("hostNetwork", False)
    for name in ("containers", "initContainers"):
        if spec.get(name):
            spec[name] = [_container(container, on_host) for container in spec[name]]
    return spec


def _container(container: Object, on_host: bool) -> Object:
    container = filled(
        container,
        {
            "imagePullPolicy": pull_policy(container.get("image") or ""),
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        },
    )
    if container.get("ports"):
        container["ports"] = [_container_port(port, on_host) for port in container["ports"]]
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            container[name] = probe(container[name])
    hooks = container.get("lifecycle")
    if hooks:
        container["lifecycle"] = {name: _with_http_defaults(hook) for name, hook in hooks.items()}
    return container


def pull_policy(image: str) -> str:
    """An image whose tag may move is always pulled.

    >>> pull_policy("nginx"), pull_policy("nginx:1.27"), pull_policy("host:5000/nginx:latest")
    ('Always', 'IfNotPresent', 'Always')
    """
    name = image.rsplit("/", 1)[-1]
    return "IfNotPresent" if "@" in name or not (":" not in name or name.endswith(":latest")) else "Always"


def _container_port(port: Object, on_host: bool) -> Object:
    port = filled(port, {"protocol": "TCP"})
    return filled(port, {"hostPort": port.get("containerPort")}) if on_host else port


def probe(given: Object) -> Object:
    """A probe with its defaults: every 10 s, given up after 1 s, three failures in a row count."""
    defaults = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    zero = {name for name in defaults if given.get(name) == 0}  # to Kubernetes, 0 is the same as not given
    return filled({n: v for n, v in _with_http_defaults(given).items() if n not in zero}, defaults)


def _with_http_defaults(action: Object) -> Object:
    if not action.get("httpGet"):
        return action
    return {**action, "httpGet": filled(action["httpGet"], {"path": "/", "scheme": "HTTP"})}


def _requests_from_limits(container: Object) -> Object:
    """A container that states a limit and no request, requests its limit."""
    resources = container.get("resources") or {}
    if not resources.get("limits"):
        return container
    requests = filled(resources.get("requests"), resources["limits"])
    return {**container, "resources": {**resources, "requests": requests}}


# workloads --------------------------------------------------------------------------------------------


def deployment(obj: Object) -> Object:
    """A Deployment with its defaults."""
    defaults = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
    spec = filled(obj.get("spec"), defaults)
    strategy = filled(spec.get("strategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        quarter = {"maxUnavailable": "25%", "maxSurge": "25%"}
        strategy["rollingUpdate"] = filled(strategy.get("rollingUpdate"), quarter)
    return {**obj, "spec": {**spec, "strategy": strategy, "template": template(spec.get("template"))}}


def replica_set(obj: Object) -> Object:
    """A ReplicaSet with its defaults."""
    spec = filled(obj.get("spec"), {"replicas": 1})
    return {**obj, "spec": {**spec, "template": template(spec.get("template"))}}


def stateful_set(obj: Object) -> Object:
    """A StatefulSet with its defaults."""
    defaults = {"replicas": 1, "podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10}
    spec = filled(obj.get("spec"), defaults)
    strategy = filled(spec.get("updateStrategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = filled(strategy.get("rollingUpdate"), {"partition": 0})
    return {**obj, "spec": {**spec, "updateStrategy": strategy, "template": template(spec.get("template"))}}


def daemon_set(obj: Object) -> Object:
    """A DaemonSet with its defaults."""
    spec = filled(obj.get("spec"), {"revisionHistoryLimit": 10})
    strategy = filled(spec.get("updateStrategy"), {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        one_by_one = {"maxUnavailable": 1, "maxSurge": 0}
        strategy["rollingUpdate"] = filled(strategy.get("rollingUpdate"), one_by_one)
    return {**obj, "spec": {**spec, "updateStrategy": strategy, "template": template(spec.get("template"))}}


def template(given: Object | None) -> Object:
    """A template of pods with its defaults."""
    given = given or {}
    return {**given, "metadata": given.get("metadata") or {}, "spec": pod_spec(given.get("spec"))}


# the rest ---------------------------------------------------------------------------------------------


def namespace(obj: Object) -> Object:
    """A Namespace, which carries its own name as a label, and is active."""
    metadata = obj.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata.get("name", "")}
    status = filled(obj.get("status"), {"phase": "Active"})
    return {**obj, "metadata": {**metadata, "labels": labels}, "status": status}


def node(obj: Object) -> Object:
    """A Node, on which everything that it has can be allocated."""
    status = obj.get("status") or {}
    allocatable = {"allocatable": status["capacity"]} if status.get("capacity") else {}
    return {**obj, "spec": obj.get("spec") or {}, "status": filled(status, allocatable)}


def secret(obj: Object) -> Object:
    """A Secret, whose plain texts are stored like the rest."""
    data = dict(obj.get("data") or {})
    for name, text in (obj.get("stringData") or {}).items():
        data[name] = base64.b64encode(text.encode()).decode()
    rest = {name: value for name, value in obj.items() if name != "stringData"}
    return filled({**rest, "data": data} if data else rest, {"type": "Opaque"})


def endpoint_slice(obj: Object) -> Object:
    """An EndpointSlice with its defaults."""
    ports = [filled(port, {"name": "", "protocol": "TCP"}) for port in obj.get("ports") or ()]
    return {**obj, "endpoints": obj.get("endpoints") or [], "ports": ports}


def endpoints(obj: Object) -> Object:
    """An Endpoints object with its defaults."""
    subsets = [
        {**subset, "ports": [filled(port, {"protocol": "TCP"}) for port in subset.get("ports") or ()]}
        for subset in obj.get("subsets") or ()
    ]
    return {**obj, "subsets": subsets} if subsets else dict(obj)


DEFAULTS = {
    "Service": service,
    "Pod": pod,
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "Namespace": namespace,
    "Node": node,
    "Secret": secret,
    "EndpointSlice": endpoint_slice,
    "Endpoints": endpoints,
}
