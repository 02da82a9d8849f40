"""Taking pods away with care: the eviction API, `kubectl cordon` and `kubectl drain`.

An eviction is a deletion that asks the pod's budget first and is refused (429) if the budget allows none. Pods
that are not running, or already leaving, are not asked for; nor is one that is not ready, as long as the budget
is met without it (or always, if the budget says so).

`drain` does what `kubectl drain --force --ignore-daemonsets --delete-emptydir-data` does: it cordons the node,
evicts all its pods at once except those of DaemonSets, tries again every five seconds where it was refused, and
waits until the pods are gone. What is refused goes into the history. Interrupted, it asks for nothing any more; what
was asked for goes all the same.

How to use it: `evict(cluster, pod)` asks once, now. `cordon(cluster, node)` acts now. `drain(cluster, node)` is a
process: `cluster.env.process(drain(cluster, node))`.

Sources: kubernetes `pkg/registry/core/pod/storage/eviction.go`, `kubectl/pkg/drain`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import simpy

from netsim.api.objects import (
    Object,
    controller_of,
    is_leaving,
    name_of,
    node_of,
    pod_ready,
    reference,
    with_condition,
)
from netsim.api.store import Refused
from netsim.control.cluster import Cluster
from netsim.control.disruption import budgets_of, with_allowed
from netsim.units import S

RETRY = 5 * S  # of a drain whose eviction was refused
LOOK = 1 * S  # how often a drain looks whether a pod has gone
MOST_DISRUPTED = 2000
VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def evict(cluster: Cluster, pod: Object, grace: int | None = None) -> Refused | None:
    """Evict a pod, with a grace period (nanoseconds) other than its own perhaps.

    What comes back is the refusal if the API server says no, with reason TooManyRequests where 429 is meant.
    """
    current = cluster.current(pod)
    if current is None:
        return Refused("NotFound", f'pods "{name_of(pod)}" not found')
    if _asks_budget(current):
        budgets = budgets_of(cluster, current)
        if len(budgets) > 1:
            return Refused("InternalError", SEVERAL)
        for budget in budgets:
            if not _is_spare(current, budget):
                refused = _spend(cluster, current, budget)
                if refused is not None:
                    return refused
    said = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    if not is_leaving(current):
        current = cluster.store.update(with_condition(current, cluster.now, "DisruptionTarget", "True", **said))
        cluster.store.delete(current, grace)
    return None


def _asks_budget(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") == "Running" and not is_leaving(pod)


def _is_spare(pod: Object, budget: Object) -> bool:
    """Whether a pod may go without the budget's consent: it is not ready, so the budget does not live on it."""
    if pod_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status", {})
    return status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0


def _spend(cluster: Cluster, pod: Object, budget: Object) -> Refused | None:
    """Take one of the disruptions that a budget allows; the refusal if there is none."""
    status = budget.get("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        late = f"The disruption budget {name_of(budget)} is still being processed by the server."
        return Refused("TooManyRequests", f"{VIOLATED} {late}")
    disrupted, allowed = status.get("disruptedPods", {}), status.get("disruptionsAllowed", 0)
    if len(disrupted) > MOST_DISRUPTED:
        return Refused("Forbidden", "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    if allowed <= 0:
        return Refused("TooManyRequests", VIOLATED)
    disrupted = {**disrupted, name_of(pod): cluster.now}
    spent = {**budget, "status": {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}}
    cluster.store.update(with_allowed(spent, cluster.now) if allowed == 1 else spent)
    return None


# kubectl ------------------------------------------------------------------------------------------------


def cordon(cluster: Cluster, node: str, *, on: bool = True) -> None:
    """Let no further pods be scheduled onto a node, or (`on=False`) let them again."""
    current = cluster.store.get("Node", "", node)
    if current is not None and bool(current["spec"].get("unschedulable")) != on:
        spec = {name: value for name, value in current["spec"].items() if name != "unschedulable"}
        cluster.store.update({**current, "spec": {**spec, "unschedulable": True} if on else spec})


def drain(cluster: Cluster, node: str) -> Generator[Any, Any, None]:
    """A SimPy process: cordon a node and evict its pods. It ends when they are gone, or when it is interrupted."""
    env, evictions = cluster.env, []
    try:
        yield env.timeout(cluster.timings.write)
        cordon(cluster, node)
        pods = [pod for pod in cluster.store.find("Pod", "node", node) if not _is_daemon(pod)]
        evictions = [env.process(_take_away(cluster, pod)) for pod in pods]
        yield env.all_of(evictions)
    except simpy.Interrupt:
        for eviction in evictions:
            if eviction.is_alive:
                eviction.interrupt()


def _is_daemon(pod: Object) -> bool:
    owner = controller_of(pod)
    return owner is not None and owner["kind"] == "DaemonSet"


def _take_away(cluster: Cluster, pod: Object) -> Generator[Any, Any, None]:
    """Evict one pod, again and again if need be, and wait until it has gone, or until one is interrupted."""
    with suppress(simpy.Interrupt):
        agreed = yield from _asked_to_go(cluster, pod)
        while agreed and cluster.current(pod) is not None:
            yield cluster.env.timeout(LOOK)


def _asked_to_go(cluster: Cluster, pod: Object) -> Generator[Any, Any, bool]:
    """Ask until the budget allows it, or it is refused for good; whether the pod will go."""
    while True:
        yield cluster.env.timeout(cluster.timings.write)
        refused = evict(cluster, pod)
        if refused is None:
            return True
        cluster.history.record(cluster.now, "refused", reference(pod), node_of(pod), str(refused))
        if refused.reason != "TooManyRequests":
            return False
        yield cluster.env.timeout(RETRY)
