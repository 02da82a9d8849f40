"""The curve of a failure: the share of requests that went well, and the p99 of those, by when they were sent.

A line a variant, over the requests of all its runs together, so that what is left is what the variant does and not
the luck of one seed. Earlier variants have wider lines, so that one sees them under later ones that fare the same.
Two panels on one clock: whatever is drawn on the Axes itself, such as a line at an instant, goes through both. A
fine line marks each fault that comes at the same time in all variants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from netsim.report import palette
from netsim.report.statistics import PERCENTILES
from netsim.report.tables import MISSING
from netsim.sweep.figure import TINY, Ticks, label
from netsim.units import S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netsim.report.fates import Fates
    from netsim.sweep.sweep import Sweep

LINES = 14  # variants at the most
_COLORS, _STYLES = (palette.INK, *palette.SOURCES), ("-", (0, (4, 1.5)))
_PANEL = 0.43  # the height of each, as a part of the whole
_P99 = PERCENTILES.index(99)

Values = NDArray[np.float64]


def series(sweep: Sweep, axes: Axes, source: str = "") -> None:
    """How one source fared, or all together: a line for each variant that has it, and finished runs."""
    of = sweep.key("success", source)[1]
    _clock(sweep, axes)
    success, p99 = (axes.inset_axes((0, bottom, 1, _PANEL), sharex=axes) for bottom in (1 - _PANEL, 0))
    for panel, measure in ((success, "success"), (p99, "p99")):
        _plain_axes(panel, measure, f"of {of}" if of else "of all sources")
    known = [number for number in sorted(sweep.pools) if of in ("", *sweep.pools[number].fates.sources)]
    least, shown = 0.99, known[:LINES]
    for number, width in zip(shown, np.linspace(0.8 + 0.4 * min(len(shown), 4), 1.2, len(shown)), strict=True):
        fates = sweep.pools[number].fates
        look: dict[str, Any] = {"color": _COLORS[number % len(_COLORS)],
                                "ls": _STYLES[number // len(_COLORS) % len(_STYLES)],
                                "label": label(sweep.variants[number])}  # fmt: skip
        time, share, tail = _curve(fates, of)
        success.plot(time, share, lw=width, zorder=3, **look)
        p99.plot(time, tail, lw=width * 0.6, zorder=3, **look)
        least = min(least, float(np.nanmin(share, initial=least)))
    success.set_ylim(least - 0.04 * (1 - least), 1 + 0.04 * (1 - least))
    success.yaxis.set_major_locator(MaxNLocator(4))
    success.yaxis.set_major_formatter(Ticks("success"))
    _logarithmic(p99)
    if len(known) > 1:
        _legend(success, len(known) - LINES)


def _curve(fates: Fates, source: str) -> tuple[Values, Values, Values]:
    """The middle of each step, the share that went well, and the p99 of those in seconds; nan where there is none."""
    fates = fates if source else fates.together()
    at = fates.sources.index(source)
    ok, failed, _ = fates.outcomes()[at].T
    finished = ok + failed
    share = np.divide(ok, finished, out=np.full(len(ok), np.nan), where=finished > 0)
    tail = fates.percentiles()[at, :, _P99]
    middle = (np.arange(fates.steps) + 0.5) * fates.step / S
    return middle, share, np.where(tail == MISSING, np.nan, tail / S)


def _clock(sweep: Sweep, axes: Axes) -> None:
    """The time axis of both panels, and the faults."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_facecolor(palette.PAPER)
    axes.yaxis.set_visible(False)
    axes.tick_params(length=0, labelsize=TINY, labelcolor=palette.GREY)
    axes.set_xlim(0, max(variant.scenario.document.duration for variant in sweep.variants) / S)
    axes.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter("{x:g} s")
    row, before, near = 0, -1.0, axes.get_xlim()[1] / 6
    for name, at in _faults(sweep):
        row, before = (row + 1 if row < 2 and 0 <= before > at / S - near else 0), at / S
        axes.axvline(before, color=palette.GREY, lw=0.6, ls=(0, (1, 2)), zorder=1)
        axes.annotate(name, (before, 1), (0, 3 + 9 * row), xycoords=("data", "axes fraction"), size=TINY,
                      textcoords="offset points", color=palette.GREY, ha="center", parse_math=False)  # fmt: skip


def _faults(sweep: Sweep) -> Iterator[tuple[str, int]]:
    """The faults that strike at the same instant in all variants: their names, and when."""
    here = sorted((fault.at, fault.name) for fault in sweep.scenario.document.faults)
    each = [{(fault.at, fault.name) for fault in variant.scenario.document.faults} for variant in sweep.variants]
    yield from ((name, at) for at, name in here if all((at, name) in some for some in each))


def _plain_axes(axes: Axes, measure: str, of: str) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.FAINT)
    axes.set_facecolor("none")
    axes.xaxis.set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=TINY, labelcolor=palette.GREY)
    axes.grid(True, axis="y", color=palette.FAINT, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    words: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", "ha": "right",
                             "parse_math": False}  # fmt: skip
    axes.annotate(measure, (0, 1), (-46, 2), size=9.5, weight="bold", color=palette.INK, **words)
    axes.annotate(of, (0, 1), (-46, -11.5), size=TINY, color=palette.GREY, **words)


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(Ticks("p99")))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(axes: Axes, left_out: int) -> None:
    """Which line is which, beside them."""
    title = f"and {left_out} more, not shown" if left_out > 0 else None
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.05), title=title, title_fontsize=7, frameon=False,
                fontsize=7, labelcolor=palette.GREY, handlelength=1.6, borderaxespad=0, borderpad=0)  # fmt: skip
