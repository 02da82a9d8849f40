"""What is written above the panels of a figure: the moments at which something turned, each in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsim.report.timeline import Entry

ROWS = 4
_LETTER, _GAP = 0.0072, 0.012  # in widths of a panel
_NEAR = 0.012  # moments nearer than this, as a part of the run, share a label
_BESIDE = 1.07  # how far a label may reach, in widths of a panel

_WORDS = {
    "fault": "fault",
    "healed": "healed",
    "api-down": "API down",
    "api-up": "API up",
    "leader-elected": "new leader",
    "power-off": "power lost",
    "link-down": "link down",
    "node-not-ready": "NotReady",
    "endpoint-not-ready": "endpoint out",
    "pod-terminating": "eviction",
    "pod-collected": "PodGC",
    "endpoint-ready": "endpoint in",
    "lb-node-out": "balancer: node out",
    "lb-node-in": "balancer: node in",
    "programmed": "rules changed",
    "power-on": "power back",
    "link-up": "link up",
    "node-ready": "Ready",
}


@dataclass(frozen=True, slots=True)
class Label:
    """A text above the panels, and where it stands."""

    time: int
    text: str
    row: int = 0  # from the panels up
    right: bool = True  # of its line, or left of it


def labels(entries: Sequence[Entry], ended: int) -> list[Label]:
    """The labels of a run, in rows so that they do not cover each other; those without room are left out.

    >>> entries = [Entry(50, "", tone="fault", kind="power-off"), Entry(98, "", kind="node-ready")]
    >>> [(label.text, label.row, label.right) for label in labels(entries, 100)]
    [('power lost', 0, True), ('Ready', 0, True)]
    """
    taken = [-1.0] * ROWS
    found = []
    for time, text in _told(entries, ended):
        at, room = time / max(ended, 1), _LETTER * len(text) + _GAP
        right = at + room < _BESIDE
        begin = at if right else at - room
        row = next((row for row, end in enumerate(taken) if begin >= end), None)
        if row is None:
            continue
        taken[row] = begin + room
        found.append(Label(time, text, row, right))
    return found


def _told(entries: Sequence[Entry], ended: int) -> list[tuple[int, str]]:
    """The moments worth a label, from the first fault on; those that nearly coincide share one."""
    found: list[tuple[int, str]] = []
    start = next((entry.time for entry in entries if entry.tone in ("fault", "bad")), ended)
    for entry in entries:
        word = _WORDS.get(entry.kind)
        if word is None or entry.time < start:
            continue
        if found and entry.time - found[-1][0] < ended * _NEAR:
            if word not in found[-1][1].split(", "):
                found[-1] = (found[-1][0], f"{found[-1][1]}, {word}")
        else:
            found.append((entry.time, word))
    return found
