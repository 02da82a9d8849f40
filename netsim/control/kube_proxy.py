"""kube-proxy on one node: from what the API says to what the node's kernel does.

It hears of Services and EndpointSlices, and does not act at once: syncs are limited in frequency, so a burst
of changes costs one sync. Until its sync has ended the node goes on sending to yesterday's endpoints. That
gap, a different one on every node, is most of what netsim shows.

All kube-proxies hear the same stream, so it is kept once (`Feed`): publishing a change makes a new revision
of the shared tables, and a node only remembers which revision it has programmed.

Up to 1.33 a token bucket limits the frequency: one token each `minSyncPeriod`, two may wait, so two changes
in quick succession are both programmed at once. From 1.34 on a sync starts at the earliest `minSyncPeriod`
after the last one ended.

Sources: kubernetes `pkg/proxy/iptables/proxier.go`, `pkg/util/async` (1.32), `pkg/proxy/runner` (1.34).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from typing import Any

import simpy

from netsim.api.objects import key_of
from netsim.api.store import Change
from netsim.control.client import TokenBucket
from netsim.control.cluster import Cluster
from netsim.control.proxy_health import ProxyHealth
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.draws import uniform
from netsim.proxy.config import ProxyConfig
from netsim.proxy.modes import MODES
from netsim.proxy.tables import Tables
from netsim.units import MS, S

CONTAINER_START = 2 * S  # the kube-proxy pod of a booting node


class Feed:
    """The Services and EndpointSlices of the cluster, as every kube-proxy hears of them."""

    def __init__(self, cluster: Cluster, tables: Tables) -> None:
        self.cluster = cluster
        self.tables = tables
        self.news = cluster.env.event()
        self._revisions = [tables.revision]  # what a kube-proxy programs before it has heard of any Service
        self._times = [0]
        cluster.store.watch("Service", self._service)
        cluster.store.watch("EndpointSlice", self._slice)

    def heard_by(self, instant: int) -> int:
        """The newest revision that was published by then."""
        return self._revisions[max(0, bisect_right(self._times, instant) - 1)]

    def cost(self, programmed: int, revision: int) -> int:
        """How long the sync takes that brings a node from one revision to another."""
        count, changes = self.tables.count(revision), self.tables.changes(programmed, revision)
        return MODES[self.tables.config.mode].sync_cost(
            full=programmed == 0,
            services=count.service_ports,
            endpoints=count.endpoints,
            changed=changes.endpoints,
        )

    def _service(self, change: Change) -> None:
        service = change.object
        if change.type == "DELETED":
            self._publish(self.tables.delete_service(*key_of(service)))
        else:
            self._publish(self.tables.set_service(service))

    def _slice(self, change: Change) -> None:
        endpoint_slice = change.object
        if change.type == "DELETED":
            self._publish(self.tables.delete_slice(*key_of(endpoint_slice)))
        else:
            self._publish(self.tables.set_slice(endpoint_slice))

    def _publish(self, revision: int | None) -> None:
        if revision is None:
            return
        self._revisions.append(revision)
        self._times.append(self.cluster.now)
        news, self.news = self.news, self.cluster.env.event()
        news.succeed()


class SyncLimit:
    """When the next sync may start."""

    def __init__(self, config: ProxyConfig, version: str) -> None:
        self.period = config.min_sync
        self.bucket = TokenBucket(S / self.period, 2) if self.period and version < "1.34" else None
        self.ended = -(1 << 62)

    def wait(self, now: int) -> int:
        """How long a sync that is wanted now must wait."""
        if self.bucket is not None:
            return self.bucket.wait(now)
        return max(0, self.ended + self.period - now)

    def started(self, now: int) -> None:
        """A sync starts."""
        if self.bucket is not None:
            self.bucket.take(now)


class KubeProxy:
    """One node's kube-proxy: what it has heard of, what waits for a sync, what is programmed.

    Stopped, it leaves its rules in the kernel; started again, it programs everything anew. Cut off from the API
    server it goes on with what it knew then.
    """

    def __init__(self, cluster: Cluster, feed: Feed, node: str, config: ProxyConfig) -> None:
        self.cluster = cluster
        self.feed = feed
        self.node = node
        self.config = config
        self.slowness = 1.0  # a sync takes so many times as long as usual
        self.health = ProxyHealth(2 * config.sync_period)
        self.programmed = 0  # the revision that is in the kernel
        self._deaf_since: int | None = None
        self._hears_again: Any = None
        self._process: Any = None

    # what happens to it ---------------------------------------------------------------------------------

    def start(self, *, wait: int = 0) -> None:
        """Its process starts, after a while."""
        self.stop()
        self.health = self.cluster.proxies[self.node] = ProxyHealth(2 * self.config.sync_period)
        self._process = self.cluster.env.process(self._run(wait))

    def stop(self) -> None:
        """Its process ends."""
        if self._process is not None and self._process.is_alive:
            self._process.interrupt()

    def isolate(self) -> None:
        """The API server is out of reach."""
        if self._deaf_since is None:
            self._deaf_since = self.cluster.now
            self._hears_again = self.cluster.env.event()

    def rejoin(self) -> None:
        """The API server can be heard again: what has changed meanwhile comes at once."""
        if self._deaf_since is not None:
            self._deaf_since = None
            self._hears_again.succeed()

    # what it does ---------------------------------------------------------------------------------------

    def _run(self, wait: int) -> Generator[Any, Any, None]:
        health = self.health
        try:
            if wait:
                yield self.cluster.env.timeout(wait)
            health.running = True
            self.cluster.forwarding.proxy(self.node, self._server())
            while self._deaf_since is not None:  # it writes no rules before it has heard of every Service
                yield self._hears_again
            yield from self._syncs(health)
        except simpy.Interrupt:
            return
        finally:
            if health.running:
                self.cluster.forwarding.proxy(self.node, None)
            health.running = False

    def _server(self) -> Server:
        """Its own program, where load balancers ask how it is. It is no pod of the run's traffic."""
        return Server(-1, f"kube-system/kube-proxy-{self.node}", self.node, (), Serving(), ())

    def _syncs(self, health: ProxyHealth) -> Generator[Any, Any, None]:
        """Program every change, as soon as the limit on syncs allows."""
        cluster, feed, env, node = self.cluster, self.feed, self.cluster.env, self.node
        chance = cluster.draws.stream("kube-proxy", node)
        lag = cluster.timings.watch + int(uniform(chance.next()) * 5 * MS)
        limit = SyncLimit(self.config, cluster.version)
        self.programmed = 0
        while True:
            while self._newest() <= self.programmed:
                yield feed.news if self._deaf_since is None else self._hears_again
            yield env.timeout(lag)
            health.queued(cluster.now)
            wait = limit.wait(cluster.now)
            if wait:
                yield env.timeout(wait)
            revision = min(self._newest(), feed.heard_by(cluster.now - lag))
            if revision <= self.programmed:
                continue
            limit.started(cluster.now)
            cost = feed.cost(self.programmed, revision) * (0.75 + 0.5 * uniform(chance.next()))
            yield env.timeout(int(cost * self.slowness))
            cluster.forwarding.program(node, revision)
            health.updated()
            self.programmed = revision
            limit.ended = cluster.now

    def _newest(self) -> int:
        """The newest revision that it can know of."""
        if self._deaf_since is None:
            return self.feed.tables.revision
        return self.feed.heard_by(self._deaf_since)
