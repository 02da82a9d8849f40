"""A small cluster in two zones, and the questions the tests ask of what faults do to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from watched import World, service

from netsim.scenario.load import loads
from netsim.scenario.scenario import Scenario


def deployment(name: str = "web", replicas: int = 4, probe: bool = False, **spec: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "nginx:1", "ports": [{"containerPort": 80}]}
    if probe:
        container["readinessProbe"] = {"httpGet": {"port": 80}, "periodSeconds": 2, "failureThreshold": 2}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


def pod(name: str, node: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "curl"}]},
    }


def traffic(name: str = "inside", **fields: Any) -> dict[str, Any]:
    given = {"from": "pod/client", "to": "svc/web:80", "rate": "20/s", "start": "15s", "timeout": "1s", **fields}
    return {"name": name, **given}


def scenario(
    *faults: dict[str, Any], objects: list[dict[str, Any]] | None = None, sources: list[dict[str, Any]] | None = None,
    masters: int = 1, duration: str = "10m", **cluster: Any,
) -> Scenario:  # fmt: skip
    nodes = [
        *([{"name": "master", "role": "control-plane", "zone": "m", "count": masters}] if masters else []),
        {"name": "a", "count": 2, "zone": "zone-a"},
        {"name": "b", "count": 2, "zone": "zone-b"},
    ]
    document = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "test"},
        "duration": duration,
        "cluster": {"nodes": nodes, **cluster},
        "faults": [{"name": f"f{i}", "at": "60s", **fault} for i, fault in enumerate(faults)],
        "traffic": [traffic()] if sources is None else sources,
    }
    objects = [deployment(), service()] if objects is None else objects
    return loads(yaml.safe_dump_all([document, pod("client", "a-1"), *objects]))


@pytest.fixture
def world() -> Callable[..., World]:
    """Builds a run: world({"action": ..., ...}, objects=..., sources=...)."""

    def build(*faults: dict[str, Any], seed: int | None = None, **fields: Any) -> World:
        return World(scenario(*faults, **fields), seed)

    return build


@pytest.fixture
def a() -> Any:
    """The building blocks: a.deployment(), a.service(), a.pod(), a.traffic(), a.scenario()."""

    class Blocks:
        pass

    for block in (deployment, service, pod, traffic, scenario):
        setattr(Blocks, block.__name__, staticmethod(block))
    return Blocks
