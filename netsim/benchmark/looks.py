"""Whose CPU time a run is: it is looked at two hundred times a CPU second, and each look counts for one component.

A component is the file of `netsim/control` whose process the clock has woken; what is done on its behalf elsewhere
(the store, selectors, the rules) counts for it. Packets and reports are what they are. Looking costs next to nothing,
where a profiler would double the time of small functions and so blame them.
"""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType

EVERY = 0.005  # CPU seconds between two looks
PLUMBING = ("control/client.py", "control/cluster.py", "control/workqueue.py")
"""Files of the control half that only hand on."""


@dataclass
class Looks:
    """What a run was doing whenever it was looked at, by component."""

    seen: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Looks:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        self.seen[component(frame)] += 1

    def told(self, most: int = 8) -> str:
        """The largest shares, in words."""
        total = max(self.seen.total(), 1)
        return ", ".join(f"{name} {count / total:.0%}" for name, count in self.seen.most_common(most))


def component(frame: FrameType | None) -> str:
    """Whose work a frame is: the outermost of control's files below the clock, or the room that packets are in."""
    files = []
    while frame is not None:
        _, room, file = frame.f_code.co_filename.replace("\\", "/").rpartition("/netsim/")
        if room:
            files.append(file)
        frame = frame.f_back
    outward = [file for file in reversed(files) if file not in PLUMBING]
    for file in outward:
        if file.startswith("control/"):
            return file.removeprefix("control/").removesuffix(".py").replace("_", " ")
        if file.startswith(("dataplane/", "report/")):
            return "packets" if file.startswith("dataplane/") else "report"
    return "the clock"
