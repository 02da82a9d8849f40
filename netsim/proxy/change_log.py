"""What changed between two revisions of the tables, however much lies between them.

A sync costs what has changed since a node's last one, and every node asks that about a window of its own. Walking
each window would cost nodes times changes. So the log keeps sums over the *latest* change of each service port in a
Fenwick tree: a window that ends now is the difference of two sums. A kube-proxy hears a little late, so its window
ends a few changes before the newest one; those few are taken back one by one.

Source of the structure: P. M. Fenwick, "A new data structure for cumulative frequency tables", 1994.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from netsim.proxy.services import PortId


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two revisions, for the cost of a sync."""

    service_ports: int
    endpoints: int  # endpoints of the service ports that changed
    udp: bool  # endpoints of a UDP port are among them: conntrack is cleaned up after the sync


class Sums:
    """Numbers in a row that grows at its end; a sum over any beginning of it costs its logarithm.

    >>> sums = Sums()
    >>> for number in (3, 1, 4, 1): sums.append(number)
    >>> sums.add(2, -4)
    >>> [sums.first(count) for count in range(5)]
    [0, 3, 4, 4, 5]
    """

    __slots__ = ("_tree",)

    def __init__(self) -> None:
        self._tree = [0]

    def append(self, number: int) -> None:
        """One more number at the end."""
        place = len(self._tree)
        start, part = place & (place - 1), place - 1
        while part > start:
            number += self._tree[part]
            part &= part - 1
        self._tree.append(number)

    def add(self, index: int, number: int) -> None:
        """The number at `index` grows."""
        place, tree = index + 1, self._tree
        while place < len(tree):
            tree[place] += number
            place += place & -place

    def first(self, count: int) -> int:
        """The sum of the first `count` numbers."""
        total, tree = 0, self._tree
        while count:
            total += tree[count]
            count &= count - 1
        return total


class ChangeLog:
    """Every change of a service port, by revision."""

    def __init__(self) -> None:
        self._revisions: list[int] = []
        self._ports: list[PortId] = []
        self._sizes: list[int] = []
        self._udp = [0]  # how many of the first n changes concern the endpoints of a UDP port
        self._before: list[int] = []  # where the same port changed the last time; -1: never
        self._latest: dict[PortId, int] = {}
        self._counts = Sums()  # 1 where a change is its port's latest
        self._totals = Sums()  # and its size

    def append(self, revision: int, port: PortId, size: int, *, udp: bool) -> None:
        """A service port with so many endpoints has changed."""
        before = self._latest.get(port, -1)
        if before >= 0:
            self._counts.add(before, -1)
            self._totals.add(before, -self._sizes[before])
        self._latest[port] = len(self._ports)
        self._revisions.append(revision)
        self._ports.append(port)
        self._sizes.append(size)
        self._before.append(before)
        self._udp.append(self._udp[-1] + udp)
        self._counts.append(1)
        self._totals.append(size)

    def between(self, since: int, until: int) -> Changes:
        """What changed after revision `since`, up to `until`: each port once, as it was at the end."""
        start, end = bisect_right(self._revisions, since), bisect_right(self._revisions, until)
        if end <= start:
            return Changes(0, 0, False)
        walks = end - start <= len(self._ports) - end
        count, total = self._walked(start, end) if walks else self._summed(start, end)
        return Changes(count, total, self._udp[end] > self._udp[start])

    def _walked(self, start: int, end: int) -> tuple[int, int]:
        latest = dict(zip(self._ports[start:end], self._sizes[start:end], strict=True))
        return len(latest), sum(latest.values())

    def _summed(self, start: int, end: int) -> tuple[int, int]:
        """Of all that changed since `start`, what has not changed again since `end`, and what that covers."""
        size = len(self._ports)
        count = self._counts.first(size) - self._counts.first(start)
        total = self._totals.first(size) - self._totals.first(start)
        for place in range(end, size):
            if self._latest[self._ports[place]] == place:
                count -= 1
                total -= self._sizes[place]
            covered = self._before[place]
            if start <= covered < end:
                count += 1
                total += self._sizes[covered]
        return count, total
