"""The tables of a sweep, in the columns that every table of netsim is made of.

    runs         tidy: one row a run and measure
    means        of each variant and measure over all seeds: the mean, its interval, quantiles
    differences  the same of the difference to the baseline, taken seed by seed
    latency      of each variant and source: percentiles over the requests of all runs together
    series       the same second by second, and how many requests went well, failed, or were cut off

Each begins with the number of the variant and a column for every path that is varied. Durations are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netsim.report.buckets import ERROR
from netsim.report.measured import in_table, natural
from netsim.report.statistics import PERCENTILES as IN_SERIES
from netsim.report.tables import Column, Table, integers, numbers, seconds, texts
from netsim.scenario.measures import MEASURES
from netsim.sweep.estimates import Estimate, estimate, paired, quantile
from netsim.sweep.grid import Variant

if TYPE_CHECKING:
    from netsim.sweep.sweep import Number, Sweep

QUANTILES = (10, 50, 90)
"""The quantiles over runs that the table of means holds, in a hundred."""

PERCENTILES = (50, 90, 99, 99.9)
"""The percentiles over requests that the table of latency holds."""

_UNITS = {"share": "part of 1", "count": "number", "duration": "s", "rate": "1/s"}


def runs(sweep: Sweep) -> Table:
    """One row a run and measure, by variant, then seed, then in the order of measures."""
    found = [
        (sweep.variants[number], seed, key, sweep.results[number, seed].measures[key])
        for number, seed in sorted(sweep.results, key=lambda run: (run[0], sweep.seeds.index(run[1])))
        for key in sweep.results[number, seed].measures
    ]
    return Table(
        "runs",
        "One row a run and measure.",
        (
            *_variant_columns(sweep, [row[0] for row in found]),
            integers("seed", "the seed of the run", [row[1] for row in found]),
            *_measure_columns([row[2] for row in found]),
            numbers("value", "what was measured; nothing if there is no such value",
                    [natural(key[0], value) for _, _, key, value in found]),
        ),
    )  # fmt: skip


def means(sweep: Sweep) -> Table:
    """The mean of every measure of every variant over its seeds."""
    rows = [
        (variant, key, [None if v is None else natural(key[0], v) for v in sweep.values(variant, *key)])
        for variant in sweep.variants
        for key in sweep.measures
    ]
    known = [[value for value in values if value is not None] for _, _, values in rows]
    averages = [average(sweep, variant, *key) for variant, key, _ in rows]
    return Table(
        "means",
        "The mean of each measure over the runs of a variant, with Student's interval, and quantiles.",
        (
            *_variant_columns(sweep, [row[0] for row in rows]),
            *_measure_columns([row[1] for row in rows]),
            integers("runs", "finished runs that have a value", [len(values) for values in known]),
            *_estimate_columns("mean", "the mean over these runs", averages),
            numbers("deviation", "the standard deviation of single runs", [each.deviation for each in averages]),
            *_quantile_columns(known),
        ),
    )


def differences(sweep: Sweep) -> Table:
    """The difference of each variant to its baseline, taken seed by seed."""
    rows = [
        (variant, key, difference(sweep, variant, *key))
        for variant in sweep.variants
        if sweep.baseline_of(variant) is not None
        for key in sweep.measures
    ]
    bases = [sweep.variants[sweep.plan.baselines[row[0].number]] for row in rows]
    return Table(
        "differences",
        "The difference of each variant to its baseline under the same seeds, with Student's interval.",
        (
            *_variant_columns(sweep, [row[0] for row in rows]),
            integers("baseline", "the variant it is compared with", [base.number for base in bases]),
            *_measure_columns([row[1] for row in rows]),
            integers("pairs", "seeds for which both have a value", [row[2].count for row in rows]),
            *_estimate_columns("difference", "the mean difference to the baseline", [row[2] for row in rows]),
        ),
    )


def average(sweep: Sweep, variant: Variant, measure: str, of: str = "") -> Estimate:
    """The mean of a variant's measure over its runs, as tables show it; no share is above 1, nothing below 0."""
    known = [value for value in sweep.values(variant, measure, of) if value is not None]
    most = 1.0 if MEASURES[measure].unit == "share" else math.inf
    return estimate([in_table(measure, value) for value in known]).within(0.0, most)


def difference(sweep: Sweep, variant: Variant, measure: str, of: str = "") -> Estimate:
    """The mean difference of a variant's measure to its baseline's, as tables show it."""
    base = sweep.variants[sweep.plan.baselines[variant.number]]
    shown = [
        [None if value is None else natural(measure, value) for value in sweep.values(each, measure, of)]
        for each in (variant, base)
    ]
    return paired(*shown)


