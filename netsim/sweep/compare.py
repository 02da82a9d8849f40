"""Two runs, or two sweeps, side by side: of each measure the difference, B minus A, and its interval.

What is compared is what their folders say. Variants are matched by their settings. Runs under seeds that both
sweeps have are taken in pairs, which is right however the scenarios differ, since chance has names; where they
share fewer than two seeds, the means are compared as those of independent runs (Welch). Two single runs have
no interval: one run says nothing of how much others would differ.

Files are read as JSON and CSV, and only as that.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netsim.errors import Problem, ScenarioError
from netsim.report.tables import Table, integers, numbers, texts
from netsim.report.terminal import plain, printable
from netsim.scenario.measures import MEASURES
from netsim.sweep.estimates import Estimate, estimate, paired, unpaired
from netsim.sweep.summary import KIND
from netsim.sweep.terminal import shown

Settings = tuple[tuple[str, str], ...]
Key = tuple[Settings, str, str]  # variant, measure, of whom
Values = dict[int, float | None]  # by seed
Paint = Callable[[str, str], str]


@dataclass(frozen=True)
class Found:
    """What a folder says: whether it is a run or a sweep, and every measure by seed."""

    kind: str
    scenario: str
    values: dict[Key, Values]


@dataclass(frozen=True)
class Row:
    """One measure of one variant in both; None where one of them has none."""

    key: Key
    a: Estimate
    b: Estimate
    difference: Estimate
    paired: bool
    equal: bool


@dataclass(frozen=True)
class Comparison:
    """All measures of two runs or two sweeps."""

    kind: str
    rows: tuple[Row, ...]
    alone: Mapping[Settings, str] = field(default_factory=dict)  # variants that only one has: "A" or "B"

    def differing_rows(self, certain: bool = False) -> tuple[Row, ...]:
        """The measures that are not the same; of these perhaps only those of which one can be certain."""
        return tuple(row for row in self.rows if not row.equal and (row.difference.certain or not certain))

    def differing(self, certain: bool = False) -> bool:
        """Whether anything is not the same."""
        return bool(self.differing_rows(certain))

    def data(self, rows: Sequence[Row], certain: bool = False) -> dict[str, Any]:
        """The comparison as plain data, of its measures only some."""
        told = [
            {
                "settings": dict(settings), "measure": measure, "of": of, "unit": MEASURES[measure].unit,
                "a": row.a.mean, "b": row.b.mean, "difference": row.difference.mean,
                "low": row.difference.low, "high": row.difference.high,
                "runs": row.difference.count, "paired": row.paired, "equal": row.equal,
            }
            for row in rows
            for settings, measure, of in [row.key]
        ]  # fmt: skip
        return {"kind": self.kind, "differ": self.differing(certain), "measures": told}


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Read two folders and compare them; ScenarioError says which of them is not what it should be."""
    one, other = read(Path(a)), read(Path(b))
    if one.kind != other.kind:
        raise ScenarioError(Problem(f"{a} is a {one.kind} and {b} is a {other.kind}", hint="compare like with like"))
    keys = dict.fromkeys([*one.values, *other.values])
    rows = tuple(_row(key, one.values.get(key, {}), other.values.get(key, {})) for key in keys)
    return Comparison(one.kind, rows, _alone(one, other))


def _alone(one: Found, other: Found) -> dict[Settings, str]:
    """The variants that only one of two has, and which of them."""
    first, second = (dict.fromkeys(key[0] for key in found.values) for found in (one, other))
    only = {settings: "A" for settings in first if settings not in second}
    return only | {settings: "B" for settings in second if settings not in first}


def _row(key: Key, a: Values, b: Values) -> Row:
    """One measure. Where runs make pairs, only those are looked at: seeds that one has alone say nothing."""
    shared = [seed for seed in a if seed in b]
    alone = len(a) <= 1 and len(b) <= 1
    if len(shared) >= 2 or (alone and shared):
        one, other = [a[seed] for seed in shared], [b[seed] for seed in shared]
        difference, in_pairs = paired(other, one), True
    else:
        one, other = list(a.values()), list(b.values())
        difference, in_pairs = unpaired(_known_only(other), _known_only(one)), False
    return Row(key, estimate(_known_only(one)), estimate(_known_only(other)), difference, in_pairs, one == other)


