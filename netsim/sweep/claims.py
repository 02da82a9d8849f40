"""The scenario's checks over all runs of a sweep: in how many of them each holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.report.checks import Finding
from netsim.scenario.measures import parse_bound
from netsim.scenario.model import Check
from netsim.sweep.grid import Variant

if TYPE_CHECKING:
    from netsim.sweep.sweep import Sweep


@dataclass(frozen=True)
class Claim:
    """A check, and in how many of the finished runs of a variant it held."""

    claim: str
    variant: Variant
    held: int
    runs: int

    @property
    def passed(self) -> bool:
        """Whether it held in all of them; where none is finished, nothing is shown."""
        return 0 < self.runs == self.held


def claims(sweep: Sweep) -> tuple[Claim, ...]:
    """Every check of every variant, check by check."""
    return tuple(
        _judged(sweep, variant, check)
        for number in range(len(sweep.scenario.document.checks))
        for variant in sweep.variants
        for check in [variant.scenario.document.checks[number]]
    )


def _judged(sweep: Sweep, variant: Variant, check: Check) -> Claim:
    least, most = (
        None if bound is None else parse_bound(check.measure, bound) for bound in (check.at_least, check.at_most)
    )
    values = [
        value
        for seed, value in zip(sweep.seeds, sweep.values(variant, check.measure, check.of), strict=True)
        if (variant.number, seed) in sweep.results
    ]
    held = sum(
        value is not None and (least is None or value >= least) and (most is None or value <= most)
        for value in values
    )
    return Claim(Finding(check.measure, check.of, least, most, None, False).claim, variant, held, len(values))
