"""`netsim trace`: one packet, hop by hop, each with what decided it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netsim.cli.instant import duration, stopped

if TYPE_CHECKING:
    from netsim.dataplane.trace import Trace


@click.command("trace")
@click.argument("scenario", type=click.Path())
@click.option("--from", "source", required=True, metavar="WHO", help="pod/NAME, node/NAME or outside.")
@click.option(
    "--to", "target", required=True, metavar="WHOM", help="A URL, or svc/, lb/, node/, pod/NAME:PORT."
)
@click.option("--at", callback=duration, metavar="TIME", help="When, such as 35s. Default: the scenario's end.")
@click.option("--protocol", type=click.Choice(["TCP", "UDP", "SCTP"]), default="TCP", show_default=True)
@click.option("--seed", type=int, default=None, help="Another seed than the scenario's.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    scenario: str, source: str, target: str, at: int | None, protocol: str, seed: int | None, output: str
) -> None:
    """Show where the first packet of a connection goes at an instant, and what decided each hop."""
    trace = stopped(scenario, at, seed).trace(source, target, protocol)
    if output == "json":
        click.echo(as_json(trace))
    else:
        click.echo(str(trace))


def as_json(trace: Trace) -> str:
    """The trace for machines; times in nanoseconds."""
    import json
    from dataclasses import asdict

    return json.dumps(asdict(trace), indent=2)
