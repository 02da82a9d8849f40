"""Cases of kind `taint_eviction`: which pods go, and when, as nodes and pods change."""

from __future__ import annotations

from typing import Any

from netsim.control.evictions import Evictions
from netsim.control.taints import shortest
from netsim.units import MS, S

Given = dict[str, Any]
SETTLED = 10 * MS  # the change of a case comes this long after what was there before


def judge(case: Given) -> None:
    """Play the change of a case and compare the deletions with those expected."""
    given, expected = case["input"], case["expected"]
    if "toleration_seconds" in given:
        found = shortest({"tolerationSeconds": seconds} for seconds in given["toleration_seconds"])
        wanted = expected["min_toleration_seconds"]
        assert found == (None if wanted is None or wanted < 0 else wanted * S)
        return
    deleted = _deletions(given)
    if "deleted" in expected:
        if "observe_within_seconds" in given:
            deleted = {name: at for name, at in deleted.items() if at <= given["observe_within_seconds"] * S}
        assert sorted(deleted) == sorted(expected["deleted"])
    if "adds_disruption_condition" in expected:
        assert bool(deleted) == expected["adds_disruption_condition"]  # every deletion is announced so
    if "delete_times_seconds" in expected:
        assert deleted == _times(expected["delete_times_seconds"])


def _times(given: Any) -> dict[str, int]:
    """When each pod goes, from `{pod: seconds}` or from a list of pods with their seconds."""
    if isinstance(given, dict):
        return {name: int(seconds * S) for name, seconds in given.items()}
    found: dict[str, int] = {}
    for entry in given:
        fields = entry.values() if isinstance(entry, dict) else entry
        seconds = next(field for field in fields if isinstance(field, int | float))
        names = next(field for field in fields if not isinstance(field, int | float))
        found |= dict.fromkeys([names] if isinstance(names, str) else names, int(seconds * S))
    return found


def _deletions(given: Given) -> dict[str, int]:
    """When each pod is deleted that is, in nanoseconds after the change of the case."""
    plan = _Play(given)
    getattr(plan, given["event"])()
    return {name: max(0, at - plan.now) for name, at in plan.ends().items()}


class _Play:
    """A case under way: the nodes and pods of its input, and the plan that hears of them."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.plan = Evictions()
        self.now = SETTLED
        for name, taints in (given.get("node_taints") or {}).items():
            self.plan.node_changed(0, name, _node(taints), [])

    def pod_created(self) -> None:
        self._pod(self.now, self.given["pod"])

    def pod_updated(self) -> None:
        self._pod(0, self.given["old_pod"])
        self._pod(self.now, self.given["new_pod"])

    def pod_deleted(self) -> None:
        self._pod(0, self.given["pod"])
        self.plan.pod_gone(_pod(self.given["pod"]))

    def node_created(self) -> None:
        self._node(self.now, self.given.get("new_taints") or self.given.get("taints") or [])

    def node_updated(self) -> None:
        """The later pod of some cases is seen only after what they assert, so it does not count here."""
        self._node(0, self.given.get("old_taints") or [])
        self._node(self.now, self.given["new_taints"])

    def node_deleted(self) -> None:
        name = self.given["node"]
        for pod in self._pods_on(name):
            self.plan.pod_changed(0, pod)
        self.plan.node_changed(self.now, name, None, self._pods_on(name))

    def ends(self) -> dict[str, int]:
        """The countdowns under way, by the name of the pod."""
        return {uid: countdown.due for uid, countdown in self.plan.running.items()}

    def _pods_on(self, node: str) -> list[Given]:
        given = self.given["pods"] if "pods" in self.given else [self.given.get("pod")]
        return [_pod(pod) for pod in given if pod and pod["nodeName"] == node]

    def _node(self, now: int, taints: list[Given]) -> None:
        name = self.given.get("node", "node1")
        self.plan.node_changed(now, name, _node(taints), self._pods_on(name))

    def _pod(self, now: int, pod: Given | None) -> None:
        if pod is not None:
            self.plan.pod_changed(now, _pod(pod))


def _node(taints: list[Given]) -> Given:
    return {"spec": {"taints": taints}}


def _pod(pod: Given) -> Given:
    return {
        "metadata": {"uid": pod["name"], "name": pod["name"], "namespace": pod.get("namespace", "default")},
        "spec": {"nodeName": pod.get("nodeName") or "", "tolerations": pod.get("tolerations") or []},
    }
