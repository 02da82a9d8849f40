"""Pod topology spread: keep the pods that belong together apart, over nodes, zones or any other domain.

A hard constraint refuses a node whose domain would get too far ahead of the emptiest one; a soft one prefers
emptier domains. Pods that say nothing themselves but belong to a Service or a ReplicaSet are spread softly by
the scheduler's own constraints, nodes first, then zones. Pods that are leaving do not count.

Source: kubernetes `pkg/scheduler/framework/plugins/podtopologyspread` (filtering.go, scoring.go), 1.32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netsim.api.objects import HOSTNAME
from netsim.control.node_filters import meets_affinity, untolerated
from netsim.control.pod_info import PodInfo, Spread
from netsim.control.scheduler_cache import Cache, NodeInfo
from netsim.draws import log

MISSING_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"
SKEWED = "node(s) didn't match pod topology spread constraints"

Check = Callable[[NodeInfo], str]


def counts_by_node(cache: Cache, constraint: Spread) -> dict[str, int]:
    """How many of the pods that a constraint is about are on each node that has any."""
    found: dict[str, int] = {}
    for one in cache.selected(constraint.selector):
        if not one.leaving:
            for node, count in one.nodes.items():
                found[node] = found.get(node, 0) + count
    return found


# hard constraints ----------------------------------------------------------------------------------------


def spread_filter(pod: PodInfo, cache: Cache) -> Check | None:
    """What tells of a node why the pod's hard constraints refuse it; None if there are none."""
    constraints = [c for c in pod.spread if c.hard]
    if not constraints:
        return None
    keys = [c.key for c in constraints]
    limits: list[tuple[str, int, dict[str, int]]] = []
    for constraint in constraints:
        domains = _domains(pod, cache, constraint, keys)
        least = min(domains.values(), default=0) if len(domains) >= constraint.min_domains else 0
        own = int(constraint.selector.selects(pod.namespace, pod.labels, cache.namespaces))
        limits.append((constraint.key, constraint.max_skew + least - own, domains))

    def check(node: NodeInfo) -> str:
        for key, most, domains in limits:
            value = node.labels.get(key)
            if value is None:
                return MISSING_LABEL
            if domains.get(value, 0) > most:
                return SKEWED
        return ""

    return check


def _domains(pod: PodInfo, cache: Cache, constraint: Spread, keys: list[str]) -> dict[str, int]:
    """The pods in every domain that the pod could use."""
    if (len(keys) == 1 or cache.all_have(keys)) and not _is_choosy(pod, constraint):
        domains = dict.fromkeys(cache.values.get(constraint.key, ()), 0)
        eligible: Iterable[str] | None = None
    else:
        nodes = [node for node in cache.nodes.values() if all(key in node.labels for key in keys)]
        nodes = [node for node in nodes if _included(pod, constraint, node)]
        domains = dict.fromkeys((node.labels[constraint.key] for node in nodes), 0)
        eligible = {node.name for node in nodes}
    for name, count in counts_by_node(cache, constraint).items():
        node = cache.nodes.get(name)
        if node is not None and constraint.key in node.labels and (eligible is None or name in eligible):
            domains[node.labels[constraint.key]] += count
    return domains


def _is_choosy(pod: PodInfo, constraint: Spread) -> bool:
    """Whether the pod would not take every node into account."""
    chooses = bool(pod.demands.labels) or pod.demands.terms is not None
    return (constraint.honors_affinity and chooses) or constraint.honors_taints


def _included(pod: PodInfo, constraint: Spread, node: NodeInfo) -> bool:
    if constraint.honors_affinity and not meets_affinity(pod.demands, node):
        return False
    return not (constraint.honors_taints and untolerated(pod.demands, node))


# soft constraints ----------------------------------------------------------------------------------------


def spread_scores(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """How well each node would spread the pod, from 0 to 100; None if it does not mind."""
    constraints = [c for c in pod.spread if not c.hard]
    if not constraints:
        return None
    keys = [c.key for c in constraints]
    # of nodes without the labels, the pod's own constraints know nothing; the system's go on without
    known = [pod.default_spread or all(key in node.labels for key in keys) for node in nodes]
    rated = [node for node, is_known in zip(nodes, known, strict=True) if is_known]
    totals = [0.0] * len(rated)
    for constraint in constraints:
        if not cache.values.get(constraint.key):
            continue  # no node is in any such domain
        counts, domains = _counts(pod, cache, constraint, rated)
        weight, base = log(domains + 2.0), constraint.max_skew - 1
        for i, node in enumerate(rated):
            if constraint.key in node.labels:
                totals[i] += counts[i] * weight + base
    raw = iter(_normalised([int(total + 0.5) for total in totals]))
    return [next(raw) if is_known else 0 for is_known in known]


def _counts(pod: PodInfo, cache: Cache, constraint: Spread, nodes: list[NodeInfo]) -> tuple[list[int], int]:
    """How many pods share a domain with each node, and how many domains the nodes make up."""
    by_node = counts_by_node(cache, constraint)
    if constraint.key == HOSTNAME:
        return [by_node.get(node.name, 0) for node in nodes], len(nodes)
    values = [node.labels.get(constraint.key, "") for node in nodes]
    domains = dict.fromkeys(values, 0)
    keys = [] if pod.default_spread else [c.key for c in pod.spread if not c.hard]
    choosy = _is_choosy(pod, constraint)
    for name, count in by_node.items():
        node = cache.nodes.get(name)
        if node is None or any(key not in node.labels for key in keys):
            continue
        value = node.labels.get(constraint.key, "")
        if value in domains and not (choosy and not _included(pod, constraint, node)):
            domains[value] += count
    return [domains[value] for value in values], len(domains)


def _normalised(raw: list[int]) -> list[int]:
    if not raw:
        return []
    least, most = min(raw), max(raw)
    return [100 * (most + least - score) // most for score in raw] if most else [100] * len(raw)
