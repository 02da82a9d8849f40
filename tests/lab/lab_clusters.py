"""The tutorial's cluster: two workers, two nginx behind my-nginx (10.0.162.149), a client pod, DNS at 10.0.0.10."""

from __future__ import annotations

from typing import Any

import yaml

from netsim.control.corefile import cluster_dns_objects
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import S

SERVICES = "10.0.0.0/16"
MY_NGINX = "10.0.162.149"
READY = 20 * S


def service(name: str, ports: list[dict[str, Any]] | None = None, run: str = "my-nginx", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"run": run}, "ports": ports or [{"port": 80, "name": "http"}], **spec},
    }


def pod(name: str, image: str = "busybox", ports: tuple[int, ...] = (), **spec: Any) -> dict[str, Any]:
    container = {"name": name, "image": image, "ports": [{"containerPort": port} for port in ports]}
    container |= spec.pop("container", {})
    metadata = {"name": name, "labels": {"run": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}


def deployment(name: str, replicas: int = 2, ports: tuple[int, ...] = (80,)) -> dict[str, Any]:
    template = pod(name, "nginx", ports)
    labels = {"run": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }


def simulation(
    *objects: dict[str, Any], dns: bool = True, version: str = "1.32", until: int = READY, **cluster: Any
) -> Simulation:
    """The cluster with these objects too, `until` that time."""
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "lab"},
        "duration": "20m",
        "cluster": {
            "version": version,
            "addresses": {"services": SERVICES},
            "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 2}],
            **cluster,
        },
    }
    own = [deployment("my-nginx"), service("my-nginx", clusterIP=MY_NGINX), pod("client")]
    system = cluster_dns_objects(SERVICES, version=version) if dns else []
    made = Simulation(loads(yaml.safe_dump_all([scenario, *system, *own, *objects], sort_keys=False)))
    made.run(until)
    return made


def scale(made: Simulation, name: str, replicas: int, namespace: str = "default") -> None:
    """`kubectl scale deployment`."""
    found = made.store.get("Deployment", namespace, name)
    assert found is not None
    made.store.update({**found, "spec": {**found["spec"], "replicas": replicas}})


def address_of(made: Simulation, name: str) -> str:
    found = made.store.get("Pod", "default", name)
    assert found is not None
    return str(found["status"]["podIP"])


def mounting(obj: dict[str, Any], secret: str, path: str = "/etc/nginx/ssl") -> dict[str, Any]:
    """The same pod, or Deployment of pods, with a Secret mounted into its first container."""
    spec = obj["spec"].get("template", obj)["spec"]
    spec["volumes"] = [{"name": "secret-volume", "secret": {"secretName": secret}}]
    spec["containers"][0]["volumeMounts"] = [{"name": "secret-volume", "mountPath": path}]
    return obj


def create(made: Simulation, obj: dict[str, Any], namespace: str = "default") -> None:
    """`kubectl create`."""
    metadata = {"namespace": namespace, **obj["metadata"]}
    made.built.admission.create({**obj, "metadata": metadata})


def pods_of(made: Simulation, run: str) -> list[dict[str, Any]]:
    """The pods with a label `run`, oldest first."""
    return [p for p in made.store.list("Pod") if p["metadata"].get("labels", {}).get("run") == run]
