"""The parts of the compiled engine alone: its draws are the plain ones, its agenda is a heap, its queue a queue."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

pytest.importorskip("numba", reason="numba is not installed: there is only the plain engine")

from numba import njit

from netsim.dataplane import compiled_cache, compiled_draws
from netsim.dataplane.compiled_programs import Programs
from netsim.dataplane.compiled_records import MOMENT, Arena
from netsim.dataplane.server import Queue, Server
from netsim.dataplane.serving import Serving
from netsim.draws import Distribution, Stream, exponential, index, uniform

WORD = some.integers(0, 2**64 - 1)


@njit
def _bits(key, number, lane, attempt):
    return compiled_draws.draw_bits(key, number, lane, attempt)


@njit
def _duration(kind, shortest, longest, bits):
    return compiled_draws.draw_duration(kind, shortest, longest, bits)


@njit
def _index(bits, count):
    return compiled_draws.draw_index(bits, count)


@njit
def _schedule(agenda, size, free, time, key, flight):
    return compiled_draws.schedule(agenda, size, free, time, key, flight)


@njit
def _drop(agenda, size):
    compiled_draws.drop_first(agenda, size)


@given(WORD, some.integers(0, 2**40), some.integers(0, 2**24), some.integers(0, 2**30))
def test_draws_are_the_same_numbers(key, number, lane, attempt):
    assert _bits(np.uint64(key), number, lane, attempt) == Stream(key, lane).bits(number, attempt)


@given(WORD, some.integers(1, 10**15), some.integers(1, 2**31))
def test_what_is_made_of_them_is_the_same_to_the_last_bit(bits, mean, count):
    word = np.uint64(bits)
    assert _duration(compiled_draws.EXPONENTIAL, mean, 0, word) == exponential(bits, mean)
    spread = Distribution("uniform", (mean, 3 * mean)).draw(bits)
    assert _duration(compiled_draws.UNIFORM, mean, 3 * mean, word) == spread
    assert _index(word, count) == index(bits, count)
    assert uniform(bits) < 1


@given(some.lists(some.tuples(some.booleans(), some.integers(0, 20), some.integers(0, 5)), max_size=60))
def test_the_agenda_gives_moments_back_in_order(steps):
    """Each step takes the first moment away or not, and puts another in; both as a heap of tuples would."""
    agenda, size, heap = np.zeros(64, MOMENT), 0, []
    for takes, time, key in steps:
        free = takes and size > 0
        if free:
            heappop(heap)
        heappush(heap, (time, key))
        size = _schedule(agenda, size, free, time, key, 0)
    order = []
    while size:
        order.append((int(agenda[0]["time"]), int(agenda[0]["key"])))
        size -= 1
        _drop(agenda, size)
    assert order == sorted(heap)


@given(
    some.lists(some.tuples(some.integers(0, 50), some.integers(0, 300)), max_size=80),
    some.integers(1, 9),
    some.integers(0, 60),
)
def test_a_queue_in_arrays_is_the_queue(requests, workers, backlog):
    arena = Arena([0], 0)
    programs = Programs(arena, lambda machine: True)
    serving = Serving(workers=workers, backlog=backlog)
    server = Server(0, "default/web", "node", ("10.0.0.1",), serving, [(80, "TCP")])
    programs.row(server)
    queue, now = Queue(workers, backlog), 0
    for pause, service in requests:
        now += pause
        assert server.enter(now, service) == queue.enter(now, service)
        assert server.idle_at(now) == queue.idle_at(now)


def test_compiled_code_is_kept_under_a_name_that_changes_with_its_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled_cache._settings, "CACHE_DIR", str(tmp_path))
    before = compiled_cache.folder()
    assert before.parent == tmp_path / "netsim"
    monkeypatch.setattr(compiled_cache, "ALSO", ())
    assert compiled_cache.folder() != before
