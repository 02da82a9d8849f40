"""The figure of a sweep: of each measure every variant's mean with its interval, and its difference.

One row a variant. To the left the runs as points, each seed at its own height, so that one sees how they
spread and that under the same seed the variants move together; over them the mean, with its 95 % interval as
a bar. To the right the difference to the baseline, taken seed by seed, in the same unit: where its bar does
not touch the line at nothing, it is not chance. Only the object-oriented side of matplotlib is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, Formatter, MaxNLocator

from netsim.report import palette
from netsim.report.figure import WIDTH
from netsim.report.measured import in_table
from netsim.report.wording import count
from netsim.scenario.measures import MEASURES
from netsim.sweep.estimates import Estimate
from netsim.sweep.plan import Key
from netsim.sweep.tables import average, difference
from netsim.sweep.terminal import interesting, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netsim.sweep.grid import Variant
    from netsim.sweep.sweep import Sweep

TINY = 7.5
_PANELS = 8  # measures in one figure
_ROWS = 60  # variants in one panel
_ROW, _GAP, _ABOVE, _BELOW = 0.3, 0.62, 0.95, 0.35  # inches
_LEFT, _MIDDLE, _RIGHT = 0.27, 0.66, 0.97
_CERTAIN, _UNSURE = palette.OUTCOMES["timeout"], palette.GREY


def overview(sweep: Sweep, figure: Figure | None = None, measures: Sequence[Key] = ()) -> Figure:
    """A panel for each measure of interest, one under the other."""
    keys = list(measures or interesting(sweep))[:_PANELS]
    height = _ROW * max(min(len(sweep.variants), _ROWS), 1) + 0.1
    total = _ABOVE + len(keys) * (height + _GAP) - _GAP + _BELOW
    figure = figure or Figure()
    figure.set_size_inches(WIDTH, total)
    figure.set_facecolor(palette.PAPER)
    _title(sweep, figure, total)
    compared = any(sweep.baseline_of(variant) is not None for variant in sweep.variants)
    for at, key in enumerate(keys):
        bottom = (total - _ABOVE - (at + 1) * height - at * _GAP) / total
        end = _MIDDLE if compared else _RIGHT
        interval(sweep, figure.add_axes((_LEFT, bottom, end - _LEFT, height / total)), *key)
        if compared:
            axes = figure.add_axes((end + 0.03, bottom, _RIGHT - end - 0.03, height / total))
            against(sweep, axes, *key)
    return figure


def interval(sweep: Sweep, axes: Axes, measure: str, of: str = "") -> None:
    """Every variant's runs, mean and interval."""
    key = sweep.key(measure, of)
    rows = sweep.variants[:_ROWS]
    _plain_axes(axes, rows, measure)
    axes.set_yticklabels([label(variant) for variant in rows], size=TINY, color=palette.INK)
    axes.set_title(f"{key[0]} of {key[1]}" if key[1] else key[0], loc="left", size=9.5, weight="bold",
                   color=palette.INK, pad=5)  # fmt: skip
    heights = (np.arange(len(sweep.seeds)) + 0.5) / len(sweep.seeds) * 0.66 - 0.33
    for row, variant in enumerate(rows):
        values = sweep.values(variant, *key)
        known = [(in_table(measure, v), row + h) for v, h in zip(values, heights, strict=True) if v is not None]
        color = palette.source(0) if sweep.baseline_of(variant) is not None else palette.INK
        axes.plot([x for x, _ in known], [y for _, y in known], ".", ms=5, mew=0, alpha=0.45, color=color, zorder=2)
        found = average(sweep, variant, *key)
        _bar(axes, row, found, color)
        if found.mean is not None:
            _written(axes, row, found.mean, shown(measure, found.mean), color)
    _fit(axes)


def against(sweep: Sweep, axes: Axes, measure: str, of: str = "") -> None:
    """Every variant's difference to its baseline."""
    key = sweep.key(measure, of)
    rows = sweep.variants[:_ROWS]
    _plain_axes(axes, rows, measure, signed=True)
    axes.set_yticklabels([])
    axes.set_title("difference from the baseline", loc="left", size=TINY, color=palette.GREY, pad=5)
    axes.axvline(0, color=palette.INK, lw=0.8, zorder=1)
    for row, variant in enumerate(rows):
        if sweep.baseline_of(variant) is None:
            axes.plot([0], [row], "|", ms=9, mew=1.6, color=palette.INK, zorder=4)
            continue
        found = difference(sweep, variant, *key)
        color = _CERTAIN if found.certain else _UNSURE
        _bar(axes, row, found, color)
        if found.mean is not None:
            _written(axes, row, found.mean, shown(measure, found.mean, signed=True), color)
    _fit(axes)


