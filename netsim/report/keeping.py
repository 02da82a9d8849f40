"""What is kept of the table of requests in memory: all of it, a sample, or nothing.

A sample is drawn by what each row's number in the table draws (`netsim.draws`), so of the same run it is the
same rows, however the table came: those with the smallest draws, in the order of sending. Every set of so
many rows is equally likely.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import REQUEST
from netsim.draws import philox_block, stream_key

Kept = Literal["all", "sample", "none"]


@dataclass(frozen=True)
class Wish:
    """What shall be kept; of a sample, how many rows."""

    kind: Kept
    count: int = 0


def wished(text: str) -> Wish:
    """Read `all`, `none` or `sample:N`; ValueError says what would do.

    >>> wished("sample:1000")
    Wish(kind='sample', count=1000)
    """
    if text == "all":
        return Wish("all")
    if text == "none":
        return Wish("none")
    found = re.fullmatch(r"sample:([0-9]{1,9})", text)
    if found is None or not int(found[1]):
        raise ValueError(f"{text!r} says not what to keep of the requests; write all, none or sample:1000")
    return Wish("sample", int(found[1]))


class Sample:
    """`most` rows of a table that comes in parts, or all if there are no more."""

    def __init__(self, most: int, seed: int) -> None:
        self.most = most
        self._key = stream_key(seed, "sample", "requests")
        self._seen = 0
        self._rows = np.empty(0, REQUEST)
        self._draws = np.empty(0, np.uint64)

    def take(self, rows: NDArray[np.void]) -> None:
        """The next part of the table."""
        draws = philox_block(self._seen, len(rows), self._key)
        self._seen += len(rows)
        if len(self._rows) == self.most:  # only what is smaller than the largest so far can get in
            rows, draws = rows[draws < self._draws.max()], draws[draws < self._draws.max()]
        rows, draws = np.concatenate([self._rows, rows]), np.concatenate([self._draws, draws])
        if len(rows) > self.most:
            chosen = np.sort(np.argpartition(draws, self.most - 1)[: self.most])
            rows, draws = rows[chosen], draws[chosen]
        self._rows, self._draws = rows, draws

    @property
    def rows(self) -> NDArray[np.void]:
        """The rows chosen, in the order of sending."""
        return self._rows
