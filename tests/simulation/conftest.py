"""Small scenarios in a few words, and the questions the tests ask of their runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from netsim.dataplane.history import Change
from netsim.scenario.load import loads
from netsim.scenario.scenario import Scenario
from netsim.simulation import Recording, Simulation, simulate
from netsim.units import S


def deployment(name: str = "web", replicas: int = 2, **spec: object) -> dict:
    labels = {"app": name}
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}], **spec.pop("container", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}},
        },
    }


def service(name: str = "web", **spec: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }


def pod(name: str = "client", **spec: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "curl"}], **spec},
    }


def power_loss(at: str = "60s", **fields: object) -> dict:
    return {"name": "loss", "action": "node-power-loss", "at": at, **fields}


class World:
    """A run and its cluster, with what tests want to know of them."""

    def __init__(self, scenario: Scenario, seed: int | None) -> None:
        self.simulation = Simulation(scenario, seed)
        self.store = self.simulation.store

    def run(self, until: float) -> World:
        self.simulation.run(int(until * S))
        return self

    def changes(self, kind: str, subject: str = "", after: float = 0) -> list[Change]:
        return [
            change
            for change in self.simulation.cluster.history
            if change.kind == kind and subject in change.subject and change.time >= after * S
        ]

    def first(self, kind: str, subject: str = "", after: float = 0) -> float:
        """When it first happened, in seconds."""
        return self.changes(kind, subject, after)[0].time / S

    def pods(self, app: str = "web") -> list[dict]:
        return [p for p in self.store.list("Pod") if p["metadata"].get("labels", {}).get("app") == app]

    def ready_endpoints(self, name: str = "web") -> list[str]:
        return [
            endpoint["targetRef"]["name"]
            for piece in self.store.find("EndpointSlice", "service", ("default", name))
            for endpoint in piece["endpoints"]
            if endpoint["conditions"]["ready"]
        ]


def scenario(
    objects: list[dict], *, nodes: int = 3, faults: tuple = (), traffic: tuple = (), duration: str = "10m",
    control_plane: bool = True, **fields: object,
) -> Scenario:  # fmt: skip
    groups = [{"name": "master", "role": "control-plane"}] if control_plane else []
    cluster = {"nodes": [*groups, {"name": "node", "count": nodes}], **fields.pop("cluster", {})}
    document = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "test"},
        "duration": duration,
        "cluster": cluster,
        "faults": list(faults),
        "traffic": list(traffic),
        **fields,
    }
    return loads(yaml.safe_dump_all([document, *objects]))


@pytest.fixture
def world() -> Callable[..., World]:
    def build(*objects: dict, seed: int | None = None, **fields: object) -> World:
        return World(scenario(list(objects), **fields), seed)

    return build


@pytest.fixture
def record() -> Callable[..., Recording]:
    def run(*objects: dict, seed: int | None = None, **fields: object) -> Recording:
        return simulate(scenario(list(objects), **fields), seed)

    return run


@pytest.fixture
def a() -> type:
    """The building blocks: a.deployment(), a.service(), a.pod(), a.power_loss()."""

    class Blocks:
        deployment = staticmethod(deployment)
        service = staticmethod(service)
        pod = staticmethod(pod)
        power_loss = staticmethod(power_loss)

    return Blocks
