"""`netsim get`: the cluster as it was at an instant, in kubectl's tables.

Three steps that know nothing of each other: `parse` makes a question of the words on the command line, `act`
runs the scenario to the instant and finds the answer, and printing is `netsim.api.printing`. What a node
holds besides API objects (rules, connections, routes) is asked for in the same way, by the names in
`NODE_STATES` of `netsim.console.node_states`, which the prompt shows on its nodes.

Exit codes: 0, also when nothing was found; 1 when an object asked for by name is not there; 2 when the
command line or the scenario is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from netsim.cli.instant import duration, stopped

if TYPE_CHECKING:
    from netsim.api.printing import Options, Printed
    from netsim.api.query import Query
    from netsim.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks: of which scenario, when, what, and how to print it."""

    scenario: str
    options: Options
    at: int | None = None  # None: when the scenario ends
    seed: int | None = None
    query: Query | None = None
    state: str = ""  # one of NODE_STATES, instead of a query
    node: str = ""


# parse -------------------------------------------------------------------------------------------------


def parse(words: Sequence[str], flags: dict[str, Any]) -> Request:
    """The request that the words and flags of a command line make; a wrong one raises a ScenarioError."""
    from netsim.api.printing import Options
    from netsim.console.node_states import NODE_STATES
    from netsim.errors import Problem, ScenarioError

    *asked, scenario = words
    printing = ("output", "namespace", "all_namespaces", "no_headers", "show_labels", "label_columns")
    options = Options(**{name: flags[name] for name in printing})
    request = Request(scenario, options, flags["at"], flags["seed"], node=flags["node"])
    if not asked:
        raise ScenarioError(Problem("say what to get, and of which scenario", hint=USAGE))
    if asked[0] in NODE_STATES:
        if len(asked) > 1 or not request.node:
            raise ScenarioError(Problem(f"{asked[0]} belongs to a node", hint="name one with --node"))
        return replace(request, state=asked[0])
    if request.node:
        states = ", ".join(sorted(NODE_STATES))
        raise ScenarioError(Problem("--node goes with what a node holds", hint=f"that is {states}"))
    return replace(request, query=_query(asked, flags, options))


def _query(asked: Sequence[str], flags: dict[str, Any], options: Options) -> Query:
    from netsim.api.printing import check_options
    from netsim.api.query import Query, check, parse_words
    from netsim.errors import ScenarioError

    query = Query(
        parse_words(asked),
        namespace=options.namespace,
        all_namespaces=options.all_namespaces,
        selector=flags["selector"],
        field_selector=flags["field_selector"],
    )
    check(query)
    try:
        check_options(options)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    return query


# act -----------------------------------------------------------------------------------------------------


def simulation_at(request: Request) -> Simulation:
    """The scenario, run to the instant that the request is about."""
    return stopped(request.scenario, request.at, request.seed, track=request.state == "conntrack")


def act(request: Request, simulation: Simulation) -> tuple[Printed, tuple[str, ...]]:
    """What is to be printed, and what of it was not found."""
    from netsim.api.printing import Printed, print_groups
    from netsim.api.query import answer
    from netsim.errors import ScenarioError

    if request.query is None:
        if simulation.store.get("Node", "", request.node) is None:
            return Printed(""), (f'nodes "{request.node}" not found',)
        return _held(request, simulation), ()
    found = answer(request.query, simulation.store)
    options = replace(request.options, single=request.query.single)
    if found.missing and not any(group.objects for group in found.groups):
        return Printed(""), found.missing
    try:
        return print_groups(found.groups, options, simulation.now), found.missing
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def _held(request: Request, simulation: Simulation) -> Printed:
    """What a node holds; without power nothing, and without rules or connections nothing to print."""
    from netsim.api.printing import Printed
    from netsim.console.node_states import NODE_STATES

    if not simulation.forwarding.powered[request.node]:
        return Printed("", f"{simulation.forwarding.why_silent(request.node)} now.\n")
    text = NODE_STATES[request.state](simulation, request.node)
    return Printed(text, "" if text else f"{request.node} has no {NOTHING.get(request.state, 'rules')} now.\n")


NOTHING = {"conntrack": "connections", "routes": "routes"}
"""What a node has none of, where it is not rules."""


# the command -------------------------------------------------------------------------------------------

USAGE = "netsim get KIND[/NAME] [NAME...] SCENARIO, as in: netsim get pods scenario.yaml --at 35s"


def _commas(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for value in values for part in value.split(","))


@contextmanager
def _refusals() -> Iterator[None]:
    """Say what is wrong with the question as kubectl does. (A wrong scenario is told by its own lines.)"""
    from netsim.errors import ScenarioError

    try:
        yield
    except ScenarioError as error:
        click.echo(f"error: {error}", err=True)
        raise click.exceptions.Exit(2) from None


@click.command("get", short_help="Show the cluster at an instant, in kubectl's tables.")
@click.argument("words", nargs=-1, required=True, metavar="KIND[/NAME] [NAME...] SCENARIO")
@click.option("--at", callback=duration, metavar="TIME", help="The instant, such as 35s. Default: the end.")
@click.option("-n", "--namespace", default="default", show_default=True, help="The namespace to look in.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look in all namespaces.")
@click.option(
    "-o", "--output", default="", metavar="FORMAT", help="wide, json, yaml, name, csv or jsonpath=TEMPLATE."
)
@click.option("-l", "--selector", default="", metavar="LABELS", help="Only objects with these labels.")
@click.option("--field-selector", default="", metavar="FIELDS", help="Only objects with these field values.")
@click.option("--show-labels", is_flag=True, help="Show all labels in a last column.")
@click.option("-L", "--label-columns", multiple=True, callback=_commas, help="Show these labels as columns.")
@click.option("--no-headers", is_flag=True, help="Leave the header line out.")
@click.option("--node", default="", help="The node whose rules, connections or routes are shown.")
@click.option("--seed", type=int, default=None, help="The seed, if not the scenario's own.")
def command(words: tuple[str, ...], **flags: Any) -> None:
    """Run SCENARIO up to an instant and show its objects as kubectl would.

    KIND is a plural, singular or short name (pods, svc, deploy, endpointslices, all), several with commas;
    or, with --node, one of iptables, nft, ipvs, conntrack, routes.
    """
    with _refusals():
        request = parse(words, flags)
    simulation = simulation_at(request)
    with _refusals():
        printed, missing = act(request, simulation)
    click.echo(printed.text, nl=False)
    click.echo(printed.notice, nl=False, err=True)
    for message in missing:
        click.echo(f"Error from server (NotFound): {message}", err=True)
    if missing:
        raise click.exceptions.Exit(1)
