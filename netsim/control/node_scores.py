"""How well a node that will do suits a pod, by what it has and what it is.

Each score is a list, one number from 0 to 100 a node, or None if it would say the same of every node. Integer
arithmetic where kube-scheduler uses integers.

Left out: ImageLocality (no node keeps images here).
Sources: kubernetes `pkg/scheduler/framework/plugins` (noderesources, tainttoleration, nodeaffinity), 1.32.
"""

from __future__ import annotations

from netsim.control import taints
from netsim.control.node_filters import meets_term
from netsim.control.pod_info import PodInfo
from netsim.control.scheduler_cache import Cache, NodeInfo


def least_allocated(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """The emptier, the better: the mean of what share of CPU and memory would remain."""
    cpu, memory = pod.scored_cpu, pod.scored_memory
    scores = []
    for node in nodes:
        total_cpu, total_memory = node.total_cpu, node.total_memory
        free_cpu = total_cpu - node.scored_cpu - cpu
        free_memory = total_memory - node.scored_memory - memory
        score = free_cpu * 100 // total_cpu if free_cpu > 0 else 0
        score += free_memory * 100 // total_memory if free_memory > 0 else 0
        kinds = (total_cpu > 0) + (total_memory > 0)
        scores.append(score // kinds if kinds else 0)
    return scores


def balanced_allocation(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """The more alike the used shares of CPU and memory, the better."""
    scores = []
    for node in nodes:
        if not node.total_cpu or not node.total_memory:
            scores.append(100)
            continue
        cpu = (node.cpu + pod.cpu) / node.total_cpu
        memory = (node.memory + pod.memory) / node.total_memory
        difference = (cpu if cpu < 1.0 else 1.0) - (memory if memory < 1.0 else 1.0)
        scores.append(int((1 - abs(difference / 2)) * 100))
    return scores


def taint_toleration(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """The fewer PreferNoSchedule taints the pod does not tolerate, the better."""
    if not any(node.soft_taints for node in nodes):
        return None
    fields = ("key", "operator", "value", "effect")
    tolerations = [dict(zip(fields, toleration, strict=True)) for toleration in pod.demands.tolerations]
    raw = [
        sum(not any(taints.tolerates(t, taint) for t in tolerations) for taint in node.soft_taints)
        for node in nodes
    ]
    most = max(raw)
    return [100 - 100 * count // most for count in raw] if most else None


def node_affinity(pod: PodInfo, nodes: list[NodeInfo], cache: Cache) -> list[int] | None:
    """The more weight of its preferences a node meets, the better."""
    if not pod.preferences:
        return None
    raw = [
        sum(
            weight
            for weight, rules, fields in pod.preferences
            if meets_term(rules, fields, node.labels, node.name)
        )
        for node in nodes
    ]
    most = max(raw)
    return [100 * weight // most for weight in raw] if most else None
