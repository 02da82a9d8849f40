"""The PodDisruptionBudget controller: how many healthy pods may be taken away on purpose, now.

It only counts; the eviction API asks (`eviction.py`). A budget says how many pods must stay, or how many may be
missing of those that their controllers want; shares of either are rounded up. A pod whose eviction was granted
counts as gone for two minutes, until it is seen to go.

Nobody else asks a budget: not taint eviction, not a deletion, not a rolling update.
Source: kubernetes `pkg/controller/disruption/disruption.go`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from netsim.api.objects import (
    Object,
    controller_of,
    is_leaving,
    key_of,
    labels_of,
    name_of,
    pod_ready,
    with_condition,
)  # fmt: skip
from netsim.api.selectors import matches
from netsim.api.store import Change
from netsim.control.client import Client
from netsim.control.cluster import Cluster
from netsim.control.endpointslice import selected_pods
from netsim.control.rollout import share_of
from netsim.control.workqueue import WorkQueue
from netsim.units import MINUTE

PATIENCE = 2 * MINUTE  # how long a pod whose eviction was granted may take to be seen leaving


def budgets_of(cluster: Cluster, pod: Object) -> list[Object]:
    """The budgets that a pod counts for."""
    namespace, labels = pod["metadata"]["namespace"], labels_of(pod)
    return [
        budget
        for item in (None, *labels.items())
        for budget in cluster.store.find("PodDisruptionBudget", "selector", (namespace, item))
        if matches(budget["spec"].get("selector"), labels)
    ]


def budget_keys(budget: Object) -> list[Any]:
    """Under what a budget is found from a pod: the first label that it selects; None if it names no label."""
    selector = budget["spec"].get("selector")
    item = min(((selector or {}).get("matchLabels") or {}).items(), default=None)
    return [] if selector is None else [(budget["metadata"]["namespace"], item)]


def protected(cluster: Cluster, budget: Object) -> list[Object]:
    """The pods that count for a budget."""
    namespace, selector = budget["metadata"]["namespace"], budget["spec"].get("selector") or {}
    labels = selector.get("matchLabels")
    pods = selected_pods(cluster, namespace, labels) if labels else cluster.store.list("Pod", namespace)
    return [pod for pod in pods if matches(budget["spec"].get("selector"), labels_of(pod))]


def needed(budget: Object, pods: int, scale: int | None) -> tuple[int, int]:
    """How many pods are expected, and how many must be healthy.

    `scale` is what the pods' controllers want together; None if that cannot be told.

    >>> needed({"spec": {"minAvailable": 2}}, 3, None), needed({"spec": {"maxUnavailable": "30%"}}, 3, 5)
    ((3, 2), (5, 3))
    """
    spec = budget["spec"]
    if "maxUnavailable" in spec:
        expected = scale or 0
        return expected, max(0, expected - share_of(spec["maxUnavailable"], expected, up=True))
    least = spec.get("minAvailable")
    if least is None:
        return 0, 0
    if isinstance(least, int):
        return pods, least
    return scale or 0, share_of(least, scale or 0, up=True)


def depends_on_scale(budget: Object) -> bool:
    """Whether a budget speaks of how many pods their controllers want."""
    return "maxUnavailable" in budget["spec"] or isinstance(budget["spec"].get("minAvailable"), str)


def healthy(pods: Sequence[Object], disrupted: dict[str, int], now: int) -> int:
    """The pods that count: ready, not leaving, and not about to."""
    return sum(
        pod_ready(pod)
        and not is_leaving(pod)
        and not (name_of(pod) in disrupted and disrupted[name_of(pod)] + PATIENCE > now)
        for pod in pods
    )


def still_disrupted(pods: Sequence[Object], disrupted: dict[str, int], now: int) -> dict[str, int]:
    """The granted evictions that are still to be seen."""
    staying = {name_of(pod) for pod in pods if not is_leaving(pod)}
    return {name: since for name, since in disrupted.items() if name in staying and since + PATIENCE > now}


def status_of(budget: Object, pods: Sequence[Object], scale: int | None, now: int) -> Object:
    """What the budget allows now."""
    old = budget.get("status", {})
    disrupted = still_disrupted(pods, old.get("disruptedPods", {}), now)
    current = healthy(pods, disrupted, now)
    expected, wanted = needed(budget, len(pods), scale)
    unknown = scale is None and depends_on_scale(budget)
    allowed = 0 if unknown or expected <= 0 else max(0, current - wanted)
    status = {
        **old,
        "observedGeneration": budget["metadata"]["generation"],
        "currentHealthy": current,
        "desiredHealthy": wanted,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
        "disruptedPods": disrupted,
    }
    return with_allowed({**budget, "status": status}, now, known=not unknown)["status"]


def with_allowed(budget: Object, now: int, *, known: bool = True) -> Object:
    """The budget with the condition that says whether it allows a disruption."""
    allowed = budget["status"]["disruptionsAllowed"] > 0
    reason = ("SufficientPods" if allowed else "InsufficientPods") if known else "SyncFailed"
    return with_condition(budget, now, "DisruptionAllowed", "True" if allowed else "False", reason=reason)


class Disruptions:
    """Keeps every budget's count."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = Client(cluster)
        self.queue = WorkQueue(cluster, self._sync, workers=1)
        cluster.hear("PodDisruptionBudget", lambda change: self.queue.add(key_of(change.object)))
        cluster.hear("Pod", self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        for pod in (change.object, change.old):
            for budget in budgets_of(self.cluster, pod) if pod else ():
                self.queue.add(key_of(budget))

    def _sync(self, key: tuple[str, str]) -> Generator[Any, Any, None]:
        budget = self.cluster.store.get("PodDisruptionBudget", *key)
        if budget is None:
            return
        pods, now = protected(self.cluster, budget), self.cluster.now
        status = status_of(budget, pods, self._scale(pods), now)
        if status["disruptedPods"]:
            self.queue.add_after(min(status["disruptedPods"].values()) + PATIENCE - now, key)
        if status != budget.get("status"):
            yield self.client.call()
            current = self.cluster.current(budget)
            if current is None:
                return
            if current["metadata"]["resourceVersion"] == budget["metadata"]["resourceVersion"]:
                self.cluster.store.update({**current, "status": status})
            else:  # an eviction was granted meanwhile: count again
                self.queue.add(key)

    def _scale(self, pods: Sequence[Object]) -> int | None:
        """How many pods the controllers of these want; None if one of them cannot be asked."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner: Object | None = pod
            while owner is not None and (reference := controller_of(owner)) is not None:
                owner = self.cluster.store.get(reference["kind"], owner["metadata"]["namespace"], reference["name"])
            if owner is None or (owner is not pod and "replicas" not in owner["spec"]):
                return None
            if owner is not pod:
                wanted[owner["metadata"]["uid"]] = owner["spec"]["replicas"]
        return sum(wanted.values())
