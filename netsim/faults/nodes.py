"""Faults of machines and of what runs on them besides pods.

Left out: graceful node shutdown; clients on a machine whose kernel hangs go on asking, in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from netsim.faults.model import Chosen
from netsim.faults.selectors import Selector

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers


class NodeFault(Chosen):
    """A fault that hits nodes."""

    selector: Selector = Selector()

    def candidates(self, world: Levers) -> list[str]:
        """The nodes that the selector selects."""
        return [f"node/{name}" for name in self.selector.candidates(world)]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Hit each of the nodes."""
        return [self.hit(world, victim.removeprefix("node/")) for victim in victims]

    def hit(self, world: Levers, node: str) -> Release:
        """Hit one node; returns how to let go of it."""
        raise NotImplementedError


class NodePowerLoss(NodeFault):
    """A node loses power at `at` and gets it back after `duration`.

    Everything that ran on it is gone at once, without a word to anybody. When power returns the machine
    boots, its kubelet and kube-proxy start, and containers start afresh.
    """

    action: Literal["node-power-loss"]

    def hit(self, world: Levers, node: str) -> Release:
        """Cut the power."""
        return world.power_off(node)


class NodeReboot(NodeFault):
    """A node loses power and has it back at once: it is away for as long as it boots (`timings.nodeBoot`)."""

    action: Literal["node-reboot"]
    momentary: ClassVar[bool] = True
    undone: ClassVar[bool] = False

    def hit(self, world: Levers, node: str) -> Release:
        """Cut the power, and give it back."""
        world.reboot(node)
        return lambda: None


class KernelHang(NodeFault):
    """A node's kernel hangs: it neither sends nor receives, and after `duration` goes on where it was.

    No container ends, no connection is reset. To everybody else it looks like a power loss, as long as it lasts.
    """

    action: Literal["kernel-hang"]
    says: ClassVar[tuple[str, str]] = ("the kernel of {names} hangs", "the kernel of {names} goes on")

    def hit(self, world: Levers, node: str) -> Release:
        """Have it hang."""
        return world.stand_still(node)


class KubeletStopped(NodeFault):
    """The kubelet of a node stops. Its pods go on serving, but the node is held for dead in the end.

    Their endpoints are taken away although they work; after the tolerations they are replaced elsewhere, and the
    old ones serve whoever still asks them until the kubelet runs again and ends them.
    """

    action: Literal["kubelet-stopped"]
    says: ClassVar[tuple[str, str]] = ("the kubelet of {names} stops", "the kubelet of {names} runs again")

    def hit(self, world: Levers, node: str) -> Release:
        """Stop it."""
        return world.keep_off("kubelet", node)


class RuntimeDead(NodeFault):
    """The container runtime of a node stops answering: containers run on, none is started, stopped or looked at.

    After 30 s the kubelet says that the node is not Ready. It is tainted, but its pods stay Ready and keep their
    endpoints until their tolerations run out: only those of a node that falls silent are marked.
    """

    action: Literal["container-runtime-dead"]
    says: ClassVar[tuple[str, str]] = (
        "the container runtime of {names} stops answering",
        "the container runtime of {names} answers again",
    )

    def hit(self, world: Levers, node: str) -> Release:
        """Stop it answering."""
        return world.break_runtime(node)


class ProxyStopped(NodeFault):
    """kube-proxy of a node stops: its rules stay as they were, whatever becomes of the endpoints.

    Load balancers that ask for its health turn away. When it runs again it programs everything anew.
    """

    action: Literal["kube-proxy-stopped"]
    says: ClassVar[tuple[str, str]] = ("kube-proxy stops on {names}", "kube-proxy runs again on {names}")

    def hit(self, world: Levers, node: str) -> Release:
        """Stop it."""
        return world.keep_off("kube-proxy", node)


class ProxySlow(NodeFault):
    """kube-proxy of a node takes `factor` times as long for each sync of its rules."""

    action: Literal["kube-proxy-slow"]
    factor: float = Field(default=10.0, gt=0, le=1e6)
    says: ClassVar[tuple[str, str]] = ("kube-proxy is slow on {names}", "kube-proxy is as fast as usual on {names}")

    def hit(self, world: Levers, node: str) -> Release:
        """Slow it down."""
        return world.slow_proxy(node, self.factor)


class ZoneOutage(NodeFault):
    """Zones lose power, with all their nodes and their switch. `mode` counts the zones of the selected nodes."""

    action: Literal["zone-outage"]

    def candidates(self, world: Levers) -> list[str]:
        """The zones in which selected nodes stand."""
        zones = dict.fromkeys(world.zone_of(name) for name in self.selector.candidates(world))
        return [f"zone/{zone}" for zone in zones]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Cut the power of every node of these zones, and the zones' links."""
        zones = [victim.removeprefix("zone/") for victim in victims]
        links = [world.network.link_down(world.network.zone_link(zone)) for zone in zones]
        nodes = [world.power_off(name) for name in world.node_names() if world.zone_of(name) in zones]
        return [*links, *nodes]


POWER = (NodePowerLoss, NodeReboot, ZoneOutage)
"""The faults after which a machine has no power: they must not overlap."""
