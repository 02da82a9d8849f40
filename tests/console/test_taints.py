"""`kubectl taint`: which words set a mark on a node and which take it away, and what it does to pods."""

from __future__ import annotations

import json

import pytest

from netsim.console.session import Lab


def taints(lab: Lab, node: str = "lab-worker-1") -> list[dict[str, str]]:
    return json.loads(lab(f"kubectl get node {node} -o json"))["spec"].get("taints", [])


def test_a_taint_is_set_changed_and_taken_away(lab: Lab) -> None:
    assert lab("kubectl taint nodes lab-worker-1 a=1:NoSchedule b:NoExecute") == "node/lab-worker-1 tainted\n"
    assert taints(lab) == [{"effect": "NoSchedule", "key": "a", "value": "1"}, {"effect": "NoExecute", "key": "b"}]
    assert lab("kubectl taint node lab-worker-1 a=2:NoSchedule --overwrite") == "node/lab-worker-1 modified\n"
    assert taints(lab)[0]["value"] == "2"
    assert lab("kubectl taint no lab-worker-1 a- b:NoExecute-") == "node/lab-worker-1 untainted\n"
    assert taints(lab) == []


def test_all_nodes_are_tainted_at_once_and_in_a_dry_run_none(lab: Lab) -> None:
    assert lab("kubectl taint nodes --all a:NoSchedule --dry-run=client").count(" tainted (dry run)\n") == 3
    assert taints(lab) == []
    assert lab("kubectl taint nodes --all a:NoSchedule").count(" tainted\n") == 3


def test_pods_leave_a_node_that_they_do_not_tolerate(nginx: Lab) -> None:
    nginx("kubectl taint nodes lab-worker-1 broken:NoExecute")
    nodes = nginx("kubectl get pods -l run=my-nginx -o jsonpath='{.items[*].spec.nodeName}'")
    assert nodes == "lab-worker-2 lab-worker-2"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nodes lab-worker-1 a:NoSchedule",
         "node lab-worker-1 already has a taint(s) with same effect(s) and --overwrite is false"),
        ("nodes lab-worker-1 b-", 'taint "b" not found'),
        ("nodes lab-worker-1 b:NoExecute-", 'taint "b:NoExecute" not found'),
        ("nodes lab-worker-1 b:Never", "invalid taint effect: Never, unsupported taint effect"),
        ("nodes lab-worker-1 b=1", "invalid taint spec: b=1"),
        ("nodes lab-worker-1", "at least one taint update is required"),
        ("nodes a:NoSchedule", "at least one resource name must be specified since 'all' parameter is not set"),
        ("pods web a:NoSchedule", "invalid resource type pods, only node types are supported"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_to_taints_is_told(lab: Lab, words: str, says: str) -> None:
    lab("kubectl taint nodes lab-worker-1 a=1:NoSchedule")
    before = taints(lab)
    assert lab(f"kubectl taint {words}") == f"error: {says}\n"
    assert lab.last.code == 1
    assert taints(lab) == before
