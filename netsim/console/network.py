"""`curl` and `nslookup` from anywhere: through the simulated names, rules and roads, nothing canned.

They are done by `netsim.lab` in the state of this instant; the clock then goes on by what they would have taken.
An origin is written as in a scenario's traffic: pod/NAME.NAMESPACE, node/NAME, outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from netsim.console.output import Failure, Output
from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.console.session import Lab

OUTSIDE = "outside"
COMPLAINT = "curl: ("


def curl(lab: Lab, origin: str, words: Sequence[str], output: Output) -> None:
    """Ask for a URL, as `curl` does."""
    from netsim.console import clusterset
    from netsim.lab import curl as tool

    try:
        if clusterset.is_for_the_set(lab, words):
            text, code, elapsed = clusterset.curl(lab, origin, words)
        else:
            text, code, elapsed = tool.curl(lab.simulation, origin, list(words), _files(lab, origin, words))
    except ScenarioError as error:
        raise Failure(f"error: {error}") from None
    _said(lab, text, code, elapsed, output, COMPLAINT)


def _files(lab: Lab, origin: str, words: Sequence[str]) -> dict[str, bytes]:
    """The files that a command line names, as far as the prompt's own machine has them; others do not see them."""
    if origin != OUTSIDE:
        return {}
    named = [word for before, word in pairwise(words) if before == "--cacert"]
    return {name: held for name in named if (held := lab.read(name)) is not None}


def nslookup(lab: Lab, origin: str, words: Sequence[str], output: Output) -> None:
    """Look a name up, as busybox's `nslookup` does; with a type, as BIND's."""
    from netsim.lab import nslookup as tool

    try:
        text, code, elapsed = tool.nslookup(lab.simulation, origin, list(words))
    except ScenarioError as error:
        raise Failure(f"error: {error}") from None
    _said(lab, text, code, elapsed, output, "nslookup: ")


def _said(lab: Lab, text: str, code: int, elapsed: int, output: Output, complaint: str) -> None:
    """What a tool has printed, its complaints on stderr; time has passed meanwhile."""
    at = text.find(complaint) if code else -1
    if at < 0:
        output.out(text)
    else:
        output.out(text[:at])
        output.err(text[at:])
    output.code = code
    lab.clock.sleep(elapsed)
