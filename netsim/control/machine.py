"""A machine of the cluster: what runs on it besides pods, and what power means to it.

Cutting the power ends everything on the machine in the same instant and tells nobody. With power back, the
machine boots; then kubelet and kube-proxy start, and a fresh kernel has no rules until kube-proxy's first sync.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import simpy

from netsim.control.cluster import Cluster
from netsim.control.kube_proxy import Feed, kube_proxy
from netsim.control.kubelet import Kubelet
from netsim.dataplane.server import Server
from netsim.proxy.config import ProxyConfig


class Machine:
    """One Kubernetes node's machine."""

    def __init__(
        self,
        cluster: Cluster,
        node: str,
        kubelet: Kubelet,
        feed: Feed,
        config: ProxyConfig,
        daemons: tuple[Callable[[], Server], ...] = (),
    ) -> None:
        self.cluster = cluster
        self.node = node
        self.kubelet = kubelet
        self.feed = feed
        self.config = config
        self.daemons = daemons  # programs of the machine itself: the API server of a control plane node
        self._proxy: Any = None
        self._boots = 0
        self._start(booted=False)

    def power(self, *, on: bool) -> None:
        """The power goes, or comes back."""
        if self.cluster.forwarding.powered[self.node] == on:
            return
        self._boots += 1
        if on:
            self.cluster.forwarding.power(self.node, on=True)
            self.cluster.after(self.cluster.timings.node_boot, self._booted, self._boots)
            return
        self.kubelet.halt()
        if self._proxy is not None and self._proxy.is_alive:
            self._proxy.interrupt()
        self.cluster.forwarding.power(self.node, on=False)

    def _booted(self, boot: int) -> None:
        if boot == self._boots:
            self.cluster.history.record(self.cluster.now, "booted", f"node/{self.node}", self.node)
            self._start(booted=True)

    def _start(self, *, booted: bool) -> None:
        self.kubelet.start(booted=booted)
        for daemon in self.daemons:
            server = daemon()
            self.cluster.forwarding.start(server)
            self.cluster.forwarding.listen(server)
        self._proxy = self.cluster.env.process(self._run_proxy(booted=booted))

    def _run_proxy(self, *, booted: bool) -> Any:
        try:
            yield from kube_proxy(self.cluster, self.feed, self.node, self.config, booting=booted)
        except simpy.Interrupt:
            return
