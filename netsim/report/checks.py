"""What a scenario claims of its run, and whether it holds.

A check names a measure and its bounds. A measure without a value (no request went well, so there is no p99;
the fault was never detected) meets no bound. The names and units of the measures are the scenario's
(`netsim.scenario.measures`); how each is computed is here and in `moments.py`: one function a measure.

`outage` and `availability` are by the rules (`reachability.py`): a time in which a source could not reach its
target counts whether or not it tried; one whose pod never ran has neither. Requests that the end of the run cut off
have not failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from netsim.report import wording
from netsim.report.moments import MOMENTS, aftermath
from netsim.scenario.measures import MEASURES as KNOWN
from netsim.scenario.measures import Unit, format_bound, parse_bound
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.run import Run
    from netsim.scenario.model import Check

Value = float | int | None
_UNANSWERED = ("timeout", "host-unreachable", "net-unreachable")


@dataclass(frozen=True)
class Finding:
    """A check, what was found, and whether that is within its bounds."""

    measure: str
    of: str
    at_least: Value
    at_most: Value
    value: Value
    passed: bool
    nothing: str = "never"  # what is said where there is no value

    @property
    def claim(self) -> str:
        """The check in words."""
        whose = f" of {self.of}" if self.of else ""
        bounds = [
            f"{sign} {format_bound(self.measure, bound)}"
            for sign, bound in (("≥", self.at_least), ("≤", self.at_most))
            if bound is not None
        ]
        return f"{self.measure}{whose} {' and '.join(bounds)}"

    @property
    def found(self) -> str:
        """The value in words."""
        return self.nothing if self.value is None else _WORDS[KNOWN[self.measure].unit](self.value)

    def data(self) -> dict[str, Any]:
        """The finding as `summary.json` holds it: durations in seconds, shares from 0 to 1."""
        unit = KNOWN[self.measure].unit
        bounds = {"at_least": self.at_least, "at_most": self.at_most, "value": self.value}
        shown = {name: number / S if unit == "duration" and number is not None else number
                 for name, number in bounds.items()}  # fmt: skip
        return {"measure": self.measure, "of": self.of, "unit": unit, **shown, "passed": self.passed}


_WORDS: dict[Unit, Callable[[Any], str]] = {
    "share": wording.share,
    "count": wording.count,
    "duration": wording.duration,
    "rate": lambda rate: f"{wording.digits(rate)}/s",
}


def judge(run: Run, check: Check) -> Finding:
    """Take the measure and compare it with its bounds."""
    least, most = (
        None if bound is None else parse_bound(check.measure, bound)
        for bound in (check.at_least, check.at_most)
    )
    value = MEASURES[check.measure](run, check.of)
    passed = value is not None and (least is None or value >= least) and (most is None or value <= most)
    return Finding(check.measure, check.of, least, most, value, passed, _nothing(run, check))


def _nothing(run: Run, check: Check) -> str:
    """What a measure without a value means."""
    silent = KNOWN[check.measure].of == "source" and not run.statistics(check.of).requests
    return "no requests" if silent else "never"


def _outcomes(run: Run, source: str, names: tuple[str, ...]) -> int:
    return sum(failure.count for failure in run.statistics(source).failures if failure.outcome in names)


def _percentile(percent: int, run: Run, source: str) -> Value:
    return run.statistics(source).percentiles[percent]


def _rate(run: Run, source: str) -> Value:
    """Requests that ended ok, per second of the time in which the source was active."""
    first, last = run.active(source)
    return run.statistics(source).ok * S / (last - first) if last > first else None


def _outage(run: Run, source: str) -> Value:
    if source in run.recording.absent:
        return None
    return max((end - begin for begin, end in run.outages(source)), default=0)


def _availability(run: Run, source: str) -> Value:
    """The part of the run outside the source's outages; of all together, outside anybody's."""
    if source in run.recording.absent:
        return None
    covered, reached = 0, 0
    for begin, end in sorted(run.outages(source)):
        covered += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return 1 - covered / run.ended if run.ended else None


def _moment(name: str, run: Run, fault: str) -> Value:
    """A moment after one fault; without a name, the latest of any."""
    names = [fault] if fault else [fault.name for fault in run.scenario.document.faults]
    found = [MOMENTS[name](aftermath(run.recording, run.digest, each)) for each in names]
    known = [value for value in found if value is not None]
    return max(known) if known and len(known) == len(found) else None


def _length(name: str, run: Run, fault: str) -> Value:
    """One of the four times of an incident: the longest of all strokes of a fault, or of all faults."""
    found = [getattr(stroke, name) for stroke in run.strokes if fault in ("", stroke.fault)]
    known = [value for value in found if value is not None]
    return max(known) if known and len(known) == len(found) else None


MEASURES: dict[str, Callable[[Run, str], Value]] = {
    "success": lambda run, source: run.statistics(source).success,
    "availability": _availability,
    "requests": lambda run, source: run.statistics(source).requests,
    "failed": lambda run, source: run.statistics(source).failed,
    "refused": lambda run, source: _outcomes(run, source, ("refused",)),
    "timeouts": lambda run, source: _outcomes(run, source, ("timeout",)),
    "resets": lambda run, source: _outcomes(run, source, ("reset",)),
    "lost": lambda run, source: _outcomes(run, source, _UNANSWERED),
    "rate": _rate,
    "mean": lambda run, source: run.statistics(source).mean,
    "p50": partial(_percentile, 50),
    "p90": partial(_percentile, 90),
    "p99": partial(_percentile, 99),
    "max": lambda run, source: run.statistics(source).most,
    "outage": _outage,
    **{name: partial(_moment, name) for name in MOMENTS},
    "reaction": partial(_length, "reaction"),
    "repair": partial(_length, "repair"),
    "recovery": partial(_length, "recovery"),
    "downtime": partial(_length, "outage"),
}
"""How each measure is taken of a run, and of one of its sources or faults."""
