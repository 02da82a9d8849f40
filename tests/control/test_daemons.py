"""Which nodes a DaemonSet wants, and how it gets its pods there and renews them."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import node, running
from hypothesis import given
from hypothesis import strategies as st

from netsim.control.daemons import belongs, limits, manage, status_of, tolerations, update
from netsim.control.daemonset import new_pod
from netsim.control.pod_template import REVISION

Object = dict[str, Any]
OLD, NEW = "5b9c", "7d4f"


def daemon_set(rolling: Object | None = None, kind: str = "RollingUpdate", **pod: Any) -> Object:
    strategy = {"type": kind, **({"rollingUpdate": rolling} if rolling else {})}
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "c"}], **pod}}
    metadata = {"name": "agent", "namespace": "default", "uid": "uid-agent", "generation": 3}
    spec = {"updateStrategy": strategy, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}


def taint(key: str, effect: str) -> Object:
    return {"key": key, "effect": effect}


NODES = [
    # the set, the node, (it should run there, it may stay there)
    (daemon_set(), node("n"), (True, True)),
    (daemon_set(), node("n", taints=[taint("gpu", "NoSchedule")]), (False, True)),
    (daemon_set(), node("n", taints=[taint("gpu", "NoExecute")]), (False, False)),
    (daemon_set(), node("n", taints=[taint("gpu", "PreferNoSchedule")]), (True, True)),
    (daemon_set(tolerations=[{"key": "gpu", "operator": "Exists"}]), node("n", taints=[taint("gpu", "NoExecute")]),
     (True, True)),
    (daemon_set(), node("n", taints=[taint("node.kubernetes.io/not-ready", "NoExecute")]), (True, True)),
    (daemon_set(), node("n", taints=[taint("node.kubernetes.io/unreachable", "NoExecute")]), (True, True)),
    (daemon_set(), node("n", taints=[taint("node.kubernetes.io/unreachable", "NoSchedule")]), (False, True)),
    (daemon_set(), node("n", taints=[taint("node.kubernetes.io/unschedulable", "NoSchedule")]), (True, True)),
    (daemon_set(), node("n", taints=[taint("node.kubernetes.io/network-unavailable", "NoSchedule")]), (False, True)),
    (daemon_set(hostNetwork=True), node("n", taints=[taint("node.kubernetes.io/network-unavailable", "NoSchedule")]),
     (True, True)),
    (daemon_set(nodeSelector={"disk": "ssd"}), node("n"), (False, False)),
    (daemon_set(nodeSelector={"disk": "ssd"}), node("n", labels={"disk": "ssd"}), (True, True)),
    (daemon_set(nodeName="n"), node("n"), (True, True)),
    (daemon_set(nodeName="m"), node("n"), (False, False)),
]  # fmt: skip


@pytest.mark.parametrize(("made", "where", "expected"), NODES)
def test_where_a_daemon_runs(made: Object, where: Object, expected: tuple[bool, bool]) -> None:
    assert belongs(made, where) == expected


def fits(made: Object, *nodes: Object) -> dict[str, tuple[bool, bool]]:
    return {one["metadata"]["name"]: belongs(made, one) for one in nodes}


def here(states: str, name: str = "n") -> list[Object]:
    """The pods of a node, a letter each: n new, o old; capitals are ready, `t` is a new one that is leaving."""
    made = []
    for number, state in enumerate(states):
        pod = running(
            f"{name}-{number}", "10.0.0.1", name, is_ready=state.isupper(), leaving=state == "t",
            labels={REVISION: OLD if state in "oO" else NEW},
        )  # fmt: skip
        pod["metadata"]["creationTimestamp"] = number
        made.append(pod)
    return made


def planned(plan: Any) -> tuple[list[str], list[str]]:
    return plan.create, [pod["metadata"]["name"] for pod in plan.delete]


MANAGED = [
    # the pods of the node, whether updates surge, what is made and deleted
    ("", False, (["n"], [])),
    ("t", False, ([], [])),  # its name is no obstacle, but one at a time
    ("N", False, ([], [])),
    ("NN", False, ([], ["n-1"])),
    ("ON", False, ([], ["n-1"])),  # the oldest stays: the update will see to it
    ("ON", True, ([], ["n-0"])),
    ("On", True, ([], [])),
    ("on", True, ([], ["n-0"])),
    ("NON", True, ([], ["n-2", "n-1"])),
]


@pytest.mark.parametrize(("states", "surges", "expected"), MANAGED)
def test_one_pod_a_node(states: str, surges: bool, expected: Any) -> None:
    made = daemon_set({"maxSurge": 1, "maxUnavailable": 0} if surges else None)
    assert planned(manage(made, fits(made, node("n")), {"n": here(states)}, NEW, now=10)) == expected


def test_pods_go_where_they_may_not_stay_and_those_that_wait_for_a_node_that_is_gone() -> None:
    tainted = node("n", taints=[taint("gpu", "NoExecute")])
    assert planned(manage(daemon_set(), fits(daemon_set(), tainted), {"n": here("N")}, NEW, now=10)) == ([], ["n-0"])
    bound, waiting = here("N"), here("N")
    bound[0]["spec"]["nodeName"], waiting[0]["spec"]["nodeName"] = "n", ""
    assert planned(manage(daemon_set(), {}, {"n": waiting}, NEW, now=10)) == ([], ["n-0"])
    assert planned(manage(daemon_set(), {}, {"n": bound}, NEW, now=10)) == ([], [])
    bare = node("n", taints=[taint("gpu", "NoSchedule")])
    assert planned(manage(daemon_set(), fits(daemon_set(), bare), {"n": here("N")}, NEW, now=10)) == ([], [])


def test_a_pod_that_has_failed_is_deleted_so_that_a_new_one_can_come() -> None:
    (failed,) = here("n")
    failed["status"]["phase"] = "Failed"
    assert planned(manage(daemon_set(), fits(daemon_set(), node("n")), {"n": [failed]}, NEW, now=10)) == ([], ["n-0"])


LIMITS = [
    ({}, 10, (0, 1)),
    ({"maxUnavailable": "15%"}, 10, (0, 2)),
    ({"maxUnavailable": 3}, 10, (0, 3)),
    ({"maxSurge": "25%", "maxUnavailable": 0}, 10, (3, 0)),
    ({"maxSurge": 0, "maxUnavailable": 0}, 10, (0, 1)),
]


@pytest.mark.parametrize(("rolling", "wanted", "expected"), LIMITS)
def test_both_limits_are_rounded_up(rolling: Object, wanted: int, expected: tuple[int, int]) -> None:
    assert limits(daemon_set(rolling), wanted) == expected


def cluster(states: list[str]) -> tuple[dict[str, tuple[bool, bool]], dict[str, list[Object]]]:
    """Nodes that all fit, with their pods."""
    names = [f"n{number}" for number in range(len(states))]
    pods = {name: here(state, name) for name, state in zip(names, states, strict=True) if state}
    return dict.fromkeys(names, (True, True)), pods


REPLACED = [
    # states of the nodes' pods, maxUnavailable, what is deleted
    (["O", "O", "O"], 1, ["n0-0"]),
    (["O", "O", "O"], 2, ["n0-0", "n1-0"]),
    (["n", "O", "O"], 1, []),
    (["N", "O", "O"], 1, ["n1-0"]),
    (["", "O", "O"], 1, []),
    (["t", "O", "O"], 1, []),
    (["O", "o", "O"], 1, ["n1-0"]),  # the broken one first; it counts
    (["o", "o", "O"], 1, ["n0-0", "n1-0"]),
    (["N", "N", "N"], 1, []),
]


@pytest.mark.parametrize(("states", "limit", "deleted"), REPLACED)
def test_an_update_replaces_as_many_as_may_be_missing(states: list[str], limit: int, deleted: list[str]) -> None:
    nodes, pods = cluster(states)
    assert planned(update(daemon_set({"maxUnavailable": limit}), nodes, pods, NEW, now=10)) == ([], deleted)


SURGED = [
    # states of the nodes' pods, maxSurge, where one is made, what is deleted
    (["O", "O", "O"], 1, ["n0"], []),
    (["On", "O", "O"], 1, [], []),
    (["ON", "O", "O"], 1, [], ["n0-0"]),
    (["on", "O", "O"], 1, ["n1"], ["n0-0"]),
    (["N", "O", "O"], 1, ["n1"], []),
    (["N", "o", "O"], 1, ["n1", "n2"], []),  # a broken one is replaced in any case
    (["O", "O", "O"], 2, ["n0", "n1"], []),
]


@pytest.mark.parametrize(("states", "limit", "made", "deleted"), SURGED)
def test_an_update_may_make_new_ones_beside_the_old(
    states: list[str], limit: int, made: list[str], deleted: list[str]
) -> None:
    nodes, pods = cluster(states)
    surging = daemon_set({"maxSurge": limit, "maxUnavailable": 0})
    assert planned(update(surging, nodes, pods, NEW, now=10)) == (made, deleted)


def test_nothing_is_updated_on_delete() -> None:
    nodes, pods = cluster(["O", "O"])
    assert planned(update(daemon_set(kind="OnDelete"), nodes, pods, NEW, now=10)) == ([], [])


@given(st.lists(st.sampled_from(["", "t", "n", "N", "O", "O", "O"]), min_size=1, max_size=12), st.integers(1, 5))
def test_an_update_never_leaves_fewer_than_it_may(states: list[str], limit: int) -> None:
    """Unless more are missing already, for another reason."""
    nodes, pods = cluster(states)
    plan = update(daemon_set({"maxUnavailable": limit}), nodes, pods, NEW, now=10)
    missing = sum(state not in ("N", "O") for state in states)
    assert missing + len(plan.delete) <= max(limit, missing)


def test_the_status_counts_nodes() -> None:
    nodes, pods = cluster(["N", "n", "O", "", "N"])
    nodes["n4"] = False, True
    found = status_of(daemon_set(), nodes, pods, NEW, now=10)
    assert found == {
        "observedGeneration": 3,
        "desiredNumberScheduled": 4,
        "currentNumberScheduled": 3,
        "numberMisscheduled": 1,
        "numberReady": 2,
        "updatedNumberScheduled": 2,
        "numberAvailable": 2,
        "numberUnavailable": 2,
    }


def test_a_pod_is_pinned_to_its_node_whatever_its_template_wished() -> None:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    wish = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}
    made = new_pod(daemon_set(affinity={"nodeAffinity": {required: wish}}), "agent-x", "n7", NEW)
    terms = made["spec"]["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"]
    assert terms == [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n7"]}]}]
    assert made["metadata"]["labels"] == {"app": "agent", REVISION: NEW, "pod-template-generation": "3"}
    assert made["spec"]["tolerations"] == tolerations({})
