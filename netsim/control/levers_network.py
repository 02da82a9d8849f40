"""What may be done to the network: cuts between machines, links that are down or late, machines that hang.

The control plane is on the same network. Whatever changes there, each node is asked anew whether it still reaches
an API server, both ways; where it does not, its kubelet and kube-proxy are on their own.

Left out: the seconds in which a client finds out that its watch is dead, and connects anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

from netsim.control.cluster import Cluster
from netsim.control.holds import Holds, Release
from netsim.control.machine import Machine
from netsim.topology.graph import CLOUD, CORE, OUTSIDE, Cut, switch_of


class NetworkLevers:
    """The levers of one cluster's network."""

    def __init__(
        self, cluster: Cluster, machines: dict[str, Machine], zones: Mapping[str, str], holds: Holds
    ) -> None:
        self.cluster = cluster
        self.machines = machines
        self.zones = zones
        self.holds = holds
        self.topology = cluster.forwarding.topology
        self._unsettled = False

    def apart(self, *, outside: bool, cloud: bool) -> list[str]:
        """Who is on the network besides nodes: clients outside, the cloud's balancers."""
        return [*([CLOUD] if cloud else []), *([OUTSIDE] if outside else [])]

    def uplink(self, node: str) -> tuple[str, str]:
        """The link that joins a node to its zone."""
        return node, switch_of(self.zones[node])

    def zone_link(self, zone: str) -> tuple[str, str]:
        """The link that joins a zone to the others."""
        return switch_of(zone), CORE

    def cut(self, senders: Iterable[str], receivers: Iterable[str]) -> Release:
        """Lose what some machines send to some others (a machine always reaches itself)."""
        cut = Cut(frozenset(senders), frozenset(receivers))
        self.topology.cut(cut)
        self._changed()

        def mend() -> None:
            self.topology.mend(cut)
            self._changed()

        return mend

    def link_down(self, link: tuple[str, str]) -> Release:
        """A link is down, both ways."""

        def apply(held: tuple[None, ...]) -> None:
            self.cluster.forwarding.link(*link, up=not held)
            self._changed()

        return self.holds.hold(("link", link), None, apply)

    def delay(self, link: tuple[str, str], extra: int) -> Release:
        """A link takes longer, one way and the other."""

        def apply(held: tuple[int, ...]) -> None:
            self.topology.set_extra(*link, sum(held))
            self._changed()

        return self.holds.hold(("delay", link), extra, apply)

    def disturb(self, link: tuple[str, str], jitter: int = 0, loss: float = 0.0, rate: int | None = None) -> Release:
        """A link has more jitter (nanoseconds) and loss, and carries no more than `rate` bits per second."""

        def apply(held: tuple[tuple[int, float, int | None], ...]) -> None:
            rates = [rate for *_, rate in held if rate]
            kept = prod(1 - loss for _, loss, _ in held)
            self.topology.disturb(*link, sum(jitter for jitter, *_ in held), 1 - kept, min(rates, default=None))
            self._changed()

        return self.holds.hold(("disturbed", link), (jitter, loss, rate), apply)

    def stand_still(self, node: str, *, still: bool) -> None:
        """A machine sends and receives nothing, or does again."""
        self.topology.stand_still(node, still=still)
        self.cluster.plane.member(node, alive=not still and self.machines[node].up)
        self._changed()

    def _changed(self) -> None:
        """Whoever is concerned is told once all changes of this instant have been made."""
        self.cluster.forwarding.version += 1
        if not self._unsettled:
            self._unsettled = True
            self.cluster.after(0, self.follow)

    def follow(self) -> None:
        """Tell every node whether it reaches the API server."""
        self._unsettled = False
        servers = self.cluster.plane.alive() or [CLOUD]
        for node, machine in self.machines.items():
            deaf = not (self.cluster.plane.answers and any(self._connected(node, server) for server in servers))
            if deaf != (node in self.cluster.deaf):
                (self.cluster.deaf.add if deaf else self.cluster.deaf.discard)(node)
                machine.isolate(isolated=deaf)

    def _connected(self, node: str, server: str) -> bool:
        delay = self.topology.delay
        return delay(node, server) is not None and delay(server, node) is not None
