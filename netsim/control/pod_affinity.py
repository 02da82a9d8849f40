"""Inter-pod affinity: pods that want to share a domain with other pods, or want not to.

Required terms refuse nodes (those of the pod, and the anti-affinity of the pods that are there already);
preferred terms, of the pod and of its neighbours, add to or take from a node's score.

Source: kubernetes `pkg/scheduler/framework/plugins/interpodaffinity` (filtering.go, scoring.go), 1.32.
"""

from __future__ import annotations

from collections.abc import Callable

from netsim.control.pod_info import Affinity, PodInfo, Term
from netsim.control.scheduler_cache import Cache, NodeInfo

NO_FRIENDS = "node(s) didn't match pod affinity rules"
HAS_FOES = "node(s) didn't match pod anti-affinity rules"
UNWELCOME = "node(s) didn't satisfy existing pods anti-affinity rules"

HARD_WEIGHT = 1  # what another pod's required term counts for when nodes are compared

Domains = dict[tuple[str, str], int]  # (label, value) -> how many pods, or how much they weigh
Check = Callable[[NodeInfo], str]


def affinity_filter(pod: PodInfo, cache: Cache) -> Check | None:
    """What tells of a node why affinity refuses it; None if nobody minds."""
    own = pod.affinity or Affinity()
    unwelcome = _refused_by_others(pod, cache)
    if not own.required and not own.refused and not unwelcome:
        return None
    friends = _friends(own.required, cache)
    foes: Domains = {}
    for term in own.refused:
        _add_matching(foes, term, cache)
    alone = not friends and all(_matches(term, pod, cache) for term in own.required)

    def check(node: NodeInfo) -> str:
        if own.required and not _among_friends(own.required, friends, node, alone=alone):
            return NO_FRIENDS
        if any((term.key, node.labels.get(term.key)) in foes for term in own.refused):
            return HAS_FOES
        return UNWELCOME if any(pair in unwelcome for pair in node.labels.items()) else ""

    return check


def _among_friends(terms: tuple[Term, ...], friends: Domains, node: NodeInfo, *, alone: bool) -> bool:
    """Whether all wanted company is there. The first of its kind needs none, or none could ever start."""
    if any(term.key not in node.labels for term in terms):
        return False
    return alone or all((term.key, node.labels[term.key]) in friends for term in terms)


def _friends(terms: tuple[Term, ...], cache: Cache) -> Domains:
    """The domains of the pods that match every one of the terms."""
    found: Domains = {}
    if not terms:
        return found
    others = [{id(one) for one in cache.selected(term.selector)} for term in terms[1:]]
    for one in cache.selected(terms[0].selector):
        if all(id(one) in classes for classes in others):
            for term in terms:
                _add(found, term.key, one.nodes, cache, 1)
    return found


def _refused_by_others(pod: PodInfo, cache: Cache) -> Domains:
    found: Domains = {}
    for one in cache.demanding:
        for term in one.affinity.refused if one.affinity and one.nodes else ():
            if _matches(term, pod, cache):
                _add(found, term.key, one.nodes, cache, 1)
    return found


def affinity_scores(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """How much company each node offers, from 0 to 100; None if nobody has a preference."""
    weights: Domains = {}
    own = pod.affinity or Affinity()
    for term in own.preferred:
        _add_matching(weights, term, cache, term.weight)
    for term in own.disliked:
        _add_matching(weights, term, cache, -term.weight)
    for one in cache.demanding:
        if one.affinity is None or not one.nodes:
            continue
        wishes = [(term, HARD_WEIGHT) for term in one.affinity.required]
        wishes += [(term, term.weight) for term in one.affinity.preferred]
        wishes += [(term, -term.weight) for term in one.affinity.disliked]
        for term, weight in wishes:
            if _matches(term, pod, cache):
                _add(weights, term.key, one.nodes, cache, weight)
    if not weights:
        return None
    keys = list(dict.fromkeys(key for key, _ in weights))
    raw = [sum(weights.get((key, node.labels.get(key, "")), 0) for key in keys) for node in nodes]
    return _normalised(raw)


def _normalised(raw: list[int]) -> list[int]:
    least, most = min(raw), max(raw)
    if most == least:
        return [0] * len(raw)
    return [int(100 * ((score - least) / (most - least))) for score in raw]


def _add_matching(into: Domains, term: Term, cache: Cache, weight: int = 1) -> None:
    for one in cache.selected(term.selector):
        _add(into, term.key, one.nodes, cache, weight)


def _add(into: Domains, key: str, counts: dict[str, int], cache: Cache, weight: int) -> None:
    for name, count in counts.items():
        node = cache.nodes.get(name)
        if node is not None and key in node.labels:
            pair = key, node.labels[key]
            into[pair] = into.get(pair, 0) + weight * count


def _matches(term: Term, pod: PodInfo, cache: Cache) -> bool:
    return term.selector.selects(pod.namespace, pod.labels, cache.namespaces)
