"""Inter-pod affinity: who wants to be near whom, and who does not."""

from __future__ import annotations

from typing import Any

from control_builders import HOSTNAME, ZONE, node, place, pod

from netsim.control.pod_affinity import HAS_FOES, NO_FRIENDS, UNWELCOME, affinity_scores
from netsim.control.scheduling import Cache, PodInfo, feasible

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def term(app: str, key: str = ZONE, **more: Any) -> dict[str, Any]:
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **more}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {REQUIRED: list(terms)}}


def far(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def cluster() -> Cache:
    return Cache([node("a1", "a"), node("a2", "a"), node("b1", "b")])


def put(cache: Cache, name: str, on: str, app: str, namespace: str = "default", **spec: Any) -> None:
    made = pod(name, labels={"app": app}, nodeName=on, **spec)
    made["metadata"]["namespace"] = namespace
    cache.add(PodInfo.of(made))


def found(cache: Cache, app: str, affinity: dict[str, Any]) -> tuple[list[str], dict[str, int]]:
    result = feasible(PodInfo.of(pod("new", labels={"app": app}, affinity=affinity)), cache)
    return sorted(info.name for info in result.nodes), dict(result.reasons)


def test_a_pod_goes_where_its_friends_are() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    assert found(cache, "web", near(term("db"))) == (["a1", "a2"], {NO_FRIENDS: 1})
    assert found(cache, "web", near(term("db", HOSTNAME))) == (["a1"], {NO_FRIENDS: 2})


def test_friends_must_meet_every_term_at_once() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    put(cache, "cache", "b1", "cache")
    assert found(cache, "web", near(term("db"), term("cache")))[0] == []


def test_the_first_of_its_kind_may_start_anywhere_the_second_may_not() -> None:
    cache = cluster()
    assert found(cache, "web", near(term("web")))[0] == ["a1", "a2", "b1"]
    put(cache, "first", "b1", "web")
    assert found(cache, "web", near(term("web")))[0] == ["b1"]


def test_a_lonely_pod_that_waits_for_others_does_not_start() -> None:
    assert found(cluster(), "web", near(term("db"))) == ([], {NO_FRIENDS: 3})


def test_foes_keep_a_pod_away_and_it_keeps_them_away() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    assert found(cache, "web", far(term("db"))) == (["b1"], {HAS_FOES: 2})
    put(cache, "snob", "b1", "snob", affinity=far(term("web")))
    assert found(cache, "web", {}) == (["a1", "a2"], {UNWELCOME: 1})
    cache.remove("uid-snob")
    assert found(cache, "web", {}) == (["a1", "a2", "b1"], {})


def test_anti_affinity_by_host_spreads_replicas_one_a_node() -> None:
    cache = cluster()
    affinity = far(term("web", HOSTNAME))
    placed = [place(cache, pod(f"w{i}", labels={"app": "web"}, affinity=affinity)) for i in range(4)]
    assert sorted(filter(None, placed)) == ["a1", "a2", "b1"]
    assert placed[3] is None


def test_terms_mean_the_pods_own_namespace_unless_they_say_otherwise() -> None:
    cache = cluster()
    cache.namespaces = {"shop": {"team": "shop"}, "default": {}}
    put(cache, "db", "b1", "db", namespace="shop")
    assert found(cache, "web", near(term("db")))[0] == []
    assert found(cache, "web", near(term("db", namespaces=["shop"])))[0] == ["b1"]
    assert found(cache, "web", near(term("db", namespaceSelector={})))[0] == ["b1"]
    by_label = {"matchLabels": {"team": "shop"}}
    assert found(cache, "web", near(term("db", namespaceSelector=by_label)))[0] == ["b1"]
    assert found(cache, "web", near(term("db", namespaceSelector={"matchLabels": {"team": "x"}})))[0] == []


def test_a_term_without_a_selector_selects_nobody() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    assert found(cache, "web", near({"topologyKey": ZONE}))[0] == []
    assert found(cache, "web", far({"topologyKey": ZONE}))[0] == ["a1", "a2", "b1"]


def test_mismatch_label_keys_leave_out_pods_of_the_same_value() -> None:
    cache = cluster()
    put(cache, "mine", "a1", "web")
    terms = [{"labelSelector": {}, "topologyKey": ZONE, "mismatchLabelKeys": ["app"]}]
    assert found(cache, "web", far(*terms))[0] == ["a1", "a2", "b1"]
    put(cache, "other", "b1", "db")
    assert found(cache, "web", far(*terms))[0] == ["a1", "a2"]


def test_preferences_of_both_sides_make_the_score() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    liking = {"weight": 40, "podAffinityTerm": term("web")}
    put(cache, "fan", "b1", "fan", affinity={"podAffinity": {PREFERRED: [liking]}})
    dislike = {"weight": 60, "podAffinityTerm": term("db")}
    info = PodInfo.of(pod("new", labels={"app": "web"}, affinity={"podAntiAffinity": {PREFERRED: [dislike]}}))
    nodes = [cache.nodes[name] for name in ("a1", "a2", "b1")]
    assert affinity_scores(info, nodes, cache) == [0, 0, 100]


def test_scores_lie_between_the_least_and_the_most_liked() -> None:
    cache = Cache([node(name, name) for name in "abc"])
    put(cache, "one", "a", "db")
    for i in range(3):
        put(cache, f"three{i}", "b", "db")
    liking = {"weight": 10, "podAffinityTerm": term("db")}
    info = PodInfo.of(pod("new", affinity={"podAffinity": {PREFERRED: [liking]}}))
    nodes = [cache.nodes[name] for name in "abc"]
    assert affinity_scores(info, nodes, cache) == [33, 100, 0]


def test_a_required_term_of_a_neighbour_counts_as_a_small_preference() -> None:
    cache = cluster()
    put(cache, "web-0", "a1", "web")
    put(cache, "loyal", "a1", "loyal", affinity=near(term("web")))
    info = PodInfo.of(pod("new", labels={"app": "web"}))
    nodes = [cache.nodes[name] for name in ("a1", "b1")]
    assert affinity_scores(info, nodes, cache) == [100, 0]


def test_without_wishes_there_is_no_score() -> None:
    cache = cluster()
    put(cache, "db", "a1", "db")
    assert affinity_scores(PodInfo.of(pod("new")), cache.in_order(), cache) is None
