"""The tutorial's cluster with DNS in pods, traffic on it, and what became of its requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import yaml
from lab_clusters import MY_NGINX, SERVICES, deployment, pod, scale, service

from netsim.dataplane.requests import OUTCOMES, REQUEST
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import MS, S

WEB = {"name": "web", "from": "pod/client", "to": "http://my-nginx", "rate": "40/s", "start": "10s"}


def made(
    *traffic: dict[str, Any], objects: Sequence[dict[str, Any]] = (), duration: str = "60s", **cluster: Any
) -> Simulation:
    """The tutorial's cluster with DNS in pods, and traffic from its tenth second on."""
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "names"},
        "duration": duration,
        "cluster": {
            "addresses": {"services": SERVICES},
            "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 2}],
            "dns": {},
            **cluster,
        },
        "traffic": [{**WEB, **one} for one in traffic],
    }
    own = [deployment("my-nginx"), service("my-nginx", clusterIP=MY_NGINX), pod("client"), *objects]
    return Simulation(loads(yaml.safe_dump_all([scenario, *own], sort_keys=False)))


def outcomes(simulation: Simulation, source: str, after: int, before: int = 60 * S) -> set[str]:
    """What became of the requests that a source sent in [after, before)."""
    found = rows(simulation, source)
    found = found[(found["sent"] >= after) & (found["sent"] < before)]
    assert len(found)
    return {OUTCOMES[outcome] for outcome in found["outcome"]}


def connecting(simulation: Simulation, source: str) -> float:
    """How long its requests took to connect, on average, in milliseconds."""
    return float(rows(simulation, source)["connect"].mean() / MS)


def rows(simulation: Simulation, source: str) -> Any:
    """The requests of a source that are finished, in the order in which they were."""
    table = np.array(simulation.engine.rows, dtype=REQUEST)
    return table[table["source"] == [one.name for one in simulation.sources].index(source)]


def without_dns_from(simulation: Simulation, start: int, end: int) -> Simulation:
    """Nobody serves DNS in between; run to the end."""
    simulation.run(start)
    scale(simulation, "coredns", 0, "kube-system")
    simulation.run(end)
    scale(simulation, "coredns", 2, "kube-system")
    simulation.run()
    return simulation
