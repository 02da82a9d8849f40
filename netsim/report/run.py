"""A run: what a simulation recorded, and everything that is said of it.

`Run` is what a notebook holds. Its tables are pandas DataFrames, made when asked for; everything the command
line prints and writes is computed with NumPy, so that `netsim run` never waits for pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.errors import NetsimError
from netsim.report import records
from netsim.report.checks import Finding, judge
from netsim.report.digest import Digest
from netsim.report.incident_tables import availability_table, incidents_table
from netsim.report.incidents import Incident, incidents
from netsim.report.keeping import Kept
from netsim.report.latencies import Latencies
from netsim.report.reachability import Interval, reachability
from netsim.report.statistics import Statistics
from netsim.report.summary import summary
from netsim.report.tables import Table
from netsim.report.timeline import Entry, timeline
from netsim.units import S

if TYPE_CHECKING:
    import pandas as pd

    from netsim.report.plots import Plots
    from netsim.report.writing import Format
    from netsim.scenario.scenario import Scenario
    from netsim.simulation import Recording


class Run:
    """One execution of a scenario, its tables, and what they say."""

    def __init__(self, recording: Recording, digest: Digest | None = None, kept: Kept = "all") -> None:
        """A run from its recording, and what was said of its requests while it went on if they are not in there."""
        self.recording = recording
        self.digest = digest or Digest.of(recording)
        self.kept = kept
        self._statistics: dict[str, Statistics] = {}
        self._tables: dict[str, Table] = {}

    def __repr__(self) -> str:
        success = self.statistics().success
        share = "" if success is None else f", {success:.2%} ok"
        partial = ", stopped early" if self.partial else ""
        return f"<Run {self.scenario.name} seed {self.seed}: {self.count:,} requests{share}{partial}>"

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
        """The requests as they were recorded: a structured array (`netsim.dataplane.requests.REQUEST`).

        Of a run that kept a sample, that; NetsimError if it kept none.
        """
        if self.kept == "none":
            raise NetsimError("this run has not kept its requests; run it with requests='all' or 'sample:1000'")
        return self.recording.requests

    @property
    def sampled_from(self) -> int | None:
        """Of how many requests those kept are a sample; None if they are all."""
        return self.count if self.kept == "sample" else None

    @property
    def count(self) -> int:
        """How many requests were sent, kept or not."""
        return self.digest.count

    # tables

    def table(self, name: str) -> Table:
        """One of the tables, by name: those in `TABLES`."""
        if name not in TABLES:
            raise KeyError(f"no table {name!r}; there are {', '.join(TABLES)}")
        if name not in self._tables:
            self._tables[name] = TABLES[name](self)
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

    @property
    def incidents(self) -> pd.DataFrame:
        """What became of each fault, and what it cost each source: one row for each of both."""
        return self.table("incidents").frame()

    @property
    def availability(self) -> pd.DataFrame:
        """The part of each source's requests that went well, window by window."""
        return self.table("availability").frame()

    def reachability(self) -> pd.DataFrame:
        """The times in which a source could not, or not always, reach its target."""
        return self.table("reachability").frame()

    # what they say

    def statistics(self, source: str = "") -> Statistics:
        """Counts and percentiles of one traffic source, or of all together."""
        if source not in self._statistics:
            self._statistics[source] = self.digest.statistics(self._codes(source))
        return self._statistics[source]

    def latencies(self, source: str = "") -> Latencies:
        """The latencies of the requests that went well, of one traffic source or of all together."""
        return self.digest.latencies(self._codes(source))

    def _codes(self, source: str) -> Sequence[int]:
        names = self.recording.sources
        return [names.index(source)] if source else range(len(names))

    def requests_of(self, source: str = "") -> NDArray[np.void]:
        """The rows of one traffic source, or all that were kept."""
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
        return self.statistics(source).requests * S / (last - first) if last > first else 0.0

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
        return reachability(self.recording, self.digest)

    @cached_property
    def strokes(self) -> tuple[Incident, ...]:
        """What became of each stroke of each fault."""
        return incidents(self.recording, self.digest)

    @cached_property
    def timeline(self) -> tuple[Entry, ...]:
        """The story of the run, line by line."""
        faults = {fault.at: fault.name for fault in self.scenario.document.faults}
        words = {fault.name: fault.says for fault in self.scenario.document.faults}
        return timeline(self.recording.changes, faults, words)

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

    def save(self, folder: str | Path = "results", form: Format = "csv", **provenance: Any) -> Path:
        """Write everything to `folder`/SCENARIO/SEED/, replacing what an earlier run wrote there.

        The table of requests is `csv` or `parquet` (which needs pyarrow); all other tables are CSV.
        """
        from netsim.report.folder import save

        return save(self, Path(folder), provenance, form)


TABLES: dict[str, Callable[[Run], Table]] = {
    "requests": lambda run: records.requests_table(run.recording, run.rows, run.sampled_from),
    "changes": lambda run: records.changes_table(run.recording),
    "series": lambda run: records.series_table(run.recording, run.digest),
    "reachability": lambda run: records.reachability_table(run.intervals),
    "incidents": lambda run: incidents_table(run.strokes),
    "availability": lambda run: availability_table(run.recording, run.digest),
}
"""Every table of a run, by name."""
