"""Looking without touching: a forwarding state that answers as the real one would, and remembers nothing.

A packet leaves traces in the kernels it passes (affinity, IPVS's turns, conntrack). Whoever only asks what would
happen to one (`reach`, `trace`) must not: the run would come out differently for having been looked at.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.kernel import Kernel
from netsim.proxy.conntrack import Entry
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.packet import Packet, Verdict


def onlooking(state: Forwarding) -> Forwarding:
    """The same state, to be looked at. Its `kernels` are those that somebody has looked at so far."""
    if isinstance(state.kernels, Onlookers):
        return state
    view = copy(state)
    view.kernels = Onlookers(state.kernels)  # type: ignore[assignment]
    return view


class Onlookers(dict[str, "Onlooker"]):
    """Every node's kernel, seen by an onlooker; made when it is looked at."""

    def __init__(self, kernels: dict[str, Kernel]) -> None:
        super().__init__()
        self._kernels = kernels

    def __missing__(self, node: str) -> Onlooker:
        self[node] = seen = Onlooker(self._kernels[node])
        return seen


class Onlooker:
    """One kernel, seen by an onlooker."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.rules = kernel.rules
        self.cost = kernel.cost
        self.scan = kernel.scan
        self.admits = kernel.admits
        self.conntrack = self

    def recall(self, packet: Packet, now: int) -> Entry | None:
        """The entry that a packet belongs to; it is not refreshed."""
        return self._kernel.conntrack.find(packet, now)

    def choose(self, verdict: Verdict, packet: Packet, bits: int, now: int) -> Endpoint | None:
        """The endpoint a new connection would get: the one remembered for its client, or any."""
        return self.remembered(verdict, packet, now) or verdict.choose(bits)

    def remembered(self, verdict: Verdict, packet: Packet, now: int) -> Endpoint | None:
        """The endpoint that session affinity binds a client to, if the node remembers it."""
        if verdict.affinity is None or verdict.scheduler != "random":
            return None
        return self._kernel.affinity.find(verdict, packet.source, now)

    def add(self, *_: Any, **__: Any) -> None:
        """No entry is made."""
