"""`netsim sweep`: run a scenario in many variants under many seeds, and say what differs.

What was asked for goes to standard output, all else to standard error, as with `netsim run`. Finished runs are
kept in the sweep's folder as they come; the same command goes on where an earlier one was interrupted.

Exit codes: 1 if a check failed in any run, as with `netsim run`; 3 if a run was lost (its process died twice,
or netsim made a mistake); 130 if interrupted.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netsim.sweep.sweep import Sweep

PATIENCE = 1.0  # seconds until a progress bar is worth showing
Progress = Callable[[int, int], None]


@click.command("sweep")
@click.argument("file", metavar="SCENARIO", type=click.Path())
@click.option("--vary", "varied", metavar="PATH=A,B,C", multiple=True,
              help="What to vary, such as cluster.proxy.minSyncPeriod=1s,10s or traffic.inside.rate=50/s,500/s; "
                   "several make a grid.")  # fmt: skip
@click.option("--seeds", default="30", show_default=True, metavar="N",
              help="So many seeds from the scenario's own on; or 1..100; or 3,5,8.")  # fmt: skip
@click.option("-j", "--jobs", type=click.IntRange(1), help="How many processes.  [default: one a processor]")
@click.option("--baseline", "baselines", metavar="PATH=A", multiple=True,
              help="Compare with the variant that has this value and is otherwise the same.  "
                   "[default: the first variant]")  # fmt: skip
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True,
              help="Who does the runs: processes of this machine, or a Dask cluster.")  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", help="The Dask scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--measure", "measures", metavar="NAME[:OF]", multiple=True,
              help="Print this measure, such as p99:inside.  [default: those the scenario's checks name]")  # fmt: skip
@click.option("--out", default="results", show_default=True, metavar="DIR", help="Where results are written.")
@click.option("--name", default="sweep", show_default=True, metavar="NAME", help="DIR/SCENARIO/NAME is its folder.")
@click.option("--no-save", is_flag=True, help="Write no results, and use no earlier ones.")
@click.option("-o", "--output", type=click.Choice(["json", "csv"]),
              help="json: the summary; csv: the tidy table, one row a run and measure.")  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but what -o asks for.")
@click.pass_context
def command(context: click.Context, **given: Any) -> None:
    """Run SCENARIO in every variant of a grid, each under the same seeds.

    Prints the mean of each measure with its 95 % interval, and the difference of each variant to the baseline,
    taken seed by seed. Writes tables, a figure and a summary to results/SCENARIO/sweep/; finished runs stay
    there, and are never run again. Exits with 1 if a check failed in any run.
    """
    context.exit(_sweep(**given))


def _sweep(
    file: str, varied: Sequence[str], seeds: str, baselines: Sequence[str], engine: Any, scheduler: str | None,
    jobs: int | None, measures: Sequence[str], out: str, name: str, no_save: bool, output: str | None, quiet: bool,
) -> int:  # fmt: skip
    from netsim.front import load
    from netsim.sweep.axes import parsed
    from netsim.sweep.conduct import conduct
    from netsim.sweep.folder import opened, place_of
    from netsim.sweep.plan import plan

    _coherent(engine, scheduler, jobs)
    _plain_name(name)
    began, clock = time.time(), time.perf_counter()
    scenario = load(file)
    wanted = plan(
        scenario,
        [parsed(text) for text in varied],
        _seeds(seeds),
        [parsed(text, "--baseline") for text in baselines],
    )
    keys = [wanted.key(*_measure(text)) for text in measures]
    told = {"command": sys.argv, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))}
    folder = None if no_save else place_of(scenario, out, name)
    store = None if folder is None else opened(folder, scenario, told)
    with _bar(quiet) as progress:
        done = conduct(wanted, jobs=jobs, engine=engine, scheduler=scheduler, store=store, progress=progress)
    with suppress(BrokenPipeError):
        _print(done, keys, output, quiet)
    if folder is not None:
        done.save(folder, **told, reused=done.reused, seconds=round(time.perf_counter() - clock, 3))
    if not quiet:
        _say_where(done, folder)
    return 130 if done.partial else 3 if done.lost else 0 if done.passed else 1


def _coherent(engine: str, scheduler: str | None, jobs: int | None) -> None:
    if engine == "dask" and not scheduler:
        raise click.UsageError("--engine dask needs --scheduler, such as tcp://10.0.0.1:8786")
    if engine == "dask" and jobs is not None:
        raise click.UsageError("-j is for this machine; how many runs a Dask cluster does at a time is its own affair")
    if engine != "dask" and scheduler:
        raise click.UsageError("--scheduler is for --engine dask")


def _plain_name(name: str) -> None:
    from netsim.report.folder import safe

    if name != safe(name):
        raise click.UsageError(
            f"--name: {name!r} is not one plain folder name; write letters, digits, '.', '_' and '-', "
            f"such as {safe(name)}; another place is for --out"
        )


def _seeds(text: str) -> int | list[int] | range:
    """How many seeds, or which.

    >>> _seeds("30"), _seeds("1..3"), _seeds("3,5,8")
    (30, range(1, 4), [3, 5, 8])
    """
    if re.fullmatch("[0-9]{1,18}", text):
        if not 1 <= int(text) <= 1_000_000:
            raise click.UsageError("--seeds: from 1 to 1,000,000 seeds; write 7,8 for the seeds 7 and 8")
        return int(text)
    if bounds := re.fullmatch(r"([0-9]{1,18})\.\.([0-9]{1,18})", text):
        first, last = int(bounds[1]), int(bounds[2])
        if 0 <= last - first < 1_000_000:
            return range(first, last + 1)
    if re.fullmatch("[0-9]{1,18}(,[0-9]{1,18})+,?", text):
        return [int(part) for part in text.rstrip(",").split(",")]
    raise click.UsageError(f"--seeds: {text!r} says neither how many nor which; write 30, 1..30 or 3,5,8")


def _measure(text: str) -> tuple[str, str]:
    name, _, of = text.partition(":")
    return name, of


def _print(done: Sweep, keys: Sequence[tuple[str, str]], output: str | None, quiet: bool) -> None:
    """What was asked for, on standard output."""
    if output == "json":
        from netsim.report.folder import as_json

        click.echo(as_json(done.summary()), nl=False)
    elif output == "csv":
        for chunk in done.table("runs").chunks():
            click.echo(chunk, nl=False)
    elif not quiet:
        from netsim.cli.run import _painter, _width
        from netsim.sweep.terminal import report

        click.echo(report(done, _width(), _painter(), keys), nl=False)


def _say_where(done: Sweep, folder: Any) -> None:
    if done.reused:
        click.echo(f"\n{done.reused:,} of {len(done.results):,} runs were finished already", err=True)
    if folder is not None:
        rest = " (partial; the same command goes on from here)" if done.partial or done.lost else ""
        click.echo(f"{'' if done.reused else chr(10)}Results are in {folder}{rest}", err=True)


@contextmanager
def _bar(quiet: bool) -> Iterator[Progress | None]:
    """A bar of finished runs on standard error: only on a terminal, and only if it takes a while."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    form = "{percentage:3.0f}% |{bar:30}| {n_fmt} of {total_fmt} runs, {remaining} left"
    bar: Any = None

    def progress(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:  # what was finished before says nothing of how long the rest will take
            bar = tqdm(total=total, initial=done, delay=PATIENCE, leave=False, file=sys.stderr, bar_format=form)
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()
