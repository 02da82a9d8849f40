"""A component's connection to the API server: each call takes a moment, and calls are rationed.

client-go holds every client to a rate (`qps`) with a burst, by a token bucket. At the scale of one node the
ration shapes the timeline: a controller with 20 calls a second and a burst of 30 needs four seconds to
touch the 110 pods of a lost node.

Source: kubernetes `client-go/util/flowcontrol` (token bucket), defaults in `netsim/control/timings.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from netsim.control.cluster import Cluster
from netsim.units import S


class TokenBucket:
    """Tokens come at `rate` a second, at most `burst` of them wait (kept as GCRA's theoretical arrival time).

    >>> bucket = TokenBucket(rate=10.0, burst=2)
    >>> [bucket.take(now=0) for _ in range(4)]
    [0, 0, 100000000, 200000000]
    """

    def __init__(self, rate: float, burst: int) -> None:
        self.period = int(S / rate) if rate > 0 else 0
        self.credit = self.period * (burst - 1)
        self.arrival = 0

    def wait(self, now: int) -> int:
        """How long until a token is there."""
        return max(0, self.arrival - self.credit - now)

    def take(self, now: int) -> int:
        """Take a token; the time to wait until it is there."""
        wait = self.wait(now)
        self.arrival = max(self.arrival, now) + self.period
        return wait


class Client:
    """The rationed caller of one component."""

    def __init__(self, cluster: Cluster, rate: float | None = None, burst: int | None = None) -> None:
        timings = cluster.timings
        self.cluster = cluster
        self.bucket = TokenBucket(
            timings.controller_qps if rate is None else rate,
            timings.controller_burst if burst is None else burst,
        )

    def call(self) -> Any:
        """One API call of a controller: a SimPy event that comes when the call has been made."""
        if not self.cluster.plane.leads:
            return self.cluster.env.process(self._call_once_led())
        wait = self.bucket.take(self.cluster.now)
        return self.cluster.env.timeout(wait + self.cluster.timings.write)

    def _call_once_led(self) -> Generator[Any, Any, None]:
        yield from self.cluster.plane.led()
        yield self.call()
