"""What every component of the control half is given: the clock, the API store, the network, and chance.

The control half is a set of SimPy processes named after the Kubernetes components they mirror, one a file.
They talk through the store as the real ones do, and reach the data half only through the forwarding state.
A component hears of a write one watch latency later (`hear`), and pays for its own calls (`client.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import simpy

from netsim.api.objects import Object, key_of
from netsim.api.store import Change, Store
from netsim.control.timings import Timings
from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.history import History
from netsim.draws import Draws


@dataclass
class Cluster:
    """One simulated cluster."""

    env: simpy.Environment
    store: Store
    timings: Timings
    draws: Draws
    forwarding: Forwarding
    history: History
    version: str

    @property
    def now(self) -> int:
        """Simulated time in nanoseconds."""
        return int(self.env.now)

    def after(self, delay: int, action: Callable[..., Any], *given: Any) -> None:
        """Do something later."""
        event = self.env.timeout(delay)
        event.callbacks.append(lambda _: action(*given))  # type: ignore[union-attr]

    def hear(self, kind: str, handler: Callable[[Change], None]) -> None:
        """Tell `handler` of each change of a kind, one watch latency after it was written."""
        self.store.watch(kind, lambda change: self.after(self.timings.watch, handler, change))

    def current(self, obj: Object) -> Object | None:
        """The same object as it is now; None if it has gone (or its name has been given to another)."""
        now = self.store.get(obj["kind"], *key_of(obj))
        return now if now and now["metadata"]["uid"] == obj["metadata"]["uid"] else None

    def event(self, about: Object, kind: str, reason: str, message: str, component: str) -> None:
        """Record a Kubernetes Event; the same one again only counts up."""
        namespace, name = key_of(about)
        key = f"{name}.{hash_text('/'.join((about['kind'], reason, message, component))):x}"
        old = self.store.get("Event", namespace or "default", key)
        if old is not None:
            self.store.update({**old, "count": old["count"] + 1, "lastTimestamp": self.now})
            return
        self.store.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": key, "namespace": namespace or "default"},
                "involvedObject": {
                    "kind": about["kind"],
                    "namespace": namespace,
                    "name": name,
                    "uid": about["metadata"].get("uid", ""),
                },
                "type": kind,
                "reason": reason,
                "message": message,
                "source": {"component": component},
                "firstTimestamp": self.now,
                "lastTimestamp": self.now,
                "count": 1,
            }
        )


def hash_text(text: str) -> int:
    """A stable 64-bit hash of a text (Python's own differs from process to process).

    >>> f"{hash_text('a'):x}"
    'af63dc4c8601ec8c'
    """
    value = 0xCBF29CE484222325  # FNV-1a
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
