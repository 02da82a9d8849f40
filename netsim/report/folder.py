"""The folder of a run: RESULTS/SCENARIO/SEED/, written aside and moved into place when it is complete.

    requests.csv changes.csv series.csv reachability.csv incidents.csv availability.csv    the tables; that of
                      requests is written while the run goes on, or is requests.parquet, or was not wanted
    schema.json       their columns: types, units, meanings
    summary.json      what the terminal says, as data
    report.txt        what the terminal says
    scenario.yaml     the scenario with every default, which loads back to an equal one
    figure.png        the figure
    run.json          where all this comes from: versions, command, seed, platform, times

Of two runs of the same scenario and seed, only `run.json` may differ. Nobody ever sees half a folder: it is
made under a name of its own beside its place, and the older one goes only when the new one is ready. A
folder that this module did not write is never replaced.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.report.run import Run
    from netsim.report.writing import Format

_OURS = "run.json"  # what marks a folder as written by us
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # on Windows


def save(run: Run, results: Path, provenance: dict[str, Any], form: Format = "csv") -> Path:
    """Write a run's folder, and return where it is. Of the requests those are written that the run has kept."""
    from netsim.report.writing import writer

    with opened(results, run.scenario.name, run.seed) as folder:
        if run.kept != "none":
            with writer(folder, form) as table:
                table.take(run.recording)
        fill(run, folder, provenance)
    return place_of(results, run.scenario.name, run.seed)


def place_of(results: Path, name: str, seed: int) -> Path:
    """Where the folder of a run is."""
    return results / safe(name) / safe(str(seed))


def opened(results: Path, name: str, seed: int) -> AbstractContextManager[Path]:
    """A new folder for a run, which takes its place when it is complete."""
    return _replaced(place_of(results, name, seed))


def fill(run: Run, folder: Path, provenance: dict[str, Any]) -> None:
    """Write all but the requests, which are there already if they are wanted."""
    from netsim.report.figure import overview, png
    from netsim.report.records import requests_table
    from netsim.report.run import TABLES
    from netsim.report.terminal import report
    from netsim.scenario.resolved import resolved

    others = [name for name in TABLES if name != "requests"]
    for name in others:
        with open(folder / f"{name}.csv", "wb") as file:
            file.writelines(run.table(name).chunks())
    rows = run.recording.requests if run.sampled_from else run.recording.requests[:0]  # only a sample says how many
    requests = requests_table(run.recording, rows, run.sampled_from)
    schema = [requests.schema(file.suffix[1:]) for file in folder.glob("requests.*")]
    _text(folder / "schema.json", as_json({"resources": schema + [run.table(name).schema() for name in others]}))
    _text(folder / "summary.json", as_json(run.summary()))
    _text(folder / "report.txt", report(run, 100))
    _text(folder / "scenario.yaml", resolved(run.scenario))
    (folder / "figure.png").write_bytes(png(overview(run)))
    _text(folder / _OURS, as_json(_about(run, provenance)))


def safe(name: str) -> str:
    """A name as one folder's name: whatever a scenario is called, its results stay in the results folder.

    >>> safe("node-failure"), safe("../../etc"), safe(".."), safe("con"), safe("")
    ('node-failure', '_.._etc', '_', 'con_', '_')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:120].lstrip(".").rstrip(".")
    return f"{plain}_" if _RESERVED.fullmatch(plain) else plain or "_"


def as_json(value: Any) -> str:
    """JSON as our files hold it: indented, in the order of the values, only numbers that JSON knows."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _text(path: Path, text: str) -> None:
    path.write_bytes(text.encode())  # the same line ends everywhere


@contextmanager
def _replaced(place: Path) -> Iterator[Path]:
    """A new folder that takes the place of an older one, unless something goes wrong meanwhile."""
    if place.exists() and not (place / _OURS).is_file() and not (place.is_dir() and not any(place.iterdir())):
        raise ScenarioError(
            f"{place} was not written by netsim; move it away, or name another folder with --out"
        )
    made = [folder for folder in place.parents if not folder.exists()]
    try:
        with _aside(place) as aside:
            new, old = aside / "new", aside / "old"
            new.mkdir()
            yield new
            if place.exists():
                os.replace(place, old)
            try:
                os.replace(new, place)
            except OSError:
                if old.exists():
                    os.replace(old, place)
                raise
    finally:
        with suppress(OSError):  # what is not empty stays
            for folder in made:
                folder.rmdir()


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    """A folder beside a place, on the same disk, for as long as it is needed."""
    aside = None
    try:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        except OSError as error:
            raise ScenarioError(f"cannot write results to {place}: {error.strerror}") from None
        yield aside
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _about(run: Run, provenance: dict[str, Any]) -> dict[str, Any]:
    """Where a run comes from."""
    import platform
    import sys
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": platform.python_version()}
    for name in ("netsim-k8s", "numpy", "simpy", "pydantic", "networkx", "numba", "matplotlib"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "scenario": run.scenario.name,
        "file": None if run.scenario.path is None else str(run.scenario.path),
        "seed": run.seed,
        "engine": run.recording.engine,
        "engineWhy": run.recording.engine_why,
        "partial": run.partial,
        "versions": versions,
        "platform": {"system": platform.system(), "machine": platform.machine(),
                     "implementation": sys.implementation.name},
        **provenance,
    }  # fmt: skip
