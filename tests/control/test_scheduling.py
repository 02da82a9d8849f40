"""kube-scheduler's decision as a whole: filters, scores, the choice between equals."""

from __future__ import annotations

from collections import Counter

import pytest
from control_builders import node, place, pod, replica_set

from netsim.control.scheduling import (
    PLUGINS,
    Cache,
    PodInfo,
    choose,
    decide,
    feasible,
    nodes_to_examine,
    scores,
)

CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
WEB = {"app": "web"}


def test_three_replicas_on_three_empty_nodes_land_one_on_each() -> None:
    for draw in (0, 2**63, 2**64 - 1):
        cache = Cache([node("a"), node("b"), node("c")])
        placed = [place(cache, pod(f"web-{i}", labels=WEB), replica_set(WEB), draw) for i in range(3)]
        assert sorted(filter(None, placed)) == ["a", "b", "c"]


def test_pods_that_belong_to_nothing_still_avoid_the_fuller_node() -> None:
    cache = Cache([node("a"), node("b")])
    placed = [place(cache, pod(f"job-{i}", cpu="500m", memory="1Gi")) for i in range(4)]
    assert Counter(placed) == {"a": 2, "b": 2}


def test_the_control_plane_is_left_alone_unless_tolerated() -> None:
    cache = Cache([node("master", taints=[CONTROL_PLANE]), node("worker", cpu="1")])
    assert [place(cache, pod(f"web-{i}", cpu="100m")) for i in range(5)] == ["worker"] * 5
    tolerations = [{"key": CONTROL_PLANE["key"], "operator": "Exists"}]
    assert place(cache, pod("agent", cpu="2", tolerations=tolerations)) == "master"


def test_what_fits_nowhere_is_explained_as_kube_scheduler_does() -> None:
    cache = Cache([node("master", taints=[CONTROL_PLANE]), *(node(f"w{i}", cpu="2") for i in range(3))])
    found = decide(PodInfo.of(pod("big", cpu="3")), cache, 0, lambda: 0)
    assert found.node is None
    assert found.message == (
        "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
        "3 Insufficient cpu. "
        "preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, "
        "3 No preemption victims found for incoming pod."
    )


def test_a_node_can_lack_several_things_at_once() -> None:
    cache = Cache([node("small", cpu="1", memory="1Gi", pods=0)])
    found = feasible(PodInfo.of(pod("big", cpu="2", memory="2Gi")), cache)
    assert dict(found.reasons) == {"Too many pods": 1, "Insufficient cpu": 1, "Insufficient memory": 1}


def test_a_cluster_without_nodes_says_so() -> None:
    assert (
        decide(PodInfo.of(pod("web")), Cache(), 0, lambda: 0).message == "no nodes available to schedule pods"
    )


def test_equals_are_chosen_between_by_the_draw_alone() -> None:
    cache = Cache([node(name) for name in "abcd"])
    nodes = cache.in_order()
    rated = [7, 9, 9, 9]
    picked = Counter(choose(nodes, rated, lambda d=draw: d) for draw in range(0, 2**64, 2**64 // 300))
    assert set(picked) == {"b", "c", "d"}
    assert max(picked.values()) - min(picked.values()) <= 2


def test_a_single_best_node_needs_no_draw() -> None:
    def refuse() -> int:
        raise AssertionError("nothing to decide by chance")

    cache = Cache([node("a"), node("b")])
    assert choose(cache.in_order(), [1, 2], refuse) == "b"


@pytest.mark.parametrize(
    ("count", "enough"), [(3, 3), (99, 99), (100, 100), (250, 120), (1000, 420), (6000, 300)]
)
def test_large_clusters_are_not_searched_to_the_end(count: int, enough: int) -> None:
    assert nodes_to_examine(count) == enough


def test_the_next_search_begins_where_the_last_one_stopped() -> None:
    cache = Cache([node(f"n{i:03}") for i in range(250)])
    first = decide(PodInfo.of(pod("one")), cache, 0, lambda: 0)
    second = feasible(PodInfo.of(pod("two")), cache, first.next_start)
    assert first.next_start == 120
    assert second.nodes[0].name == "n120"


def test_a_search_in_large_clusters_sees_every_zone() -> None:
    zones = ["a"] * 200 + ["b"] * 100
    cache = Cache([node(f"n{i}", zone) for i, zone in enumerate(zones)])
    seen = Counter(
        info.labels["topology.kubernetes.io/zone"] for info in feasible(PodInfo.of(pod("p")), cache).nodes
    )
    assert abs(seen["a"] - seen["b"]) <= 1


def test_pods_that_leave_make_room_again() -> None:
    cache = Cache([node("only", cpu="1")])
    assert place(cache, pod("first", cpu="800m")) == "only"
    assert place(cache, pod("second", cpu="800m")) is None
    cache.remove("uid-first")
    assert place(cache, pod("second", cpu="800m")) == "only"


def test_a_pod_of_a_daemon_set_is_tried_on_its_node_alone() -> None:
    rule = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [rule]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    cache = Cache([node("a"), node("b", cpu="1"), node("c")])
    assert place(cache, pod("agent", cpu="500m", affinity=affinity)) == "b"
    found = feasible(PodInfo.of(pod("other", cpu="600m", affinity=affinity)), cache)
    assert dict(found.reasons) == {
        "Insufficient cpu": 1,
        "node(s) didn't satisfy plugin(s) [NodeAffinity]": 2,
    }
    assert found.hopeless == 2


def test_the_total_score_is_the_weighted_sum_of_the_plugins() -> None:
    cache = Cache([node("a", "x"), node("b", "y")])
    place(cache, pod("web-0", cpu="1", labels=WEB), replica_set(WEB))
    info = PodInfo.of(pod("web-1", cpu="1", labels=WEB), owner=replica_set(WEB))
    nodes = feasible(info, cache).nodes
    by_hand = [0, 0]
    for weight, plugin in PLUGINS.values():
        for i, score in enumerate(plugin(info, nodes, cache) or [0, 0]):
            by_hand[i] += weight * score
    assert scores(info, nodes, cache) == by_hand
    assert len(set(by_hand)) == 2


def test_the_weights_are_those_of_the_default_profile() -> None:
    assert {name: weight for name, (weight, _) in PLUGINS.items()} == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "NodeResourcesBalancedAllocation": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
    }
