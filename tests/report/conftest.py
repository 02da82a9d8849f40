"""A recording made by hand: three sources, a worker that loses power at 60 s and comes back at 420 s.

The numbers are those a 1.32 cluster would show, drawn here without the simulation, so that the report's tests
know beforehand what it has to say.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from netsim.dataplane.history import Change
from netsim.dataplane.requests import OK, OUTCOMES, REFUSED, REQUEST, RESET, TIMEOUT, UNFINISHED
from netsim.report.run import Run
from netsim.scenario.model import ScenarioDocument
from netsim.scenario.scenario import Scenario
from netsim.units import MS, S

NODES = ("control-plane", "worker-1", "worker-2", "worker-3")
STEM = "my-nginx-77b9c67898-"
OWNER = f"ReplicaSet/{STEM[:-1]}"
TAINT = "node.kubernetes.io/unreachable"
PODS = ("default/client", f"default/{STEM}4xk2p", f"default/{STEM}q9zt7", f"default/{STEM}w5r8d")
FAULT, NOTICED, HEALED, TAINTED, EVICTED, BACK = (
    60 * S,
    108_412 * MS,
    109_310 * MS,
    113_420 * MS,
    413_421 * MS,
    420 * S,
)

DOCUMENT: dict[str, Any] = {
    "apiVersion": "netsim/v1",
    "kind": "Scenario",
    "metadata": {
        "name": "node-failure",
        "title": "A worker dies under a Service",
        "question": "Who notices, when, and what do clients see meanwhile?",
    },
    "duration": "480s",
    "cluster": {
        "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 3}],
    },
    "traffic": [
        {"name": "inside", "from": "pod/client", "to": "http://my-nginx", "rate": "50/s"},
        {"name": "node-port", "from": "outside", "to": "node/worker-1:30080", "rate": "20/s"},
        {"name": "load-balancer", "from": "outside", "to": "lb/my-nginx:80", "rate": "20/s", "start": "50s"},
    ],
    "faults": [
        {"name": "worker-dies", "action": "node-power-loss", "at": "60s", "duration": "360s",
         "selector": {"nodes": ["worker-2"]}},
    ],
    "checks": [
        {"measure": "detected", "of": "worker-dies", "at_least": "40s", "at_most": "55s"},
        {"measure": "success", "of": "inside", "at_least": "94%"},
        {"measure": "p99", "of": "node-port", "at_most": "10ms"},
        {"measure": "outage", "of": "load-balancer", "at_most": "60s"},
    ],
}  # fmt: skip


def start_up() -> list[Change]:
    changes = [Change(0, "node-ready", f"node/{node}", node) for node in NODES]
    for n, pod in enumerate(PODS[:3]):
        service, name = f"endpoint/default/my-nginx/{pod[8:]}", f"pod/{pod}"
        node = ("worker-3", "worker-1", "worker-2")[n]
        changes += [
            Change(10 * MS + n, "pod-created", name, detail=OWNER if n else ""),
            Change(40 * MS + n, "pod-scheduled", name, node),
            Change(900 * MS + n, "pod-started", name, node, f"10.244.{n + 1}.2"),
            Change(1100 * MS + n, "pod-listening", name, node),
            Change(2100 * MS + n, "pod-ready", name, node),
        ]
        if n:
            changes.append(Change(2105 * MS + n, "endpoint-ready", service, node, revision=1 + n))
    changes += [
        Change(3200 * MS + n, "programmed", f"node/{node}", node, revision=3) for n, node in enumerate(NODES)
    ]
    changes.append(Change(45 * S, "lb-address", "service/default/my-nginx", "", "198.51.100.1"))
    return sorted(changes, key=lambda change: change.time)


def failure() -> list[Change]:
    old, new, node = PODS[2], PODS[3], "worker-2"
    end, fresh = (f"endpoint/default/my-nginx/{pod[8:]}" for pod in (old, new))
    return [
        Change(FAULT, "power-off", "node/worker-2", node),
        Change(FAULT, "pod-stopped", f"pod/{old}", node),
        Change(NOTICED, "node-not-ready", "node/worker-2", node),
        Change(NOTICED + 3 * MS, "pod-not-ready", f"pod/{old}", node),
        Change(NOTICED + 5 * MS, "taint-added", "node/worker-2", node, f"{TAINT}:NoSchedule"),
        Change(NOTICED + 9 * MS, "endpoint-not-ready", end, node, revision=4),
        *[Change(NOTICED + (400 + 250 * n) * MS, "programmed", f"node/{name}", name, revision=4)
          for n, name in enumerate(("control-plane", "worker-1", "worker-3"))],
        Change(TAINTED, "taint-added", "node/worker-2", node, f"{TAINT}:NoExecute"),
        Change(EVICTED, "pod-terminating", f"pod/{old}", node),
        Change(EVICTED + 6 * MS, "pod-created", f"pod/{new}", detail=OWNER),
        Change(EVICTED + 30 * MS, "pod-scheduled", f"pod/{new}", "worker-3"),
        Change(EVICTED + 900 * MS, "pod-started", f"pod/{new}", "worker-3", "10.244.3.3"),
        Change(EVICTED + 1100 * MS, "pod-listening", f"pod/{new}", "worker-3"),
        Change(EVICTED + 2100 * MS, "pod-ready", f"pod/{new}", "worker-3"),
        Change(EVICTED + 2105 * MS, "endpoint-ready", fresh, "worker-3", revision=5),
        *[Change(EVICTED + (2200 + 300 * n) * MS, "programmed", f"node/{name}", name, revision=5)
          for n, name in enumerate(("control-plane", "worker-1", "worker-3"))],
        Change(BACK, "power-on", "node/worker-2", node),
        Change(BACK + 30 * S, "booted", "node/worker-2", node),
        Change(BACK + 31 * S, "programmed", "node/worker-2", node, revision=5),
        Change(BACK + 30_200 * MS, "node-ready", "node/worker-2", node),
        Change(BACK + 30_900 * MS, "pod-deleted", f"pod/{old}", node),
        Change(BACK + 33 * S, "taint-removed", "node/worker-2", node, f"{TAINT}:NoExecute"),
    ]  # fmt: skip


def requests(rate: float) -> np.ndarray:
    """What the three sources sent, and what became of it."""
    rng = np.random.default_rng(7)
    tables = []
    for source, (share, first, travel) in enumerate(((1.0, 0, 0.4), (0.4, 0, 20.5), (0.4, 50, 20.9))):
        count = int(rate * share * (480 - first))
        rows = np.zeros(count, REQUEST)
        rows["sent"] = np.sort(rng.uniform(first * S + (4 * S if not first else 0), 480 * S, count)).astype(
            np.int64
        )
        rows["source"], rows["sequence"], rows["attempts"] = source, np.arange(count), 1
        rows["connect"] = int(travel * MS)
        rows["service"] = rng.exponential(5 * MS, count).astype(np.int64)
        rows["latency"] = rows["connect"] * 2 + rows["service"]
        rows["ingress"] = (3, 1, 2)[source]
        fresh = rows["sent"] >= EVICTED + 3 * S
        rows["pod"] = np.where(rng.random(count) < 0.5, 1, np.where(fresh, 3, 2))
        rows["pod"][(rows["sent"] >= HEALED) & ~fresh] = 1
        dead = (rows["sent"] >= FAULT) & (rows["sent"] < HEALED) & (rows["pod"] == 2)
        rows["outcome"][dead], rows["latency"][dead] = TIMEOUT, 1 * S
        rows["service"][dead] = 0
        caught = np.flatnonzero(
            (rows["pod"] == 2) & (rows["sent"] < FAULT) & (rows["sent"] + rows["latency"] > FAULT)
        )
        rows["outcome"][caught], rows["latency"][caught] = RESET, 2 * S
        rows["outcome"][: 2 - source], rows["pod"][: 2 - source], rows["latency"][: 2 - source] = (
            REFUSED,
            -1,
            MS,
        )
        cut = rows["sent"] + rows["latency"] > 480 * S
        rows["outcome"][cut] = UNFINISHED
        tables.append(rows)
    everything = np.concatenate(tables)
    return everything[np.lexsort((everything["source"], everything["sent"]))]


def make_recording(rate: float = 50.0, **other: Any) -> Any:
    """The recording, with as many requests as `rate` makes; `other` replaces single parts of it."""
    outage = {
        "began": FAULT,
        "detected": NOTICED,
        "ended": HEALED,
        "share": 0.5,
        "reason": "worker-2 without power",
    }
    parts = {
        "scenario": Scenario(ScenarioDocument.model_validate(DOCUMENT)),
        "seed": 1,
        "ended": 480 * S,
        "partial": False,
        "requests": requests(rate),
        "sources": ("inside", "node-port", "load-balancer"),
        "pods": PODS,
        "nodes": NODES,
        "changes": tuple(sorted(start_up() + failure(), key=lambda change: change.time)),
        "outages": tuple(
            SimpleNamespace(source=name, target=target, **outage)
            for name, target in (("inside", "http://my-nginx"), ("load-balancer", "lb/my-nginx:80"))
        ),
        "ignored": ("Deployment spec.template.spec.securityContext",),
        "engine": "plain",
        "engine_why": "it is small",
        "absent": {},
    }
    return SimpleNamespace(**(parts | other))


@pytest.fixture(scope="session")
def recording() -> Any:
    """The whole story, a tenth of the requests."""
    return make_recording(5.0)


@pytest.fixture
def run(recording: Any) -> Run:
    return Run(recording)


@pytest.fixture
def remake() -> Any:
    """The function that makes recordings."""
    return make_recording


assert OUTCOMES[OK] == "ok"
