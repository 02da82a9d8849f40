"""When a change of endpoints took effect: which node put it into its rules first, which last.

In between, the nodes disagree about where pods are. A node without power at the time is not waited for; it
catches up when it comes back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from netsim.dataplane.history import Change

Effect = tuple[tuple[str, int], ...]  # nodes, each with the time at which it acted, in that order


class Effects:
    """What the nodes programmed in a run, and when."""

    def __init__(self, changes: Iterable[Change]) -> None:
        kept = [change for change in changes if change.kind in ("programmed", "power-off", "power-on")]
        self.marks = [change for change in kept if change.kind == "programmed"]
        self.power = [change for change in kept if change.kind != "programmed"]
        self.times = [mark.time for mark in self.marks]
        self.newest = list(accumulate((mark.revision for mark in self.marks), max, initial=0))
        self.nodes = {mark.node for mark in self.marks}

    def of(self, endpoints: Sequence[Change]) -> Effect:
        """When each node that had power acted on these endpoint changes.

        Where they do not say which revision they made, it is taken to be the first that is newer than any in
        effect before them.

        >>> rules = Effects([Change(7, "programmed", "node/b", "b", revision=2),
        ...                  Change(9, "programmed", "node/a", "a", revision=2)])
        >>> rules.of([Change(5, "endpoint-ready", "endpoint/default/web/web-1", revision=2)])
        (('b', 7), ('a', 9))
        """
        since, revision = endpoints[0].time, max(change.revision for change in endpoints)
        start = bisect_left(self.times, since if revision else endpoints[-1].time)
        revision = revision or self.newest[start] + 1
        awake = self._awake(since)
        first: dict[str, int] = {}
        for at in range(start, len(self.marks)):
            mark = self.marks[at]
            if mark.node in awake and mark.revision >= revision:
                first.setdefault(mark.node, mark.time)
                if len(first) == len(awake):
                    break
        return tuple(first.items())

    def next(self, node: str, time: int) -> int | None:
        """When a node next changed its rules; None if it never did."""
        marks = range(bisect_left(self.times, time), len(self.marks))
        return next((self.times[at] for at in marks if self.marks[at].node == node), None)

    def _awake(self, time: int) -> set[str]:
        state = {change.node: change.kind for change in self.power if change.time <= time}
        return self.nodes - {node for node, kind in state.items() if kind == "power-off"}
