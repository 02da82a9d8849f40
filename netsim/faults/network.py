"""Faults of the network: partitions, and links that are down, flap, or are late, lossy or narrow.

A partition is between machines, whatever lies between them; the other faults are of the one link that joins a node to
its zone's switch, so they meet everything that the node and its pods send and receive, but not what stays on it.
Source of the kinds: Chaos Mesh's NetworkChaos (partition, delay, loss, bandwidth).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from netsim.draws import Stream
from netsim.faults.model import Steps
from netsim.faults.nodes import NodeFault
from netsim.faults.selectors import Selector
from netsim.fields import Bandwidth, Duration, Model, Share
from netsim.units import MS, S

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers


class Others(Model):
    """The other side of a partition: nodes (all others, or those of the selector), and what is not a node."""

    selector: Selector | None = None
    outside: bool = True  # clients outside the cluster
    cloud: bool = True  # the load balancers


class NetworkPartition(NodeFault):
    """What the victims and the others send to each other is lost.

    With `direction: to` only what the victims send is lost, with `from` only what the others send, with `both` all.
    `zones` in the selector cut whole zones off. Without a `target` the others are everybody else. A node that
    cannot exchange packets with an API server both ways is NotReady after the grace.
    """

    action: Literal["network-partition"]
    direction: Literal["to", "from", "both"] = "both"
    target: Others = Others()
    says: ClassVar[tuple[str, str]] = ("{names} cut off", "{names} no longer cut off")

    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """Who is hit; all the selected, unless `mode` is given."""
        if "mode" in self.model_fields_set:
            return super().victims(world, chance)
        return self.candidates(world)

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Cut the two sides apart."""
        cut = [victim.removeprefix("node/") for victim in victims]
        others = self._others(world, cut)
        ways = {"to": [(cut, others)], "from": [(others, cut)], "both": [(cut, others), (others, cut)]}
        return [world.network.cut(*way) for way in ways[self.direction]]

    def _others(self, world: Levers, cut: Sequence[str]) -> list[str]:
        target = self.target
        nodes = world.node_names() if target.selector is None else target.selector.candidates(world)
        apart = world.network.apart(outside=target.outside, cloud=target.cloud)
        return [*(name for name in nodes if name not in cut), *apart]


class LinkDown(NodeFault):
    """The link between a node and its zone's switch is down."""

    action: Literal["link-down"]

    def hit(self, world: Levers, node: str) -> Release:
        """Take it down."""
        return world.network.link_down(world.network.uplink(node))


class LinkFlapping(NodeFault):
    """The link between a node and its zone's switch goes down and comes up, again and again, for `duration`."""

    action: Literal["link-flapping"]
    down: Duration = Field(default=2 * S, gt=0)
    up: Duration = Field(default=8 * S, gt=0)

    def hit(self, world: Levers, node: str) -> Release:
        """Have it flap."""
        state: dict[str, Any] = {"flaps": True}
        world.cluster.env.process(self._flap(world, node, state))

        def settle() -> None:
            state["flaps"] = False
            if (release := state.pop("release", None)) is not None:
                release()

        return settle

    def _flap(self, world: Levers, node: str, state: dict[str, Any]) -> Steps:
        link, timeout = world.network.uplink(node), world.cluster.env.timeout
        while state["flaps"]:
            state["release"] = world.network.link_down(link)
            yield timeout(self.down)
            if (release := state.pop("release", None)) is not None:
                release()
            yield timeout(self.up)


class NetworkDelay(NodeFault):
    """Packets on the link between a node and its zone's switch take `latency` longer, one way.

    With `jitter` each takes up to that much longer still, drawn evenly for each packet.
    """

    action: Literal["network-delay"]
    latency: Duration = 10 * MS
    jitter: Duration = 0
    says: ClassVar[tuple[str, str]] = ("packets of {names} are late", "packets of {names} are no longer late")

    def hit(self, world: Levers, node: str) -> Release:
        """Have them late."""
        link = world.network.uplink(node)
        late = world.network.delay(link, self.latency)
        if not self.jitter:
            return late
        uneven = world.network.disturb(link, jitter=self.jitter)

        def release() -> None:
            late()
            uneven()

        return release


class NetworkLoss(NodeFault):
    """The link between a node and its zone's switch loses a share of the packets, in each direction."""

    action: Literal["network-loss"]
    loss: Share = Field(gt=0, le=1)
    says: ClassVar[tuple[str, str]] = ("packets of {names} get lost", "packets of {names} no longer get lost")

    def hit(self, world: Levers, node: str) -> Release:
        """Have them lost."""
        return world.network.disturb(world.network.uplink(node), loss=self.loss)


class NetworkBandwidth(NodeFault):
    """The link between a node and its zone's switch carries no more than `rate`, in each direction."""

    action: Literal["network-bandwidth"]
    rate: Bandwidth
    says: ClassVar[tuple[str, str]] = ("the link of {names} is narrow", "the link of {names} is as wide as before")

    def prepare(self, world: Levers) -> None:
        """Links that may be narrow are known to the engines from the beginning."""
        for node in self.selector.candidates(world) if not self.selector.running else world.node_names():
            world.network.topology.reserve(*world.network.uplink(node))

    def hit(self, world: Levers, node: str) -> Release:
        """Make it narrow."""
        return world.network.disturb(world.network.uplink(node), rate=self.rate)
