"""The tables of incidents and of availability: one row a stroke and source, one row a window and source.

A window is a round length of time of which a run has at most sixty. A window in which a source sent nothing, or
nothing that ended before the run did, has no availability.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.incidents import LEFT, LENGTHS, MOMENTS, Incident, Loss
from netsim.report.replacements import Left
from netsim.report.tables import Table, integers, named, numbers, seconds, texts
from netsim.units import MINUTE, S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Recording

WINDOWS = tuple(n * S for n in (1, 2, 5, 10, 30)) + tuple(n * MINUTE for n in (1, 2, 5, 10, 30, 60, 360, 1440))
MOST = 60


def incidents_table(incidents: Sequence[Incident]) -> Table:
    """What became of each fault, and what it cost each source."""
    nothing = Loss("", None, None, 0, (), None)
    rows = [(incident, loss) for incident in incidents for loss in incident.losses or (nothing,)]
    every = [incident for incident, _ in rows]
    losses = [loss for _, loss in rows]
    return Table(
        "incidents",
        "What became of each stroke of a fault, and what it cost each source.",
        (
            texts("fault", "the fault's name", [i.fault for i in every]),
            texts("action", "its kind", [i.action for i in every]),
            texts("victims", "whom it hit", [" ".join(i.victims) for i in every]),
            *(seconds(name, meaning, [getattr(i, name) for i in every]) for name, meaning in MOMENTS.items()),
            texts("noticed_by", "the component that did it", [i.noticed_by for i in every]),
            *(seconds(name, meaning, [getattr(i, name) for i in every]) for name, meaning in LENGTHS.items()),
            *(texts(name, meaning, [_names(getattr(i, name)) for i in every]) for name, meaning in LEFT.items()),
            texts("not_evicted", "pods that the API server would not let go", [" ".join(i.kept) for i in every]),
            texts("source", "a traffic source", [loss.source for loss in losses]),
            seconds("first_lost", "when its first request that failed was sent", [loss.first for loss in losses]),
            seconds("last_lost", "and the last", [loss.last for loss in losses]),
            integers("lost", "how many failed", [loss.lost for loss in losses], "requests"),
            texts("outcomes", "how they failed", [_outcomes(loss) for loss in losses]),
            numbers(
                "availability", "the part that went well of what it sent until the next fault",
                [_number(loss.availability) for loss in losses],
            ),
        ),
    )  # fmt: skip


def _names(left: Iterable[Left]) -> str:
    return " ".join(each.pod for each in left)


def _outcomes(loss: Loss) -> str:
    return " ".join(f"{outcome}:{count}" for outcome, count in loss.outcomes)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def window(ended: int) -> int:
    """The length of the windows of a run.

    >>> window(60 * S) // S, window(540 * S) // S
    (1, 10)
    """
    return next((length for length in WINDOWS if ended <= length * MOST), WINDOWS[-1])


def _counts(recording: Recording, digest: Digest) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """The window's length; and per source and window, shape (sources, windows): requests that ended, and well."""
    length = window(recording.ended)
    number = max(1, -(-recording.ended // length))
    begins = np.arange(number) * (length // S)
    counts = np.array([np.add.reduceat(series.counts, begins)[:number] for series in digest.seconds])
    counts = counts.reshape(len(digest.seconds), number, len(OUTCOMES))
    return length, counts.sum(axis=2) - counts[:, :, UNFINISHED], counts[:, :, OK]


def availability_table(recording: Recording, digest: Digest) -> Table:
    """The part of each source's requests that went well, window by window."""
    length, ended, ok = _counts(recording, digest)
    sources, number = ended.shape
    share = [o / e if e else float("nan") for o, e in zip(ok.ravel(), ended.ravel(), strict=True)]
    return Table(
        "availability",
        "The part of each source's requests that went well, window by window.",
        (
            seconds("time", "when the window began", np.tile(np.arange(number) * length, sources)),
            named("source", "the traffic source", np.repeat(np.arange(sources), number), recording.sources),
            integers("ended", "requests sent in it that ended", ended.ravel(), "requests"),
            integers("ok", "of these, went well", ok.ravel(), "requests"),
            numbers("availability", "that part", share),
        ),
    )


def availability(recording: Recording, digest: Digest) -> list[dict[str, Any]]:
    """The same as `summary.json` holds it: of each source over the run, the window's length, and per window."""
    length, ended, ok = _counts(recording, digest)
    return [
        {
            "source": source,
            "run": int(ok[code].sum()) / int(ended[code].sum()) if ended[code].sum() else None,
            "window": length / S,
            "windows": [int(o) / int(e) if e else None for o, e in zip(ok[code], ended[code], strict=True)],
        }
        for code, source in enumerate(recording.sources)
    ]
