"""A run: what a simulation recorded, and everything that is said of it.

`Run` is what a notebook holds. Its tables are pandas DataFrames, made when asked for; everything the command
line prints and writes is computed with NumPy, so that `netsim run` never waits for pandas.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.report import records
from netsim.report.checks import Finding, judge
from netsim.report.reachability import Interval, reachability
from netsim.report.statistics import Statistics, describe
from netsim.report.summary import summary
from netsim.report.tables import Table
from netsim.report.timeline import Entry, timeline
from netsim.units import S

if TYPE_CHECKING:
    import pandas as pd

    from netsim.report.plots import Plots
    from netsim.scenario.scenario import Scenario
    from netsim.simulation import Recording

TABLES = ("requests", "changes", "series", "reachability")


class Run:
    """One execution of a scenario, its tables, and what they say."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._statistics: dict[str, Statistics] = {}
        self._tables: dict[str, Table] = {}

    def __repr__(self) -> str:
        success = self.statistics().success
        share = "" if success is None else f", {success:.2%} ok"
        partial = ", stopped early" if self.partial else ""
        return f"<Run {self.scenario.name} seed {self.seed}: {len(self.rows):,} requests{share}{partial}>"

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.recording.scenario

    @property
    def seed(self) -> int:
        """The seed it was run with."""
        return self.recording.seed

    @property
    def ended(self) -> int:
        """When the run ended, in nanoseconds of simulated time."""
        return self.recording.ended

    @property
    def partial(self) -> bool:
        """Whether it was stopped before the scenario's end."""
        return self.recording.partial

    @property
    def rows(self) -> NDArray[np.void]:
        """The requests as they were recorded: a structured array (`netsim.dataplane.requests.REQUEST`)."""
        return self.recording.requests

    # tables

    def table(self, name: str) -> Table:
        """One of the tables, by name: requests, changes, series or reachability."""
        if name not in TABLES:
            raise KeyError(f"no table {name!r}; there are {', '.join(TABLES)}")
        if name not in self._tables:
            if name == "reachability":
                self._tables[name] = records.reachability_table(self.intervals)
            else:
                self._tables[name] = getattr(records, f"{name}_table")(self.recording)
        return self._tables[name]

    @property
    def requests(self) -> pd.DataFrame:
        """Every request: who sent it and when, what became of it, and why."""
        return self.table("requests").frame()

    @property
    def changes(self) -> pd.DataFrame:
        """Everything that changed in the cluster."""
        return self.table("changes").frame()

    @property
    def series(self) -> pd.DataFrame:
        """What became of the requests of each source, second by second."""
        return self.table("series").frame()

    def reachability(self) -> pd.DataFrame:
        """The times in which a source could not, or not always, reach its target."""
        return self.table("reachability").frame()

    # what they say

    def statistics(self, source: str = "") -> Statistics:
        """Counts and percentiles of one traffic source, or of all together."""
        if source not in self._statistics:
            self._statistics[source] = describe(self.requests_of(source))
        return self._statistics[source]

    def requests_of(self, source: str = "") -> NDArray[np.void]:
        """The rows of one traffic source, or all."""
        if not source:
            return self.rows
        return self.rows[self.rows["source"] == self.recording.sources.index(source)]

    def active(self, source: str = "") -> tuple[int, int]:
        """From when to when a source sent requests; of all together, the whole run."""
        for traffic in self.scenario.document.traffic:
            if traffic.name == source:
                stop = self.ended if traffic.stop is None else min(traffic.stop, self.ended)
                return min(traffic.start, stop), stop
        return 0, self.ended

    def rate(self, source: str = "") -> float:
        """How many requests a source sent per second of the time in which it was active."""
        first, last = self.active(source)
        return len(self.requests_of(source)) * S / (last - first) if last > first else 0.0

    def outages(self, source: str = "") -> list[tuple[int, int]]:
        """When a source (or any) could not, or not always, reach its target by the rules: from, to."""
        return [
            (outage.began, self.ended if outage.ended is None else outage.ended)
            for outage in self.recording.outages
            if source in ("", outage.source)
        ]

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """The rows of the table of reachability."""
        return reachability(self.recording)

    @cached_property
    def timeline(self) -> tuple[Entry, ...]:
        """The story of the run, line by line."""
        faults = {fault.at: fault.name for fault in self.scenario.document.faults}
        return timeline(self.recording.changes, faults)

    def checks(self) -> tuple[Finding, ...]:
        """The scenario's checks, and what was found."""
        return tuple(judge(self, check) for check in self.scenario.document.checks)

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(finding.passed for finding in self.checks())

    def summary(self) -> dict[str, Any]:
        """All that `summary.json` says: plain values, the same for the same scenario and seed."""
        return summary(self)

    # pictures and files

    @property
    def plot(self) -> Plots:
        """Pictures of the run: `run.plot.timeline()`, `.traffic()`, `.latency()`, `.overview()`."""
        from netsim.report.plots import Plots

        return Plots(self)

    def save(self, folder: str | Path = "results", **provenance: Any) -> Path:
        """Write everything to `folder`/SCENARIO/SEED/, replacing what an earlier run wrote there."""
        from netsim.report.folder import save

        return save(self, Path(folder), provenance)
