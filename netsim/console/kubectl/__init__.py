"""kubectl's verbs, one file for each or for a few that belong together; here they are put into one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from netsim.console.kubectl import (
    about,
    apply,
    change,
    config,
    create,
    delete,
    diff,
    elsewhere,
    expose,
    get,
    nodes,
    pods,
    rollout,
    wait,
)
from netsim.console.kubectl.verb import Verb

MODULES = (
    get, create, apply, diff, delete, expose, change, pods, rollout, nodes, wait, about, config, elsewhere,
)  # fmt: skip

VERBS: Mapping[str, Verb] = MappingProxyType({name: verb for module in MODULES for name, verb in module.VERBS.items()})
"""Every verb; some have two words."""
