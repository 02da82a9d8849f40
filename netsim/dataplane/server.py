"""A pod's program as packets meet it: a place where connections end, and a queue with servers.

The queue is G/G/c, first come first served, and needs no events of its own: the worker that is free
earliest serves next, so a request that arrives knows at once when it will start and when it will be done.
Requests that wait are those whose start lies ahead.

A server is one life of a program. When its process ends, that life is over; a restarted container is a new
server, and whoever was connected to the old one finds out as the kernel would tell them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heapreplace
from typing import Any

from netsim.dataplane.serving import Serving


class Queue:
    """Requests that wait for one of some workers, or for which there is no room."""

    __slots__ = ("backlog", "free", "slowness", "starts", "workers")

    def __init__(self, workers: int, backlog: int) -> None:
        self.workers = workers
        self.backlog = backlog
        self.slowness = 1.0  # how many times as long as usual everything takes
        self.free = [0] * workers  # when each worker is free again, a heap
        self.starts: deque[int] = deque()  # when accepted requests will start; those ahead of now are waiting

    def enter(self, now: int, service: int) -> tuple[int, int] | None:
        """When a request that arrives now starts and is done; None when the backlog is full.

        >>> one = Queue(workers=1, backlog=1)
        >>> one.enter(0, 10), one.enter(2, 10), one.enter(3, 10)
        ((0, 10), (10, 20), None)
        """
        starts = self.starts
        while starts and starts[0] <= now:
            starts.popleft()
        start = max(now, self.free[0])
        if start > now:
            if len(starts) >= self.backlog:
                return None
            starts.append(start)
        heapreplace(self.free, start + service)
        return start, start + service

    def idle_at(self, now: int) -> int:
        """When the last accepted request will be done."""
        return max(now, max(self.free))


class Server:
    """One life of a pod's program at an address."""

    __slots__ = (
        "accepting", "addresses", "ended", "flights", "hung_up", "index", "machine", "name", "ports", "queue",
        "serving",
    )  # fmt: skip

    def __init__(
        self, index: int, name: str, machine: str, addresses: tuple[str, ...], serving: Serving,
        ports: Iterable[tuple[int, str]],
    ) -> None:  # fmt: skip
        self.index = index  # of the pod in the run's list of pods
        self.name = name  # namespace/name
        self.machine = machine
        self.addresses = addresses
        self.serving = serving
        self.ports = frozenset(ports)
        self.accepting = False  # it listens: new connections are accepted
        self.ended: int | None = None  # when its process ended
        self.hung_up: int | None = None  # when it closed the connections that were idle, or its kernel reset them
        self.queue = Queue(serving.workers, serving.backlog)
        self.flights: dict[Any, None] = {}  # requests inside, in the order they came

    @property
    def slowness(self) -> float:
        """How many times as long as usual it takes for everything."""
        return self.queue.slowness

    @slowness.setter
    def slowness(self, factor: float) -> None:
        self.queue.slowness = factor

    def enter(self, now: int, service: int) -> tuple[int, int] | None:
        """When a request that arrives now starts and is done; None when the backlog is full."""
        return self.queue.enter(now, service)

    def idle_at(self, now: int) -> int:
        """When the last accepted request will be done."""
        return self.queue.idle_at(now)

    def __repr__(self) -> str:
        state = "ended" if self.ended is not None else "listening" if self.accepting else "starting"
        return f"<Server {self.name} on {self.machine} {state}>"
