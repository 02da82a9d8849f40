"""`netsim run`: run a scenario, print what happened, write its folder, and say whether its claims hold.

What was asked for goes to standard output, all else (progress, where the results are, notes) to standard
error. The exit code is 1 if a check failed. Interrupted, it reports and writes what there is so far, marked
as partial, and ends with 130.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netsim.front import Scenario
    from netsim.report.keeping import Wish
    from netsim.report.run import Run
    from netsim.report.writing import Format, Writer

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
@click.option("--requests", default="all", show_default=True, metavar="WHICH",
              help="What to keep of the table of requests: all, sample:N or none; all else is the same.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True,
              help="How that table is written; parquet needs pyarrow.")  # fmt: skip
@click.option("--engine", type=click.Choice(["auto", "plain", "compiled"]), default="auto", show_default=True,
              help="What moves packets; the results are the same.")  # fmt: skip
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
    requests: str,
    form: Any,
    engine: Any,
    quiet: bool,
) -> None:
    """Run the scenario in FILE.

    Prints the timeline, what each traffic source saw, when it could not reach its target, and the checks.
    Writes tables, a figure and a summary to results/SCENARIO/SEED/; the table of requests while the run goes on,
    so that it may be longer than memory. Exits with 1 if a check fails.
    """
    from netsim.front import load
    from netsim.report.folder import fill, opened, place_of

    began, clock = time.time(), time.perf_counter()
    stop, keep = _time(until), _wish(requests, output)
    scenario = load(file)
    loaded = time.perf_counter()
    results, seed = Path(out), scenario.document.seed if seed is None else seed
    with nullcontext(None) if no_save else opened(results, scenario.name, seed) as folder:
        with _bar(scenario.document.duration if stop is None else stop, quiet) as progress:
            run = _run(scenario, seed, stop, progress, engine, keep, _tables(folder, form, keep, output))
        simulated = time.perf_counter()
        with suppress(BrokenPipeError):  # nobody reads on: the results are written all the same
            _print(run, output, quiet)
        if folder is not None:
            seconds = {"load": loaded - clock, "simulate": simulated - loaded}
            told = {"command": sys.argv, "started": _utc(began), "requests": requests, "seconds": _rounded(seconds)}
            fill(run, folder, told)
    if not (no_save or quiet):
        place = place_of(results, scenario.name, seed)
        click.echo(f"\nResults are in {place}{'' if not run.partial else ' (partial)'}", err=True)
    context.exit(130 if run.partial else 0 if run.passed else 1)


def _wish(requests: str, output: str | None) -> Wish:
    from netsim.report.keeping import wished

    try:
        wish = wished(requests)
    except ValueError as error:
        raise click.UsageError(f"--requests: {error}") from None
    if wish.kind == "none" and output == "csv":
        raise click.UsageError("-o csv prints the table of requests, of which --requests none keeps nothing")
    return wish


@contextmanager
def _tables(folder: Path | None, form: Format, keep: Wish, output: str | None) -> Iterator[list[Writer]]:
    """Whoever writes the table of requests: into the folder, onto standard output, or both."""
    from netsim.report.writing import CsvWriter, writer

    with ExitStack() as stack:
        writers: list[Writer] = []
        if folder is not None and keep.kind != "none":
            writers.append(stack.enter_context(writer(folder, form)))
        if output == "csv":
            writers.append(CsvWriter(sys.stdout.buffer))
        yield writers


def _run(
    scenario: Scenario, seed: int, stop: int | None, progress: Progress | None, engine: Any, keep: Wish,
    tables: AbstractContextManager[list[Writer]],
) -> Run:  # fmt: skip
    """Run it. The whole table is written while it goes on, and never in memory; a sample of it afterwards."""
    from netsim.report.execute import execute
    from netsim.report.keeping import Wish

    with tables as writers:
        whole = keep.kind == "all"
        writing = [writer.take for writer in writers] if whole else []
        run = execute(scenario, seed, stop, progress, engine=engine, keep=Wish("none") if whole else keep,
                      writers=writing)  # fmt: skip
        for writer in () if whole else writers:
            writer.take(run.recording)
    return run


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
    from netsim.scenario.doubts import doubts

    if output == "json":
        click.echo(as_json(run.summary()), nl=False)
    elif output == "yaml":
        from netsim.scenario.resolved import to_yaml

        click.echo(to_yaml(run.summary()), nl=False)
    elif output == "csv":  # written while the run went on
        return
    elif quiet:
        for line in claims(run, paint=_painter(), only_failed=True):
            click.echo(line)
    else:
        click.echo(report(run, _width(), _painter(), wide=output == "wide"), nl=False)
        for line in run.recording.ignored:
            click.echo(f"ignored: {line}", err=True)
        for line in doubts(run.scenario):
            click.echo(f"doubtful: {line}", err=True)


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
    bar: Any = None

    def progress(now: int, requests: int) -> None:
        nonlocal bar
        if bar is None:  # until here it was getting ready, which says nothing of how long the rest will take
            bar = tqdm(total=duration / S, initial=now / S, delay=PATIENCE, leave=False, file=sys.stderr,
                       bar_format=form)  # fmt: skip
        bar.set_postfix_str(f"{requests:,} requests", refresh=False)
        bar.update(now / S - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in seconds.items()}
