"""When a source could not reach its target, by the rules and by the requests."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from netsim.report.losses import GAP, STREAK, Losses
from netsim.report.run import Run
from netsim.units import MS, S


def of(run: Run, source: str, seen: str) -> list:
    return [i for i in run.intervals if (i.source, i.seen) == (source, seen)]


def test_an_interval_by_the_rules_is_what_the_simulation_recorded(run):
    (found,) = of(run, "inside", "rules")
    assert (found.began, found.detected, found.ended, found.share) == (
        60 * S,
        108_412 * MS,
        109_310 * MS,
        0.5,
    )
    assert found.target == "http://my-nginx"


def test_the_requests_lost_meanwhile_are_counted(run):
    (found,) = of(run, "inside", "rules")
    rows = run.requests
    lost = rows[
        (rows.source == "inside") & (rows.outcome != "ok") & rows.sent.between(60, 109.31, inclusive="left")
    ]
    assert found.lost == len(lost) > 50


def test_an_interval_by_the_requests_goes_from_the_first_lost_to_the_last(run):
    rows = run.requests
    lost = rows[(rows.source == "inside") & (rows.outcome == "timeout")].sent
    found = of(run, "inside", "requests")[-1]
    assert (found.began / S, found.ended / S) == (pytest.approx(lost.min()), pytest.approx(lost.max()))
    assert found.lost == len(lost)
    assert 0.3 < found.share < 0.7


def test_what_requests_lost_is_put_down_to_the_outage_by_the_rules_in_which_they_were(run):
    found = of(run, "inside", "requests")[-1]
    assert (found.detected, found.reason) == (108_412 * MS, "worker-2 without power")
    (apart,) = of(run, "node-port", "requests")[-1:]
    assert (apart.detected, apart.reason) == (None, "")


def test_an_outage_that_lasts_to_the_end_has_no_end(remake):
    open_ended = SimpleNamespace(
        source="inside", target="t", began=400 * S, detected=None, ended=None, share=1.0, reason=""
    )
    run = Run(remake(5.0, outages=(open_ended,)))
    (found,) = of(run, "inside", "rules")
    assert (found.ended, found.data()["ended"], found.data()["duration"]) == (None, None, None)
    assert run.reachability().duration.isna().sum() == 1


def losses(sent, lost):
    """The first and the last request of each span."""
    found = Losses()
    found.add(sent, lost, np.full(len(sent), True))
    return [(span.first, span.last) for span in found.spans]


def test_losses_belong_together_until_there_were_none_for_long_and_for_many_requests():
    often = np.arange(1000) * 10 * MS
    rarely = np.arange(1000) * S
    lost = np.isin(np.arange(1000), [100, 100 + STREAK + 5])
    assert losses(often, lost) == [(100, 100 + STREAK + 5)], "many requests, but not long"
    assert losses(rarely, np.isin(np.arange(1000), [100, 110])) == [(100, 110)], "long, but few requests"
    assert losses(rarely, lost) == [(100, 100), (100 + STREAK + 5, 100 + STREAK + 5)]
    assert GAP < 10 * S


def test_a_source_that_lost_nothing_has_no_interval():
    assert losses(np.arange(5) * S, np.zeros(5, bool)) == []
