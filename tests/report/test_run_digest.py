"""The digest of requests: the same however the table comes, and equal to what the whole table says."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.dataplane.requests import OK, OUTCOMES, REQUEST, UNFINISHED
from netsim.report import digest as digesting
from netsim.report import latencies as keeping
from netsim.report.digest import Digest, Thinned
from netsim.report.latencies import Latencies
from netsim.report.losses import GAP, STREAK
from netsim.report.statistics import PERCENTILES, mean, percentile
from netsim.report.tables import MISSING
from netsim.units import MS, S

UNTIL = 90 * S


def table(seed: int, count: int, sources: int) -> np.ndarray:
    """A table of requests: outcomes come in streaks, with gaps between them."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, REQUEST)
    gaps = rng.choice([0, 1, MS, 100 * MS, 7 * S], count, p=[0.1, 0.1, 0.5, 0.28, 0.02])
    rows["sent"] = np.minimum(np.cumsum(gaps), UNTIL - 1)
    rows["source"] = np.sort(rng.integers(0, sources, count)) if seed % 2 else rng.integers(0, sources, count)
    bad = np.repeat(rng.random(-(-count // 10)) < 0.3, 10)[:count] & (rng.random(count) < 0.7)
    rows["outcome"] = np.where(bad, rng.choice([1, 2, UNFINISHED], count), OK)
    rows["latency"] = rng.choice([0, 5, MS, 3 * S], count) + rng.integers(0, 1000, count)
    return rows[np.lexsort((rows["source"], rows["sent"]))]


tables = st.builds(table, st.integers(0, 10**6), st.integers(0, 400), st.sampled_from([1, 2, 6]))


def digest(rows, cuts=(), strikes=(), sources=6, scenario=None):
    """The digest of a table in parts, of a run whose faults struck at `strikes`."""
    scenario = scenario or SimpleNamespace(document=SimpleNamespace(faults=()))
    found = Digest(scenario, UNTIL, sources)
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for begin, end in pairwise(bounds):
        now = rows["sent"][end] if end < len(rows) else UNTIL
        known = [SimpleNamespace(kind="fault", time=time) for time in strikes if time <= now]
        found.take(SimpleNamespace(requests=rows[begin:end], changes=known, instants=[]))
    return found


def failing(rows):
    return (rows["outcome"] != OK) & (rows["outcome"] != UNFINISHED)


def told(found: Digest):
    """Everything that a digest says."""
    return (
        [found.statistics([source]) for source in range(6)],
        found.statistics(range(6)),
        [series.counts.tolist() for series in found.seconds + found.steps],
        [series.latencies().tolist() for series in [*found.seconds, *found.steps, found.together]],
        [tally.losses.spans for tally in found.tallies],
        found.points.points.tolist(),
        found.lost_points.points.tolist(),
    )


@given(tables, st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=60)
def test_how_the_table_is_cut_changes_nothing(rows, cuts):
    assert told(digest(rows, cuts)) == told(digest(rows))


@given(tables)
@settings(max_examples=60)
def test_statistics_are_those_of_the_table(rows):
    found = digest(rows)
    for source in range(6):
        mine = rows[rows["source"] == source]
        well = mine["latency"][mine["outcome"] == OK]
        said = found.statistics([source])
        assert (said.requests, said.ok) == (len(mine), len(well))
        assert said.failed == failing(mine).sum()
        assert said.percentiles == {percent: percentile(well, percent) for percent in PERCENTILES}
        assert (said.mean, said.least, said.most) == (mean(well), percentile(well, 0), percentile(well, 100))
        for failure in said.failures:
            sent = mine["sent"][mine["outcome"] == OUTCOMES.index(failure.outcome)]
            assert (failure.count, failure.first, failure.last) == (len(sent), sent.min(), sent.max())


@given(tables)
@settings(max_examples=60)
def test_each_second_has_the_percentiles_of_its_own_requests(rows):
    found = digest(rows)
    for source in range(6):
        latencies, counts = found.seconds[source].latencies(), found.seconds[source].counts
        for second in range(90):
            mine = rows[(rows["source"] == source) & (rows["sent"] // S == second)]
            well = mine["latency"][mine["outcome"] == OK]
            wanted = [percentile(well, percent) for percent in (*PERCENTILES, 100)]
            assert latencies[second].tolist() == [MISSING if value is None else value for value in wanted]
            assert counts[second].tolist() == np.bincount(mine["outcome"], minlength=len(OUTCOMES)).tolist()


@given(tables)
@settings(max_examples=60)
def test_losses_belong_together_as_they_would_in_the_whole_table(rows):
    found = digest(rows)
    for source in range(6):
        mine = rows[rows["source"] == source]
        at = np.flatnonzero(failing(mine))
        apart = (np.diff(mine["sent"][at]) > GAP) & (np.diff(at) > STREAK)
        groups = np.split(at, np.flatnonzero(apart) + 1) if len(at) else []
        spans = found.tallies[source].losses.spans
        assert [(span.first, span.last, span.lost) for span in spans] == [(g[0], g[-1], len(g)) for g in groups]
        for span in spans:
            meanwhile = mine[span.first : span.last + 1]
            assert span.finished == (meanwhile["outcome"] != UNFINISHED).sum()
            assert (span.began, span.ended) == (meanwhile["sent"][0], meanwhile["sent"][-1])


@given(
    tables,
    st.lists(st.integers(0, UNTIL), max_size=6, unique=True),
    st.lists(st.integers(0, 400), max_size=5),
)
@settings(max_examples=60)
def test_between_two_instants_every_request_is_counted_whenever_they_became_known(rows, strikes, cuts):
    found = digest(rows, cuts, sorted(strikes))
    instants = [0, *sorted(strikes)]
    for begin, end in ((a, b) for a in instants for b in [*instants, UNTIL] if a < b):
        for source in range(6):
            mine = rows[(rows["source"] == source) & (rows["sent"] >= begin) & (rows["sent"] < end)]
            lost = mine["sent"][failing(mine)]
            said = found.between(source, begin, end)
            assert said.counts.tolist() == np.bincount(mine["outcome"], minlength=len(OUTCOMES)).tolist()
            assert said.lost == len(lost)
            assert said.finished == (mine["outcome"] != UNFINISHED).sum()
            assert (said.first_lost, said.last_lost) == ((lost.min(), lost.max()) if len(lost) else (None, None))


@given(tables, st.lists(st.integers(0, UNTIL), max_size=6, unique=True), st.lists(st.integers(0, 400), max_size=5))
@settings(max_examples=60)
def test_every_loss_is_counted_once_by_the_strike_after_which_it_failed(rows, strikes, cuts):
    faults = tuple(SimpleNamespace(at=time) for time in strikes)
    found = digest(rows, cuts, scenario=SimpleNamespace(document=SimpleNamespace(faults=faults)))
    lost = rows[failing(rows)]
    ended = lost["sent"] + lost["latency"]
    for begin, end in pairwise([0, *sorted({*strikes} - {0}), 2 * UNTIL]):
        inside = (ended > (begin or -1)) & (ended <= end)  # what failed at the very start belongs to it, too
        for source in range(6):
            sent = lost["sent"][inside & (lost["source"] == source)]
            said = found.failed(source, begin, end)
            assert said.lost == said.finished == len(sent)
            assert (said.first_lost, said.last_lost) == ((sent.min(), sent.max()) if len(sent) else (None, None))


@given(st.integers(0, 500), st.integers(1, 60), st.lists(st.integers(0, 500), max_size=6))
def test_points_are_every_so_manieth_and_never_too_many(count, most, cuts):
    rows = np.zeros(count, REQUEST)
    rows["sent"] = np.arange(count)
    thinned = Thinned(most)
    for part in np.split(rows, sorted(cut for cut in cuts if cut <= count)):
        thinned.add(part)
    assert thinned.points["sent"].tolist() == list(range(0, count, thinned.stride))
    assert len(thinned.points) <= most
    assert thinned.stride == 1 or -(-count // (thinned.stride // 2)) > most


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200), st.integers(1, 100), st.integers(1, 50))
def test_beyond_so_many_latencies_the_error_is_as_stated(values, exact, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EXACT", exact)
        found = Latencies()
        for begin in range(0, len(values), size):
            found.add(np.array(values[begin : begin + size]))
        assert (found.error > 0) == (len(values) > exact)
        for percent in (1, 50, 99, 99.9):
            wanted = percentile(np.array(values), percent)
            assert abs(found.percentile(percent) - wanted) <= found.error * wanted
        assert (found.count, found.least, found.most) == (len(values), min(values), max(values))
        assert found.mean == mean(np.array(values))
        assert found.weighted()[1].sum() == len(values)
        assert found.buckets().count == len(values)


@given(st.lists(st.integers(0, 10**9), max_size=60), st.lists(st.integers(0, 10**9), max_size=60), st.integers(1, 80))
def test_two_samples_together_are_as_exact_as_their_number_allows(one, other, exact):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "EXACT", exact)
        parts = []
        for values in (one, other):
            parts.append(Latencies())
            parts[-1].add(np.array(values, np.int64))
        both, whole = parts[0] + parts[1], Latencies()
        whole.add(np.array([*one, *other], np.int64))
        assert (both.count, both.error, both.mean) == (whole.count, whole.error, whole.mean)
        assert [both.percentile(p) for p in (0, 50, 100)] == [whole.percentile(p) for p in (0, 50, 100)]


def test_huge_latencies_are_sorted_all_the_same():
    rows = np.zeros(5, REQUEST)
    rows["latency"] = [1 << 50, 5, 1 << 51, 7, 9]
    rows["sent"] = [0, 1, 2, S, S + 1]
    latencies = digest(rows).seconds[0].latencies()
    assert latencies[:2, 0].tolist() == [1 << 50, 7]
    assert latencies[:2, -1].tolist() == [1 << 51, 9]


def test_memory_does_not_grow_with_the_number_of_requests(monkeypatch):
    monkeypatch.setattr(keeping, "EXACT", 1000)
    monkeypatch.setattr(digesting, "POINTS", 500)
    import tracemalloc

    found, sizes = digest(table(1, 0, 1), sources=1), []
    tracemalloc.start()
    for part in range(30):
        rows = table(2, 4000, 1)
        rows["sent"] = part * S + np.sort(rows["sent"]) % S
        found.take(SimpleNamespace(requests=rows[np.argsort(rows["sent"])], changes=(), instants=()))
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[-1] < sizes[4] + 100_000
    assert found.count == 120_000
