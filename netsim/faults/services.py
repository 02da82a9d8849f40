"""Faults of what the cluster as a whole depends on: its control plane, its DNS, its load balancers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from netsim.draws import Stream
from netsim.faults.model import Chosen, Fault
from netsim.faults.selectors import ServiceSelector

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers


class ControlPlaneDown(Fault):
    """The control plane stops: running traffic goes on, and nothing is repaired.

    `part: controllers` stops controllers and schedulers only. Whoever was away for longer than ten seconds is not
    believed at once: nobody acts before the old leader's lease has run out.
    """

    action: Literal["control-plane-down"]
    part: Literal["all", "controllers"] = "all"

    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """There is one."""
        return ["control-plane"]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Stop it."""
        return [world.stop_control_plane() if self.part == "all" else world.halt_controllers()]


class DnsDown(Fault):
    """The DNS pods do not answer: whoever looks a name up waits for ten seconds (5 s, twice) in vain."""

    action: Literal["dns-down"]
    says: ClassVar[tuple[str, str]] = ("the DNS pods stop answering", "the DNS pods answer again")

    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """All of DNS."""
        return ["dns"]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Silence it."""
        return [world.silence_dns()]


class LoadBalancerDown(Chosen):
    """The load balancers of Services drop everything. Their addresses and node ports stay."""

    action: Literal["load-balancer-down"]
    selector: ServiceSelector = ServiceSelector()
    says: ClassVar[tuple[str, str]] = (
        "the load balancer of {names} is down",
        "the load balancer of {names} works again",
    )

    def candidates(self, world: Levers) -> list[str]:
        """The Services that have one now."""
        return [f"service/{name}" for name in self.selector.candidates(world)]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Take them down."""
        return [world.silence_balancer(victim.removeprefix("service/")) for victim in victims]
