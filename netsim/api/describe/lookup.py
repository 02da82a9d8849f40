"""How a description finds what belongs to its object: events, endpoints, pods."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netsim.api.objects import Object

Lookup = Callable[[str, str | None], Sequence[Object]]
"""All objects of a kind, in one namespace or (None) in all: `Store.list` is one."""
