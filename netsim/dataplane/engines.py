"""Which engine moves a run's packets: the plain one, or the compiled one where that pays.

The choice never changes a result, only how long it takes. Compiled code must first be loaded (half a second) or, the
first time on a machine, made (some ten seconds), so a small run is moved plainly and never imports numba.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from netsim.dataplane.forwarding import Forwarding
from netsim.dataplane.plain import PlainEngine
from netsim.dataplane.sources import Source
from netsim.errors import Problem, ScenarioError
from netsim.units import MS, S

Wish = Literal["auto", "plain", "compiled"]

ENOUGH = 100_000  # requests: what the plain engine moves in the time the compiled one takes to begin
AT_LEAST = 10 * MS  # a guess: how long a closed client is busy with one request, besides thinking

RARE: dict[str, Callable[[Forwarding, Sequence[Source]], bool]] = {
    "it has UDP traffic": lambda state, sources: any(s.traffic.protocol == "UDP" for s in sources),
    "its clients ask DNS pods": lambda state, sources: state.resolution is not None
    and any(s.target.kind == "dns" for s in sources),
    "its clients speak TLS": lambda state, sources: any(s.traffic.tls for s in sources),
    "its load balancers cut open connections": lambda state, sources: state.flows != "kept"
    and any(s.traffic.keep_alive is not None for s in sources),
    "its nodes' conntrack tables have a size": lambda state, sources: state.limited,
    "conntrack entries are to be seen": lambda state, sources: state.track,
}
"""What only the plain engine knows, in the words of a reason (the table in `DESIGN.md`, decision 3)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it was chosen."""

    name: Literal["plain", "compiled"]
    why: str


def choose(wish: Wish, state: Forwarding, sources: Sequence[Source]) -> Choice:
    """The engine for a run. ScenarioError if the compiled one is wanted and there is no numba."""
    if wish == "plain":
        return Choice("plain", "it was asked for")
    if wish == "compiled" and not find_spec("numba"):
        hint = "pip install netsim-k8s[fast], or leave the choice to netsim (auto)"
        raise ScenarioError(Problem("the compiled engine needs numba", hint=hint))
    for reason, found in RARE.items():
        if found(state, sources):
            return Choice("plain", reason)
    if wish == "compiled":
        return Choice("compiled", "it was asked for")
    requests = expected(sources)
    if requests < ENOUGH:
        return Choice("plain", f"about {requests:,} requests do not repay the start of compiled code")
    if not find_spec("numba"):
        return Choice("plain", "numba is not installed")
    return Choice("compiled", f"about {requests:,} requests repay the start of compiled code")


def expected(sources: Sequence[Source]) -> int:
    """About how many requests there will be."""
    total = 0.0
    for source in sources:
        traffic, lasts = source.traffic, max(0, source.stop - source.traffic.start)
        each = S / traffic.rate if traffic.rate else (traffic.think + AT_LEAST) / (traffic.clients or 1)
        total += lasts / each
    return int(total)


def engine_of(
    choice: Choice, state: Forwarding, sources: Sequence[Source], nodes: Sequence[str], syn_schedule: Sequence[int],
    name_lookup: int,
) -> PlainEngine:  # fmt: skip
    """The chosen engine at time zero; the compiled one stands where the plain one does."""
    if choice.name == "compiled":
        from netsim.dataplane.compiled import CompiledEngine

        return CompiledEngine(state, sources, nodes, syn_schedule, name_lookup, expected(sources))  # type: ignore[return-value]
    return PlainEngine(state, sources, nodes, syn_schedule, name_lookup)