def latency(sweep: Sweep) -> Table:
    """Percentiles over the requests that went well, of all runs of a variant together."""
    sources = dict.fromkeys(source for number in sorted(sweep.pools) for source in sweep.pools[number].latency)
    rows = [(variant, source, sweep.buckets(variant, source)) for variant in sweep.variants for source in sources]
    about = f"within {ERROR:.1%} of it"
    return Table(
        "latency",
        "Latencies of the requests that went well, over all runs of a variant together.",
        (
            *_variant_columns(sweep, [row[0] for row in rows]),
            texts("source", "the traffic source", [row[1] for row in rows]),
            integers("ok", "requests that went well", [row[2].count for row in rows], "requests"),
            seconds("mean", "their mean latency", [row[2].mean for row in rows]),
            *(
                seconds(f"p{percent:g}", f"{percent:g} % of them took no longer, {about}",
                        [row[2].percentile(percent) for row in rows])
                for percent in PERCENTILES
            ),
            seconds("max", "the longest of them", [row[2].most for row in rows]),
        ),
    )  # fmt: skip


def series(sweep: Sweep) -> Table:
    """What became of requests in each step of the clock (`netsim.report.fates`), over all runs of a variant together.

    A row for each variant that has finished runs, each of its sources, and each step.
    """
    pools = [(sweep.variants[number], sweep.pools[number]) for number in sorted(sweep.pools)]
    every = [pool.fates for _, pool in pools]
    rows = [
        (variant, pool.runs, source)
        for variant, pool in pools
        for source in pool.fates.sources
        for _ in range(pool.fates.steps)
    ]
    begin = [np.tile(np.arange(fates.steps) * fates.step, len(fates.sources)) for fates in every]
    nothing = np.zeros((0, 3), np.int64)
    percentiles = np.concatenate([nothing, *(fates.percentiles().reshape(-1, 3) for fates in every)])
    ok, failed, unfinished = np.concatenate([nothing, *(fates.outcomes().reshape(-1, 3) for fates in every)]).T
    return Table(
        "series",
        "What became of the requests that each source sent in each step of the clock, over all runs of a variant "
        "together.",
        (
            *_variant_columns(sweep, [row[0] for row in rows]),
            texts("source", "the traffic source", [row[2] for row in rows]),
            seconds("time", "when the step began; it lasts until the next one begins",
                    np.concatenate([np.zeros(0, np.int64), *begin])),
            integers("runs", "finished runs, which are all in here", [row[1] for row in rows]),
            integers("sent", "requests sent in this step", ok + failed + unfinished, "requests"),
            integers("ok", "of these, went well", ok, "requests"),
            integers("failed", "of these, failed in any way", failed, "requests"),
            integers("unfinished", "of these, cut off by the end of their run", unfinished, "requests"),
            *(
                seconds(f"p{percent}", f"{percent} % of those that went well took no longer, within {ERROR:.1%} of it",
                        percentiles[:, column])
                for column, percent in enumerate(IN_SERIES)
            ),
            numbers("success", "the share of those that finished that went well; nothing if none finished",
                    _shares(ok.tolist(), failed.tolist())),
        ),
    )  # fmt: skip


def _shares(ok: Sequence[int], failed: Sequence[int]) -> list[float | None]:
    return [well / (well + badly) if well or badly else None for well, badly in zip(ok, failed, strict=True)]


TABLES: dict[str, Callable[[Sweep], Table]] = {
    "runs": runs,
    "means": means,
    "differences": differences,
    "latency": latency,
    "series": series,
}
"""Every table, by name."""


def _variant_columns(sweep: Sweep, rows: Sequence[Variant]) -> Iterator[Column]:
    yield integers("variant", "the number of the variant, from 0", [variant.number for variant in rows])
    for i, path in enumerate(sweep.paths):
        yield texts(path, "what it was set to", [variant.settings[i][1] for variant in rows])


def _measure_columns(keys: Sequence[tuple[str, str]]) -> Iterator[Column]:
    yield texts("measure", "what was measured", [measure for measure, _ in keys])
    yield texts("of", "of which traffic source or fault; nothing: of all sources", [of for _, of in keys])
    yield texts("unit", "in which unit", [_UNITS[MEASURES[measure].unit] for measure, _ in keys])


def _estimate_columns(name: str, meaning: str, found: Sequence[Estimate]) -> Iterator[Column]:
    yield numbers(name, meaning, [each.mean for each in found])
    yield numbers("low", "the lower end of its 95 % interval", [each.low for each in found])
    yield numbers("high", "the upper end of its 95 % interval", [each.high for each in found])


def _quantile_columns(known: Sequence[Sequence[Number]]) -> Iterator[Column]:
    yield numbers("min", "the least of all runs", [min(values, default=None) for values in known])
    for percent in QUANTILES:
        found: list[Any] = [quantile(values, percent) for values in known]
        yield numbers(f"q{percent}", f"{percent} % of the runs have no more", found)
    yield numbers("max", "the most of all runs", [max(values, default=None) for values in known])
