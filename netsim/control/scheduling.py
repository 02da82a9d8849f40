"""Which node a pod goes to: filters take nodes out, scores compare the rest, a draw decides between equals.

A scheduler that knows its nodes (`Cache`) reads a pod once (`PodInfo.of`) and decides (`decide`). On large
clusters it stops looking once it has found enough nodes that will do, and begins the next time where it
stopped. `FILTERS` are in the scheduler's order, and a node is refused for the first reason found.

Left out: priorities and preemption (a message says what preemption would have said), volumes, scheduling
gates, ImageLocality, extenders, nominated pods. Source: kubernetes `pkg/scheduler`, release 1.32.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from netsim.control.node_filters import NOT_NAMED, PORTS, fits, has_ports, node_verdict, shortages
from netsim.control.node_scores import balanced_allocation, least_allocated, node_affinity, taint_toleration
from netsim.control.pod_affinity import NO_FRIENDS, affinity_filter, affinity_scores
from netsim.control.pod_info import PodInfo
from netsim.control.scheduler_cache import Cache, NodeInfo
from netsim.control.spreading import MISSING_LABEL, spread_filter, spread_scores

__all__ = ["PLUGINS", "Cache", "Decision", "Found", "NodeInfo", "PodInfo", "choose", "decide", "feasible"]

Score = Callable[[PodInfo, list[NodeInfo], Cache], list[int] | None]

PLUGINS: dict[str, tuple[int, Score]] = {
    "TaintToleration": (3, taint_toleration),
    "NodeAffinity": (2, node_affinity),
    "NodeResourcesFit": (1, least_allocated),
    "NodeResourcesBalancedAllocation": (1, balanced_allocation),
    "PodTopologySpread": (2, spread_scores),
    "InterPodAffinity": (2, affinity_scores),
}
"""Who compares nodes, with which weight."""

ENOUGH = 100  # nodes that will do, at the least, before the search may stop


def nodes_to_examine(count: int) -> int:
    """How many nodes that will do are enough, out of `count`.

    >>> nodes_to_examine(99), nodes_to_examine(1000), nodes_to_examine(5000)
    (99, 420, 500)
    """
    if count < ENOUGH:
        return count
    percentage = max(5, 50 - count // 125)
    return max(ENOUGH, count * percentage // 100)


@dataclass
class Found:
    """What the filters left, and why the others were refused."""

    total: int
    nodes: list[NodeInfo] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    hopeless: int = 0  # refused for a reason that no departure of pods would mend
    examined: int = 0

    def refuse(self, *reasons: str, hopeless: bool = False) -> None:
        """Count a node that will not do."""
        self.reasons.update(reasons)
        self.hopeless += hopeless

    def message(self) -> str:
        """What the event FailedScheduling says.

        >>> found = Found(total=4)
        >>> found.refuse("node(s) were unschedulable", hopeless=True)
        >>> for _ in range(3): found.refuse("Insufficient cpu", "Insufficient memory")
        >>> print(found.message().partition(". ")[0])
        0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu, 3 Insufficient memory
        >>> print(found.message().partition(". ")[2])
        preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, \
3 No preemption victims found for incoming pod.
        """
        if not self.total:
            return "no nodes available to schedule pods"
        preemption: Counter[str] = Counter()
        preemption["Preemption is not helpful for scheduling"] = self.hopeless
        preemption["No preemption victims found for incoming pod"] = self.total - self.hopeless
        return f"{self._listed(self.reasons)} preemption: {self._listed(preemption)}"

    def _listed(self, reasons: Counter[str]) -> str:
        texts = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
        return f"0/{self.total} nodes are available: {', '.join(texts)}."


def feasible(pod: PodInfo, cache: Cache, start: int = 0) -> Found:
    """The nodes that will do, looked for from the one at `start` on until there are enough."""
    nodes = cache.in_order()
    found = Found(total=len(nodes))
    if pod.pinned is not None:
        _among_pinned(pod, cache, found)
        return found
    enough = nodes_to_examine(len(nodes))
    refuse = _Filters(pod, cache)
    for place in range(start, start + len(nodes)):
        node = nodes[place % len(nodes)]
        found.examined += 1
        if refuse(node, found):
            continue
        found.nodes.append(node)
        if len(found.nodes) >= enough:
            break
    return found


def _among_pinned(pod: PodInfo, cache: Cache, found: Found) -> None:
    """A pod that names its nodes is tried on those alone."""
    refuse = _Filters(pod, cache)
    named = [cache.nodes[name] for name in pod.pinned or () if name in cache.nodes]
    found.nodes = [node for node in named if not refuse(node, found)]
    found.examined = found.total
    for _ in range(found.total - len(named)):
        found.refuse(NOT_NAMED, hopeless=True)


class _Filters:
    """All filters for one pod, with what they need to know of the whole cluster worked out beforehand."""

    def __init__(self, pod: PodInfo, cache: Cache) -> None:
        self.pod = pod
        self.known = {} if pod.pinned is not None else cache.verdicts(pod.demands)
        self.spread = spread_filter(pod, cache)
        self.affinity = affinity_filter(pod, cache)

    def __call__(self, node: NodeInfo, found: Found) -> bool:
        """Whether the node is refused; the reasons are counted in `found`."""
        pod = self.pod
        verdict = self.known.get(node.name)
        if verdict is None:
            verdict = self.known[node.name] = node_verdict(pod.demands, node)
        if verdict:
            found.refuse(verdict, hopeless=True)
        elif pod.ports and not has_ports(pod, node):
            found.refuse(PORTS)
        elif not fits(pod, node):
            found.refuse(*shortages(pod, node))
        elif self.spread is not None and (verdict := self.spread(node)):
            found.refuse(verdict, hopeless=verdict == MISSING_LABEL)
        elif self.affinity is not None and (verdict := self.affinity(node)):
            found.refuse(verdict, hopeless=verdict == NO_FRIENDS)
        else:
            return False
        return True


def scores(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int]:
    """How well each of the nodes suits the pod: the weighted sum of all plugins, one number a node."""
    totals = [0] * len(nodes)
    for weight, plugin in PLUGINS.values():
        found = plugin(pod, nodes, cache)
        if found is not None:
            totals = [total + weight * score for total, score in zip(totals, found, strict=True)]
    return totals


def choose(nodes: list[NodeInfo], rated: list[int], draw: Callable[[], int]) -> str:
    """The name of the best node; between equals 64 random bits from `draw` decide.

    They are asked for only where there is something to decide.
    """
    most = max(rated)
    best = [node for node, score in zip(nodes, rated, strict=True) if score == most]
    return best[0].name if len(best) == 1 else best[draw() * len(best) >> 64].name


@dataclass(frozen=True)
class Decision:
    """Where a pod goes, or why nowhere, and where the next search starts."""

    node: str | None
    message: str
    next_start: int


def decide(pod: PodInfo, cache: Cache, start: int, draw: Callable[[], int]) -> Decision:
    """Find a node for a pod."""
    found = feasible(pod, cache, start)
    next_start = (start + found.examined) % max(1, found.total)
    if not found.nodes:
        return Decision(None, found.message(), next_start)
    if len(found.nodes) == 1:
        return Decision(found.nodes[0].name, "", next_start)
    return Decision(choose(found.nodes, scores(pod, found.nodes, cache), draw), "", next_start)
