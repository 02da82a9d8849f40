"""netsim: a wind tunnel for Kubernetes networking.

    import netsim

    run = netsim.load("scenarios/node-failure.yaml").run(seed=1)
    run.requests, run.reachability(), run.plot.timeline()

Nothing is imported until it is asked for, so that `netsim --help` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netsim.errors import ModelError, NetsimError, ScenarioError
    from netsim.front import Scenario, load, run, shell, trace
    from netsim.report.run import Run

    __version__: str

_HOMES = {
    "load": "netsim.front",
    "run": "netsim.front",
    "trace": "netsim.front",
    "shell": "netsim.front",
    "Scenario": "netsim.front",
    "Run": "netsim.report.run",
    "NetsimError": "netsim.errors",
    "ScenarioError": "netsim.errors",
    "ModelError": "netsim.errors",
}

__all__ = [
    "ModelError",
    "NetsimError",
    "Run",
    "Scenario",
    "ScenarioError",
    "__version__",
    "load",
    "run",
    "shell",
    "trace",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, the first time it is."""
    from importlib import import_module

    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'netsim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("netsim-k8s")
    except PackageNotFoundError:
        return "unknown (not installed)"
