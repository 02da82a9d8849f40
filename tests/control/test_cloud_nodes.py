"""The cloud controllers' decisions."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import node, ready, service

from netsim.control.cloud_nodes import (
    AUTOSCALER,
    EXCLUDE,
    FINALIZER,
    SOURCE_RANGES,
    Instance,
    allows_all,
    calls_for_update,
    cloud_call,
    eligible,
    needs_health_check,
    nodes_to_send,
    only_local,
    source_ranges,
    verdict,
)

DOOMED = {"key": AUTOSCALER, "effect": "NoSchedule"}


def test_an_unready_node_stays_behind_the_balancer() -> None:
    assert eligible(node("a", conditions=ready("Unknown")))
    assert not eligible(node("a", conditions=ready("Unknown")), stable=False)


@pytest.mark.parametrize(
    "more", [{"labels": {EXCLUDE: ""}}, {"labels": {EXCLUDE: "x"}}, {"taints": [DOOMED]}]
)
def test_labels_and_the_autoscaler_take_nodes_out(more: dict[str, Any]) -> None:
    assert not eligible(node("a", conditions=ready("True"), **more))


def test_a_node_that_is_being_deleted_is_out() -> None:
    leaving = node("a")
    leaving["metadata"]["deletionTimestamp"] = 1
    assert not eligible(leaving)


def test_a_label_that_says_no_excludes_nobody() -> None:
    assert eligible(node("a", labels={EXCLUDE: "false"}))


def test_only_the_label_and_the_identity_cause_an_update_at_once() -> None:
    plain = node("a", conditions=ready("True"))
    moved = {**plain, "spec": {**plain["spec"], "providerID": "cloud://1"}}
    assert calls_for_update(plain, node("a", labels={EXCLUDE: ""}))
    assert calls_for_update(plain, moved)
    assert not calls_for_update(plain, node("a", taints=[DOOMED]))
    assert not calls_for_update(plain, node("a", conditions=ready("Unknown")))


def test_a_balancer_is_told_only_of_other_nodes() -> None:
    a, b = node("a"), node("b")
    assert nodes_to_send([a, b], [b, a]) is None
    assert nodes_to_send([a, b], [a, node("b", conditions=ready("False"))]) is None
    assert nodes_to_send([a, b], [a, node("b", taints=[DOOMED])]) == [a]
    assert nodes_to_send([a], [a, b]) == [a, b]
    assert nodes_to_send([a, node("b", taints=[DOOMED])], [a]) is None
    assert nodes_to_send([a, node("b", labels={EXCLUDE: ""})], [a, b]) == [a, b]


def test_the_cloud_is_called_for_services_that_want_a_balancer_of_its_class() -> None:
    wants = service(type="LoadBalancer")
    assert cloud_call(wants, exists=False) == "create"
    assert cloud_call(service(type="LoadBalancer", loadBalancerClass="other"), exists=False) is None
    assert cloud_call(service(), exists=True) == "delete"
    assert cloud_call(service(), exists=False) is None
    leaving = {**wants, "metadata": {**wants["metadata"], "finalizers": [FINALIZER], "deletionTimestamp": 1}}
    assert cloud_call(leaving, exists=True) == "delete"


def test_policy_local_means_something_for_traffic_from_outside_alone() -> None:
    local = {"externalTrafficPolicy": "Local"}
    assert [
        only_local(service(type=kind, **local)) for kind in ("ClusterIP", "NodePort", "LoadBalancer")
    ] == [
        False,
        True,
        True,
    ]
    assert not needs_health_check(service(type="NodePort", **local))
    assert needs_health_check(service(type="LoadBalancer", **local))


def test_source_ranges_come_from_the_field_then_the_annotation_then_everywhere() -> None:
    open_to_all = service(type="LoadBalancer")
    assert source_ranges(open_to_all) == ("0.0.0.0/0",)
    assert allows_all(source_ranges(open_to_all))
    open_to_all["metadata"]["annotations"] = {SOURCE_RANGES: " 10.0.0.0/8 , 10.1.2.3/8 "}
    assert source_ranges(open_to_all) == ("10.0.0.0/8",)
    open_to_all["spec"]["loadBalancerSourceRanges"] = ["192.0.2.0/24"]
    assert source_ranges(open_to_all) == ("192.0.2.0/24",)


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1/33", "", "foo/8", "10.0.0.0/255.0.0.0"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        source_ranges(service(loadBalancerSourceRanges=["10.0.0.0/8", text]))


@pytest.mark.parametrize(
    ("status", "instance", "becomes"),
    [
        ("True", Instance(exists=False), "untaint"),
        ("Unknown", Instance(exists=False), "delete"),
        ("False", Instance(exists=True), "keep"),
        ("Unknown", Instance(exists=True, shut_down=True), "taint"),
        ("Unknown", Instance(exists=True, shut_down=None), "keep"),
        ("Unknown", Instance(exists=None), "keep"),
    ],
)
def test_the_cloud_knows_what_became_of_a_silent_node(status: str, instance: Instance, becomes: str) -> None:
    assert verdict(node("a", conditions=ready(status)), instance) == becomes
