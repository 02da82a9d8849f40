"""Pod topology spread: examples, and the counts by class against counting every pod of every node."""

from __future__ import annotations

import math
from typing import Any

from control_builders import HOSTNAME, ZONE, node, place, pod, replica_set
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.api.selectors import matches
from netsim.control.scheduling import Cache, PodInfo, feasible
from netsim.control.spreading import MISSING_LABEL, SKEWED, spread_scores

WEB = {"app": "web"}


def constraint(key: str = ZONE, skew: int = 1, *, hard: bool = True, **more: Any) -> dict[str, Any]:
    when = "DoNotSchedule" if hard else "ScheduleAnyway"
    selector = {"matchLabels": WEB}
    return {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, "labelSelector": selector, **more}


def web(name: str, *constraints: dict[str, Any], **more: Any) -> dict[str, Any]:
    return pod(name, labels=WEB, topologySpreadConstraints=list(constraints), **more)


def cluster(**where: str) -> Cache:
    """Nodes a1, a2 in zone a, b1 in zone b; `where` puts pods of the app on them."""
    cache = Cache([node("a1", "a"), node("a2", "a"), node("b1", "b")])
    for name, on in where.items():
        cache.add(PodInfo.of(pod(name, labels=WEB, nodeName=on)))
    return cache


def names(cache: Cache, made: dict[str, Any]) -> list[str]:
    return sorted(info.name for info in feasible(PodInfo.of(made), cache).nodes)


def test_a_hard_constraint_refuses_the_zone_that_is_ahead() -> None:
    cache = cluster(w1="a1")
    assert names(cache, web("w2", constraint())) == ["b1"]
    assert feasible(PodInfo.of(web("w2", constraint())), cache).reasons == {SKEWED: 2}


def test_a_larger_skew_allows_more() -> None:
    assert names(cluster(w1="a1"), web("w2", constraint(skew=2))) == ["a1", "a2", "b1"]


def test_pods_that_leave_or_are_of_another_namespace_do_not_count() -> None:
    cache = cluster()
    for name, metadata in (("going", {"deletionTimestamp": 1}), ("foreign", {"namespace": "other"})):
        made = pod(name, labels=WEB, nodeName="a1")
        cache.add(PodInfo.of({**made, "metadata": {**made["metadata"], **metadata}}))
    assert names(cache, web("w", constraint())) == ["a1", "a2", "b1"]


def test_a_pod_that_does_not_match_its_own_selector_adds_nothing_to_the_skew() -> None:
    stranger = {**web("x", constraint()), "metadata": {**web("x")["metadata"], "labels": {"app": "other"}}}
    assert names(cluster(w1="a1"), stranger) == ["a1", "a2", "b1"]


def test_nodes_without_the_label_are_hopeless() -> None:
    cache = cluster()
    cache.set_node(node("loose"))
    found = feasible(PodInfo.of(web("w", constraint())), cache)
    assert found.reasons == {MISSING_LABEL: 1}
    assert found.hopeless == 1


def test_too_few_domains_count_as_one_more_that_is_empty() -> None:
    cache = cluster(w1="a1", w2="b1")
    assert names(cache, web("w3", constraint())) == ["a1", "a2", "b1"]
    assert names(cache, web("w3", constraint(minDomains=3))) == []


def test_domains_that_the_pod_may_not_use_do_not_hold_it_up() -> None:
    cache = cluster(w1="a1", w2="a2")
    only_a = {"nodeSelector": {ZONE: "a"}}
    assert names(cache, web("w3", constraint(), **only_a)) == ["a1", "a2"]
    assert names(cache, web("w3", constraint(nodeAffinityPolicy="Ignore"), **only_a)) == []


def test_tainted_domains_count_unless_taints_are_honoured() -> None:
    cache = cluster(w1="a1")
    cache.set_node(node("b1", "b", taints=[{"key": "k", "effect": "NoSchedule"}]))
    assert names(cache, web("w2", constraint())) == []
    assert names(cache, web("w2", constraint(nodeTaintsPolicy="Honor"))) == ["a1", "a2"]


