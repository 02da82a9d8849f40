"""Draws and the agenda in compiled code: the same numbers as `netsim.draws`, the same order as a heap of tuples.

Everything here is a small leaf that the loop takes in whole. The agenda is a heap in which each entry has four
below it: it is half as deep as one of two, and the four lie side by side.
"""

# mypy: disallow-untyped-defs=False
from __future__ import annotations

import numpy as np
from numba import njit

from netsim.draws import _M0, _M1, _W0, _W1, log

M0, M1 = np.uint64(_M0), np.uint64(_M1)
W0, W1 = np.uint64(_W0), np.uint64(_W1)
LOW, SHIFT, DROPPED = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(11)
EXPONENTIAL, UNIFORM, CONSTANT = range(3)


@njit(inline="always")
def draw_bits(key, number, lane, attempt):
    """64 random bits: Philox4x32-10 of (number, lane, attempt) under a stream's key."""
    c0, c1 = np.uint64(number) & LOW, np.uint64(number) >> SHIFT
    c2, c3 = np.uint64(lane), np.uint64(attempt)
    k0, k1 = key & LOW, key >> SHIFT
    for _ in range(10):
        product0, product1 = M0 * c0, M1 * c2
        c0, c1 = (product1 >> SHIFT) ^ c1 ^ k0, product1 & LOW
        c2, c3 = (product0 >> SHIFT) ^ c3 ^ k1, product0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0 | (c1 << SHIFT)


@njit(inline="always")
def draw_index(bits, count):
    """A whole number from 0 to count - 1."""
    return np.int64(((bits >> SHIFT) * np.uint64(count)) >> SHIFT)


@njit(inline="always")
def draw_uniform(bits):
    """A float in [0, 1)."""
    return np.float64(bits >> DROPPED) * 2.0**-53


natural_log = njit(inline="always")(log)


@njit(inline="always")
def draw_exponential(bits, mean):
    """An exponential duration of the given mean."""
    return np.int64(-natural_log(1.0 - draw_uniform(bits)) * mean)


@njit(inline="always")
def draw_duration(kind, shortest, longest, bits):
    """A duration of one of the distributions that scenarios know."""
    if kind == EXPONENTIAL:
        return draw_exponential(bits, shortest)
    if kind == UNIFORM:
        return shortest + np.int64(draw_uniform(bits) * (longest - shortest))
    return shortest


@njit(inline="always")
def earlier(a, b):
    """Whether one moment comes before another."""
    return (a.time < b.time) | ((a.time == b.time) & (a.key < b.key))


@njit(inline="always")
def push(agenda, size, time, key, flight):
    """Put a moment on an agenda of `size` entries."""
    at = size
    while at:
        above = (at - 1) >> 2
        over = agenda[above]
        if over.time < time or (over.time == time and over.key <= key):
            break
        agenda[at].time, agenda[at].key, agenda[at].flight = over.time, over.key, over.flight
        at = above
    agenda[at].time, agenda[at].key, agenda[at].flight = time, key, flight


@njit(inline="always")
def put_first(agenda, size, time, key, flight):
    """Put a moment in the place of the first one, on an agenda of `size` entries."""
    at, below = 0, 1
    while below < size:
        if below + 3 < size:
            left = below + np.int64(earlier(agenda[below + 1], agenda[below]))
            right = below + 2 + np.int64(earlier(agenda[below + 3], agenda[below + 2]))
            best = left + (right - left) * np.int64(earlier(agenda[right], agenda[left]))
        else:
            best = below
            for other in range(below + 1, size):
                if earlier(agenda[other], agenda[best]):
                    best = other
        first = agenda[best]
        if not (first.time < time or (first.time == time and first.key < key)):
            break
        agenda[at].time, agenda[at].key, agenda[at].flight = first.time, first.key, first.flight
        at = best
        below = 4 * at + 1
    agenda[at].time, agenda[at].key, agenda[at].flight = time, key, flight


@njit(inline="always")
def drop_first(agenda, size):
    """Take the first moment off an agenda that has `size` entries afterwards."""
    last = agenda[size]
    put_first(agenda, size, last.time, last.key, last.flight)


@njit(inline="always")
def schedule(agenda, size, free, time, key, flight):
    """Put a moment on the agenda, in the first place if that is `free`; the agenda's new size."""
    if free:
        put_first(agenda, size, time, key, flight)
        return size
    push(agenda, size, time, key, flight)
    return size + 1
