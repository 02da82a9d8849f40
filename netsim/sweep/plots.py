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

        return self._drawn(lambda sweep, axes: interval(sweep, axes, measure, of), ax)

    def difference(self, measure: str, of: str = "", ax: Axes | None = None) -> Axes:
        """The difference of every variant to its baseline, with its 95 % interval."""
        from netsim.sweep.figure import against

        return self._drawn(lambda sweep, axes: against(sweep, axes, measure, of), ax)

    def series(self, source: str = "", ax: Axes | None = None) -> Axes:
        """What became of a source's requests by when they were sent, or of all: success and p99, a line a variant."""
        from netsim.sweep.curves import series

        return self._drawn(lambda sweep, axes: series(sweep, axes, source), ax, (0.165, 0.555), 3.2)

    def overview(self) -> Figure:
        """Means and differences of every measure of interest: the figure that a sweep's folder holds."""
        from matplotlib import pyplot

        from netsim.sweep.figure import overview

        return overview(self.sweep, pyplot.figure())

    def _drawn(
        self, draw: Callable[[Sweep, Axes], None], ax: Axes | None,
        across: tuple[float, float] = (0.27, 0.7), height: float | None = None,
    ) -> Axes:
        """Draw on these Axes; or on some of their own, that begin and reach so far, as a part of the figure's width."""
        if ax is None:
            from matplotlib import pyplot

            height = height or 0.9 + 0.3 * len(self.sweep.variants)
            figure = pyplot.figure(figsize=(9, height))
            ax = figure.add_axes((across[0], 0.4 / height, across[1], 1 - 0.8 / height))
        draw(self.sweep, ax)
        return ax
