"""The panel of a figure that shows where the seconds went: a lane for each fault, a colour for each component.

The lanes are on the run's own clock, under the requests that were lost meanwhile. What is too short to be seen there
(a scheduler's tenths of a second) is in the terminal's table, and in `incidents.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from netsim.report import palette
from netsim.report.wording import duration
from netsim.units import S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netsim.report.incidents import Incident
    from netsim.report.run import Run
    from netsim.report.stages import Stage

MOST = 8  # lanes at the most

COLORS = {
    "node lifecycle": "#d55e00",
    "kubelet": "#7fb7d9",
    "EndpointSlice": "#b79f00",
    "kube-proxy": "#5b4a8a",
    "taint eviction": "#e69f00",
    "load balancer": "#0072b2",
    "ReplicaSet": "#009e73",
    "StatefulSet": "#4f7d3a",
    "DaemonSet": "#2f6f6f",
    "scheduler": "#cc79a7",
    "leader election": "#8c6d46",
    "the fault": "#e5e0dc",
}
"""A colour for each component that one can wait for."""

_DARK = ("node lifecycle", "kube-proxy", "load balancer", "ReplicaSet", "StatefulSet", "DaemonSet", "leader election")


Lanes = Sequence[Sequence["Incident"]]


def lanes(run: Run) -> Lanes:
    """The incidents of each lane: those of one fault share a lane as long as they do not overlap."""
    found: list[list[Incident]] = []
    for incident in (incident for incident in run.strokes if incident.stages):
        free = (lane for lane in found if lane[0].fault == incident.fault and _end(lane[-1]) <= incident.injected)
        lane = next(free, None)
        if lane is None:
            found.append(lane := [])
        lane.append(incident)
    return tuple(map(tuple, found[:MOST]))


def _end(incident: Incident) -> int:
    return incident.stages[-1].end


def _chain(lane: Sequence[Incident]) -> Iterator[Stage]:
    return (stage for incident in lane for stage in incident.stages if not stage.beside)


def seconds(run: Run, axes: Axes) -> None:
    """Where the seconds went: every incident's stages, one after the other; what went on beside them is not drawn."""
    shown = lanes(run)
    boxes: dict[str, list[Any]] = {}
    for row, lane in enumerate(shown):
        for stage in _chain(lane):
            begin, end = stage.begin / S, stage.end / S
            low, high = row - 0.36, row + 0.36
            boxes.setdefault(stage.component, []).append([(begin, low), (begin, high), (end, high), (end, low)])
    for component, polygons in boxes.items():
        axes.add_collection(
            PolyCollection(polygons, facecolors=COLORS.get(component, palette.GREY), edgecolors=palette.PAPER,
                           linewidths=0.4, zorder=2)
        )  # fmt: skip
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.yaxis.set_major_locator(FixedLocator(range(len(shown))))
    axes.set_yticklabels([_cut(lane[0].fault) for lane in shown], size=7.5, color=palette.INK)
    axes.grid(False)
    _written_in(run, axes, shown)
    _legend(axes, list(boxes))


def _written_in(run: Run, axes: Axes, shown: Lanes) -> None:
    """Say in the bars how long they took, and for what, where there is room."""
    box, figure = axes.get_position(), axes.get_figure(root=True)
    inches = box.width * (figure.get_size_inches()[0] if figure else 11.0)
    for row, lane in enumerate(shown):
        for stage in _chain(lane):
            room = stage.took / max(run.ended, 1) * inches
            texts = (f"{duration(stage.took)}: {stage.what}", duration(stage.took))
            text = next((text for text in texts if room > 0.058 * len(text) + 0.08), "")
            ink = palette.PAPER if stage.component in _DARK else palette.INK
            axes.text((stage.begin + stage.end) / 2 / S, row + 0.03, text, size=6.5, color=ink, ha="center",
                      va="center_baseline", zorder=5)  # fmt: skip


def _legend(axes: Axes, components: list[str]) -> None:
    """What the colours mean, above the lanes."""
    handles = [Patch(facecolor=COLORS.get(name, palette.GREY), label=name) for name in components]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=max(len(handles), 1), borderaxespad=0,
                borderpad=0.2, frameon=False, fontsize=7, labelcolor=palette.GREY, handlelength=1.1,
                handleheight=0.8, handletextpad=0.5, columnspacing=1.5)  # fmt: skip


def _cut(text: str, room: int = 28) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
