"""Which losses of a source belong together: spans of them, taken in part by part, in the order of sending.

Losses belong together unless the source went for `GAP` and for `STREAK` requests without one, whichever is
longer; so a source that asks once a second and loses every other request has one span, not thirty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from netsim.report.statistics import Times
from netsim.units import S

GAP = 5 * S
STREAK = 20

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Span:
    """Losses that belong together."""

    began: int  # when the first and the last of them were sent
    ended: int
    first: int  # which requests of the source these were
    last: int
    lost: int
    finished: int  # requests from the first to the last that have an outcome
    done: int  # and of all requests up to the last

    def apart(self, later: Span) -> bool:
        """Whether a later one is one of its own."""
        return later.began - self.ended > GAP and later.first - self.last > STREAK

    def joined(self, later: Span) -> Span:
        """Both as one."""
        finished = later.done - self.done + self.finished
        return replace(later, began=self.began, first=self.first, lost=self.lost + later.lost, finished=finished)


class Losses:
    """The losses of one source.

    >>> found = Losses()
    >>> found.add(np.arange(100) * S, np.isin(np.arange(100), [10, 25, 60]), np.full(100, True))
    >>> [(span.began // S, span.ended // S, span.lost, span.finished) for span in found.spans]
    [(10, 25, 2, 16), (60, 60, 1, 1)]
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.finished = 0  # requests that have an outcome, so far
        self._requests = 0

    def add(self, sent: Times, lost: Flags, finished: Flags) -> None:
        """More of the source's requests: when they were sent, which were lost, which have an outcome at all."""
        at = np.flatnonzero(lost)
        if len(at):
            times, rows = sent[at], at + self._requests
            done = np.cumsum(finished)[at] + self.finished
            starts = np.flatnonzero((np.diff(times) > GAP) & (np.diff(rows) > STREAK)) + 1
            for first, end in pairwise([0, *starts.tolist(), len(at)]):
                last = end - 1
                span = Span(
                    began=int(times[first]),
                    ended=int(times[last]),
                    first=int(rows[first]),
                    last=int(rows[last]),
                    lost=end - first,
                    finished=int(done[last] - done[first]) + 1,
                    done=int(done[last]),
                )
                self._extend(span)
        self._requests += len(sent)
        self.finished += int(np.count_nonzero(finished))

    def _extend(self, span: Span) -> None:
        if self.spans and not self.spans[-1].apart(span):
            self.spans[-1] = self.spans[-1].joined(span)
        else:
            self.spans.append(span)
