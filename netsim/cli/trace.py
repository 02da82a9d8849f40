"""`netsim trace`: one packet, hop by hop, each with what decided it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netsim.dataplane.trace import Trace


@click.command("trace")
@click.argument("scenario", type=click.Path())
@click.option("--from", "source", required=True, metavar="WHO", help="pod/NAME, node/NAME or outside.")
@click.option(
    "--to", "target", required=True, metavar="WHOM", help="A URL, or svc/, lb/, node/, pod/NAME:PORT."
)
@click.option(
    "--at", default=None, metavar="TIME", help="When, such as 35s. Default: the end of the scenario."
)
@click.option("--protocol", type=click.Choice(["TCP", "UDP", "SCTP"]), default="TCP", show_default=True)
@click.option("--seed", type=int, default=None, help="Another seed than the scenario's.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    scenario: str, source: str, target: str, at: str | None, protocol: str, seed: int | None, output: str
) -> None:
    """Show where the first packet of a connection goes at an instant, and what decided each hop."""
    from netsim.scenario.load import load
    from netsim.simulation import Simulation
    from netsim.units import parse_duration

    try:
        until = None if at is None else parse_duration(at)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from None
    simulation = Simulation(load(scenario), seed)
    simulation.run(until)
    trace = simulation.trace(source, target, protocol)
    if output == "json":
        click.echo(as_json(trace))
    else:
        click.echo(str(trace))


def as_json(trace: Trace) -> str:
    """The trace for machines; times in nanoseconds."""
    import json
    from dataclasses import asdict

    return json.dumps(asdict(trace), indent=2)
