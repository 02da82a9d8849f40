"""Queueing theory judges the plain engine: waiting times, Little's law, balance.

Each claim is a confidence interval from independent runs (other seeds), four standard errors wide, so a
correct engine fails one of them about once in fifteen thousand times, and always for the same seeds.
"""

from __future__ import annotations

from math import factorial, sqrt

import numpy as np
import pytest
from scipy import stats

from netsim.dataplane.requests import OK
from netsim.units import MS, S

SERVICE = 5 * MS
PATIENT = {"timeout": None, "connectTimeout": None}


def erlang_c(servers: int, load: float) -> float:
    """The probability that a customer of an M/M/c queue must wait; `load` is lambda / mu."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


def waiting(lab, servers, rho, seed, seconds=120):
    bench = lab(pods=1, workers=servers, service_time="exponential(5ms)", backlog=1_000_000)
    rate = rho * servers / (SERVICE / S)
    engine = bench.engine({"rate": f"{rate:g}/s", **PATIENT}, end=seconds * S, seed=seed)
    table = engine.finish(seconds * S)
    table = table[(table["outcome"] == OK) & (table["sent"] > 5 * S)]
    return table["queued"].mean(), table


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.5), (1, 0.7), (2, 0.7), (4, 0.6)])
def test_mean_waiting_time_is_that_of_an_m_m_c_queue(lab, servers, rho):
    load = rho * servers
    expected = erlang_c(servers, load) * SERVICE / (servers - load)
    means = [waiting(lab, servers, rho, seed)[0] for seed in range(1, 13)]
    error = np.std(means, ddof=1) / sqrt(len(means))
    assert abs(np.mean(means) - expected) < 4 * error
    assert error < 0.08 * expected  # the interval is narrow enough to mean something


def test_the_share_of_requests_that_wait_is_erlangs_c(lab):
    shares = [(waiting(lab, 4, 0.6, seed)[1]["queued"] > 0).mean() for seed in range(1, 9)]
    error = np.std(shares, ddof=1) / sqrt(len(shares))
    assert abs(np.mean(shares) - erlang_c(4, 2.4)) < 4 * error


def test_littles_law_holds_for_a_loaded_pod(lab):
    """L = lambda W, counted independently: L by sampling how many are in the pod, W from the rows."""
    _, table = waiting(lab, 4, 0.6, seed=3)
    way = (table["latency"] - table["queued"] - table["service"]) // 4
    arrived = table["sent"] + 3 * way
    left = arrived + table["queued"] + table["service"]
    first, last = arrived.min(), arrived.max()
    instants = np.linspace(first + S, last - S, 20_000)
    inside = np.searchsorted(np.sort(arrived), instants, "right") - np.searchsorted(
        np.sort(left), instants, "right"
    )
    rate = len(table) / (last - first)
    assert inside.mean() == pytest.approx(rate * (table["queued"] + table["service"]).mean(), rel=0.03)


def test_service_times_are_exponential(lab):
    _, table = waiting(lab, 4, 0.5, seed=2, seconds=60)
    assert stats.kstest(table["service"] / SERVICE, "expon").pvalue > 1e-4


def test_arrivals_are_a_poisson_process(lab):
    _, table = waiting(lab, 4, 0.5, seed=2, seconds=60)
    gaps = np.diff(np.sort(table["sent"]))
    assert stats.kstest(gaps / gaps.mean(), "expon").pvalue > 1e-4
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 4 / sqrt(len(gaps))


@pytest.mark.parametrize("pods", [2, 3, 7])
def test_connections_fall_evenly_and_independently_on_endpoints(lab, pods):
    bench = lab(pods=pods, nodes=3, workers=64)
    table = bench.engine({"rate": "500/s"}, end=60 * S).finish(60 * S)
    chosen = table[table["outcome"] == OK]["pod"]
    assert stats.chisquare(np.bincount(chosen, minlength=pods)).pvalue > 1e-4
    repeats = (chosen[1:] == chosen[:-1]).mean()
    assert abs(repeats - 1 / pods) < 4 * sqrt(1 / pods * (1 - 1 / pods) / len(chosen))


def test_a_closed_source_never_has_more_requests_under_way_than_clients(lab):
    bench = lab(pods=1, workers=2)
    table = bench.engine({"clients": 5, "think": "1ms"}, end=20 * S).finish(20 * S)
    ends = table["sent"] + table["latency"]
    for instant in np.linspace(S, 19 * S, 200):
        assert ((table["sent"] <= instant) & (ends > instant)).sum() <= 5
    for client in range(5):
        mine = table[table["client"] == client]
        assert (mine["sent"][1:] >= ends[table["client"] == client][:-1]).all()
        assert (mine["sequence"] == np.arange(len(mine))).all()
