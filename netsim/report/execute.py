"""Running a scenario, with its requests kept in memory, sampled, forgotten, or written while the run goes on.

Whatever becomes of the table, the digest reads every request of it, so nothing else that is said of the run
depends on that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from netsim.dataplane.requests import REQUEST
from netsim.report.digest import Digest
from netsim.report.keeping import Sample, Wish
from netsim.report.run import Run

if TYPE_CHECKING:
    from netsim.scenario.scenario import Scenario
    from netsim.simulation import Part, Take

Engine = Literal["auto", "plain", "compiled"]


def execute(
    scenario: Scenario,
    seed: int | None = None,
    until: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    engine: Engine = "auto",
    keep: Wish | None = None,
    writers: Sequence[Take] = (),
) -> Run:
    """Run a scenario to its end or to `until`, and keep all of its requests, or what is wished of them.

    `writers` are handed every part of the table as soon as it is complete.
    """
    from netsim.simulation import simulate

    keep = keep or Wish("all")
    if keep.kind == "all" and not writers:
        return Run(simulate(scenario, seed, until, progress, engine=engine))
    document = scenario.document
    end = document.duration if until is None else min(until, document.duration)
    digest = Digest(scenario, end, len(document.traffic))
    sample = Sample(keep.count, document.seed if seed is None else seed)
    everything = [np.empty(0, REQUEST)]

    def take(part: Part) -> None:
        digest.take(part)
        if keep.kind == "sample":
            sample.take(part.requests)
        elif keep.kind == "all":
            everything.append(part.requests)
        for write in writers:
            write(part)

    recording = simulate(scenario, seed, until, progress, take, engine)
    kept = sample.rows if keep.kind == "sample" else np.concatenate(everything)
    return Run(replace(recording, requests=kept), digest, keep.kind)