def test_match_label_keys_spread_each_revision_by_itself() -> None:
    cache = cluster()
    old = pod("old", labels={**WEB, "rev": "1"}, nodeName="a1")
    cache.add(PodInfo.of(old))
    new = pod(
        "new", labels={**WEB, "rev": "2"}, topologySpreadConstraints=[constraint(matchLabelKeys=["rev"])]
    )
    assert names(cache, new) == ["a1", "a2", "b1"]


def test_soft_constraints_prefer_the_emptier_domain() -> None:
    cache = cluster(w1="a1", w2="a1")
    info = PodInfo.of(web("w3", constraint(hard=False)))
    assert spread_scores(info, cache.in_order(), cache) is not None
    assert place(cache, web("w3", constraint(hard=False))) == "b1"


def test_ten_replicas_fill_four_nodes_evenly_by_the_systems_constraints() -> None:
    cache = Cache([node(f"n{i}", f"z{i % 2}") for i in range(4)])
    placed = [place(cache, pod(f"web-{i}", labels=WEB), replica_set(WEB)) for i in range(10)]
    per_node = [placed.count(f"n{i}") for i in range(4)]
    assert sorted(per_node) == [2, 2, 3, 3]
    assert per_node[0] + per_node[2] == per_node[1] + per_node[3] == 5


# the law -------------------------------------------------------------------------------------------------

Pods = list[tuple[str, str, bool]]


def counted_plainly(made: dict[str, Any], nodes: list[dict[str, Any]], pods: Pods) -> list[int]:
    """The scores by looking at every pod of every node, as the description of the plugin has it."""
    constraints = made["spec"]["topologySpreadConstraints"]
    known = [n for n in nodes if all(c["topologyKey"] in n["metadata"]["labels"] for c in constraints)]
    totals = []
    for candidate in known:
        total = 0.0
        for one in constraints:
            key, domain = one["topologyKey"], candidate["metadata"]["labels"][one["topologyKey"]]
            domains = {n["metadata"]["labels"][key] for n in known}
            same = {n["metadata"]["name"] for n in known if n["metadata"]["labels"][key] == domain}
            count = sum(
                where in same and not leaving and matches(one["labelSelector"], {"app": app})
                for app, where, leaving in pods
            )
            total += count * math.log(len(domains) + 2) + one["maxSkew"] - 1
        totals.append(round(total))
    most, least = max(totals), min(totals)
    rated = [100 * (most + least - t) // most if most else 100 for t in totals]
    by_name = dict(zip((n["metadata"]["name"] for n in known), rated, strict=True))
    return [by_name.get(n["metadata"]["name"], 0) for n in nodes]


@settings(max_examples=60, deadline=None)
@given(
    zones=st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=2, max_size=7).filter(any),
    pods=st.lists(st.tuples(st.sampled_from(["web", "db"]), st.integers(0, 6), st.booleans()), max_size=25),
    keys=st.sampled_from([(ZONE,), (HOSTNAME,), (HOSTNAME, ZONE)]),
    skew=st.integers(1, 4),
)
def test_counting_by_class_agrees_with_counting_every_pod(
    zones: list[str], pods: list[tuple[str, int, bool]], keys: tuple[str, ...], skew: int
) -> None:
    nodes = [node(f"n{i}", zone) for i, zone in enumerate(zones)]
    cache = Cache(nodes)
    placed = [(app, f"n{where % len(nodes)}", leaving) for app, where, leaving in pods]
    for i, (app, where, leaving) in enumerate(placed):
        made = pod(f"p{i}", labels={"app": app}, nodeName=where)
        if leaving:
            made["metadata"]["deletionTimestamp"] = 1
        cache.add(PodInfo.of(made))
    wanted = web("new", *(constraint(key, skew, hard=False) for key in keys))
    infos = [cache.nodes[n["metadata"]["name"]] for n in nodes]
    assert spread_scores(PodInfo.of(wanted), infos, cache) == counted_plainly(wanted, nodes, placed)
