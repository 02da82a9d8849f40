"""What load balancers of each kind decide: whom to believe, whom to send to, who answers for an address."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from netsim.control.cloud_nodes import AUTOSCALER
from netsim.control.health_checks import Belief, judged, trusted
from netsim.control.load_balancers import PROFILES, LoadBalancer
from netsim.control.metallb import able, in_order, suspicion_time
from netsim.control.proxy_health import ProxyHealth, stays
from netsim.units import S

GCP, ELB = PROFILES["gcp"], PROFILES["aws-classic"]


def after(answers: list[bool], profile=GCP) -> bool | None:
    belief = Belief()
    for answer in answers:
        belief = judged(belief, answer, profile)
    return belief.well


def test_a_node_is_not_sent_to_before_it_has_answered_well() -> None:
    assert after([]) is None
    assert after([True]) is True
    assert (after([True], ELB), after([True, True], ELB)) == (None, True)


def test_only_a_run_of_failures_turns_a_balancer_away() -> None:
    assert after([True, False, False]) is True
    assert after([True, False, False, True, False, False]) is True
    assert after([True, False, False, False]) is False
    assert after([True, False, False, False, True]) is True


@given(st.lists(st.booleans(), max_size=40), st.sampled_from([p for p in PROFILES.values() if p.healthy]))
def test_a_belief_changes_only_at_the_end_of_a_run_that_is_long_enough(answers, profile) -> None:
    belief = Belief()
    for i, answer in enumerate(answers):
        before, belief = belief, judged(belief, answer, profile)
        if belief.well != before.well:
            wanted = profile.healthy if answer else profile.unhealthy
            assert answers[max(0, i - wanted + 1) : i + 1] == [answer] * wanted


def test_nobody_is_sent_to_in_the_hope_that_checks_are_wrong_while_one_is_unknown() -> None:
    assert trusted({"a": Belief(False), "b": Belief()}, GCP) == []
    assert trusted({"a": Belief(False), "b": Belief(False)}, GCP) == ["a", "b"]
    assert trusted({"a": Belief(False), "b": Belief(False)}, ELB) == []
    assert trusted({}, GCP) == []


@given(st.integers(4, 200), st.integers(0, 2))
def test_a_suspicion_lasts_the_shorter_the_more_share_it(members: int, others: int) -> None:
    least, most = suspicion_time(members, 2), suspicion_time(members, 0)
    assert most == 6 * least
    assert least <= suspicion_time(members, others) <= most
    assert least >= 4 * S


def test_in_a_large_cluster_suspicions_last_longer() -> None:
    assert suspicion_time(10, 2) == 4 * S
    assert suspicion_time(100, 2) == 8 * S
    assert suspicion_time(3, 0) == 4 * S  # too few to confirm anything


def test_addresses_are_spread_over_the_nodes() -> None:
    nodes = [f"node-{i}" for i in range(5)]
    first = Counter(in_order(nodes, f"198.51.100.{i}")[0] for i in range(200))
    assert set(first) == set(nodes)
    assert max(first.values()) < 80


def test_losing_a_node_moves_only_the_addresses_it_answered_for() -> None:
    nodes = [f"node-{i}" for i in range(5)]
    for i in range(50):
        address = f"198.51.100.{i}"
        order = in_order(nodes, address)
        assert in_order([n for n in nodes if n != order[0]], address) == order[1:]


def test_nobody_answers_for_a_service_without_ready_pods() -> None:
    assert able(["a", "b"], {}, local=False) == []
    assert able(["a", "b"], {"a": 1}, local=True) == ["a"]


def test_kube_proxy_is_unwell_once_an_update_has_waited_too_long() -> None:
    health = ProxyHealth(patience=60 * S)
    health.queued(10 * S)
    health.queued(50 * S)  # the first that waits counts
    assert health.well(70 * S)
    assert not health.well(71 * S)
    health.updated()
    assert health.well(500 * S)


def test_a_node_that_is_about_to_go_does_not_stay() -> None:
    assert stays({"metadata": {}, "spec": {}})
    assert not stays({"metadata": {}, "spec": {"taints": [{"key": AUTOSCALER, "effect": "NoSchedule"}]}})
    assert not stays({"metadata": {"deletionTimestamp": 1}, "spec": {}})


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_by_its_name_is_that_profile(name: str) -> None:
    spec = LoadBalancer.model_validate({"profile": name})
    assert spec.resolved() == PROFILES[name]
    assert LoadBalancer.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"profile": "metallb-l2", "interval": "3s"}, "metallb-l2 has no interval"),
        ({"profile": "gcp", "hold": "3s"}, "gcp has no hold"),
        ({"profile": "gcp", "interval": "1s", "timeout": "2s"}, "cannot wait longer"),
        ({"profile": "metallb-bgp", "hold": 0}, "must be more than 0"),
        ({"profile": ["gcp"]}, "Input should be"),
    ],
)
def test_what_a_profile_cannot_have_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LoadBalancer.model_validate(given)
