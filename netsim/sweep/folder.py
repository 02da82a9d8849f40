"""The folder of a sweep: RESULTS/SCENARIO/sweep/, or wherever one says.

    runs/KEY.json     finished runs, one file each: what makes a sweep resumable
    runs.csv means.csv differences.csv latency.csv series.csv      the tables
    schema.json       their columns: types, units, meanings
    summary.json      variants, means, differences and checks as data
    report.txt        what the terminal says
    scenario.yaml     the scenario as it was varied
    figure.png        the figure
    sweep.json        where all this comes from: versions, command, platform, times

Of two sweeps of the same scenario, only `sweep.json` may differ, however many processes or machines did the
runs. It is written first, and says `partial` until everything is there. What an earlier sweep finished stays
in `runs`, so other seeds or further variants cost only what is new. A finished sweep is never replaced by one of
another scenario, even if that has the same name: what it was made of is in `scenario.yaml`.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsim.errors import ScenarioError
from netsim.report.folder import as_json, safe
from netsim.sweep.store import Store, written

if TYPE_CHECKING:
    from netsim.scenario.scenario import Scenario
    from netsim.sweep.sweep import Sweep

OURS = "sweep.json"  # what marks a folder as a sweep's
_SAID = ("netsim-k8s", "numpy", "simpy", "pydantic", "networkx", "numba", "matplotlib", "distributed")


def place_of(scenario: Scenario, results: str | Path, name: str = "sweep") -> Path:
    """Where a sweep of a scenario is kept."""
    return Path(results) / safe(scenario.name) / safe(name)


def opened(folder: Path, scenario: Scenario, provenance: dict[str, Any]) -> Store:
    """Make ready a folder, and give the finished runs in it. What is something else's, or another's, is left alone."""
    try:
        foreign = folder.exists() and not (folder / OURS).is_file() and any(folder.iterdir())
    except OSError as error:
        raise ScenarioError(f"cannot write results to {folder}: {error.strerror}") from None
    if foreign:
        raise ScenarioError(
            f"{folder} was not written by netsim sweep; move it away, or name another folder with --out or --name"
        )
    if _is_anothers(folder, scenario):
        raise ScenarioError(
            f"{folder} holds a finished sweep of another scenario called {scenario.name}, or of an earlier state of "
            "this one; move it away, or name another folder with --out or --name"
        )
    written(folder / OURS, as_json(_about(scenario, True, provenance)).encode())
    return Store(folder / "runs")


def _is_anothers(folder: Path, scenario: Scenario) -> bool:
    """Whether a folder holds a finished sweep that varied another scenario; what cannot be read is no finished one."""
    from netsim.scenario.resolved import resolved

    try:
        about = json.loads((folder / OURS).read_text(encoding="utf-8"))
        varied = (folder / "scenario.yaml").read_bytes()
    except (OSError, ValueError):
        return False
    finished = isinstance(about, dict) and about.get("partial") is False
    return finished and varied != resolved(scenario).encode()


def save(sweep: Sweep, folder: Path, provenance: dict[str, Any]) -> Path:
    """Write all but the runs themselves, the provenance last."""
    from netsim.report.figure import png
    from netsim.scenario.resolved import resolved
    from netsim.sweep.figure import overview
    from netsim.sweep.tables import TABLES
    from netsim.sweep.terminal import report

    opened(folder, sweep.scenario, provenance)
    summary = sweep.summary()
    for name in TABLES:
        written(folder / f"{name}.csv", sweep.table(name).csv().encode())
    schema = {"resources": [sweep.table(name).schema() for name in TABLES]}
    for name, text in {
        "schema.json": as_json(schema),
        "summary.json": as_json(summary),
        "report.txt": report(sweep, 100),
        "scenario.yaml": resolved(sweep.scenario),
    }.items():
        written(folder / name, text.encode())
    written(folder / "figure.png", png(overview(sweep)))
    written(folder / OURS, as_json(_about(sweep.scenario, summary["partial"], provenance)).encode())
    return folder


def _about(scenario: Scenario, partial: bool, provenance: dict[str, Any]) -> dict[str, Any]:
    """Where a sweep comes from."""
    versions = {"python": platform.python_version()}
    for name in _SAID:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "scenario": scenario.name,
        "file": None if scenario.path is None else str(scenario.path),
        "partial": partial,
        "versions": versions,
        "platform": {"system": platform.system(), "machine": platform.machine(),
                     "implementation": sys.implementation.name},
        **provenance,
    }  # fmt: skip
