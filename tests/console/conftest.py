"""Prompts on small clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import netsim
from netsim.console.session import Lab

CLUSTER = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {{name: {name}}}
cluster:
  nodes:
  - {{name: {name}-control-plane, role: control-plane}}
  - {{name: {name}-worker, count: {workers}}}
  addresses: {{services: 10.0.0.0/16}}
{more}
"""

MY_NGINX = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-nginx}
spec:
  replicas: 2
  selector: {matchLabels: {run: my-nginx}}
  template:
    metadata: {labels: {run: my-nginx}}
    spec:
      containers:
      - {name: my-nginx, image: nginx, ports: [{containerPort: 80}]}
"""

Open = Callable[..., Lab]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens a prompt on a cluster of so many workers; `my-nginx.yaml` lies in its folder."""

    def open_lab(*names: str, workers: int = 2, more: str = "") -> Lab:
        (tmp_path / "my-nginx.yaml").write_text(MY_NGINX)
        files = [tmp_path / f"{name}.yaml" for name in names or ("lab",)]
        for file in files:
            file.write_text(CLUSTER.format(name=file.stem, workers=workers, more=more))
        return netsim.shell(*files)

    return open_lab


@pytest.fixture
def lab(opened: Open) -> Lab:
    """A prompt on a cluster of two workers."""
    return opened()


@pytest.fixture
def nginx(lab: Lab) -> Lab:
    """The same with two nginx behind the Service my-nginx, and a pod `client`."""
    for line in ("apply -f my-nginx.yaml", "expose deployment/my-nginx", "run client --image=curl"):
        lab(f"kubectl {line}")
    return lab
