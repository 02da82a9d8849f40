"""`--at`: the instant at which a command looks at the cluster, at the latest the scenario's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from netsim.simulation import Simulation


def duration(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """A time of the command line in nanoseconds, as click asks for it."""
    from netsim.units import parse_duration

    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def stopped(path: str, at: int | None, seed: int | None, *, track: bool = False) -> Simulation:
    """The scenario in that file, run to an instant (None: its end); `track` its connections for those who look.

    ScenarioError if it ends before.
    """
    import netsim
    from netsim.errors import ScenarioError
    from netsim.units import format_duration

    scenario = netsim.load(path)
    end = scenario.document.duration
    if at is not None and at > end:
        raise ScenarioError(f"--at {format_duration(at)} is after the scenario's end at {format_duration(end)}")
    from netsim.simulation import Simulation

    simulation = Simulation(scenario, seed)
    simulation.forwarding.track |= track
    simulation.run(until=at)
    return simulation
