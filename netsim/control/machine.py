"""A machine of the cluster: what runs on it besides pods, and what power means to it.

Cutting the power ends everything on the machine in the same instant and tells nobody. With power back, the
machine boots, and is as silent as before for as long as it has no kernel that could answer; then kubelet and
kube-proxy start, and a fresh kernel has no rules until kube-proxy's first sync.
Either of the two can be kept from running, too: the rest goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable

from netsim.control.cluster import Cluster
from netsim.control.kube_proxy import CONTAINER_START, Feed, KubeProxy
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
        self.proxy = KubeProxy(cluster, feed, node, config)
        self.daemons = daemons  # programs of the machine itself: the API server of a control plane node
        self.powered = True
        self.up = False  # it has power, and has booted
        self._running: list[Server] = []  # the daemons that run
        self._kept_off: set[str] = set()  # of kubelet, kube-proxy and daemons: what must not run
        self._boots = 0
        self._start(booted=False)

    def power(self, *, on: bool) -> None:
        """The power goes, or comes back."""
        if self.powered == on:
            return
        self.powered = on
        self._boots += 1
        self._note("power-on" if on else "power-off")
        if on:
            self.cluster.forwarding.boot(self.node)
            self.cluster.after(self.cluster.timings.node_boot, self._booted, self._boots)
            return
        self.up = False
        self.kubelet.halt()
        self.proxy.stop()
        self.cluster.forwarding.power(self.node, on=False)
        self.cluster.plane.member(self.node, alive=False)

    def isolate(self, *, isolated: bool) -> None:
        """The API server is out of reach, or can be reached again."""
        for component in (self.kubelet, self.proxy):
            (component.isolate if isolated else component.rejoin)()

    def keep_off(self, component: str, *, off: bool) -> None:
        """Keep `kubelet`, `kube-proxy` or the machine's `daemons` from running, or let them run again."""
        if off == (component in self._kept_off):
            return
        (self._kept_off.add if off else self._kept_off.discard)(component)
        if not self.up:
            return
        if component == "kubelet":
            self.kubelet.stop() if off else self.kubelet.start(booted=True)
        elif component == "kube-proxy":
            self.proxy.stop() if off else self.proxy.start(wait=CONTAINER_START)
        else:
            self._stop_daemons() if off else self._start_daemons()

    def _booted(self, boot: int) -> None:
        if boot == self._boots:
            self.cluster.forwarding.power(self.node, on=True)
            self._note("booted")
            self._start(booted=True)

    def _note(self, kind: str) -> None:
        self.cluster.history.record(self.cluster.now, kind, f"node/{self.node}", self.node)

    def _start(self, *, booted: bool) -> None:
        self.up = True
        if "kubelet" not in self._kept_off:
            self.kubelet.start(booted=booted)
        if "daemons" not in self._kept_off:
            self._start_daemons()
        if "kube-proxy" not in self._kept_off:
            self.proxy.start(wait=CONTAINER_START if booted else 0)
        self.cluster.plane.member(self.node, alive=True)

    def _start_daemons(self) -> None:
        self._running = [daemon() for daemon in self.daemons]
        for server in self._running:
            self.cluster.forwarding.start(server)
            self.cluster.forwarding.listen(server)

    def _stop_daemons(self) -> None:
        for server in self._running:
            self.cluster.forwarding.stop(server, farewell=True)
        self._running = []
