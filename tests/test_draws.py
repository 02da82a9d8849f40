"""Chance: the generator is Philox, every form of it gives the same bits, and distributions are what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from netsim.draws import (
    Distribution,
    Draws,
    Stream,
    exponential,
    index,
    log,
    logs_block,
    philox,
    philox_block,
    stream_key,
    uniform,
)

WORD = st.integers(0, 2**32 - 1)
BITS = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, expected):
    assert " ".join(f"{word:08x}" for word in philox(counter, key)) == expected


@given(st.integers(0, 2**62), st.integers(1, 9), BITS, WORD)
def test_many_draws_at_once_are_the_same_as_one_by_one(first, count, key, lane):
    block = philox_block(first, count, key, lane).tolist()
    for i, bits in enumerate(block):
        number = first + i
        words = philox((number & 0xFFFFFFFF, number >> 32, lane, 0), (key & 0xFFFFFFFF, key >> 32))
        assert bits == words[0] | words[1] << 32


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2)), max_size=40), BITS)
def test_the_order_of_asking_does_not_matter(questions, key):
    stream = Stream(key, 5)
    for number, attempt in questions:
        assert stream.bits(number, attempt) == Stream(key, 5).bits(number, attempt)
        if not attempt:
            assert stream.exponential(number, 10**6) == exponential(stream.bits(number), 10**6)


def test_streams_of_other_names_entities_lanes_attempts_and_seeds_are_others():
    keys = {stream_key(seed, name, entity) for seed in (1, 2) for name in ("a", "b") for entity in ("", "x", "y")}
    assert len(keys) == 12
    stream = Draws(1).stream("a")
    others = [Draws(1).stream("a", lane=1).bits(0), stream.bits(1), stream.bits(0, 1), Draws(2).stream("a").bits(0)]
    assert len({stream.bits(0), *others}) == 5


@given(st.floats(min_value=2.0**-53, max_value=1.0))
def test_log_is_within_one_unit_in_the_last_place(x):
    assert abs(log(x) - math.log(x)) <= math.ulp(math.log(x))


@given(st.lists(BITS, min_size=1, max_size=50))
def test_logarithms_of_a_column_are_the_same_bits(bits):
    assert logs_block(bits) == [-log(1.0 - uniform(b)) for b in bits]


def test_uniform_draws_are_uniform_and_independent():
    draws = np.array([uniform(bits) for bits in map(Stream(stream_key(1, "test")).bits, range(50_000))])
    assert stats.kstest(draws, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 4 / math.sqrt(len(draws))


@pytest.mark.parametrize("count", [2, 3, 7, 100])
def test_index_is_even(count):
    stream = Stream(stream_key(1, "index"))
    chosen = np.bincount([index(stream.bits(i), count) for i in range(30_000)], minlength=count)
    assert len(chosen) == count
    assert stats.chisquare(chosen).pvalue > 1e-4


@pytest.mark.parametrize("text", ["5ms", "exponential(5ms)", "uniform(300ms,1500ms)"])
def test_a_distribution_reads_back_and_has_its_mean(text):
    distribution = Distribution.parse(text)
    assert str(distribution) == text
    assert Distribution.parse(str(distribution)) == distribution
    stream = Stream(stream_key(3, text))
    draws = [distribution.draw(stream.bits(i)) for i in range(20_000)]
    assert np.mean(draws) == pytest.approx(distribution.mean, rel=0.03)
    assert [distribution.draw_from(stream, i, 0) for i in range(50)] == draws[:50]


@pytest.mark.parametrize("text", ["normal(5ms)", "uniform(5ms)", "uniform(2s,1s)", "exponential()", "five"])
def test_what_is_no_distribution_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Distribution.parse(text)
