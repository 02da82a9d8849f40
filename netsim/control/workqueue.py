"""The work queue of a controller: a key is in it once, however often it is added.

A controller is a watch that adds keys, and workers that take one, look at the world as it is, and bring it
closer to what is wanted. A key that is added while a worker has it is worked on again afterwards. While no
controller manager leads nobody works; what has changed meanwhile is looked at as soon as one does.

Source: kubernetes `client-go/util/workqueue`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable
from typing import Any

from netsim.control.cluster import Cluster

Sync = Callable[[Any], Generator[Any, Any, Any]]


class WorkQueue:
    """Keys to look at, each once; `workers` processes look."""

    def __init__(self, cluster: Cluster, sync: Sync, workers: int = 5) -> None:
        self.cluster = cluster
        self._sync = sync
        self._waiting: dict[Hashable, None] = {}
        self._working: set[Hashable] = set()
        self._again: dict[Hashable, None] = {}
        self._idle: list[Any] = []
        for _ in range(workers):
            cluster.env.process(self._work())

    def add(self, key: Hashable) -> None:
        """Have `key` looked at."""
        if key in self._working:
            self._again[key] = None
            return
        self._waiting[key] = None
        if self._idle:
            self._idle.pop().succeed()

    def add_after(self, delay: int, key: Hashable) -> None:
        """Have `key` looked at later."""
        self.cluster.after(delay, self.add, key)

    def _work(self) -> Generator[Any, Any, None]:
        while True:
            while not self._waiting:
                wake = self.cluster.env.event()
                self._idle.append(wake)
                yield wake
            yield from self.cluster.plane.led()
            if not self._waiting:
                continue
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._working.add(key)
            yield from self._sync(key)
            self._working.discard(key)
            if key in self._again:
                del self._again[key]
                self.add(key)
