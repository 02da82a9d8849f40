"""One run of one variant, as text in and text out: what is sent to whoever does it, and what comes back.

A task is named by what decides its result: the scenario (without its title and its checks, which decide
nothing), the seed, and the code of netsim itself. The result is small: every measure of the run, of each source
the latencies in buckets, and what became of its requests step by step, in counts that add up. Checks are judged
from the measures afterwards, so other bounds need no new run. `perform` is a plain function of a module with texts
for arguments, so that any process that can import netsim can do it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.errors import ModelError

if TYPE_CHECKING:
    from netsim.scenario.scenario import Scenario
    from netsim.sweep.pool import Pool

FORMAT = "netsim/sweep-run/2"
_UNDECIDING = ("seed", "metadata", "checks")
_RECENT = 64  # variants remembered: tasks go through all of them seed by seed


@dataclass(frozen=True)
class Task:
    """A run that is to be done."""

    scenario: str = field(repr=False)  # JSON documents: see `Variant.text`
    seed: int

    @property
    def key(self) -> str:
        """The name of its result: the same for the same scenario, seed and code."""
        return hashlib.sha256(f"{_essence(self.scenario)}\n{self.seed}\n{code()}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Result:
    """What is kept of a finished run by itself."""

    key: str
    seed: int
    ended: int
    measures: Mapping[tuple[str, str], int | float | None]  # by measure and of whom


@dataclass(frozen=True)
class Lost:
    """A task without a result, and why."""

    task: Task
    reason: str


def perform(scenario: str, seed: int) -> str:
    """Do a run, and return its result as text: the same bytes wherever it is done."""
    from netsim.report.execute import execute
    from netsim.report.fates import Fates
    from netsim.report.keeping import Wish
    from netsim.report.measured import measured

    loaded = _scenario(scenario)
    fates = Fates([traffic.name for traffic in loaded.document.traffic], loaded.document.duration)
    run = execute(loaded, seed, keep=Wish("none"), writers=(fates.take,))
    if run.partial:  # the simulation keeps what there is when it is interrupted; half a run is none here
        raise KeyboardInterrupt
    told = {
        "format": FORMAT,
        "code": code(),
        "key": Task(scenario, seed).key,
        "seed": seed,
        "ended": run.ended,
        "measures": [[found.measure, found.of, found.value] for found in measured(run)],
        "latency": {source: run.latencies(source).buckets().data() for source in run.recording.sources},
        "fates": fates.data(),
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def understood(text: str) -> tuple[Result, Pool] | None:
    """The result in a text, and its requests; None if it holds none, or one of another netsim."""
    from netsim.sweep.pool import Pool

    try:
        told = json.loads(text)
        if told["format"] != FORMAT or told["code"] != code():
            return None
        measures = {(measure, of): value for measure, of, value in told["measures"]}
        return Result(told["key"], told["seed"], told["ended"], measures), Pool.read(told)
    except (ValueError, LookupError, TypeError):
        return None


@cache
def code() -> str:
    """A fingerprint of the netsim that runs: of every line of it that could change a result."""
    import netsim

    if netsim.__file__ is None:
        raise ModelError("netsim does not know where its own files are")
    root = Path(netsim.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py"), key=lambda file: file.relative_to(root).as_posix()):
        name = file.relative_to(root).as_posix()
        if not name.startswith(_ELSEWHERE):
            digest.update(name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()[:16]


_ELSEWHERE = ("cli/", "console/", "lab/")
"""Parts of netsim that no result depends on."""


@lru_cache(maxsize=_RECENT)
def _essence(scenario: str) -> str:
    """The part of a scenario that decides what happens."""
    head, *objects = scenario.split("\n")
    document = {name: value for name, value in json.loads(head).items() if name not in _UNDECIDING}
    return "\n".join([json.dumps(document, sort_keys=True, separators=(",", ":")), *objects])


@lru_cache(maxsize=_RECENT)
def _scenario(text: str) -> Scenario:
    from netsim.scenario.load import loads

    return loads(text)
