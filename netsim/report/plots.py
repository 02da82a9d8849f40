"""Pictures of a run for a notebook: `run.plot.timeline()` and its like, on an Axes of their own or yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netsim.report.run import Run


class Plots:
    """The pictures of one run. Given no Axes, each makes a figure by pyplot, so that a notebook shows it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def timeline(self, ax: Axes | None = None) -> Axes:
        """The state of nodes and endpoints, a lane each, and when each node changed its rules."""
        from netsim.report.figure import cluster

        return self._drawn(cluster, ax, 2.6)

    def traffic(self, source: str = "", ax: Axes | None = None) -> Axes:
        """Requests per second by outcome, of one source or of all."""
        from netsim.report.figure import traffic

        return self._drawn(lambda run, axes: traffic(run, axes, source), ax, 2.0)

    def latency(self, ax: Axes | None = None) -> Axes:
        """Every request's latency over time, with the median and p99 of each source."""
        from netsim.report.figure import latency

        return self._drawn(latency, ax, 3.0)

    def incidents(self, ax: Axes | None = None) -> Axes:
        """Where the seconds went after each fault: a lane each, a colour for each component."""
        from netsim.report.figure import incidents

        return self._drawn(incidents, ax, 0.9)

    def overview(self) -> Figure:
        """All of these on one clock, with the faults shaded: the figure that a results folder holds."""
        from matplotlib import pyplot

        from netsim.report.figure import overview

        return overview(self.run, pyplot.figure())

    def _drawn(self, draw: Callable[[Run, Axes], None], ax: Axes | None, height: float) -> Axes:
        if ax is None:
            from matplotlib import pyplot

            from netsim.report.figure import WIDTH

            figure = pyplot.figure(figsize=(WIDTH, height + 0.75))
            ax = figure.add_axes((0.165, 0.6 / (height + 0.75), 0.76, height / (height + 0.75)))
        draw(self.run, ax)
        return ax
