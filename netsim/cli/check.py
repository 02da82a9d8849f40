"""`netsim check`: is the file right, and if not, what is wrong with it?

The mistakes are what this command is asked for, so they go to standard output; only with `--print`, where
the scenario itself does, they go to standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netsim.errors import Problem
    from netsim.scenario.scenario import Scenario


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--print", "print_resolved", is_flag=True, help="Print the scenario with every default filled in."
)
@click.option("-o", "output", type=click.Choice(["json"]), help="Print what was found as JSON.")
@click.pass_context
def command(context: click.Context, files: tuple[str, ...], print_resolved: bool, output: str | None) -> None:
    """Read scenario files, and say everything that is wrong with them.

    Of a file that is right, what of it is not simulated, and what is allowed
    and hardly meant. Exits with 0 if nothing is wrong, with 2 otherwise.
    """
    if print_resolved and (len(files) > 1 or output):
        raise click.UsageError("--print takes one file, and prints YAML")
    read = [(file, _read(file)) for file in files]
    if output == "json":
        _print_json(read)
    elif print_resolved:
        _print_resolved(read[0][1])
    else:
        _print_text(read)
    if any(isinstance(found, tuple) for _, found in read):
        context.exit(2)


def _read(file: str) -> Scenario | tuple[Problem, ...]:
    from netsim.errors import ScenarioError
    from netsim.scenario.load import load

    try:
        return load(file)
    except ScenarioError as error:
        return error.problems


def _print_text(read: list[tuple[str, Any]]) -> None:
    count = 0
    for file, found in read:
        if isinstance(found, tuple):
            count += len(found)
            click.echo("\n\n".join(str(problem) for problem in found) + "\n")
        else:
            click.echo(f"{file}: {contents(found)}")
            for line in (*found.ignored, *_doubts(found)):
                click.echo(f"  {line}")
    if count:
        click.echo(f"{count} mistake{'s' * (count > 1)}")


def _doubts(found: Scenario) -> list[str]:
    from netsim.scenario.doubts import doubts

    return list(doubts(found))


def _print_resolved(found: Any) -> None:
    from netsim.scenario.resolved import resolved

    if isinstance(found, tuple):
        click.echo("\n\n".join(str(problem) for problem in found), err=True)
    else:
        click.echo(resolved(found), nl=False)


def _print_json(read: list[tuple[str, Any]]) -> None:
    import json

    rows = [
        {"file": file, "ok": False, "mistakes": [_as_data(problem) for problem in found], "ignored": [], "doubts": []}
        if isinstance(found, tuple)
        else {"file": file, "ok": True, "mistakes": [], "ignored": list(found.ignored), "doubts": _doubts(found)}
        for file, found in read
    ]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))


def _as_data(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "message": problem.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "text": place.text if place else None,
        "hint": problem.hint or None,
    }


def contents(scenario: Scenario) -> str:
    """One line that says what a scenario holds."""
    from netsim.units import format_duration

    document = scenario.document
    nodes = sum(group.count or 1 for group in document.cluster.nodes)
    counts = (
        (nodes, "node"),
        (len(scenario.objects), "object"),
        (len(document.traffic), "traffic source"),
        (len(document.faults), "fault"),
        (len(document.checks), "check"),
    )
    parts = [f"{count} {what}{'s' * (count != 1)}" for count, what in counts]
    return (
        f"ok: {format_duration(document.duration)}, Kubernetes {document.cluster.version}, {', '.join(parts)}"
    )
