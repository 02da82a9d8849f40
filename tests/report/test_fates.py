"""What became of requests step by step: counts are exact, percentiles as near as promised, and runs add up."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.dataplane.requests import OK, OUTCOMES, UNFINISHED
from netsim.report.buckets import ERROR, Buckets
from netsim.report.fates import MOST_STEPS, Fates
from netsim.report.statistics import PERCENTILES, percentile
from netsim.report.tables import MISSING
from netsim.report.varints import packed, unpacked
from netsim.units import HOUR, MINUTE, S

SOURCES, DURATION = ("inside", "outside", "quiet"), 4 * S
NAMES = ("source", "sent", "latency", "outcome")

requests = st.tuples(
    st.integers(0, 1),
    st.integers(0, DURATION),
    st.integers(0, 2**62) | st.integers(10**6, 10**7),
    st.just(OK) | st.integers(0, len(OUTCOMES) - 1),
)
runs = st.lists(st.lists(requests, max_size=60), min_size=1, max_size=5)


def fates_of(*parts):
    """The fates of requests that came in these parts."""
    found = Fates(SOURCES, DURATION)
    for rows in parts:
        if rows:
            found.see(**dict(zip(NAMES, np.array(rows, dtype=np.int64).T, strict=True)))
    return found


@given(runs, st.randoms(use_true_random=False))
def test_runs_add_up_in_any_order_to_the_fates_of_all_their_requests(several, chance):
    whole = fates_of([row for rows in several for row in rows])
    chance.shuffle(several)
    pooled = Fates(SOURCES, DURATION)
    for rows in several:
        pooled.add(fates_of(rows))
    assert pooled == whole
    assert fates_of(*several) == whole


@given(st.lists(requests, max_size=200))
def test_counts_are_exact_and_percentiles_as_near_as_promised(rows):
    found = fates_of(rows)
    outcomes, percentiles = found.outcomes(), found.percentiles()
    assert outcomes.shape == percentiles.shape == (3, 4, 3)
    for source in range(3):
        for step in range(4):
            here = [row for row in rows if row[0] == source and min(row[1] // S, 3) == step]
            well = np.array([row[2] for row in here if row[3] == OK])
            cut_off = sum(row[3] == UNFINISHED for row in here)
            assert outcomes[source, step].tolist() == [len(well), len(here) - len(well) - cut_off, cut_off]
            for percent, told in zip(PERCENTILES, percentiles[source, step], strict=True):
                exact = percentile(well, percent)
                assert told == MISSING if exact is None else abs(told - exact) <= ERROR * exact


@given(st.lists(requests, max_size=60))
def test_fates_survive_being_written(rows):
    found = fates_of(rows)
    again = Fates.read(json.loads(json.dumps(found.data())))
    assert again == found
    assert again.outcomes().tolist() == found.outcomes().tolist()


@given(st.lists(requests, max_size=60))
def test_all_sources_together_are_one_without_a_name(rows):
    together = fates_of(rows).together()
    assert together.sources == ("",)
    alone = fates_of([(0, *row[1:]) for row in rows])
    assert together.outcomes()[0].tolist() == alone.outcomes()[0].tolist()
    assert together.percentiles()[0].tolist() == alone.percentiles()[0].tolist()


def test_many_requests_take_no_more_room_than_few():
    chance = np.random.default_rng(1)
    few, many = (Fates(["a"], 10 * S) for _ in range(2))
    for fates, parts in ((few, 3), (many, 30)):
        for _ in range(parts):
            sent, latency = chance.integers(0, 10 * S, 100_000), chance.uniform(1e6, 5e6, 100_000).astype(np.int64)
            fates.see(np.zeros(100_000, np.int16), sent, latency, np.zeros(100_000, np.int8))
    assert many.outcomes().sum() == 10 * few.outcomes().sum() == 3_000_000
    assert len(many.data()["counts"]) < 1.2 * len(few.data()["counts"])
    assert abs(many.percentiles()[0, :, 0] / 3e6 - 1).max() < 0.01


def test_a_step_holds_the_same_buckets_as_the_whole_would():
    latency = np.random.default_rng(2).exponential(5e6, 1000).astype(np.int64)
    found = fates_of([(0, 7, int(value), OK) for value in latency])
    whole = Buckets.of(latency)
    assert found.percentiles()[0, 0].tolist() == [whole.percentile(percent) for percent in PERCENTILES]


@pytest.mark.parametrize(
    ("duration", "step", "steps"),
    [(1, S, 1), (9 * MINUTE, S, 540), (MOST_STEPS * S, S, MOST_STEPS), (HOUR, 10 * S, 360), (24 * HOUR, 200 * S, 432)],
)
def test_a_step_is_a_second_or_of_a_long_run_a_round_number_of_them(duration, step, steps):
    found = Fates(["a"], duration)
    assert (found.step, found.steps) == (step, steps)


def test_nothing_at_all_has_nothing_to_say():
    assert fates_of().percentiles().max() == MISSING
    assert fates_of().outcomes().sum() == 0
    nobody = Fates([], DURATION)
    assert nobody.outcomes().shape == nobody.percentiles().shape == (0, 4, 3)
    assert Fates.read(nobody.data()) == nobody
    nobody.add(Fates([], DURATION))
    assert nobody.together().outcomes().sum() == 0


@pytest.mark.parametrize("other", [Fates(SOURCES, DURATION + 1), Fates(SOURCES[:2], DURATION)])
def test_what_is_not_alike_does_not_add_up(other):
    with pytest.raises(ValueError, match="the same sources and the same length"):
        fates_of().add(other)


@given(st.lists(st.integers(-(2**62), 2**62 - 1) | st.integers(-100, 100)))
def test_numbers_survive_being_packed(values):
    assert unpacked(packed(np.array(values, dtype=np.int64))).tolist() == values


def test_small_numbers_take_one_byte_each():
    assert len(packed(np.arange(-63, 63))) == 126 * 4 // 3
