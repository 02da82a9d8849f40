"""A cluster's timings: the version's, then the profile's, then single fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from netsim.control.timings import Timings
from netsim.draws import Distribution
from netsim.scenario.model import Cluster
from netsim.units import MS, S

NODES = [{"name": "worker"}]


def cluster(**fields: object) -> Cluster:
    return Cluster.model_validate({"nodes": NODES, **fields})


def test_the_version_decides_first() -> None:
    assert cluster().resolved_timings == Timings()
    assert cluster(version="1.31").resolved_timings.node_monitor_grace == 40 * S
    assert cluster(version="1.32").resolved_timings.node_monitor_grace == 50 * S


def test_a_profile_goes_over_the_version() -> None:
    timings = cluster(version="1.31", profile="fast").resolved_timings
    assert (timings.node_monitor_grace, timings.node_monitor_period) == (20 * S, 2 * S)


def test_single_fields_go_over_both() -> None:
    given = {"nodeMonitorGrace": "33s", "sandbox": "exponential(5ms)"}
    timings = cluster(profile="fast", timings=given).resolved_timings
    assert timings.node_monitor_grace == 33 * S
    assert timings.sandbox == Distribution("exponential", (5 * MS,))
    assert timings.node_monitor_period == 2 * S


def test_python_may_use_python_names() -> None:
    timings = cluster(profile="fast", timings={"node_monitor_grace": 33 * S}).resolved_timings
    assert (timings.node_monitor_grace, timings.node_monitor_period) == (33 * S, 2 * S)
    assert cluster(timings=Timings(write=1)).resolved_timings == Timings(write=1)


def test_a_timing_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="nodeMonitorGrce"):
        cluster(timings={"nodeMonitorGrce": "40s"})


def test_what_is_printed_reads_back_the_same() -> None:
    one = cluster(version="1.31", profile="legacy", timings={"write": "1ms"})
    assert Cluster.model_validate_json(one.model_dump_json()) == one
