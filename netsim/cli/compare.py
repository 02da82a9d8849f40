"""`netsim compare`: what differs between two runs, or between two sweeps."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netsim.sweep.compare import Comparison


@click.command("compare")
@click.argument("a", metavar="RUN_A", type=click.Path())
@click.argument("b", metavar="RUN_B", type=click.Path())
@click.option("--certain", is_flag=True, help="Only differences whose 95 % interval does not include 0.")
@click.option("--all", "everything", is_flag=True, help="Print what is equal, too.")
@click.option("-o", "--output", type=click.Choice(["json", "csv"]), help="Print it as data.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
@click.pass_context
def command(
    context: click.Context, a: str, b: str, certain: bool, everything: bool, output: str | None, quiet: bool
) -> None:
    """Compare two folders that `netsim run` or `netsim sweep` wrote, measure by measure: B minus A.

    Of two sweeps, runs under the same seeds are taken in pairs; under different seeds, means are compared. Two
    single runs have a difference, but no interval. Like `kubectl diff`, it exits with 0 if nothing differs,
    with 1 if something does.
    """
    from netsim.sweep.compare import compare

    found = compare(a, b)
    differing = found.differing(certain)
    if not quiet:
        _print(found, (a, b), certain, everything, output)
    context.exit(1 if differing else 0)


def _print(
    found: Comparison, folders: tuple[str, str], certain: bool, everything: bool, output: str | None
) -> None:
    from netsim.cli.run import _painter
    from netsim.report.folder import as_json
    from netsim.sweep.compare import lines, table

    rows = found.rows if everything else found.differing_rows(certain)
    if output == "json":
        click.echo(as_json(found.data(rows, certain)), nl=False)
    elif output == "csv":
        for chunk in table(found, rows).chunks():
            sys.stdout.write(chunk.decode())
    elif rows:
        paint = _painter()
        for name, folder in zip("AB", folders, strict=True):
            click.echo(paint(f"  {name}  {folder}", "dim"))
        for line in lines(found, rows, paint):
            click.echo(line)