def _known_only(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


# reading ----------------------------------------------------------------------------------------------


def read(folder: Path) -> Found:
    """What a run's or a sweep's folder says."""
    if not folder.is_dir():
        raise ScenarioError(Problem(f"there is no folder {folder}", hint="give one that netsim run or sweep wrote"))
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        if summary.get("kind") == KIND:
            return Found("sweep", summary["scenario"], _sweep_values(folder, summary))
        return Found("run", summary["scenario"], _run_values(summary))
    except FileNotFoundError as error:
        hint = "it is not a folder that netsim run or sweep has finished"
        raise ScenarioError(Problem(f"there is no {Path(error.filename).name} in {folder}", hint=hint)) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        words = f"{type(error).__name__}: {error}"
        raise ScenarioError(Problem(f"the results in {folder} cannot be read", hint=words)) from None


def _run_values(summary: dict[str, Any]) -> dict[Key, Values]:
    seed = int(summary["seed"])
    return {
        ((), _known(each["measure"]), str(each["of"])): {seed: _number(each["value"])}
        for each in summary["measures"]
    }


def _sweep_values(folder: Path, summary: dict[str, Any]) -> dict[Key, Values]:
    paths: list[str] = summary["paths"]
    found: dict[Key, Values] = {}
    with open(folder / "runs.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            settings = tuple((path, row[path]) for path in paths)
            key = (settings, _known(row["measure"]), row["of"])
            found.setdefault(key, {})[int(row["seed"])] = _number(row["value"] or None)
    return found


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"there is no measure {measure!r}")
    return measure


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


# telling ----------------------------------------------------------------------------------------------


def lines(comparison: Comparison, rows: Sequence[Row], paint: Paint = plain) -> Iterator[str]:
    """The comparison for people, variant by variant; those that only one of the two has in a line each."""
    groups = dict.fromkeys(row.key[0] for row in rows)
    for settings in groups:
        if settings in comparison.alone:
            continue
        if settings:
            yield paint(_named(settings), "heading")
        heading = ("measure", "of", "A", "B", "B - A", "95 % interval")
        these = [row for row in rows if row.key[0] == settings]
        cells = [heading, *(_cells(row) for row in these)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(heading))]
        for at, row in enumerate(cells):
            left = [f"{cell:<{room}}" for cell, room in zip(row[:2], widths[:2], strict=True)]
            right = [f"{cell:>{room}}" for cell, room in zip(row[2:], widths[2:], strict=True)]
            certain = at and these[at - 1].difference.certain
            role = "dim" if not at else "title" if certain else "plain"
            yield paint("  " + "  ".join([*left, *right]).rstrip(), role)


    for settings in groups:
        if settings in comparison.alone:
            yield paint(f"only in {comparison.alone[settings]}: {_named(settings) or 'nothing varied'}", "heading")


def _named(settings: Settings) -> str:
    return printable(", ".join(f"{path}={text}" for path, text in settings))


def _cells(row: Row) -> tuple[str, ...]:
    _, measure, of = row.key
    told = row.difference
    low, high = (shown(measure, end, signed=True) for end in (told.low, told.high))
    interval = "-" if told.low is None else f"{low} to {high}"
    values = (shown(measure, row.a.mean), shown(measure, row.b.mean), shown(measure, told.mean, signed=True))
    return measure, printable(of), *values, interval


def table(comparison: Comparison, rows: Sequence[Row]) -> Table:
    """The comparison as a table."""
    paths = list(dict.fromkeys(path for row in comparison.rows for path, _ in row.key[0]))
    return Table(
        "compare",
        "What differs between two runs or sweeps: B minus A.",
        (
            *(texts(path, "what it was set to", [dict(row.key[0]).get(path, "") for row in rows]) for path in paths),
            texts("measure", "what was measured", [row.key[1] for row in rows]),
            texts("of", "of which traffic source or fault", [row.key[2] for row in rows]),
            texts("unit", "in which unit", [MEASURES[row.key[1]].unit for row in rows]),
            numbers("a", "the mean in A", [row.a.mean for row in rows]),
            numbers("b", "the mean in B", [row.b.mean for row in rows]),
            numbers("difference", "the mean difference", [row.difference.mean for row in rows]),
            numbers("low", "the lower end of its 95 % interval", [row.difference.low for row in rows]),
            numbers("high", "the upper end of its 95 % interval", [row.difference.high for row in rows]),
            integers("runs", "pairs of runs, or the fewer runs of the two", [row.difference.count for row in rows]),
        ),
    )
