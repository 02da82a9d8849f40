"""Small Kubernetes objects for the tests of what the control half decides."""

from __future__ import annotations

from typing import Any

from netsim.control.scheduling import Cache, PodInfo, decide

Object = dict[str, Any]
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def node(name: str, zone: str = "", cpu: str = "4", memory: str = "16Gi", **more: Any) -> Object:
    """A node; `labels`, `taints`, `unschedulable`, `conditions`, `pods` (how many fit) are optional."""
    labels = {HOSTNAME: name, **({ZONE: zone} if zone else {}), **more.get("labels", {})}
    allocatable = {"cpu": cpu, "memory": memory, "pods": str(more.get("pods", 110)), **more.get("has", {})}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": more.get("taints", []), "unschedulable": more.get("unschedulable", False)},
        "status": {"allocatable": allocatable, "conditions": more.get("conditions", [])},
    }


def ready(status: str) -> list[Object]:
    """Conditions with just this Ready."""
    return [{"type": "Ready", "status": status}]


def pod(name: str, cpu: str = "", memory: str = "", labels: Object | None = None, **spec: Any) -> Object:
    """A pod with one container; further fields go into its spec."""
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    containers = [{"name": "main", "resources": {"requests": requests}}]
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or {}}
    return {
        "kind": "Pod",
        "metadata": {**metadata, "creationTimestamp": 0},
        "spec": {"containers": containers, **spec},
        "status": {"phase": "Pending"},
    }


def running(name: str, ip: str, node_name: str = "node-1", *, is_ready: bool = True, **more: Any) -> Object:
    """A running pod with an address; `labels`, `leaving`, `phase`, `spec` are optional."""
    made = pod(name, labels=more.get("labels"), nodeName=node_name, **more.get("spec", {}))
    condition = {"type": "Ready", "status": "True" if is_ready else "False", "lastTransitionTime": 0}
    made["status"] = {
        "phase": more.get("phase", "Running"),
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [condition],
    }
    if more.get("leaving"):
        made["metadata"]["deletionTimestamp"] = 30
    return made


def service(name: str = "web", **spec: Any) -> Object:
    """A Service on port 80 for pods labelled `app: <name>`."""
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": spec.pop("labels", {})}
    known = {"clusterIP": "10.96.0.10", "ipFamilies": ["IPv4"], "selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {**known, **spec}}


def replica_set(labels: Object) -> Object:
    """A ReplicaSet that selects these labels."""
    return {"kind": "ReplicaSet", "spec": {"selector": {"matchLabels": labels}}}


def place(cache: Cache, made: Object, owner: Object | None = None, draw: int = 0) -> str | None:
    """Schedule a pod and remember where it went."""
    info = PodInfo.of(made, owner=owner)
    found = decide(info, cache, 0, lambda: draw)
    if found.node is not None:
        cache.add(info, found.node)
    return found.node
