"""`netsim reach`: the matrix of all sources against all ways into all Services, at an instant."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netsim.cli.instant import duration, stopped

if TYPE_CHECKING:
    from netsim.dataplane.matrix import Cell

HEADER = ("source", "way", "reach", "share", "why")
Key = tuple[str, str]


@click.command("reach")
@click.argument("scenario", type=click.Path())
@click.option("--at", callback=duration, metavar="TIME", help="When, such as 35s. Default: the scenario's end.")
@click.option(
    "--expect", type=click.Path(), default=None, metavar="FILE", help="Compare with a saved -o csv."
)
@click.option("--seed", type=int, default=None, help="Another seed than the scenario's.")
@click.option("-o", "--output", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True)
def command(scenario: str, at: int | None, expect: str | None, seed: int | None, output: str) -> int:
    """Show who can reach whom at an instant: `.` all new connections, `X` none, `/` some, and why.

    With --expect FILE, a table saved by `-o csv`, print only what differs; the exit code is then 1.
    """
    from netsim.dataplane.matrix import matrix

    wanted = None if expect is None else _expected(Path(expect))
    simulation = stopped(scenario, at, seed)
    rows = matrix(simulation.forwarding, simulation.store.list("Service"))
    if wanted is not None:
        differences = list(compared(wanted, {(c.source, c.way): c.sign for row in rows for c in row}))
        click.echo("\n".join(differences) if differences else "as expected")
        return 1 if differences else 0
    click.echo({"text": as_text, "csv": as_csv, "json": as_json}[output](rows), nl=False)
    return 0


def as_text(rows: list[list[Cell]]) -> str:
    """The matrix with numbered columns, and below it what the numbers and the signs mean."""
    ways = [cell.way for cell in rows[0]]
    width = max(len(row[0].source) for row in rows)
    lines = [f"{'':{width}}  {' '.join(f'{i + 1:>2}' for i in range(len(ways)))}"]
    lines += [f"{row[0].source:{width}}  {' '.join(f'{cell.sign:>2}' for cell in row)}" for row in rows]
    lines += ["", *(f"{i + 1:>2}  {way}" for i, way in enumerate(ways))]
    return "\n".join([*lines, *_why(rows)]) + "\n"


def _why(rows: list[list[Cell]]) -> Iterator[str]:
    """Why cells are not `.`: those that fare alike are told together."""
    alike: dict[tuple[str, str, float, tuple[str, ...]], list[str]] = {}
    for cell in (cell for row in rows for cell in row if cell.reasons):
        alike.setdefault((cell.sign, cell.way, float(cell.share), cell.reasons), []).append(cell.source)
    for (sign, way, share, reasons), sources in alike.items():
        who = sources[0] if len(sources) == 1 else f"{len(sources)} sources ({sources[0]}, ...)"
        yield ""
        yield f"{sign} {way}, from {who}: {share:.4g} of new connections answered"
        yield from (f"    {reason}" for reason in reasons)


def as_csv(rows: list[list[Cell]]) -> str:
    """One line a cell; what `--expect` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for cell in (cell for row in rows for cell in row):
        share = f"{float(cell.share):.6g}"
        writer.writerow((cell.source, cell.way, cell.sign, share, "; ".join(cell.reasons)))
    return text.getvalue()


def as_json(rows: list[list[Cell]]) -> str:
    """The same for machines."""
    cells = [
        {"source": c.source, "way": c.way, "reach": c.sign, "share": float(c.share), "why": list(c.reasons)}
        for row in rows
        for c in row
    ]
    return json.dumps(cells, indent=2) + "\n"


def compared(wanted: dict[Key, str], found: dict[Key, str]) -> Iterator[str]:
    """What is not as it was expected: cells that differ, are missing, or are new."""
    for key in {**wanted, **found}:
        then, now = wanted.get(key, "not there"), found.get(key, "not there")
        if then != now:
            yield f"{key[0]} -> {key[1]}: expected {then}, found {now}"


def _expected(path: Path) -> dict[Key, str]:
    from netsim.errors import Place, Problem, ScenarioError

    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(Problem(f"{path} cannot be read: {error}")) from None
    if not rows or tuple(rows[0][:3]) != HEADER[:3]:
        hint = f"write one with: netsim reach SCENARIO -o csv > {path}"
        raise ScenarioError(Problem("this is not a saved matrix", Place(str(path), 1, 1), hint))
    for number, row in enumerate(rows[1:], 2):
        if len(row) < 3 or row[2] not in (".", "X", "/"):
            raise ScenarioError(
                Problem("a line is source,way,reach; reach is one of . X /", Place(str(path), number, 1))
            )
    return {(row[0], row[1]): row[2] for row in rows[1:]}
