"""The table of requests: one row each, 64 bytes, the same whichever engine moved them.

Every request that was sent has exactly one row and one outcome. Rows are in the order of sending (then
source, client, sequence), so that the table does not depend on how an engine orders its work.
"""

from __future__ import annotations

from struct import Struct

import numpy as np
from numpy.typing import NDArray

OUTCOMES = (
    "ok",
    "refused",
    "timeout",
    "reset",
    "host-unreachable",
    "net-unreachable",
    "dns-failure",
    "tls-failure",
    "rejected-by-policy",
    "overloaded",
    "unfinished",
)
"""What a client can see. `unfinished`: the run ended before the answer came or the client gave up."""

(
    OK,
    REFUSED,
    TIMEOUT,
    RESET,
    HOST_UNREACHABLE,
    NET_UNREACHABLE,
    DNS_FAILURE,
    TLS_FAILURE,
    REJECTED,
    OVERLOADED,
    UNFINISHED,
) = range(len(OUTCOMES))

REQUEST = np.dtype(
    [
        ("sent", np.int64),  # ns: when the client first tried
        ("latency", np.int64),  # ns: from then until it knew the outcome
        ("connect", np.int64),  # ns: how long the last try took to connect; 0 on a kept connection
        ("queued", np.int64),  # ns: how long it waited for a worker in the pod
        ("service", np.int64),  # ns: how long a worker was busy with it
        ("sequence", np.int64),  # which request of its client, from 0
        ("client", np.int32),  # which client of its source, from 0
        ("pod", np.int32),  # who was asked last (an index into the run's pods), -1: nobody
        ("ingress", np.int32),  # the node that translated the address last, -1: none
        ("source", np.int16),  # the traffic source (an index)
        ("outcome", np.int8),  # an index into OUTCOMES
        ("attempts", np.int8),  # tries made, from 1
    ]
)
"""One request. Strings are indices into the names that the recording carries."""

PACKED = Struct("=6q3ih2b")
"""The same as bytes, to keep a row by itself: a sixth of a tuple's memory, and nothing for a garbage collector."""


def canonical(rows: NDArray[np.void]) -> NDArray[np.void]:
    """These rows in the table's order: by when they were sent, then by source, client and sequence."""
    table = np.array(rows, dtype=REQUEST)
    order = np.argsort(table["sent"])
    same = np.diff(table["sent"][order]) == 0
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same)) if len(same) else same
    if len(tied):
        some = table[order[tied]]
        within = np.lexsort((some["sequence"], some["client"], some["source"], some["sent"]))
        order[tied] = order[tied][within]
    return table[order]
