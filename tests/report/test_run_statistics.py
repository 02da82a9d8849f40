"""Percentiles, histograms and failures, against their definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.dataplane.requests import OUTCOMES, REFUSED, REQUEST, TIMEOUT, UNFINISHED
from netsim.report.run import Run
from netsim.report.statistics import histogram, mean, percentile
from netsim.units import MS, S

samples = st.lists(st.integers(0, 10**12), min_size=1, max_size=80)


@given(samples, st.sampled_from([1, 50, 90, 99, 99.9, 100]))
def test_a_percentile_is_the_smallest_value_that_enough_of_the_sample_do_not_exceed(values, percent):
    found = percentile(np.array(values), percent)
    enough = [
        v
        for v in values
        if Fraction(sum(w <= v for w in values), len(values)) >= Fraction(str(percent)) / 100
    ]
    assert found == min(enough)


@given(samples)
def test_the_mean_is_exact_to_half_a_nanosecond(values):
    assert abs(Fraction(sum(values), len(values)) - mean(np.array(values))) <= Fraction(1, 2)


@given(samples, st.integers(4, 40))
def test_every_value_is_in_exactly_one_bin_of_the_histogram(values, most):
    bins = histogram(np.array(values), most)
    assert [b.count for b in bins] == [sum(b.low <= v < b.high for v in values) for b in bins]
    assert sum(b.count for b in bins) == len(values)
    assert all(a.high == b.low for a, b in pairwise(bins))
    assert bins[0].count or bins[0].low == 0
    assert bins[-1].count


def test_a_histogram_is_fine_where_the_sample_is_narrow_and_coarse_where_it_is_wide():
    narrow, wide = histogram(np.array([5 * MS, 9 * MS])), histogram(np.array([1 * MS, 5 * S]))
    assert narrow[0].high / narrow[0].low < 1.2
    assert wide[0].high / wide[0].low == 2
    assert len(wide) <= 12


def test_nothing_has_no_percentile_no_mean_and_no_histogram():
    nothing = np.array([], dtype=np.int64)
    assert (percentile(nothing, 50), mean(nothing), histogram(nothing)) == (None, None, ())


def test_no_requests_have_no_success_and_no_percentile(describe):
    told = describe(np.zeros(0, REQUEST))
    assert (told.requests, told.success, told.percentiles) == (0, None, {50: None, 90: None, 99: None})


@pytest.fixture
def rows():
    found = np.zeros(6, REQUEST)
    found["sent"] = np.arange(6) * S
    found["latency"] = [10, 20, 30, 1000, 1000, 0]
    found["outcome"] = [0, 0, 0, TIMEOUT, REFUSED, UNFINISHED]
    return found


@pytest.fixture
def describe(remake):
    """What a run says of these rows."""
    return lambda rows: Run(remake(5.0, requests=rows)).statistics("inside")


def test_latencies_are_those_of_requests_that_went_well(describe, rows):
    told = describe(rows)
    assert (told.least, told.percentiles[50], told.mean, told.most) == (10, 20, 20, 30)


def test_a_request_that_the_end_cut_off_has_neither_failed_nor_gone_well(describe, rows):
    told = describe(rows)
    assert (told.requests, told.ok, told.failed, told.unfinished) == (6, 3, 2, 1)
    assert told.success == 3 / 5


def test_failures_are_told_by_outcome_the_most_frequent_first_with_their_times(describe, rows):
    more = np.concatenate([rows, rows[4:5]])
    more["sent"][-1] = 50 * S
    told = describe(more).failures
    assert [(f.outcome, f.count, f.first, f.last) for f in told] == [
        ("refused", 2, 4 * S, 50 * S),
        ("timeout", 1, 3 * S, 3 * S),
    ]


def test_every_outcome_but_two_is_a_failure(describe):
    rows = np.zeros(len(OUTCOMES), REQUEST)
    rows["outcome"] = np.arange(len(OUTCOMES))
    told = describe(rows)
    assert {failure.outcome for failure in told.failures} == set(OUTCOMES) - {"ok", "unfinished"}
    assert told.failed == len(OUTCOMES) - 2


@given(samples, st.integers(4, 40))
def test_a_histogram_of_values_that_are_there_often_is_that_of_all(values, most):
    once, counts = np.unique(np.array(values), return_counts=True)
    assert histogram(once, most, counts) == histogram(np.array(values), most)
