"""What `netsim sweep` prints: for each measure of interest the variants, their means, and the differences.

Plain text of a given width. Colour is the caller's, as for a run (`netsim.report.terminal`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from netsim.report import wording
from netsim.report.measured import in_table
from netsim.report.terminal import plain, printable
from netsim.scenario.measures import MEASURES
from netsim.sweep.estimates import Estimate, quantile
from netsim.sweep.plan import Key
from netsim.sweep.summary import lost
from netsim.sweep.tables import average, difference
from netsim.units import S

if TYPE_CHECKING:
    from netsim.sweep.grid import Variant
    from netsim.sweep.sweep import Sweep

Paint = Callable[[str, str], str]
_USUAL = ("success", "p99")  # of each source, where the scenario has no checks
_LISTED = 5  # lost runs
_HEADING = ("variant", "runs", "mean", "95 % interval", "q10 to q90", "from baseline", "95 % interval")
_SPREAD = 4  # the column that goes where there is no room


def report(sweep: Sweep, width: int = 80, paint: Paint = plain, measures: Sequence[Key] = ()) -> str:
    """Everything about a sweep, or of its measures only those that are listed."""
    width = max(width, 60)
    parts = [_header(sweep, width, paint)]
    parts += [_measure(sweep, key, width, paint) for key in (measures or interesting(sweep))]
    parts += [_claims(sweep, paint), _losses(sweep, paint)]
    return "\n".join(line.rstrip() for part in parts for line in part) + "\n"


def interesting(sweep: Sweep) -> list[Key]:
    """The measures that the scenario makes claims of, or else the usual ones."""
    keys = [sweep.key(check.measure, check.of) for check in sweep.scenario.document.checks]
    usual = [key for key in sweep.measures if key[0] in _USUAL]
    return list(dict.fromkeys(keys or sorted(usual, key=lambda key: _USUAL.index(key[0]))))


def _header(sweep: Sweep, width: int, paint: Paint) -> Iterator[str]:
    metadata = sweep.scenario.document.metadata
    yield from (paint(line, "title") for line in textwrap.wrap(printable(metadata.title) or metadata.name, width))
    yield from (paint(line, "dim") for line in textwrap.wrap(printable(metadata.question), width))
    planned = len(sweep.variants) * len(sweep.seeds)
    many = [wording.count(len(sweep.variants), "variant"), wording.count(len(sweep.seeds), "seed")]
    yield paint(f"{metadata.name}: {many[0]} × {many[1]} = {wording.count(planned, 'run')}", "dim")
    if len(sweep.results) < planned:
        why = "Interrupted" if sweep.partial else "Not all went well"
        yield paint(f"{why}: {wording.count(len(sweep.results), 'run')} of {planned:,} finished.", "warn")


def _measure(sweep: Sweep, key: Key, width: int, paint: Paint) -> Iterator[str]:
    """One measure: a variant a line."""
    measure, of = key
    yield from ("", paint(f"{measure} of {of}" if of else measure, "heading"))
    rows = [_HEADING, *(_row(sweep, variant, *key) for variant in sweep.variants)]
    kept = [at for at in range(len(_HEADING)) if any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in kept}
    if sum(widths.values()) + 2 * len(widths) > width and _SPREAD in widths:
        del widths[_SPREAD]
    for at, row in enumerate(rows):
        cells = [f"{row[i]:<{room}}" if not i else f"{row[i]:>{room}}" for i, room in widths.items()]
        certain = at and difference(sweep, sweep.variants[at - 1], *key).certain
        yield "  " + paint("  ".join(cells), "dim" if not at else "title" if certain else "plain")


def _row(sweep: Sweep, variant: Variant, measure: str, of: str) -> tuple[str, ...]:
    """A variant's cells; the number of runs is said only where some have no value."""
    values = [in_table(measure, v) for v in sweep.values(variant, measure, of) if v is not None]
    told = average(sweep, variant, measure, of)
    spread = [shown(measure, quantile(values, percent)) for percent in (10, 90)]
    row = (
        printable(variant.name),
        "" if len(values) == len(sweep.seeds) else f"{told.count:,}",
        shown(measure, told.mean),
        _interval(measure, told),
        f"{spread[0]} to {spread[1]}" if values else wording.NOTHING,
    )
    if all(sweep.baseline_of(each) is None for each in sweep.variants):
        return (*row, "", "")
    if sweep.baseline_of(variant) is None:
        return (*row, "baseline", "")
    against = difference(sweep, variant, measure, of)
    return (*row, shown(measure, against.mean, signed=True), _interval(measure, against, signed=True))


def _interval(measure: str, told: Estimate, *, signed: bool = False) -> str:
    if told.low is None or told.high is None:
        return wording.NOTHING
    return f"{shown(measure, told.low, signed=signed)} to {shown(measure, told.high, signed=signed)}"


def shown(measure: str, value: float | None, *, signed: bool = False) -> str:
    """A number of a table for people: with its unit, and with its sign if it is a difference.

    The difference of two shares is in percentage points (pp).

    >>> shown("p99", 0.0234), shown("success", 0.95041), shown("failed", 4.3333), shown("failed", 4.0)
    ('23.4 ms', '95.041 %', '4.33', '4')
    >>> shown("success", -0.00012, signed=True), shown("p50", 0.0, signed=True), shown("p50", None)
    ('-0.012 pp', '0', '-')
    """
    if value is None:
        return wording.NOTHING
    unit = MEASURES[measure].unit
    size = abs(value)
    text = {
        "duration": lambda: wording.duration(round(size * S)),
        "share": lambda: f"{size * 100:.3f} {'pp' if signed else '%'}",
        "rate": lambda: f"{wording.digits(size)}/s",
        "count": lambda: f"{size:,.0f}" if size == int(size) else wording.digits(size),
    }[unit]()
    if not value:
        return "0" if signed else text
    return f"-{text}" if value < 0 else f"+{text}" if signed else text


def _claims(sweep: Sweep, paint: Paint) -> Iterator[str]:
    """The checks: in how many runs of all variants each held; where it did not, of which."""
    found = sweep.claims()
    if not found:
        return
    yield from ("", paint("Checks", "heading"))
    room = max(len(claim.claim) for claim in found)
    for words in dict.fromkeys(claim.claim for claim in found):
        these = [claim for claim in found if claim.claim == words]
        held, runs = sum(claim.held for claim in these), sum(claim.runs for claim in these)
        mark, role = ("✓", "good") if 0 < held == runs else ("✗", "bad") if runs else ("-", "dim")
        many = f"in {held:,} of {wording.count(runs, 'run')}"
        yield f"  {paint(mark, role)} {words:<{room}}   {paint(many, role)}"
        broken = [claim for claim in these if claim.held < claim.runs and len(these) > 1]
        yield from (f"      {printable(c.variant.name)}: in {c.held:,} of {c.runs:,}" for c in broken)


def _losses(sweep: Sweep, paint: Paint) -> Iterator[str]:
    gone = lost(sweep)
    if gone:
        yield from ("", paint("Lost", "heading"))
    for loss in gone[:_LISTED]:
        label = printable(sweep.variants[loss["variant"]].name)
        yield "  " + paint(f"{label}, seed {loss['seed']}: {printable(loss['reason'])}", "bad")
    if len(gone) > _LISTED:
        yield paint(f"  and {len(gone) - _LISTED} more", "dim")
