"""Who holds what down: something held by several is free when the last of them lets go.

Two faults may strike the same machine, link or pod at overlapping times. Each holds it, with a value (how slow,
how late); whatever the hold is about is told of all values that hold it now, whenever they have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

Release = Callable[[], None]
Apply = Callable[[tuple[Any, ...]], None]


class Holds:
    """All holds of a run.

    >>> holds, seen = Holds(), []
    >>> one, other = (holds.hold("link", extra, seen.append) for extra in (5, 7))
    >>> one(), one(), other()
    (None, None, None)
    >>> seen
    [(5,), (5, 7), (7,), ()]
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, dict[int, Any]] = {}
        self._count = 0

    def hold(self, what: Hashable, value: Any, apply: Apply) -> Release:
        """Hold something down; returns how to let go of it (once)."""
        held = self._held.setdefault(what, {})
        self._count += 1
        mine = self._count
        held[mine] = value
        apply(tuple(held.values()))

        def release() -> None:
            if mine in held:
                del held[mine]
                apply(tuple(held.values()))

        return release
