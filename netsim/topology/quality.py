"""What a road does to a packet besides taking time: jitter, loss, and the queue in front of each interface.

Jitter and loss are drawn for the whole road at once. An interface with a bandwidth sends one packet after the other,
first come first served; a packet takes its turn at every interface of its road in the moment it is sent.

Left out: buffers that overflow; packets of one road that overtake each other at an interface further on; the
headers that an overlay adds; TCP's segments and congestion control (a request or an answer is one packet, lost and
sent again as a whole). Arithmetic is on integers only, so every engine gets the same nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WHOLE = 1 << 32
PICOSECONDS = 1000  # in a nanosecond


@dataclass(frozen=True, slots=True)
class Interface:
    """One end of a link, on a road."""

    number: int
    offset: int  # nanoseconds from the road's beginning to it, if nothing waits
    byte: int  # picoseconds that a byte takes


@dataclass(frozen=True, slots=True)
class Quality:
    """What a road does to packets; one that does nothing to them has none."""

    jitter: int = 0  # nanoseconds more, at the most
    loss: int = 0  # of 2^32 packets, how many it loses
    interfaces: tuple[Interface, ...] = ()

    def cross(self, size: int, now: int, bits: int, free: list[int]) -> int | None:
        """How much longer a packet of `size` bytes takes that is sent now; None if it is lost.

        `bits` are 64 random ones; `free` says when each interface is free again, and is brought up to date.

        >>> road, free = Quality(interfaces=(Interface(0, offset=50, byte=8000),)), [0]
        >>> [road.cross(100, 0, 0, free) for _ in range(3)], free  # 1 Gbit/s: a byte takes 8 ns
        ([800, 1600, 2400], [2450])
        >>> Quality(jitter=1000, loss=WHOLE // 2).cross(100, 0, 2**63 + 2**31, [])
        500
        """
        extra = 0
        for interface in self.interfaces:
            at = now + interface.offset
            done = max(at + extra, free[interface.number]) + size * interface.byte // PICOSECONDS
            free[interface.number] = done
            extra = done - at
        if bits >> 32 < self.loss:
            return None
        return extra + ((bits & WHOLE - 1) * self.jitter >> 32)


def picoseconds_a_byte(bandwidth: int) -> int:
    """How long a byte takes at a bandwidth in bits per second."""
    return 8_000_000_000_000 // bandwidth


def joined(legs: Iterable[tuple[int, Quality | None]]) -> Quality | None:
    """The quality of a road of several legs, each with the time it takes.

    >>> joined([(10, None), (10, Quality(loss=WHOLE // 2)), (0, Quality(jitter=5, loss=WHOLE // 2))])
    Quality(jitter=5, loss=3221225472, interfaces=())
    """
    passed, jitter, kept = 0, 0, WHOLE
    interfaces: list[Interface] = []
    for takes, quality in legs:
        if quality is not None:
            jitter += quality.jitter
            kept = kept * (WHOLE - quality.loss) >> 32
            interfaces += (Interface(i.number, passed + i.offset, i.byte) for i in quality.interfaces)
        passed += takes
    found = Quality(jitter, WHOLE - kept, tuple(interfaces))
    return None if found == PERFECT else found


PERFECT = Quality()