def _written(axes: Axes, row: int, at: float, text: str, color: str) -> None:
    """A number above its mark, legible on whatever lies under it."""
    halo = withStroke(linewidth=2, foreground=palette.PAPER)
    axes.annotate(text, (at, row), (0, 6), textcoords="offset points", size=6.5, color=color, ha="center",
                  zorder=6, path_effects=[halo])  # fmt: skip


def _bar(axes: Axes, row: int, found: Estimate, color: str) -> None:
    if found.mean is None:
        return
    if found.low is not None and found.high is not None:
        axes.plot([found.low, found.high], [row, row], "-", lw=2.2, color=color, solid_capstyle="butt", zorder=4)
    axes.plot([found.mean], [row], "o", ms=5, mec=palette.PAPER, mew=0.8, color=color, zorder=5)


def _fit(axes: Axes) -> None:
    """Some room to either side, and some where all is one value."""
    low, high = axes.dataLim.intervalx
    if not np.isfinite((low, high)).all():
        low, high = 0.0, 1.0
    room = (high - low) * 0.08 or abs(high) * 0.05
    if room:
        axes.set_xlim(low - room, high + room)
    else:  # all is nothing
        axes.set_xlim(-1, 1)
        axes.xaxis.set_major_locator(FixedLocator([0]))


def label(variant: Variant) -> str:
    """What a variant is called where room is scarce."""
    text = variant.name if len(variant.name) <= 40 else f"{variant.name[:19]}…{variant.name[-20:]}"
    return text.replace("$", r"\$")


def _plain_axes(axes: Axes, rows: Sequence[Variant], measure: str, *, signed: bool = False) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.FAINT)
    axes.set_facecolor(palette.PAPER)
    axes.tick_params(length=0, labelsize=TINY, labelcolor=palette.GREY)
    axes.set_ylim(len(rows) - 0.5, -0.8)
    axes.yaxis.set_major_locator(FixedLocator(range(len(rows))))
    axes.grid(True, axis="x", color=palette.FAINT, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(Ticks(measure, signed))


class Ticks(Formatter):
    """The numbers at an axis: all in one unit, and with as many decimals as tell them apart."""

    def __init__(self, measure: str, signed: bool = False) -> None:
        self.unit, self.signed = MEASURES[measure].unit, signed

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All of them."""
        scale, unit = self._scale(max((abs(value) for value in values), default=0.0))
        scaled = [value * scale for value in values]
        least = max((abs(value) for value in scaled), default=0.0) * 1e-9
        decimals = next((d for d in range(9) if all(abs(round(v, d) - v) <= least for v in scaled)), 9)
        sign = "+" if self.signed else ""
        return [f"{value:{sign if value else ''}.{decimals}f}{unit}" for value in scaled]

    def __call__(self, value: float, pos: int | None = None) -> str:
        """One of them."""
        return self.format_ticks([value])[0]

    def _scale(self, most: float) -> tuple[float, str]:
        """What the largest number is multiplied with, and its unit."""
        if self.unit == "duration":
            return next((s, u) for s, u in ((1.0, " s"), (1e3, " ms"), (1e6, " µs"), (1e9, " ns"))
                        if most * s >= 1 or u == " ns")  # fmt: skip
        return {"share": (100.0, " pp" if self.signed else " %"), "rate": (1.0, "/s")}.get(self.unit, (1.0, ""))


def _title(sweep: Sweep, figure: Figure, total: float) -> None:
    metadata = sweep.scenario.document.metadata
    words: dict[str, Any] = {"va": "top", "parse_math": False}
    figure.text(0.02, 1 - 0.2 / total, metadata.title or metadata.name, size=14, weight="bold", color=palette.INK,
                **words)  # fmt: skip
    many = [count(len(sweep.variants), "variant"), count(len(sweep.seeds), "seed"), count(len(sweep.results), "run")]
    told = f"{metadata.name}, {many[0]}, {many[1]}, {many[2]}; bars are 95 % intervals of the mean"
    if len(sweep.variants) > _ROWS:
        told += f"; the first {_ROWS} variants"
    figure.text(0.02, 1 - 0.49 / total, told, size=9.5, color=palette.GREY, **words)
