"""The scheduler's memory of nodes and pods."""

from __future__ import annotations

from control_builders import node, place, pod

from netsim.control.pod_info import PodSelector
from netsim.control.scheduling import Cache, PodInfo

WEB = PodSelector(("default",), (("app", "In", ("web",)),))


def counts(cache: Cache, selector: PodSelector) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in cache.selected(selector):
        for name, count in one.nodes.items():
            found[name] = found.get(name, 0) + count
    return found


def test_sums_return_to_zero_when_all_pods_have_gone() -> None:
    cache = Cache([node("a")])
    for i in range(5):
        cache.add(PodInfo.of(pod(f"p{i}", cpu="100m", memory="1Gi", nodeName="a")))
    info = cache.nodes["a"]
    assert (info.cpu, info.memory, info.free_of_pods) == (500, 5 * 2**30, 105)
    for i in range(5):
        cache.remove(f"uid-p{i}")
    assert (info.cpu, info.memory, info.scored_cpu, info.free_of_pods, info.pods) == (0, 0, 0, 110, {})


def test_containers_without_requests_count_for_a_little_only_in_scores() -> None:
    cache = Cache([node("a")])
    cache.add(PodInfo.of(pod("p", nodeName="a")))
    info = cache.nodes["a"]
    assert (info.cpu, info.memory) == (0, 0)
    assert (info.scored_cpu, info.scored_memory) == (100, 200 * 2**20)


def test_a_pod_that_is_added_again_counts_once() -> None:
    cache = Cache([node("a"), node("b")])
    info = PodInfo.of(pod("p", cpu="1"))
    cache.add(info, "a")
    cache.add(info, "b")
    assert (cache.nodes["a"].cpu, cache.nodes["b"].cpu) == (0, 1000)


def test_selectors_find_pods_that_came_before_and_after_the_question() -> None:
    cache = Cache([node("a"), node("b")])
    cache.add(PodInfo.of(pod("w1", labels={"app": "web"}, nodeName="a")))
    assert counts(cache, WEB) == {"a": 1}
    cache.add(PodInfo.of(pod("w2", labels={"app": "web", "tier": "x"}, nodeName="b")))
    cache.add(PodInfo.of(pod("db", labels={"app": "db"}, nodeName="b")))
    assert counts(cache, WEB) == {"a": 1, "b": 1}
    cache.remove("uid-w1")
    assert counts(cache, WEB) == {"b": 1}


def test_pods_of_a_node_that_went_and_came_back_are_still_on_it() -> None:
    cache = Cache([node("a", cpu="1")])
    cache.add(PodInfo.of(pod("p", cpu="800m", nodeName="a")))
    cache.remove_node("a")
    assert place(cache, pod("q", cpu="100m")) is None
    cache.set_node(node("a", cpu="1"))
    assert cache.nodes["a"].cpu == 800
    assert place(cache, pod("q", cpu="300m")) is None


def test_a_changed_node_is_judged_anew() -> None:
    cache = Cache([node("a")])
    assert place(cache, pod("p")) == "a"
    cache.set_node(node("a", unschedulable=True))
    assert place(cache, pod("q")) is None
    cache.set_node(node("a"))
    assert place(cache, pod("q")) == "a"


def test_room_for_pods_follows_the_node_object() -> None:
    cache = Cache([node("a", pods=1)])
    assert place(cache, pod("p")) == "a"
    assert place(cache, pod("q")) is None
    cache.set_node(node("a", pods=2))
    assert place(cache, pod("q")) == "a"
