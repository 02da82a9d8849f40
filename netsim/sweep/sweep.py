"""A sweep: the variants of a scenario, each run under the same seeds, and all that is said of them.

What a notebook holds. Tables are pandas DataFrames, made when asked for; what the command line prints and
writes is computed without pandas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsim.scenario.scenario import Scenario
from netsim.sweep.claims import Claim, claims
from netsim.sweep.grid import Variant
from netsim.sweep.plan import Plan
from netsim.sweep.task import Lost, Result

if TYPE_CHECKING:
    import pandas as pd

    from netsim.report.buckets import Buckets
    from netsim.report.tables import Table
    from netsim.sweep.plots import Plots
    from netsim.sweep.pool import Pool

Number = int | float


@dataclass(frozen=True)
class Sweep:
    """Runs of every variant under every seed, and what they say together."""

    plan: Plan
    results: Mapping[tuple[int, int], Result] = field(repr=False)  # by variant and seed
    pools: Mapping[int, Pool] = field(repr=False)  # by variant: the requests of all its finished runs together
    lost: tuple[Lost, ...] = ()
    partial: bool = False  # it was interrupted
    reused: int = 0  # runs that were finished before

    def __repr__(self) -> str:
        many = f"{len(self.variants)} variants x {len(self.seeds)} seeds, {len(self.results)} runs"
        return f"<Sweep {self.scenario.name}: {many}{', partial' if self.partial else ''}>"

    @property
    def scenario(self) -> Scenario:
        """The scenario that was varied."""
        return self.plan.scenario

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Its variants, in the order of the grid."""
        return self.plan.variants

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, the same for all variants."""
        return self.plan.seeds

    @property
    def paths(self) -> tuple[str, ...]:
        """What is varied."""
        return tuple(axis.path for axis in self.plan.axes)

    def baseline_of(self, variant: Variant) -> Variant | None:
        """The variant that this one is compared with; None if that is itself."""
        number = self.plan.baselines[variant.number]
        return None if number == variant.number else self.variants[number]

    # what was measured

    @cached_property
    def measures(self) -> tuple[tuple[str, str], ...]:
        """Every measure that any run has, and of whom: in the order of the first run that has it."""
        ordered = [self.results[number, seed] for number, seed in sorted(self.results)]
        return tuple(dict.fromkeys(key for result in ordered for key in result.measures))

    def values(self, variant: Variant, measure: str, of: str = "") -> list[Number | None]:
        """A measure of each run of a variant, by seed; None where it has none, or the run is missing."""
        key = self.key(measure, of)
        found = [self.results.get((variant.number, seed)) for seed in self.seeds]
        return [None if result is None else result.measures.get(key) for result in found]

    def key(self, measure: str, of: str = "") -> tuple[str, str]:
        """A measure as runs have it; without a name that of all together, or of the only one there is."""
        return self.plan.key(measure, of)

    def buckets(self, variant: Variant, source: str) -> Buckets:
        """The latencies of a source's requests that went well, of all runs of a variant together."""
        from netsim.report.buckets import Buckets

        pool = self.pools.get(variant.number)
        return Buckets() if pool is None else pool.latency.get(source, Buckets())

    def claims(self) -> tuple[Claim, ...]:
        """The scenario's checks, judged in each run of each variant."""
        return claims(self)

    @property
    def passed(self) -> bool:
        """Whether every check holds in every run."""
        return all(claim.passed for claim in self.claims())

    # tables, pictures and files

    def table(self, name: str) -> Table:
        """One of the tables, by name: runs, means, differences, latency or series."""
        from netsim.sweep import tables

        if name not in tables.TABLES:
            raise KeyError(f"no table {name!r}; there are {', '.join(tables.TABLES)}")
        return tables.TABLES[name](self)

    @property
    def runs(self) -> pd.DataFrame:
        """Tidy: one row a run and measure."""
        return self.table("runs").frame()

    @property
    def means(self) -> pd.DataFrame:
        """Of each variant and measure: the mean over seeds, its interval, quantiles."""
        return self.table("means").frame()

    @property
    def differences(self) -> pd.DataFrame:
        """Of each variant and measure: the difference to the baseline, taken seed by seed, and its interval."""
        return self.table("differences").frame()

    @property
    def latency(self) -> pd.DataFrame:
        """Of each variant and source: percentiles over the requests of all runs together."""
        return self.table("latency").frame()

    @property
    def series(self) -> pd.DataFrame:
        """Of each variant and source: what became of requests second by second, of all runs together."""
        return self.table("series").frame()

    def summary(self) -> dict[str, Any]:
        """All that `summary.json` says: plain values, the same however and wherever the runs were done."""
        from netsim.sweep.summary import summary

        return summary(self)

    @property
    def plot(self) -> Plots:
        """Pictures: `sweep.plot.interval("p99", "inside")`, `.series("inside")`, `.overview()`."""
        from netsim.sweep.plots import Plots

        return Plots(self)

    def save(self, folder: str | Path, **provenance: Any) -> Path:
        """Write tables, summary, report and figure into a folder."""
        from netsim.sweep.folder import save

        return save(self, Path(folder), provenance)
