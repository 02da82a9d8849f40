"""A scenario that runs in an instant: two pods behind a node port, and a worker that loses power."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netsim.front import Scenario, load

TINY = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: tiny, title: Two pods behind a Service, question: How long does an answer take?}
seed: 5
duration: 12s
cluster: {nodes: [{name: worker, count: 2}]}
serving:
- {selector: {app: web}, startup: 100ms, serviceTime: exponential(5ms), workers: 2}
traffic:
- {name: outside, from: outside, to: "node/worker-1:30080", rate: 40/s, start: 6s}
faults:
- {name: cut, action: node-power-loss, at: 9s, selector: {nodes: [worker-2]}}
checks:
- {measure: success, of: outside, atLeast: 10%}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
"""


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """The scenario as text."""
    return TINY


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario as a file."""
    file = tmp_path_factory.mktemp("scenario") / "tiny.yaml"
    file.write_text(TINY)
    return file


@pytest.fixture(scope="session")
def tiny(tiny_file: Path) -> Scenario:
    """The scenario, read."""
    return load(tiny_file)


@pytest.fixture(scope="session")
def small_sweep(tiny: Scenario):
    """Two rates under four seeds."""
    return tiny.sweep({"traffic.outside.rate": ["40/s", "80/s"]}, seeds=4, jobs=1)


@pytest.fixture
def scenario_of(tmp_path: Path) -> Callable[[str], Scenario]:
    """The function that reads a scenario from text."""

    def read(text: str) -> Scenario:
        (tmp_path / "scenario.yaml").write_text(text)
        return load(tmp_path / "scenario.yaml")

    return read


@pytest.fixture
def files() -> Callable[[Path], dict[str, bytes]]:
    """The function that reads a sweep's folder: every file that must be the same, by its name."""

    def read(folder: Path) -> dict[str, bytes]:
        found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        assert found.pop("sweep.json")
        return found

    return read
