"""`netsim run`: run a scenario, print what happened, write its folder, and say whether its claims hold.

What was asked for goes to standard output, all else (progress, where the results are, notes) to standard
error. The exit code is 1 if a check failed. Interrupted, it reports and writes what there is so far, marked
as partial, and ends with 130.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netsim.report.run import Run

PATIENCE = 1.0  # seconds until a progress bar is worth showing
COLOURS: dict[str, dict[str, Any]] = {
    "title": {"bold": True},
    "heading": {"bold": True, "underline": True},
    "dim": {"dim": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "rules": {"fg": "cyan"},
}
Progress = Callable[[int, int], None]


@click.command("run")
@click.argument("file", type=click.Path())
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Another seed than the scenario's.")
@click.option("--until", metavar="TIME", help="Stop at this time of the run, such as 90s.")
@click.option("--out", default="results", show_default=True, metavar="DIR", help="Where results are written.")
@click.option("--no-save", is_flag=True, help="Write no results.")
@click.option("-o", "--output", type=click.Choice(["json", "yaml", "wide", "csv"]),
              help="json, yaml: the summary; csv: the table of requests; wide: more detail.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print only checks that fail.")
@click.pass_context
def command(
    context: click.Context,
    file: str,
    seed: int | None,
    until: str | None,
    out: str,
    no_save: bool,
    output: str | None,
    quiet: bool,
) -> None:
    """Run the scenario in FILE.

    Prints the timeline, what each traffic source saw, when it could not reach its target, and the checks.
    Writes tables, a figure and a summary to results/SCENARIO/SEED/. Exits with 1 if a check fails.
    """
    from netsim.front import load

    began, clock = time.time(), time.perf_counter()
    stop = _time(until)
    scenario = load(file)
    loaded = time.perf_counter()
    with _bar(scenario.document.duration if stop is None else stop, quiet) as progress:
        run = scenario.run(seed, stop, progress)
    simulated = time.perf_counter()
    with suppress(BrokenPipeError):  # nobody reads on: the results are written all the same
        _print(run, output, quiet)
    if not no_save:
        seconds = {"load": loaded - clock, "simulate": simulated - loaded}
        told = {"command": sys.argv, "started": _utc(began), "seconds": _rounded(seconds)}
        place = run.save(out, **told)
        if not quiet:
            click.echo(f"\nResults are in {place}{'' if not run.partial else ' (partial)'}", err=True)
    context.exit(130 if run.partial else 0 if run.passed else 1)


def _time(text: str | None) -> int | None:
    from netsim.units import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.UsageError(f"--until: {error}") from None


def _print(run: Run, output: str | None, quiet: bool) -> None:
    """What was asked for, on standard output."""
    from netsim.report.folder import as_json
    from netsim.report.terminal import claims, report

    if output == "json":
        click.echo(as_json(run.summary()), nl=False)
    elif output == "yaml":
        from netsim.scenario.resolved import to_yaml

        click.echo(to_yaml(run.summary()), nl=False)
    elif output == "csv":
        for chunk in run.table("requests").chunks():
            click.echo(chunk, nl=False)
    elif quiet:
        for line in claims(run, paint=_painter(), only_failed=True):
            click.echo(line)
    else:
        click.echo(report(run, _width(), _painter(), wide=output == "wide"), nl=False)
        for line in run.recording.ignored:
            click.echo(f"ignored: {line}", err=True)


def _painter() -> Callable[[str, str], str]:
    """Colours on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    import os

    from netsim.report.terminal import plain

    if os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return plain
    return lambda text, role: click.style(text, **COLOURS.get(role, {})) if text else text


def _width() -> int:
    import shutil

    return min(shutil.get_terminal_size((80, 24)).columns, 120)


@contextmanager
def _bar(duration: int, quiet: bool) -> Iterator[Progress | None]:
    """A bar of simulated time on standard error: only on a terminal, and only if the run takes a while."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    from netsim.units import S

    form = "{percentage:3.0f}% |{bar:30}| {n:.0f} of {total:.0f} s simulated{postfix}, {remaining} left"
    with tqdm(total=duration / S, delay=PATIENCE, leave=False, file=sys.stderr, bar_format=form) as bar:

        def progress(now: int, requests: int) -> None:
            bar.set_postfix_str(f"{requests:,} requests", refresh=False)
            bar.update(now / S - bar.n)

        yield progress


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in seconds.items()}
