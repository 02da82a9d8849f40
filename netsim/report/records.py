"""The tables of a run: requests, changes, series (a second of a source a row), reachability.

Each function turns a part of the recording into columns with names, units and meanings. What a column means
is said here and nowhere else: the CSV files, `schema.json` and the DataFrames all come from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.reachability import Interval
from netsim.report.statistics import PERCENTILES
from netsim.report.tables import MISSING, Column, Table, integers, named, numbers, seconds, texts
from netsim.units import S

if TYPE_CHECKING:
    from netsim.report.digest import Digest
    from netsim.simulation import Part, Recording


def requests_table(recording: Part, rows: NDArray[np.void] | None = None, of: int | None = None) -> Table:
    """One row a request, in the order of sending: those of the recording, or some of them; a sample of so many."""
    rows = recording.requests if rows is None else rows
    sample = "" if of is None else f" A sample of {len(rows):,} of {of:,}, each as likely as any other."
    return Table(
        "requests",
        f"One row a request, in the order of sending.{sample}",
        (
            named("source", "the traffic source", rows["source"], recording.sources),
            integers("client", "which client of its source, from 0", rows["client"]),
            integers("sequence", "which request of its client, from 0", rows["sequence"]),
            seconds("sent", "when the client first tried", rows["sent"]),
            seconds("latency", "from then until it knew the outcome", rows["latency"]),
            named("outcome", f"what the client saw: {', '.join(OUTCOMES)}", rows["outcome"], OUTCOMES),
            integers("attempts", "tries made, from 1", rows["attempts"]),
            named("pod", "who was asked last, namespace/name", rows["pod"], recording.pods),
            named("node", "where that pod was", _nodes_of_pods(recording, rows), recording.nodes),
            named("ingress", "the node that translated the address last", rows["ingress"], recording.nodes),
            seconds(
                "connect", "how long the last try took to connect; 0 on a kept connection", rows["connect"]
            ),
            seconds("queued", "how long it waited for a worker in the pod", rows["queued"]),
            seconds("service", "how long a worker was busy with it", rows["service"]),
        ),
    )


def _nodes_of_pods(recording: Part, rows: NDArray[np.void]) -> NDArray[Any]:
    """The node of each request's pod; of a pod that moved, the last before the request."""
    index = {node: code for code, node in enumerate(recording.nodes)}
    homes: dict[str, list[tuple[int, int]]] = {}
    for change in recording.changes:
        if change.kind == "pod-scheduled" and change.node in index:
            pod = change.subject.removeprefix("pod/")
            homes.setdefault(pod, []).append((change.time, index[change.node]))
    first = [homes.get(pod, [(0, MISSING)])[0][1] for pod in recording.pods]
    nodes = np.array([*first, MISSING], dtype=np.int64)[rows["pod"]]
    for code, pod in enumerate(recording.pods):
        for time, node in homes.get(pod, [])[1:]:
            nodes[(rows["pod"] == code) & (rows["sent"] >= time)] = node
    return nodes


def changes_table(recording: Recording) -> Table:
    """Everything that changed in the cluster, in the order in which it did."""
    changes = recording.changes
    return Table(
        "changes",
        "Everything that changed in the cluster, in the order in which it did.",
        (
            seconds("time", "when", [change.time for change in changes]),
            texts("kind", "what happened", [change.kind for change in changes]),
            texts("subject", "to what: kind/namespace/name", [change.subject for change in changes]),
            texts("node", "the node concerned", [change.node for change in changes]),
            texts("detail", "more about it", [change.detail for change in changes]),
            integers("revision", "the rules' revision, where they changed", [c.revision for c in changes]),
        ),
    )


def reachability_table(intervals: Sequence[Interval]) -> Table:
    """The times in which a source could not, or not always, reach its target."""
    began, ended = [i.began for i in intervals], [i.ended for i in intervals]
    lasted = [None if i.ended is None else i.ended - i.began for i in intervals]
    return Table(
        "reachability",
        "The times in which a source could not, or not always, reach its target.",
        (
            texts("source", "the traffic source", [i.source for i in intervals]),
            texts("target", "what it could not reach", [i.target for i in intervals]),
            texts("seen", "by the rules, or by the requests that were lost", [i.seen for i in intervals]),
            seconds("began", "when it broke, or the first request lost was sent", began),
            seconds("detected", "when the control plane knew", [i.detected for i in intervals]),
            seconds("ended", "when it worked again, or the last request lost was sent", ended),
            seconds("duration", "from `began` to `ended`", lasted),
            numbers(
                "share", "the worst part lost: of connections, or of requests", [i.share for i in intervals]
            ),
            integers("lost", "requests that failed meanwhile", [i.lost for i in intervals], "requests"),
            texts("reason", "what broke", [i.reason for i in intervals]),
        ),
    )


def series_table(recording: Recording, digest: Digest) -> Table:
    """What became of the requests that each source sent in each second of the run."""
    length = max(1, -(-recording.ended // S))
    counts = [series.counts[:length] for series in digest.seconds] or [np.zeros((0, len(OUTCOMES)), np.int64)]
    latencies = [series.latencies()[:length] for series in digest.seconds]
    percentiles = np.concatenate(latencies or [np.zeros((0, len(PERCENTILES) + 1), np.int64)])
    return Table(
        "series",
        "What became of the requests that each source sent in each second of the run.",
        (
            seconds("time", "when the second began", np.tile(np.arange(length) * S, len(recording.sources))),
            named("source", "the traffic source", np.repeat(np.arange(len(recording.sources)), length),
                  recording.sources),
            *_counts(np.concatenate(counts)),
            *(seconds(f"p{percent}", f"{percent} % of those that went well took no longer", percentiles[:, column])
              for column, percent in enumerate(PERCENTILES)),
            seconds("max", "the longest that went well", percentiles[:, -1]),
        ),
    )  # fmt: skip


def _counts(counts: NDArray[np.int64]) -> list[Column]:
    sent, ok, unfinished = counts.sum(axis=1), counts[:, OK], counts[:, UNFINISHED]
    each = [
        integers(outcome, f"of these, with the outcome {outcome}", counts[:, code], "requests")
        for code, outcome in enumerate(OUTCOMES)
        if code != OK
    ]
    return [
        integers("sent", "requests sent in this second", sent, "requests"),
        integers("ok", "of these, went well", ok, "requests"),
        integers("failed", "of these, failed in any way", sent - ok - unfinished, "requests"),
        *each,
    ]
