"""The figure of a run: what was sent and what became of it, how long it took, and the state of the cluster.

Each panel is a function of a run and an Axes, so that a notebook can use it alone (`run.plot`); `overview`
puts them over one another on one clock, with the time of each fault shaded through all of them. Only the
object-oriented side of matplotlib is used: no window system and no global state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES
from netsim.report import palette
from netsim.report.digest import APART
from netsim.report.labels import Label, labels
from netsim.report.lanes import Lane, chosen, lanes
from netsim.report.seconds import lanes as lanes_of_incidents
from netsim.report.seconds import seconds
from netsim.report.statistics import PERCENTILES
from netsim.report.tables import MISSING
from netsim.report.wording import count, instant
from netsim.units import MS, US, S

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from netsim.report.run import Run

WIDTH, DPI = 11.0, 120
_LEFT = -0.191  # where the panels' headings begin, in widths of a panel
_TINY = 7.5


def png(figure: Figure) -> bytes:
    """A figure as a PNG file: the same bytes for the same figure, wherever it is drawn."""
    FigureCanvasAgg(figure)
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 4})
    return file.getvalue()


def overview(run: Run, figure: Figure | None = None) -> Figure:
    """Everything on one clock: requests by outcome, latency, and the state of nodes and endpoints."""
    panels = _traffic_panels(run)
    shown = chosen(lanes(run.recording.changes, run.recording.nodes, run.ended))
    struck = lanes_of_incidents(run)
    extra = [max(0.26 * len(struck), 0.32)] if struck else []
    heights = [*[1.0 if len(panels) > 1 else 1.5] * len(panels), 2.1, *extra, max(0.21 * len(shown), 0.4)]
    told = labels(run.timeline, run.ended)
    rows = max((label.row + 1 for label in told), default=0)
    gaps, above, below = 0.24 * (len(heights) - 1), 0.86 + 11 / 72 * rows, 0.62
    total = sum(heights) + gaps + above + below
    figure = figure or Figure()
    figure.set_size_inches(WIDTH, total)
    figure.set_facecolor(palette.PAPER)
    axes, top = [], total - above
    for height in heights:
        axes.append(figure.add_axes((0.165, (top - height) / total, 0.76, height / total)))
        top -= height + 0.24
    for axis, source in zip(axes, panels, strict=False):
        traffic(run, axis, source)
    latency(run, axes[len(panels)])
    if struck:
        incidents(run, axes[-2])
    cluster(run, axes[-1], shown)
    _one_clock(run, axes)
    _moments(axes, told)
    _title(run, figure, total)
    return figure


def _title(run: Run, figure: Figure, total: float) -> None:
    metadata = run.scenario.document.metadata
    title = metadata.title or metadata.name
    words: dict[str, Any] = {"va": "top", "parse_math": False}  # a dollar sign is a dollar sign
    figure.text(0.02, 1 - 0.2 / total, title, size=14, weight="bold", color=palette.INK, **words)
    told = f"{metadata.name}, seed {run.seed}, {count(run.count, 'request')}"
    told += f", stopped at {instant(run.ended)}" if run.partial else ""
    text = f"{metadata.question}   ({told})" if metadata.question else told
    figure.text(0.02, 1 - 0.49 / total, text, size=9.5, color=palette.GREY, **words)


# the panels


def traffic(run: Run, axes: Axes, source: str = "") -> None:
    """Requests per second by outcome, stacked, at the time they were sent; of one source or of all."""
    edges = run.digest.edges(run.ended)
    width = (edges[1] - edges[0]) / S
    base = np.zeros(len(edges) - 1)
    counts = run.digest.counts(_code(run, source))[: len(base)]
    legend = []
    for code in (OK, *(c for c in range(len(OUTCOMES)) if c != OK)):
        sent = int(counts[:, code].sum())
        if not sent:
            continue
        top = base + counts[:, code] / width
        color = palette.OUTCOMES[OUTCOMES[code]]
        axes.add_collection(_stairs(edges / S, base, top, color), autolim=False)
        base = top
        legend.append((OUTCOMES[code], sent, color))
    _plain_axes(axes, run)
    axes.set_ylim(0, max(base.max(initial=0) * 1.28, 1e-9))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=bool(base.max(initial=0) >= 3)))
    _name_and_outcomes(run, axes, source, legend)


def _stairs(edges: NDArray[Any], low: NDArray[Any], high: NDArray[Any], color: str) -> PolyCollection:
    """The area between two step functions, one box a step."""
    some = high > low
    left, right, low, high = edges[:-1][some], edges[1:][some], low[some], high[some]
    corners = np.stack([left, low, left, high, right, high, right, low], axis=1)
    return PolyCollection(
        list(corners.reshape(-1, 4, 2)), facecolors=color, linewidths=0, antialiased=False, zorder=2
    )


def _heading(axes: Axes, name: str, text: str, color: str = palette.INK) -> None:
    """What a panel shows, to the left of it."""
    axes.text(_LEFT, 1.0, name, transform=axes.transAxes, size=9.5, weight="bold", color=color, va="top")
    points: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    style: dict[str, Any] = {
        "size": _TINY,
        "color": palette.GREY,
        "va": "top",
        "linespacing": 1.35,
        "parse_math": False,
    }
    axes.annotate(text, (_LEFT, 1.0), (0, -13.5), **points, **style)


def _name_and_outcomes(run: Run, axes: Axes, source: str, legend: Sequence[tuple[str, int, str]]) -> None:
    names = run.recording.sources
    name = source or (names[0] if len(names) == 1 else f"all {len(names)} sources")
    described = next((t for t in run.scenario.document.traffic if t.name == name), None)
    ends = f"{_cut(described.source, 24)}\n→ {_cut(described.target, 22)}\n" if described else ""
    color = palette.source(names.index(source)) if source else palette.INK
    _heading(axes, _cut(name, 20), f"{ends}requests per second", color)
    axes.add_artist(_in_a_row([(f"{count(number)} {outcome}", shade) for outcome, number, shade in legend]))


def _in_a_row(texts: Sequence[tuple[str, str]]) -> AnchoredOffsetbox:
    """Coloured texts side by side in the upper right corner."""
    pale = (palette.OUTCOMES["ok"], palette.OUTCOMES["unfinished"])
    areas: list[Artist] = [
        TextArea(text, textprops={"size": _TINY, "color": palette.GREY if shade in pale else shade,
                                  "weight": "normal" if shade in pale else "bold"})
        for text, shade in texts
    ]  # fmt: skip
    row = HPacker(children=areas, pad=0, sep=9, align="baseline")
    box = AnchoredOffsetbox("upper right", child=row, borderpad=0.15, pad=0.1)
    box.patch.set(facecolor=palette.PAPER, edgecolor="none")
    return box


def latency(run: Run, axes: Axes) -> None:
    """The latency of every request, and the median and p99 of those that went well."""
    rows = run.digest.points.points
    names = run.recording.sources
    for source in _traffic_panels(run):
        color = palette.source(names.index(source)) if source else palette.GREY
        mine = rows["outcome"] == OK
        if source:
            mine &= rows["source"] == names.index(source)
        axes.plot(
            rows["sent"][mine] / S,
            rows["latency"][mine] / S,
            ".",
            ms=2.2,
            color=color,
            alpha=0.2,
            mew=0,
            zorder=2,
        )
        middle, high = _percentiles(run, source)
        axes.plot(*middle, color=color, lw=1.5, zorder=4)
        axes.plot(*high, color=color, lw=0.7, alpha=0.75, zorder=3)
    lost = run.digest.lost_points.points
    for code in np.unique(lost["outcome"]):
        these = lost[lost["outcome"] == code]
        axes.plot(these["sent"] / S, np.maximum(these["latency"], US) / S, "x", ms=2.6, mew=0.6, alpha=0.6,
                  color=palette.OUTCOMES[OUTCOMES[code]], zorder=3)  # fmt: skip
    axes.set_yscale("log")
    _plain_axes(axes, run)
    axes.yaxis.set_major_formatter(FuncFormatter(_log_label))
    axes.yaxis.set_minor_locator(NullLocator())
    _heading(axes, "latency", "point: a request\nthick line: p50\nthin line: p99\ncross: a failure")


def incidents(run: Run, axes: Axes) -> None:
    """Where the seconds went after each fault: whom the cluster waited for, one after the other."""
    _plain_axes(axes, run)
    seconds(run, axes)


def cluster(run: Run, axes: Axes, shown: Sequence[Lane] | None = None) -> None:
    """The state of nodes and endpoints, a lane each; a mark wherever a node changed its rules."""
    if shown is None:
        shown = chosen(lanes(run.recording.changes, run.recording.nodes, run.ended))
    bars: dict[str, list[list[tuple[float, float]]]] = {}
    for row, lane in enumerate(shown):
        for span in lane.spans:
            begin, end = span.begin / S, max(span.end, span.begin + run.ended // 1500) / S
            box = [(begin, row - 0.34), (begin, row + 0.34), (end, row + 0.34), (end, row - 0.34)]
            bars.setdefault(span.state, []).append(box)
        if lane.marks:
            marks = np.unique(np.array(lane.marks) * 2000 // max(run.ended, 1)) * run.ended / 2000 / S
            axes.vlines(marks, row - 0.43, row + 0.43, color=palette.INK, lw=0.9, zorder=4)
    for state, boxes in bars.items():
        axes.add_collection(
            PolyCollection(boxes, facecolors=palette.STATES[state], edgecolors="none", zorder=2)
        )
    _plain_axes(axes, run)
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.yaxis.set_major_locator(FixedLocator(range(len(shown))))
    axes.set_yticklabels([_lane_name(lane) for lane in shown], size=_TINY, color=palette.INK)
    axes.grid(False)
    _written_in(run, axes, shown)
    _states(axes, [state for state in palette.STATES if state in bars], any(lane.marks for lane in shown))


def _written_in(run: Run, axes: Axes, shown: Sequence[Lane]) -> None:
    """Say in the bars what they mean, where they are long enough, and beside them where a pod was."""
    inches = _inches(axes)[0]
    for row, lane in enumerate(shown):
        for span in lane.spans:
            text = "" if span.state == "ready" else palette.MEANINGS[span.state]
            if text and (span.end - span.begin) / max(run.ended, 1) * inches > 0.062 * len(text) + 0.1:
                ink = palette.PAPER if span.state in palette.DARK else palette.INK
                axes.text((span.begin + span.end) / 2 / S, row + 0.03, text, size=6.5, color=ink, ha="center",
                          va="center_baseline", zorder=5)  # fmt: skip
        if lane.node:
            axes.annotate(_cut(lane.node, 14), (1, row), (4, 0), xycoords=("axes fraction", "data"),
                          textcoords="offset points", size=6.5, color=palette.GREY, va="center")  # fmt: skip


def _states(axes: Axes, states: Sequence[str], marks: bool) -> None:
    """The legend of the lanes, under them."""
    handles: list[Artist] = [Patch(facecolor=palette.STATES[s], label=palette.MEANINGS[s]) for s in states]
    if marks:
        handles.append(Line2D([], [], color=palette.INK, marker="|", ls="", ms=7, label="rules changed"))
    under = (_LEFT, -0.24 / _inches(axes)[1])
    look: dict[str, Any] = {"frameon": False, "fontsize": 7, "labelcolor": palette.GREY}
    room: dict[str, Any] = {
        "handlelength": 1.1,
        "handleheight": 0.8,
        "handletextpad": 0.5,
        "columnspacing": 1.5,
    }
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=under, ncols=len(handles), borderaxespad=0,
                borderpad=0, **look, **room)  # fmt: skip


def _inches(axes: Axes) -> tuple[float, float]:
    """How wide and how high a panel is."""
    box, figure = axes.get_position(), axes.get_figure(root=True)
    width, height = figure.get_size_inches() if figure else (WIDTH, WIDTH)
    return max(box.width * width, 0.1), max(box.height * height, 0.1)


def _lane_name(lane: Lane) -> str:
    name = lane.name.removeprefix("default/")
    return name if len(name) <= 28 else f"{name[:10]}…{name[-17:]}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


# the clock they share


def _plain_axes(axes: Axes, run: Run) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(palette.FAINT)
    axes.set_facecolor(palette.PAPER)
    axes.tick_params(length=0, labelsize=_TINY, labelcolor=palette.GREY)
    axes.grid(True, axis="y", color=palette.FAINT, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.set_xlim(0, run.ended / S)
    axes.xaxis.set_major_locator(MaxNLocator(12, steps=[1, 2, 3, 5, 6, 10]))
    axes.xaxis.set_major_formatter("{x:g} s")


def _one_clock(run: Run, axes: Sequence[Axes]) -> None:
    """Shade the faults through all panels; only the lowest says the time."""
    for begin, end in _faults(run):
        for axis in axes:
            axis.axvspan(begin / S, end / S, color="#d55e00", alpha=0.055, lw=0, zorder=0)
    for axis in axes[:-1]:
        axis.xaxis.set_visible(False)


def _faults(run: Run) -> Iterator[tuple[int, int]]:
    """From when to when each stroke of a fault lasted, those that are over at once left out."""
    momentary = {fault.name for fault in run.scenario.document.faults if fault.momentary}
    for stroke in run.strokes:
        if stroke.healed is not None or stroke.fault not in momentary:
            yield stroke.injected, run.ended if stroke.healed is None else min(stroke.healed, run.ended)


def _moments(axes: Sequence[Axes], labels: Sequence[Label]) -> None:
    """A fine line through all panels where something turned, and above them what it was."""
    style: dict[str, Any] = {"color": palette.GREY, "lw": 0.6, "ls": (0, (1, 2)), "zorder": 1}
    for label in labels:
        for axis in axes:
            axis.axvline(label.time / S, **style)
        points: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        at, up = (label.time / S, 1), 4 + 11 * label.row
        paper = {"facecolor": palette.PAPER, "edgecolor": "none", "pad": 0.6}  # no line runs through a word
        axes[0].annotate(label.text, at, (2.5 if label.right else -2.5, up), size=_TINY, color=palette.INK,
                         ha="left" if label.right else "right", bbox=paper, zorder=4, **points)  # fmt: skip
        arrow = {"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **style}
        axes[0].annotate("", at, (0, up + 8), arrowprops=arrow, **points)


# numbers


def _traffic_panels(run: Run) -> list[str]:
    sources = run.recording.sources
    return list(sources) if 0 < len(sources) <= APART else [""]


def _code(run: Run, source: str) -> int | None:
    """The number of a source; None of all together."""
    return run.recording.sources.index(source) if source else None


def _percentiles(run: Run, source: str) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The median and p99 of each step, as (times, latencies); a gap where nothing went well."""
    edges = run.digest.edges(run.ended)
    middle = (edges[:-1] + edges[1:]) / 2 / S
    latencies = run.digest.percentiles(_code(run, source))[: len(middle)]
    shown = np.where(latencies == MISSING, np.nan, latencies / S)
    return (middle, shown[:, PERCENTILES.index(50)]), (middle, shown[:, PERCENTILES.index(99)])


def _log_label(value: float, _: Any) -> str:
    for unit, name in ((S, "s"), (MS, "ms"), (US, "µs")):
        if value * S >= unit * 0.999:
            return f"{value * S / unit:g} {name}"
    return f"{value * S:g} ns"
