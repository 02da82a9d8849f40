"""Pictures of a sweep for a notebook: `sweep.plot.interval("p99", "inside")`, on an Axes of their own or yours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from netsim.sweep.sweep import Sweep


class Plots:
    """The pictures of one sweep. Given no Axes, each makes a figure by pyplot, so that a notebook shows it."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep

    def interval(self, measure: str, of: str = "", ax: Axes | None = None) -> Axes:
        """A measure of every variant: its runs as points, the mean, and its 95 % interval."""
        from netsim.sweep.figure import interval

        return self._drawn(interval, measure, of, ax)

    def difference(self, measure: str, of: str = "", ax: Axes | None = None) -> Axes:
        """The difference of every variant to its baseline, with its 95 % interval."""
        from netsim.sweep.figure import against

        return self._drawn(against, measure, of, ax)

    def overview(self) -> Figure:
        """Both, of every measure of interest: the figure that a sweep's folder holds."""
        from matplotlib import pyplot

        from netsim.sweep.figure import overview

        return overview(self.sweep, pyplot.figure())

    def _drawn(self, draw: Callable[[Sweep, Axes, str, str], None], measure: str, of: str, ax: Axes | None) -> Axes:
        if ax is None:
            from matplotlib import pyplot

            height = 0.9 + 0.3 * len(self.sweep.variants)
            figure = pyplot.figure(figsize=(9, height))
            ax = figure.add_axes((0.27, 0.4 / height, 0.7, 1 - 0.8 / height))
        draw(self.sweep, ax, measure, of)
        return ax
