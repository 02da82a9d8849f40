"""What became of a source's requests step by step of the clock: counts by outcome, and exact percentiles.

Requests come in the order of sending, so a step is over as soon as a later one begins: its percentiles are
taken, and its latencies forgotten. Only the latencies of the step that is still open are in memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES
from netsim.report.statistics import PERCENTILES, Times
from netsim.report.tables import MISSING

_ROOM = 43  # bits of a latency (2.4 hours) that leave room for the number of its step


class Series:
    """A run of `length` steps, each of `step` nanoseconds.

    >>> seconds = Series(10, 3)
    >>> seconds.add(np.array([2, 4, 25]), np.array([70, 50, 90]), np.array([OK, OK, 1]))
    >>> seconds.counts[:, :2].tolist(), seconds.latencies()[:, 0].tolist()
    ([[2, 0], [0, 0], [0, 1]], [50, -1, -1])
    """

    def __init__(self, step: int, length: int) -> None:
        self.step, self.length = step, length
        self.counts = np.zeros((length, len(OUTCOMES)), np.int64)
        self._latencies = np.full((length, len(PERCENTILES) + 1), MISSING, np.int64)
        self._open: list[Times] = []  # the latencies of the last step that has any
        self._at = 0

    def add(self, sent: Times, latency: Times, outcome: NDArray[np.int8]) -> None:
        """More requests, none of which was sent before one that came earlier."""
        step = np.minimum(sent // self.step, self.length - 1)
        first, last = int(step[0]), int(step[-1])
        cells = (step - first) * len(OUTCOMES) + outcome
        counts = np.bincount(cells, minlength=(last - first + 1) * len(OUTCOMES))
        self.counts[first : last + 1] += counts.reshape(-1, len(OUTCOMES))
        well = outcome == OK
        if well.any():
            self._note(step[well], latency[well])

    def latencies(self) -> NDArray[np.int64]:
        """The percentiles and the longest latency of each step, shape (length, 4); MISSING where nothing went well."""
        if self._open:
            values = np.concatenate(self._open)
            self._take(np.full(len(values), self._at), values)
        return self._latencies

    def _note(self, step: Times, values: Times) -> None:
        last = int(step[-1])
        if last > self._at:
            over = int(np.searchsorted(step, last))
            before = [np.full(sum(map(len, self._open)), self._at), step[:over]]
            self._take(np.concatenate(before), np.concatenate([*self._open, values[:over]]))
            self._open, self._at, values = [], last, values[over:]
        self._open.append(values)

    def _take(self, step: Times, values: Times) -> None:
        """Take the percentiles (nearest rank) of some steps: sort once, then pick."""
        if not len(values):
            return
        first = int(step[0])
        count = np.bincount(step - first)
        if int(values.max()) >> _ROOM or len(count) >> (62 - _ROOM):
            ordered = values[np.lexsort((values, step))]
        else:
            ordered = np.sort(((step - first) << _ROOM) | values) & ((1 << _ROOM) - 1)
        some = np.flatnonzero(count)
        count, start = count[some], (np.cumsum(count) - count)[some]
        for column, percent in enumerate((*PERCENTILES, 100)):
            self._latencies[first + some, column] = ordered[start + np.maximum(-(-count * percent // 100) - 1, 0)]


def round_step(length: int, least: int, most: int) -> int:
    """The least of 1, 2, 5, 10, 20 … times `least` that cuts so long a time into no more than `most` steps.

    >>> round_step(540, 1, 600), round_step(3600, 1, 600), round_step(86_400, 1, 600)
    (1, 10, 200)
    """
    while True:
        for step in (1, 2, 5):
            if length <= step * least * most:
                return step * least
        least *= 10
