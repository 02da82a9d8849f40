"""Means, intervals and differences, against SciPy and against the long run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from netsim.sweep.estimates import Estimate, estimate, paired, quantile, student, unpaired

values = st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=40).map(lambda found: [x / 1000 for x in found])
varied = values.filter(lambda found: max(found) - min(found) > 0.01)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 29, 30, 99, 1000])
def test_students_quantile_is_scipys(degrees, level):
    assert student(degrees, level) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)


@given(varied)
def test_the_interval_of_a_mean_is_scipys(sample):
    found = estimate(sample)
    low, high = stats.t.interval(0.95, len(sample) - 1, np.mean(sample), stats.sem(sample))
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)


@given(varied, st.integers(0, 2**32 - 1))
def test_a_paired_difference_is_scipys(sample, seed):
    others = np.round(sample + np.random.default_rng(seed).normal(0, 1, len(sample)), 3)
    found = paired(sample, list(others))
    wanted = stats.ttest_rel(sample, others).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-6, abs=1e-6)


def test_an_unpaired_difference_is_welchs_with_whole_degrees_of_freedom():
    one, other = [4.0, 5.5, 6.1, 7.7, 5.2], [1.0, 2.0, 3.3]
    found = unpaired(one, other)
    wanted = stats.ttest_ind(one, other, equal_var=False)
    spread = (found.high - found.low) / 2 / student(int(wanted.df))
    assert found.mean / spread == pytest.approx(wanted.statistic)
    assert found.high - found.low >= np.ptp(wanted.confidence_interval(0.95))


def test_ninety_five_of_a_hundred_intervals_hold_the_true_mean():
    rng = np.random.default_rng(3)
    samples = rng.exponential(1.0, (2000, 30)) + rng.normal(0, 1, (2000, 30))
    held = sum(found.low <= 1.0 <= found.high for found in map(estimate, samples.tolist()))
    assert 0.93 < held / 2000 < 0.965


def test_pairs_see_what_seeds_have_in_common_taken_out():
    rng = np.random.default_rng(4)
    common, noise = rng.normal(0, 100, 30), rng.normal(0, 1, (2, 30))
    one, other = (common + noise[0] + 2).tolist(), (common + noise[1]).tolist()
    assert paired(one, other).certain
    assert not unpaired(one, other).certain


def test_few_values_have_no_interval():
    assert estimate([]) == Estimate(0, None, None, None, None)
    assert estimate([3]) == Estimate(1, 3.0, None, None, None)
    assert not estimate([3]).certain
    assert unpaired([3], [1, 2]) == Estimate(1, 1.5, None, None, None)
    assert unpaired([], [1, 2]).mean is None


def test_runs_without_a_value_are_left_out_of_pairs():
    assert paired([None, 5, 7], [1, None, 4]) == Estimate(1, 3.0, None, None, None)


@given(values)
def test_the_order_of_runs_changes_nothing(sample):
    assert estimate(sample) == estimate(sample[::-1]) == estimate(sorted(sample))


@given(values, st.sampled_from([1, 10, 50, 90, 99, 99.9]))
def test_a_quantile_is_a_value_that_so_many_do_not_exceed(sample, percent):
    found = quantile(sample, percent)
    assert found in sample
    assert sum(value <= found for value in sample) * 100 >= percent * len(sample)
    assert sum(value < found for value in sample) * 100 < percent * len(sample)


def test_an_interval_ends_where_values_end():
    found = estimate([0.99, 1.0, 1.0]).within(0, 1)
    assert (found.high, found.mean) == (1.0, pytest.approx(0.99667, abs=1e-5))
    assert estimate([1.0]).within(0, 1).high is None
