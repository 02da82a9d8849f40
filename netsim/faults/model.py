"""What every fault says: when, for how long, how often, and how many of those it could hit.

A fault is a frozen model: its fields are the scenario's fields (Chaos Mesh's names where it has them), its docstring
is its manual entry, `strike` is what it does. It pulls levers (`netsim.control.levers`), each of which gives
back how to let go of it; after `duration` the fault lets go of all of them.

With `mtbf` a fault strikes again and again: its victims are drawn once, and from then on each of them fails and is
repaired by itself, after times drawn from `mtbf` and `mttr`. Faults of pods draw anew each time: a pod that has been
killed does not come back.

Source of the fields: Chaos Mesh (`action`, `mode`, `value`, `selector`, `duration`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from netsim.draws import Distribution, Stream, index
from netsim.fields import Duration, Model, Name
from netsim.units import MS

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers

Steps = Generator[Any, Any, None]
Mode = Literal["one", "all", "fixed", "fixed-percent"]


def wanted(mode: str, value: int, candidates: int) -> int:
    """How many of so many candidates a mode means.

    >>> wanted("one", 1, 5), wanted("all", 1, 5), wanted("fixed", 7, 5), wanted("fixed-percent", 50, 5)
    (1, 5, 5, 2)
    """
    count = {"one": 1, "all": candidates, "fixed": value, "fixed-percent": candidates * value // 100}[mode]
    return min(count, candidates)


def drawn(candidates: Sequence[str], count: int, chance: Stream) -> list[str]:
    """So many of the candidates, drawn without replacement, in their own order."""
    rest = list(candidates)
    taken = {rest.pop(index(chance.next(), len(rest))) for _ in range(count)}
    return [name for name in candidates if name in taken]


class Fault(Model):
    """What every fault says: when, for how long, and how often."""

    name: Name
    at: Duration
    duration: Duration | None = None  # None: for good
    mtbf: Distribution | None = None  # strike again and again: from a repair (first: from `at`) to the next failure
    mttr: Distribution | None = None  # with mtbf: from a failure to its repair; None: `duration`

    says: ClassVar[tuple[str, str]] = ("", "")  # how its beginning and its end are told; empty: by what it changes
    momentary: ClassVar[bool] = False  # without a duration it is over at once, rather than there for good
    undone: ClassVar[bool] = True  # something is different when its duration is over
    lasts: ClassVar[bool] = True  # its victims are there again after it; otherwise they are drawn each time

    @field_validator("mtbf")
    @classmethod
    def _fails_now_and_then(cls, mtbf: Distribution | None) -> Distribution | None:
        if mtbf is not None and mtbf.mean < MS:
            raise ValueError("the mean time between failures must be at least 1ms")
        return mtbf

    @field_validator("mttr")
    @classmethod
    def _repairs_what_fails(cls, mttr: Distribution | None, info: ValidationInfo) -> Distribution | None:
        if mttr is not None and info.data.get("mtbf") is None:
            raise ValueError("there is nothing to repair again and again without mtbf")
        return mttr

    def prepare(self, world: Levers) -> None:
        """Whatever must be known before the run begins."""

    @abstractmethod
    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """Who is hit now, each as `kind/name`."""

    @abstractmethod
    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Hit them; returns how to let go of them."""

    def run(self, env: Any, world: Levers, chance: Stream) -> Steps:
        """The fault as a SimPy process."""
        yield env.timeout(self.at)
        if self.mtbf is None:
            yield from self._spell(env, world, self.victims(world, chance), self.duration)
        elif self.lasts:
            for victim in self.victims(world, chance):
                env.process(self._again(env, world, world.stream(self.name, victim), [victim]))
        else:
            yield from self._again(env, world, chance, None)

    def _again(self, env: Any, world: Levers, chance: Stream, victims: list[str] | None) -> Steps:
        """Fail, be repaired, fail again."""
        assert self.mtbf is not None
        while True:
            yield env.timeout(self.mtbf.draw(chance.next()))
            time = self.duration if self.mttr is None else self.mttr.draw(chance.next())
            yield from self._spell(env, world, self.victims(world, chance) if victims is None else victims, time)

    def _spell(self, env: Any, world: Levers, victims: list[str], time: int | None) -> Steps:
        """Strike, and let go after a time."""
        releases: list[Release] = []
        world.struck(self.name, victims, lambda: releases.extend(self.strike(world, victims)))
        if time is not None:
            yield env.timeout(time)
            world.struck(self.name, victims, lambda: _let_go(releases), healed=True)


def _let_go(releases: Sequence[Release]) -> None:
    for release in releases:
        release()


class Chosen(Fault):
    """A fault that hits some of those it could hit."""

    mode: Mode = "one"
    value: int = Field(default=1, ge=1)  # with fixed: how many; with fixed-percent: how many in a hundred

    @abstractmethod
    def candidates(self, world: Levers) -> list[str]:
        """Who could be hit now, in an order that does not depend on chance."""

    def victims(self, world: Levers, chance: Stream) -> list[str]:
        """Who is hit: `mode` of the candidates."""
        candidates = self.candidates(world)
        return drawn(candidates, wanted(self.mode, self.value, len(candidates)), chance)
