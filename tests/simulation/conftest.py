"""Small scenarios in a few words, and the questions the tests ask of their runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from watched import World, service

from netsim.scenario.load import loads
from netsim.scenario.scenario import Scenario
from netsim.simulation import Recording, simulate


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


def pod(name: str = "client", **spec: object) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "curl"}], **spec},
    }


def power_loss(at: str = "60s", **fields: object) -> dict:
    return {"name": "loss", "action": "node-power-loss", "at": at, **fields}


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
