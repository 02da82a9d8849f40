"""Taint eviction's plan: which pods will be deleted, and when, from what happens to nodes and pods.

A pod on a node whose NoExecute taints it does not all tolerate goes at once. One that tolerates them for a
while has a countdown, which starts when the taint is seen and is called off when the taint, or the limit on
the toleration, goes. A countdown that is under way is not changed by new taints or new tolerations with
another limit: it neither grows nor shrinks.

Source: kubernetes `pkg/controller/tainteviction/taint_eviction.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netsim.api.objects import Object, is_leaving, node_of
from netsim.control.taints import Taint, Toleration, shortest, used_tolerations


@dataclass(frozen=True, slots=True)
class Countdown:
    """A pod's remaining time on its node."""

    began: int
    due: int


def countdown(
    taints: Iterable[Taint], tolerations: Iterable[Toleration], running: Countdown | None, now: int
) -> Countdown | None:
    """The countdown of a pod once the controller has looked at it; None if it may stay.

    `taints` are the NoExecute taints of its node.

    >>> taint, toleration = {"key": "a", "effect": "NoExecute"}, {"key": "a", "tolerationSeconds": 300}
    >>> countdown([taint], [toleration], None, now=5)
    Countdown(began=5, due=300000000005)
    """
    taints = tuple(taints)
    if not taints:
        return None
    used = used_tolerations(taints, tolerations)
    if used is None:
        return Countdown(now, now)
    delay = shortest(used)
    if delay is None:
        return None
    return running if running is not None and running.began < now else Countdown(now, now + delay)


class Evictions:
    """All countdowns. It is told of changes in their order, and says which countdowns differ afterwards."""

    def __init__(self) -> None:
        self.taints: dict[str, tuple[Taint, ...]] = {}  # node -> its NoExecute taints, if it has any
        self.running: dict[str, Countdown] = {}  # pod, by uid

    def node_changed(self, now: int, name: str, node: Object | None, pods: Iterable[Object]) -> list[str]:
        """A node is new or has changed, or has gone (None); `pods` are those bound to it.

        A node that is gone calls off nothing: it is forgotten, and what counts down goes on.
        """
        if node is None:
            self.taints.pop(name, None)
            return []
        taints = no_execute(node)
        if taints == self.taints.get(name, ()):
            return []
        if taints:
            self.taints[name] = taints
        else:
            self.taints.pop(name, None)
        return [uid for pod in pods if (uid := self._judge(now, pod, taints)) is not None]

    def pod_changed(self, now: int, pod: Object) -> list[str]:
        """A pod was bound to a node, or its tolerations have changed."""
        taints = self.taints.get(node_of(pod), ())
        uid = self._judge(now, pod, taints) if taints else None
        return [] if uid is None else [uid]

    def pod_gone(self, pod: Object) -> None:
        """A pod no longer exists."""
        self.running.pop(pod["metadata"]["uid"], None)

    def due(self, now: int) -> list[str]:
        """The pods whose time is up, the earliest first; their countdowns end here."""
        over = sorted((c.due, uid) for uid, c in self.running.items() if c.due <= now)
        for _, uid in over:
            del self.running[uid]
        return [uid for _, uid in over]

    def _judge(self, now: int, pod: Object, taints: tuple[Taint, ...]) -> str | None:
        uid = pod["metadata"]["uid"]
        before = self.running.get(uid)
        after = countdown(taints, pod["spec"].get("tolerations") or (), before, now)
        if after == before or (before is None and is_leaving(pod)):
            return None
        if after is None:
            del self.running[uid]
        else:
            self.running[uid] = after
        return uid


def no_execute(node: Object) -> tuple[Taint, ...]:
    """The NoExecute taints of a node."""
    return tuple(taint for taint in node["spec"].get("taints") or () if taint["effect"] == "NoExecute")
