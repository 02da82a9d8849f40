"""The eviction API: whom it asks a budget for, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import running

from netsim.control.disruption import budget_keys
from netsim.control.eviction import MOST_DISRUPTED, SEVERAL, VIOLATED, evict

Object = dict[str, Any]


class Store:
    """As much of a store as the eviction API needs: objects in a list."""

    def __init__(self, *objects: Object) -> None:
        self.objects = list(objects)
        self.deleted: list[str] = []

    def list(self, kind: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] == kind]

    def find(self, kind: str, index: str, key: Any) -> list[Object]:
        return [one for one in self.list(kind) if key in budget_keys(one)]

    def update(self, obj: Object) -> Object:
        names = [(one["kind"], one["metadata"]["name"]) for one in self.objects]
        self.objects[names.index((obj["kind"], obj["metadata"]["name"]))] = obj
        return obj

    def delete(self, obj: Object, grace: int | None = None) -> None:
        self.deleted.append(obj["metadata"]["name"])


class Cluster:
    now = 10

    def __init__(self, *objects: Object) -> None:
        self.store = Store(*objects)

    def current(self, obj: Object) -> Object | None:
        return next((one for one in self.store.list("Pod") if one["metadata"]["name"] == obj["metadata"]["name"]), None)


def web(name: str = "web-1", **more: Any) -> Object:
    return {**running(name, "10.0.0.1", labels={"app": "web"}, **more), "kind": "Pod"}


def budget(name: str = "web", allowed: int = 0, observed: int = 1, policy: str = "", **status: Any) -> Object:
    spec = {"selector": {"matchLabels": {"app": "web"}}, **({"unhealthyPodEvictionPolicy": policy} if policy else {})}
    return {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "spec": spec,
        "status": {"observedGeneration": observed, "disruptionsAllowed": allowed, **status},
    }


def asked(pod: Object, *budgets: Object) -> tuple[str, list[str]]:
    """The reason of the refusal, and whom was deleted."""
    cluster: Any = Cluster(pod, *budgets)
    refused = evict(cluster, pod)
    return (refused.reason if refused else "", cluster.store.deleted)


CASES = [
    ("no budget, no question", web(), [], ""),
    ("allowed", web(), [budget(allowed=1)], ""),
    ("not allowed", web(), [budget(allowed=0)], "TooManyRequests"),
    ("the controller lags behind", web(), [budget(allowed=1, observed=0)], "TooManyRequests"),
    ("two budgets", web(), [budget("a", 1), budget("b", 1)], "InternalError"),
    ("a pod that has not begun", web(phase="Pending"), [budget()], ""),
    ("a pod that has ended", web(phase="Failed"), [budget()], ""),
    ("unready, and the rest is enough", web(is_ready=False), [budget(currentHealthy=2, desiredHealthy=2)], ""),
    ("unready, and the rest is not enough", web(is_ready=False), [budget(currentHealthy=1, desiredHealthy=2)],
     "TooManyRequests"),
    ("unready, and nothing is wanted", web(is_ready=False), [budget(currentHealthy=0, desiredHealthy=0)],
     "TooManyRequests"),
    ("unready, and always allowed", web(is_ready=False),
     [budget(currentHealthy=0, desiredHealthy=2, policy="AlwaysAllow")], ""),
    ("too many are under way", web(),
     [budget(allowed=1, disruptedPods={str(i): 0 for i in range(MOST_DISRUPTED + 1)})], "Forbidden"),
]  # fmt: skip


@pytest.mark.parametrize(("pod", "budgets", "refused"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_who_may_be_evicted(pod: Object, budgets: list[Object], refused: str) -> None:
    assert asked(pod, *budgets) == (refused, [] if refused else ["web-1"])


def test_a_granted_eviction_is_noted_and_marks_its_pod() -> None:
    cluster: Any = Cluster(web(), budget(allowed=1))
    assert evict(cluster, web()) is None
    (spent,) = cluster.store.list("PodDisruptionBudget")
    assert (spent["status"]["disruptionsAllowed"], spent["status"]["disruptedPods"]) == (0, {"web-1": 10})
    assert spent["status"]["conditions"][0]["status"] == "False"
    (pod,) = cluster.store.list("Pod")
    target = next(c for c in pod["status"]["conditions"] if c["type"] == "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "EvictionByEvictionAPI")


def test_refusals_are_the_api_servers_words() -> None:
    cluster: Any = Cluster(web(), budget())
    assert str(evict(cluster, web())) == VIOLATED
    cluster = Cluster(web(), budget("a"), budget("b"))
    assert str(evict(cluster, web())) == SEVERAL
    cluster = Cluster()
    assert str(evict(cluster, web())) == 'pods "web-1" not found'


def test_a_pod_that_leaves_already_is_not_asked_for_and_not_deleted_again() -> None:
    assert asked(web(leaving=True), budget()) == ("", [])
