"""What breaks, when, and for how long.

A fault is a frozen model and a SimPy process: its fields are the scenario's fields (Chaos Mesh's names
where it has them), its docstring is its manual entry, and `run` is what it does. A new kind is one class and
one line in `FAULTS`. A fault reaches the cluster through `Machines`, the few levers that the world has.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Union

from pydantic import Field

from netsim.draws import Stream, index
from netsim.fields import Duration, Labels, Model, Name


class Machines(Protocol):
    """What a fault may do to the world."""

    def node_names(self) -> list[str]: ...
    def nodes_running(self, labels: Labels) -> set[str]: ...
    def zone_of(self, node: str) -> str: ...
    def power(self, node: str, *, on: bool) -> None: ...


class Selector(Model):
    """Which nodes a fault may hit: those that meet every part that is given."""

    nodes: tuple[Name, ...] = ()
    zones: tuple[str, ...] = ()
    running: Labels = Field(default={})  # a pod with these labels runs on it at that instant

    def candidates(self, world: Machines) -> list[str]:
        """The nodes that meet all parts, in the cluster's order."""
        names = [name for name in world.node_names() if not self.nodes or name in self.nodes]
        if self.zones:
            names = [name for name in names if world.zone_of(name) in self.zones]
        if self.running:
            busy = world.nodes_running(self.running)
            names = [name for name in names if name in busy]
        return names


class Fault(Model):
    """What every fault says: when, for how long, and whom."""

    name: Name
    at: Duration
    duration: Duration | None = None  # None: for good
    mode: Literal["one", "all", "fixed", "fixed-percent"] = "one"
    value: int = Field(default=1, ge=1)  # with fixed: how many; with fixed-percent: how many in a hundred
    selector: Selector = Selector()

    def victims(self, world: Machines, chance: Stream) -> list[str]:
        """Who is hit: `mode` of the candidates, drawn without replacement."""
        names = self.selector.candidates(world)
        count = {
            "one": 1,
            "all": len(names),
            "fixed": self.value,
            "fixed-percent": len(names) * self.value // 100,
        }[self.mode]
        rest = list(names)
        drawn = {rest.pop(index(chance.next(), len(rest))) for _ in range(min(count, len(rest)))}
        return [name for name in names if name in drawn]


    @abstractmethod
    def run(self, env: Any, world: Machines, chance: Stream) -> Generator[Any, Any, None]:
        """What it does, as a SimPy process."""


class NodePowerLoss(Fault):
    """A node loses power at `at` and gets it back after `duration`.

    Everything that ran on it is gone at once, without a word to anybody. When power returns the machine
    boots, its kubelet and kube-proxy start, and containers start afresh.
    """

    action: Literal["node-power-loss"]

    def run(self, env: Any, world: Machines, chance: Stream) -> Generator[Any, Any, None]:
        """Wait, cut the power, wait, restore it."""
        yield env.timeout(self.at)
        victims = self.victims(world, chance)
        for node in victims:
            world.power(node, on=False)
        if self.duration is not None:
            yield env.timeout(self.duration)
            for node in victims:
                world.power(node, on=True)


FAULTS = {"node-power-loss": NodePowerLoss}
"""Every kind of fault, by its `action`."""


def told_apart(kinds: Iterable[type[Fault]]) -> Any:
    """The type of any of these faults. `action` decides which it is, so errors speak of that kind alone."""
    first, *others = kinds
    return Annotated[Union[first, *others], Field(discriminator="action")] if others else first


if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = told_apart(FAULTS.values())
