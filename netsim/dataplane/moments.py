"""When things happen to a request: the kinds of moment and their order, and how patient Linux is.

Two things that fall into the same nanosecond happen in a canonical order: by kind of moment, then source, client and
sequence. So no engine's way of working decides which was first.

Sources: Linux ip-sysctl (tcp_syn_retries, tcp_syn_linear_timeouts, tcp_retries2, ip_local_port_range); RFC 6298 and
`net/ipv4/tcp_input.c` for the first retransmission timeout.
"""

from __future__ import annotations

from collections.abc import Iterator

from netsim.units import MS, US, S

# Kinds of moment, in the order in which they happen when they fall into the same instant.
COMPLETE, ARRIVE, RESPONSE, GIVE_UP, RESEND, BEGIN = range(6)

FOREVER = 1 << 62
TCP_GIVE_UP = 924_600 * MS  # tcp_retries2 = 15: unacknowledged data on a silent connection
FIRST_PORT, PORTS = 32768, 28232  # ip_local_port_range
BREATH = 1 * US  # how long a closed client is busy at least with a request that took no time at all


HEADER = 74  # bytes of a packet without data: a SYN, its answer, a reset
MIN_TIMEOUT, MAX_TIMEOUT = 200 * MS, 120 * S  # TCP_RTO_MIN, TCP_RTO_MAX


def resend_after(way: int, last: int) -> int:
    """How long TCP waits for an acknowledgement before it sends again: at first by one measured round trip.

    >>> resend_after(10 * MS, 0) // MS, resend_after(10 * MS, 220 * MS) // MS
    (220, 440)
    """
    return min(2 * last, MAX_TIMEOUT) if last else 2 * way + max(4 * way, MIN_TIMEOUT)


def syn_schedule(retries: int, linear: int) -> list[int]:
    """When Linux sends a SYN and its retransmissions, and when it gives up (last), from the first, in ns.

    The first `linear` waits are a second each, then they double; each of the `retries + linear` retransmissions
    is followed by one more wait.

    >>> [t // 1_000_000_000 for t in syn_schedule(6, 0)]
    [0, 1, 3, 7, 15, 31, 63, 127]
    >>> [t // 1_000_000_000 for t in syn_schedule(6, 4)]
    [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131]
    """
    return list(_syn_times(retries, linear))


def _syn_times(retries: int, linear: int) -> Iterator[int]:
    time, wait = 0, 1 * S
    for sent in range(retries + linear + 1):
        yield time
        time += wait
        if sent >= linear:
            wait *= 2
    yield time
