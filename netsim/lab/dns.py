"""Lookups at a prompt: the same steps as traffic takes, on a clock that stands still.

What a lookup would have taken comes back as a number; whoever runs a shell moves the clock on by it.
"""

from __future__ import annotations

from dataclasses import replace

from netsim.control import lookup as steps
from netsim.control.dns_cache import Cache
from netsim.control.dns_records import Question
from netsim.control.lookup import Asked, Asker, Lookup
from netsim.control.nameservers import BOTH
from netsim.lab.names import Names, names_of
from netsim.simulation import Simulation
from netsim.traffic import Origin


def lookup(
    simulation: Simulation, origin: str | Origin, name: str, kinds: tuple[str, ...] = BOTH,
    cache: Cache | None = None, server: str | None = None,
) -> Lookup:  # fmt: skip
    """Look a name up as a program there would, along the search path.

    `cache` is one that the client itself keeps; `server` is asked instead of those in its resolv.conf.
    """
    names = names_of(simulation)
    client = names.client(origin)
    if server is not None:
        client = replace(client, resolver=replace(client.resolver, nameservers=(server,)))
    story = steps.lookup(names.servers, client, name, names.chance, kinds, cache)
    while True:
        try:
            next(story)
        except StopIteration as told:
            found: Lookup = told.value
            return found


def ask(names: Names, client: Asker, server: str, question: Question) -> Asked:
    """Send one query to one nameserver, once."""
    return steps.ask(names.servers, client, server, question, names.chance)
