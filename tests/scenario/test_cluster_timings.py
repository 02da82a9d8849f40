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


PROFILES = [
    # profile    status   look   grace    toleration    eviction   Kubespray's table, and the old rules
    ("default", 10 * S, 5 * S, 50 * S, 300 * S, "taints"),
    ("fast", 4 * S, 2 * S, 20 * S, 30 * S, "taints"),
    ("medium", 20 * S, 5 * S, 120 * S, 60 * S, "taints"),
    ("low", 60 * S, 5 * S, 300 * S, 60 * S, "taints"),
    ("legacy", 10 * S, 5 * S, 40 * S, 300 * S, "legacy"),
]


@pytest.mark.parametrize(("profile", "status", "look", "grace", "toleration", "eviction"), PROFILES)
def test_a_profile_is_its_row(
    profile: str, status: int, look: int, grace: int, toleration: int, eviction: str
) -> None:
    found = cluster(profile=profile).resolved_timings
    assert (found.node_status_update, found.node_monitor_period, found.node_monitor_grace) == (status, look, grace)
    assert (found.not_ready_toleration, found.unreachable_toleration) == (toleration, toleration)
    assert found.eviction == eviction
    assert found.pod_eviction_timeout == 300 * S


VERSIONS = [("1.31", 40 * S), *((f"1.{minor}", 50 * S) for minor in range(32, 37))]


@pytest.mark.parametrize(("version", "grace"), VERSIONS)
def test_every_version_has_its_grace_and_all_else_alike(version: str, grace: int) -> None:
    found = cluster(version=version).resolved_timings
    assert found == Timings(node_monitor_grace=grace)


def test_every_profile_and_version_that_can_be_named_is_in_a_table() -> None:
    from netsim.control import timings

    assert {row[0] for row in PROFILES} == set(timings.PROFILES)
    assert {row[0] for row in VERSIONS} == set(timings.VERSIONS)
    for field, names in (("profile", timings.PROFILES), ("version", timings.VERSIONS)):
        assert set(Cluster.model_fields[field].annotation.__args__) == set(names)


CONSTANTS = {
    "lease_renew": 10 * S,
    "node_status_report": 300 * S,
    "node_startup_grace": 60 * S,
    "node_eviction_rate": 0.1,
    "secondary_node_eviction_rate": 0.01,
    "unhealthy_zone_threshold": 0.55,
    "large_cluster_size": 50,
    "taint_pass": 100 * MS,
    "pod_gc_period": 20 * S,
    "pod_gc_quarantine": 40 * S,
    "controller_qps": 20.0,
    "controller_burst": 30,
    "endpoint_slice_batch": 0,
    "max_endpoints_per_slice": 100,
    "pleg_relist": 1 * S,
}


def test_the_defaults_are_kubernetes_own() -> None:
    found = Timings()
    assert {name: getattr(found, name) for name in CONSTANTS} == CONSTANTS


def test_check_prints_what_a_profile_and_a_version_come_to(tmp_path, capsys) -> None:
    import yaml

    from netsim.cli.main import ended

    path = tmp_path / "small.yaml"
    path.write_text(
        "apiVersion: netsim/v1\nkind: Scenario\nmetadata: {name: small}\n"
        'cluster: {version: "1.31", profile: fast, loadBalancer: aws-nlb, nodes: [{name: a}]}\n'
    )
    assert ended(["check", "--print", str(path)]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)["cluster"]
    assert printed["timings"]["nodeMonitorGrace"] == "20s"
    assert printed["timings"]["unreachableToleration"] == "30s"
    assert printed["loadBalancer"] == {
        "profile": "aws-nlb", "provisioning": "2m", "interval": "30s", "timeout": "10s", "healthy": 3,
        "unhealthy": 3, "hold": None,
    }  # fmt: skip
