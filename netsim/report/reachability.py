"""When a source could not reach its target: as the forwarding state has it, and as requests had it.

*By the rules*: an interval in which new connections of a source would have been lost, wholly or in part,
whether or not somebody tried. It begins with what broke, is detected when the control plane knows, and ends
when the rules of the node that matters no longer lead there. The simulation computes it while it runs.

*By the requests*: from the first request that a source lost to the last. Losses belong together unless the
source went for `GAP` and for `STREAK` requests without one, whichever is longer; so a source that asks once
a second and loses every other request has one interval, not thirty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import UNFINISHED
from netsim.report.statistics import failed
from netsim.units import S

if TYPE_CHECKING:
    from netsim.simulation import Outage, Recording

GAP = 5 * S
STREAK = 20


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


def reachability(recording: Recording) -> tuple[Interval, ...]:
    """Every interval, by source, then by the rules before by the requests, then in order of time."""
    targets = {traffic.name: traffic.target for traffic in recording.scenario.document.traffic}
    found = []
    for code, source in enumerate(recording.sources):
        rows = recording.requests[recording.requests["source"] == code]
        outages = [outage for outage in recording.outages if outage.source == source]
        found += [_by_rules(outage, rows) for outage in outages]
        found += _by_requests(source, targets.get(source, ""), rows, outages)
    return tuple(found)


def _by_rules(outage: Outage, rows: NDArray[np.void]) -> Interval:
    during = rows["sent"] >= outage.began
    if outage.ended is not None:
        during &= rows["sent"] < outage.ended
    lost = int(np.count_nonzero(during & failed(rows)))
    return Interval(
        outage.source, outage.target, "rules", outage.began, outage.detected, outage.ended,
        outage.share, lost, outage.reason,
    )  # fmt: skip


def _by_requests(
    source: str, target: str, rows: NDArray[np.void], outages: Sequence[Outage]
) -> Iterator[Interval]:
    sent = rows["sent"]
    for first, last in losses(sent, failed(rows)):
        began, ended = int(sent[first]), int(sent[last])
        during = rows[first : last + 1]
        lost = int(np.count_nonzero(failed(during)))
        finished = int(np.count_nonzero(during["outcome"] != UNFINISHED))
        cause = next((o for o in outages if o.began <= ended and (o.ended is None or began < o.ended)), None)
        detected, reason = (cause.detected, cause.reason) if cause else (None, "")
        yield Interval(source, target, "requests", began, detected, ended, lost / finished, lost, reason)


def losses(sent: NDArray[np.int64], failed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The rows of the first and the last failure of each interval.

    >>> losses(np.arange(100) * S, np.isin(np.arange(100), [10, 25, 60]))
    [(10, 25), (60, 60)]
    """
    rows = np.flatnonzero(failed)
    if not len(rows):
        return []
    apart = (np.diff(sent[rows]) > GAP) & (np.diff(rows) > STREAK)
    starts = np.concatenate([rows[:1], rows[1:][apart]])
    ends = np.concatenate([rows[:-1][apart], rows[-1:]])
    return [(int(first), int(last)) for first, last in zip(starts, ends, strict=True)]
