"""What a sweep is going to do: variants, seeds, and with whom each variant is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.errors import Problem, ScenarioError
from netsim.scenario.measures import MEASURES
from netsim.scenario.mistakes import nearest, one_of
from netsim.scenario.scenario import Scenario
from netsim.sweep.axes import Axis, axes
from netsim.sweep.grid import Variant, baseline, variants
from netsim.sweep.task import Task

Key = tuple[str, str]
"""A measure, and of which source or fault."""

Vary = Mapping[str, Iterable[Any]] | Iterable[Axis]


@dataclass(frozen=True)
class Plan:
    """A sweep before it is run: everything in it is checked."""

    scenario: Scenario
    axes: tuple[Axis, ...]
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    baselines: Mapping[int, int]

    def tasks(self) -> dict[tuple[int, int], Task]:
        """All runs, by variant and seed.

        They go seed by seed through all variants, so that whatever is finished when a sweep is interrupted is
        balanced: nearly every seed then has all its variants, and differences can be taken.
        """
        return {
            (variant.number, seed): Task(variant.text, seed) for seed in self.seeds for variant in self.variants
        }

    def key(self, measure: str, of: str = "") -> Key:
        """A measure as runs have it; without a name that of all together, or of the only one there is."""
        if measure not in MEASURES:
            hint = nearest(measure, MEASURES) or f"measures: {', '.join(MEASURES)}"
            raise ScenarioError(Problem(f'there is no measure "{measure}"', hint=hint))
        kind = MEASURES[measure].of
        known = list(dict.fromkeys(name for variant in self.variants for name in _subjects(variant.scenario, kind)))
        if of in known:
            return measure, of
        if not of and len(known) == 1:
            return measure, known[0]
        what = "fault" if kind == "fault" else "traffic source"
        message = f'there is no {what} "{of}"' if of else f"{measure} is measured of one {what}; say which"
        raise ScenarioError(Problem(message, hint=one_of(f"{what}s", of, [name for name in known if name])))


def _subjects(scenario: Scenario, kind: str) -> list[str]:
    """Of whom a run of this scenario measures: of all its sources together only where there are several."""
    document = scenario.document
    names = [each.name for each in (document.traffic if kind == "source" else document.faults)]
    return [*names, ""] if kind == "source" and len(names) > 1 else names


def plan(
    scenario: Scenario, vary: Vary = (), seeds: int | Iterable[int] = 30, base: Mapping[str, Any] | Iterable[Axis] = ()
) -> Plan:
    """Everything that a sweep will do, checked. So many seeds, beginning with the scenario's own, or these."""
    if isinstance(base, Mapping):
        base = axes({path: [value] for path, value in base.items()})
    chosen = axes(vary)
    found = variants(scenario, chosen)
    numbers = seeds_of(scenario, seeds)
    return Plan(scenario, chosen, found, numbers, baseline(found, tuple(base)))


def seeds_of(scenario: Scenario, seeds: int | Iterable[int]) -> tuple[int, ...]:
    """The seeds meant: so many from the scenario's own on, or those that are listed."""
    if isinstance(seeds, int):
        first = scenario.document.seed
        seeds = range(first, first + seeds)
    numbers = tuple(int(seed) for seed in seeds)
    if not numbers or len(set(numbers)) < len(numbers) or min(numbers) < 0 or max(numbers) >= 1 << 63:
        raise ScenarioError(Problem("seeds are different whole numbers from 0 on, at least one"))
    return numbers
