"""A trace in words: each hop with the packet as it came, the rules it met, what became of it, and its road."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netsim.units import moment

if TYPE_CHECKING:
    from netsim.dataplane.trace import Trace, TraceHop


def told(trace: Trace) -> str:
    """The whole way of a packet, hop by hop, and its verdict."""
    return "\n".join(_lines(trace))


def _lines(trace: Trace) -> Iterator[str]:
    yield f"{trace.source} -> {trace.target} at {moment(trace.at)}"
    for number, hop in enumerate(trace.hops, 1):
        yield ""
        yield from _hop(number, hop)
    yield ""
    after = f" after {_time(trace.round_trip)}" if trace.round_trip is not None else ""
    yield f"verdict: {trace.outcome}{after} ({trace.reason})"


def _hop(number: int, hop: TraceHop) -> Iterator[str]:
    yield f"{number}. {hop.where}  (+{_time(hop.time)})"
    yield f"   {hop.packet}"
    for step in hop.steps:
        yield f"     {step.chain}: {step.rule}"
        if step.effect:
            yield f"       {step.effect}"
    yield f"   {hop.what}"
    if hop.becomes:
        yield f"   {hop.becomes}"
    if hop.conntrack:
        yield f"   conntrack: {hop.conntrack}"
    if hop.route:
        yield f"   route: {hop.route}"
    if len(hop.road) > 1:
        yield f"   road: {' - '.join(hop.road)}, {_time(hop.delay)}"
    if hop.encapsulation:
        yield f"   {hop.encapsulation}"


def _time(time: int) -> str:
    """A short time a person can read: three digits are enough here."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)):
        if time >= size:
            return f"{time / size:.3g} {unit}"
    return f"{time} ns"
