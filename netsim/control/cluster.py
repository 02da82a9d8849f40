"""What every component of the control half is given: the clock, the API store, the network, and chance.

The control half is a set of SimPy processes named after the Kubernetes components they mirror, one a file.
They talk through the store as the real ones do, and reach the data half only through the forwarding state.
A component hears of a write one watch latency later (`hear`), and pays for its own calls (`client.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import simpy

from netsim.api.objects import Key, Object, key_of
from netsim.api.store import Change, Store
from netsim.api.times import EPOCH
from netsim.control.leader import ControlPlane
from netsim.control.proxy_health import ProxyHealth
from netsim.control.timings import Timings
from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.history import History
from netsim.draws import Draws
from netsim.units import S

STARTED = int(EPOCH.timestamp()) * S  # the run's time zero, in nanoseconds since 1970


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
    proxies: dict[str, ProxyHealth] = field(default_factory=dict)  # each node's kube-proxy, once it has started
    events: dict[tuple[str, ...], Key] = field(default_factory=dict)  # what was said already -> its Event
    deaf: set[str] = field(default_factory=set)  # nodes that cannot reach the API server
    plane: ControlPlane = field(init=False)  # whether the API server answers, and whether controllers act

    def __post_init__(self) -> None:
        self.plane = ControlPlane(self)

    @property
    def now(self) -> int:
        """Simulated time in nanoseconds."""
        return int(self.env.now)

    def after(self, delay: int, action: Callable[..., Any], *given: Any) -> None:
        """Do something later."""
        event = self.env.timeout(delay)
        event.callbacks.append(lambda _: action(*given))

    def hear(self, kind: str, handler: Callable[[Change], None]) -> None:
        """Tell `handler` of each change of a kind, one watch latency after it was written."""
        self.store.watch(kind, lambda change: self.after(self.timings.watch, handler, change))

    def current(self, obj: Object) -> Object | None:
        """The same object as it is now; None if it has gone (or its name has been given to another)."""
        now = self.store.get(obj["kind"], *key_of(obj))
        return now if now and now["metadata"]["uid"] == obj["metadata"]["uid"] else None

    def event(
        self, about: Object, kind: str, reason: str, message: str, component: str, host: str = ""
    ) -> None:
        """Record a Kubernetes Event, if `host` can reach the API server (no host: if it answers at all).

        The same one again only counts up (client-go's EventCorrelator).
        """
        if not self.plane.answers or host in self.deaf:
            return
        namespace, name = key_of(about)
        same = (about["kind"], namespace, name, reason, message, component, host)
        old = self.events.get(same)
        if old is not None:
            known = self.store.get("Event", *old)
            if known is not None:
                self.store.update({**known, "count": known["count"] + 1, "lastTimestamp": self.now})
                return
        key = namespace or "default", f"{name}.{STARTED + self.now + len(self.events) % 1000:x}"
        self.events[same] = key
        self.store.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"namespace": key[0], "name": key[1]},
                "involvedObject": {
                    "kind": about["kind"],
                    "namespace": namespace,
                    "name": name,
                    "uid": about["metadata"].get("uid", ""),
                },
                "type": kind,
                "reason": reason,
                "message": message,
                "source": {"component": component, **({"host": host} if host else {})},
                "firstTimestamp": self.now,
                "lastTimestamp": self.now,
                "count": 1,
            }
        )
