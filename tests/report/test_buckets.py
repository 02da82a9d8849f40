"""Latencies in buckets: the promised error holds, and parts add up to the whole."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.report.buckets import ERROR, Buckets
from netsim.report.statistics import mean, percentile

latency = st.integers(0, 2**62) | st.integers(0, 10**10) | st.integers(0, 1000)
samples = st.lists(latency, min_size=1, max_size=300)
percents = st.sampled_from([0.1, 1, 10, 50, 90, 99, 99.9, 99.99, 100])


@given(samples, percents)
def test_a_percentile_is_as_near_to_the_exact_one_as_promised(sample, percent):
    exact = percentile(np.array(sample), percent)
    assert abs(Buckets.of(sample).percentile(percent) - exact) <= ERROR * exact


@given(samples)
def test_count_mean_least_and_most_are_exact(sample):
    found = Buckets.of(sample)
    assert (found.count, found.least, found.most) == (len(sample), min(sample), max(sample))
    assert found.total == sum(sample)
    assert found.mean == (2 * sum(sample) + len(sample)) // (2 * len(sample))


@given(st.lists(samples, min_size=1, max_size=4))
def test_parts_add_up_to_the_whole(parts):
    whole = Buckets.of([value for part in parts for value in part])
    assert sum(map(Buckets.of, parts), Buckets()) == whole
    grown = Buckets()
    for part in parts:
        grown.add(np.array(part))
    assert grown == whole


@given(samples)
def test_buckets_survive_being_written(sample):
    found = Buckets.of(sample)
    assert Buckets.read(json.loads(json.dumps(found.data()))) == found


def test_an_empty_sample_has_nothing_to_say():
    empty = Buckets()
    empty.add(np.array([], dtype=np.int64))
    assert (empty.count, empty.mean, empty.least, empty.percentile(50)) == (0, None, None, None)
    assert Buckets.read(empty.data()) == empty
    assert empty + Buckets.of([7]) == Buckets.of([7])


def test_a_negative_latency_is_a_mistake():
    with pytest.raises(ValueError, match="not negative"):
        Buckets.of([5, -1])


def test_small_values_are_exact():
    values = np.arange(256)
    assert [Buckets.of([value]).percentile(50) for value in values] == list(values)
    assert Buckets.of(values).percentile(50) == percentile(values, 50)


def test_a_million_latencies_as_a_distribution():
    values = np.random.default_rng(1).exponential(5e6, 1_000_000).astype(np.int64)
    found = Buckets.of(values)
    for percent in (50, 90, 99, 99.9, 99.99):
        assert math.isclose(found.percentile(percent), percentile(values, percent), rel_tol=ERROR)
    assert found.mean == mean(values)
