"""When a source could not reach its target: as the forwarding state has it, and as requests had it.

*By the rules*: an interval in which new connections of a source would have been lost, wholly or in part,
whether or not somebody tried. It begins with what broke, is detected when the control plane knows, and ends
when the rules of the node that matters no longer lead there. The simulation computes it while it runs.

*By the requests*: from the first request that a source lost to the last, of losses that belong together
(`losses.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.report.losses import Span
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Outage, Recording

@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which a source could not, or not always, reach its target."""

    source: str
    target: str
    seen: str  # by `rules` or `requests`
    began: int
    detected: int | None  # when the control plane knew
    ended: int | None  # None: it had not when the run ended
    share: float  # of new connections (by the rules), of requests (by the requests) that were lost
    lost: int  # requests that failed meanwhile
    reason: str = ""

    def data(self) -> dict[str, Any]:
        """The interval as `summary.json` holds it, with times in seconds."""
        times = {"began": self.began, "detected": self.detected, "ended": self.ended}
        told = {name: None if time is None else time / S for name, time in times.items()}
        duration = None if self.ended is None else (self.ended - self.began) / S
        return {
            "source": self.source, "target": self.target, "seen": self.seen, **told, "duration": duration,
            "share": self.share, "lost": self.lost, "reason": self.reason,
        }  # fmt: skip


def reachability(recording: Recording, digest: Digest) -> tuple[Interval, ...]:
    """Every interval, by source, then by the rules before by the requests, then in order of time."""
    targets = {traffic.name: traffic.target for traffic in recording.scenario.document.traffic}
    found = []
    for code, source in enumerate(recording.sources):
        outages = [outage for outage in recording.outages if outage.source == source]
        found += [_by_rules(outage, _lost(outage, code, recording, digest)) for outage in outages]
        spans = digest.tallies[code].losses.spans
        found += [_by_requests(source, targets.get(source, ""), span, outages) for span in spans]
    return tuple(found)


def _lost(outage: Outage, source: int, recording: Recording, digest: Digest) -> int:
    """How many requests of a source failed in an outage of it."""
    end = recording.ended if outage.ended is None else outage.ended
    return digest.between(source, outage.began, end).lost


def _by_rules(outage: Outage, lost: int) -> Interval:
    return Interval(
        outage.source, outage.target, "rules", outage.began, outage.detected, outage.ended,
        outage.share, lost, outage.reason,
    )  # fmt: skip


def _by_requests(source: str, target: str, span: Span, outages: Sequence[Outage]) -> Interval:
    began, ended = span.began, span.ended
    cause = next((o for o in outages if o.began <= ended and (o.ended is None or began < o.ended)), None)
    detected, reason = (cause.detected, cause.reason) if cause else (None, "")
    share = span.lost / span.finished
    return Interval(source, target, "requests", began, detected, ended, share, span.lost, reason)
