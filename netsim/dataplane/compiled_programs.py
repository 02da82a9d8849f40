"""The pods' programs in the compiled engine: each server's queue, kept in arrays that compiled code works on.

A server gets its row when a packet first reaches it. From then on its queue lives in the arrays; whoever asks the
server (how long until it has drained, say) is answered from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from netsim.dataplane.compiled_draws import CONSTANT, EXPONENTIAL, UNIFORM
from netsim.dataplane.compiled_leaves import enter
from netsim.dataplane.compiled_records import Arena
from netsim.dataplane.server import Queue, Server

KINDS = {"constant": CONSTANT, "exponential": EXPONENTIAL, "uniform": UNIFORM}
RING = 16  # places in a server's first ring of waiting requests; always a power of two


class CompiledQueue(Queue):
    """A server's queue, seen from Python."""

    def __init__(self, programs: Programs, row: int) -> None:
        self.programs = programs
        self.row = row

    @property
    def record(self) -> Any:
        """Its server's row."""
        return self.programs.arena.memory.servers[self.row]

    @property
    def slowness(self) -> float:
        """How many times as long as usual everything takes."""
        return float(self.record["slowness"])

    @slowness.setter
    def slowness(self, factor: float) -> None:
        self.record["slowness"] = factor

    def enter(self, now: int, service: int) -> tuple[int, int] | None:
        """When a request that arrives now starts and is done; None when the backlog is full."""
        if self.record["room"] <= self.record["waiting"] < self.record["backlog"]:
            self.programs.lengthen(self.row)
        start = int(enter(self.programs.arena.memory, self.record, now, service))
        return None if start < 0 else (start, start + service)

    def idle_at(self, now: int) -> int:
        """When the last accepted request will be done."""
        first, workers = int(self.record["first"]), int(self.record["workers"])
        return max(now, int(self.programs.arena.memory.workers[first : first + workers].max()))


class Programs:
    """The servers that packets have reached, and their rows."""

    def __init__(self, arena: Arena, powered: Callable[[str], bool]) -> None:
        self.arena = arena
        self.powered = powered
        self.servers: list[Server] = []
        self._rows: dict[Server, int] = {}
        self._workers = 0
        self._starts = 0

    def row(self, server: Server) -> int:
        """The row of a server."""
        known = self._rows.get(server)
        return self._new(server) if known is None else known

    def known(self, server: Server) -> int:
        """The same; -1 if no packet has reached it."""
        return self._rows.get(server, -1)

    def see_power(self, row: int, stamp: int) -> None:
        """Note whether the machine of a server has power."""
        record = self.arena.memory.servers[row]
        record["stamp"], record["powered"] = stamp, self.powered(self.servers[row].machine)

    def see_end(self, server: Server) -> None:
        """Note when a server's program has hung up, and when it has ended."""
        row = self.known(server)
        if row >= 0:
            record = self.arena.memory.servers[row]
            for name, when in (("ended", server.ended), ("hung_up", server.hung_up)):
                record[name] = -1 if when is None else when

    def lengthen(self, row: int) -> None:
        """Give a server's ring of waiting requests more room."""
        record = self.arena.memory.servers[row]
        ring, room, head = (int(record[name]) for name in ("ring", "room", "head"))
        places = ring + (head + np.arange(int(record["waiting"]))) % room
        waiting = self.arena.memory.starts[places]
        self._give_ring(row, 4 * room)
        ring = int(record["ring"])
        self.arena.memory.starts[ring : ring + len(waiting)] = waiting
        record["head"] = 0

    def _new(self, server: Server) -> int:
        row = self._rows[server] = len(self.servers)
        self.servers.append(server)
        if row >= len(self.arena.memory.servers):
            self.arena.grow("servers")
        queue, serving = server.queue, server.serving
        parameters = serving.service_time.parameters
        record = self.arena.memory.servers[row]
        record["stamp"], record["pod"] = -1, server.index
        self.see_end(server)
        record["kind"] = KINDS[serving.service_time.kind]
        record["shortest"], record["longest"] = parameters[0], parameters[-1]
        record["backlog"], record["slowness"] = queue.backlog, queue.slowness
        record["first"], record["workers"] = self._workers, queue.workers
        self._workers += queue.workers
        if self._workers > len(self.arena.memory.workers):
            self.arena.grow("workers", 2 * self._workers)
        self._give_ring(row, RING)
        server.queue = CompiledQueue(self, row)
        return row

    def _give_ring(self, row: int, room: int) -> None:
        record = self.arena.memory.servers[row]
        record["ring"], record["room"] = self._starts, room
        self._starts += room
        if self._starts > len(self.arena.memory.starts):
            self.arena.grow("starts", 2 * self._starts)
