"""All that can be measured of a run: every measure of every traffic source and fault, in a fixed order.

This is what runs are compared by. A measure of all sources together bears no name, and is there only where
there are several. A value is in its measure's own unit (nanoseconds, a share, a count, times per second);
None says that there is none, such as the moment of something that never came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.report.checks import MEASURES, Value
from netsim.scenario.measures import MEASURES as KNOWN
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.run import Run


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure, of whom it was taken, and what was found."""

    measure: str
    of: str
    value: Value

    def data(self) -> dict[str, Any]:
        """The same as `summary.json` holds it: durations in seconds."""
        unit = KNOWN[self.measure].unit
        return {"measure": self.measure, "of": self.of, "unit": unit, "value": natural(self.measure, self.value)}


def natural(measure: str, value: Value) -> Value:
    """A value as tables show it: a duration in seconds, everything else as it is.

    >>> natural("p99", 40_000_000), natural("success", 0.5), natural("detected", None)
    (0.04, 0.5, None)
    """
    return None if value is None else in_table(measure, value)


def in_table(measure: str, value: int | float) -> int | float:
    """The same of a value that is there."""
    return value / S if KNOWN[measure].unit == "duration" else value


def measured(run: Run) -> tuple[Measured, ...]:
    """Every measure of a run: of its sources, one after the other, of all together, then of its faults."""
    sources = list(run.recording.sources)
    subjects = [*sources, ""] if len(sources) > 1 else sources
    faults = [fault.name for fault in run.scenario.document.faults]
    return tuple(
        Measured(name, subject, MEASURES[name](run, subject))
        for kind, names in (("source", subjects), ("fault", faults))
        for subject in names
        for name, measure in KNOWN.items()
        if measure.of == kind
    )
