"""A small cluster in two zones, and the questions the tests ask of what faults do to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from netsim.dataplane.history import Change
from netsim.scenario.load import loads
from netsim.scenario.scenario import Scenario
from netsim.simulation import Simulation
from netsim.units import S


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


def service(name: str = "web", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
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


class World:
    """A run under way, with what tests want to know of it."""

    def __init__(self, scenario: Scenario, seed: int | None = None) -> None:
        self.simulation = Simulation(scenario, seed)
        self.store = self.simulation.store
        self.forwarding = self.simulation.forwarding

    def run(self, until: float) -> World:
        self.simulation.run(int(until * S))
        return self

    def changes(self, kind: str, subject: str = "", after: float = 0, until: float = 1e9) -> list[Change]:
        return [
            change
            for change in self.simulation.cluster.history
            if change.kind == kind and subject in change.subject and after * S <= change.time <= until * S
        ]

    def first(self, kind: str, subject: str = "", after: float = 0) -> float:
        return self.changes(kind, subject, after)[0].time / S

    def pods(self, app: str = "web") -> list[dict[str, Any]]:
        return [p for p in self.store.list("Pod") if p["metadata"].get("labels", {}).get("app") == app]

    def ready_endpoints(self, name: str = "web") -> list[str]:
        return [
            endpoint["targetRef"]["name"]
            for piece in self.store.find("EndpointSlice", "service", ("default", name))
            for endpoint in piece["endpoints"]
            if endpoint["conditions"]["ready"]
        ]

    def outcomes(self, first: float = 0, last: float = 1e9) -> dict[str, int]:
        """How many requests sent in that time ended how; the run ends here."""
        from collections import Counter

        from netsim.dataplane.requests import OUTCOMES

        rows = self.simulation.record().requests
        sent = rows[(rows["sent"] >= first * S) & (rows["sent"] < last * S)]
        return dict(Counter(OUTCOMES[code] for code in sent["outcome"]))


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
