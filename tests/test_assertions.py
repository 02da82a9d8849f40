"""What is known of a real cluster, sentence by sentence, and the tests that prove each of it here.

A test that is made for a sentence bears its number (`test_j7_...`); sentences that other tests prove besides
their own business are listed with those.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

ASSERTIONS = {
    1: "with a grace of 50 s nobody sees a lost node Unknown before 40 s or after 55 s",
    2: "its pods stay Running and 1/1, but leave the endpoints right after detection",
    3: "replacements appear 305 s after detection; the old pods are Terminating for ever",
    4: "a StatefulSet's pod there is not replaced until it is forced, the node deleted or out of service",
    5: "a DaemonSet's pods are never evicted by node loss",
    6: "a node that returns before eviction: taints gone within a tick, endpoints back, nothing deleted",
    7: "3 of 4 nodes down: no eviction at all; 1 or 2 of 4: eviction, at 0.1 nodes a second",
    8: "a budget without disruptions left does not stop taint eviction, but makes drain wait and retry",
    9: "chain names are kube-proxy's; balancing rules have chances 1/n, 1/(n-1), ..., 1/2, and none",
    10: "a cluster IP without endpoints refuses; internal Local with remote ones only is silent; ipvs gets there",
    11: "external Local keeps the client's address, drops without a local pod, and its health check says 503",
    12: "external Cluster: the pod sees the node",
    13: "an established TCP flow keeps a deleted endpoint; a UDP flow is balanced anew after the next sync",
    14: "a pod that hits itself through its Service sees its node; without hairpin support 1/n of that fails",
    15: "updates 100 ms apart are programmed together, minSyncPeriod after the last (1.34); a burst of two before",
    16: "all endpoints terminating but serving: traffic still flows to them",
    17: "PreferClose with a zone without endpoints: its nodes use all endpoints",
    18: "a pod created before a Service lacks its variables; DNS finds it at once",
    19: "the search path's query counts",
    20: "automatic node ports begin at 30086 and cluster IPs after the static band, until those are full",
    21: "4 replicas in a rolling update: never fewer than 3 available, never more than 5 that are not terminating",
    22: "a failing readiness probe takes the endpoint away 20 to 31 s after the program breaks",
    23: "CrashLoopBackOff waits 0, 10, 20, 40, 80, 160, 300, 300 s",
    24: "ages as kubectl prints them",
    25: "three replicas on three empty nodes spread one each",
    26: "two containers cannot have one host port under Docker; two pods may both listen on port 80",
}

ELSEWHERE = {
    9: (
        "proxy/test_rule_text.py::test_chain_names_are_kube_proxys",
        "proxy/test_rule_text.py::test_endpoint_chain_names_are_kube_proxys",
        "proxy/test_rule_text.py::test_balancing_rules_have_the_chances_of_the_remaining",
    ),
    10: (
        "proxy/test_proxy_modes.py::test_a_service_without_endpoints_refuses",
        "proxy/test_proxy_modes.py::test_internal_policy_local_without_a_local_pod",
    ),
    18: (
        "control/test_environment.py::test_the_tutorials_pod_sees_the_service_only_if_it_came_first",
        "lab/test_lookup.py::test_dns_finds_a_service_that_the_environment_of_older_pods_lacks",
    ),
    19: ("lab/test_lookup.py::test_the_search_path_costs_two_queries_a_name",),
    20: (
        "proxy/test_allocators.py::test_automatic_node_ports_start_at_30086_until_the_band_is_full",
        "proxy/test_allocators.py::test_automatic_addresses_leave_the_static_band_for_last",
    ),
    24: ("api/test_ages.py::test_a_duration_is_told_in_two_units_at_most_and_never_rounded",),
    26: (
        "lab/test_docker.py::test_two_containers_cannot_have_one_host_port",
        "lab/test_docker.py::test_two_nginx_on_one_node_both_have_port_80_and_everybody_reaches_both_untranslated",
    ),
}


@cache
def written() -> frozenset[str]:
    """Every test there is, as `folder/file.py::name`."""
    return frozenset(
        f"{path.relative_to(TESTS).as_posix()}::{node.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("number", ASSERTIONS)
def test_every_assertion_has_its_proof(number: int) -> None:
    own = [test for test in written() if re.search(rf"::test_j{number}_", test)]
    assert own or ELSEWHERE.get(number), ASSERTIONS[number]


@pytest.mark.parametrize("test", [test for tests in ELSEWHERE.values() for test in tests])
def test_the_tests_that_prove_something_besides_are_there(test: str) -> None:
    assert test in written()


def test_no_test_claims_a_number_that_no_assertion_has() -> None:
    claimed = {int(found[1]) for test in written() if (found := re.search(r"::test_j(\d+)_", test))}
    assert claimed <= set(ASSERTIONS)
