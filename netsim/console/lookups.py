"""`lookup FROM NAME`: a name looked up as a program there would do it, every query shown.

A resolver tries name after name along its search path, each for A and AAAA at once; who answered, from where and
how long it took stands in a line of its own. With `--keep` the program keeps answers for as long as their TTL
allows, as many do; without, it asks anew each time. Real queries are sent, and the clock goes on by what they take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netsim.api.tables.layout import TABLE, align
from netsim.console.output import Failure, Output
from netsim.control.dns_cache import Cache
from netsim.control.dns_records import TYPES, Answer
from netsim.control.lookup import Asked, Lookup
from netsim.errors import ScenarioError
from netsim.units import MS, S

if TYPE_CHECKING:
    from netsim.console.session import Lab

USAGE = "usage: lookup [--keep] [-type=A|AAAA|SRV|PTR|CNAME|TXT] pod/NAME|node/NAME|outside NAME"
HEADER = ["NAME", "TYPE", "SERVER", "ANSWERED BY", "TIME", "ANSWER"]


def lookup(lab: Lab, words: Sequence[str], output: Output, given: str) -> None:
    """Look a name up, and show every query."""
    from netsim.lab import dns

    keep = "--keep" in words
    kinds = tuple(word.partition("=")[2].upper() for word in words if word.startswith("-type="))
    rest = [word for word in words if word != "--keep" and not word.startswith("-type=")]
    if len(rest) != 2 or rest[0].startswith("-") or not all(kind in TYPES for kind in kinds):
        raise Failure(USAGE, 2)
    origin, name = rest
    cache = lab.context.kept.setdefault(origin, Cache()) if keep else None
    try:
        found = dns.lookup(lab.simulation, origin, name, kinds or ("A", "AAAA"), cache)
    except ScenarioError as error:
        raise Failure(f"lookup: {error}") from None
    rows = [HEADER, *(_row(one) for one in found.asked)] if found.asked else []
    output.out("".join(f"{line}\n" for line in align(rows, **TABLE)))
    output.line(_sum(found))
    output.code = 0 if found.records else 1
    lab.clock.sleep(found.elapsed)


def _row(one: Asked) -> list[str]:
    by = f"{one.by} (cached)" if one.cached and one.server else one.by
    return [one.question.name, one.question.type, one.server or "-", by, _time(one.elapsed), _said(one.answer)]


def _said(answer: Answer | None) -> str:
    """An answer in short: what it holds and for how long that may be believed, or what it says instead."""
    if answer is None:
        return "-"
    believed = f"(for {answer.ttl // S}s)"
    if not answer.records:
        return f"{answer.code if answer.code != 'NOERROR' else 'no data'} {believed}"
    return f"{', '.join(record.data for record in answer.records)} (for {answer.records[0].ttl // S}s)"


def _sum(found: Lookup) -> str:
    sent = sum(1 for one in found.asked if one.server)
    told = ", ".join(record.data for record in found.records)
    why = "no server answered" if found.failed else "not found"
    return f"{sent} {'query' if sent == 1 else 'queries'}, {_time(found.elapsed)}: {told or why}"


def _time(time: int) -> str:
    return f"{time / MS:.3f} ms"
