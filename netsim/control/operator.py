"""Somebody with kubectl: drains, cordons, taints and deletes nodes, and edits objects.

Everything goes through the API server. While it does not answer, one waits until it does; what it refuses is
recorded, and stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import simpy

from netsim.api.immutable import IDENTITY
from netsim.api.objects import Key, Object, has_taint, merged, name_of, reference, with_taints
from netsim.api.service_updates import prepared
from netsim.api.store import Refused
from netsim.api.times import with_times
from netsim.api.updates import refused
from netsim.api.validation import Ranges
from netsim.control.admission import Admission
from netsim.control.cluster import Cluster
from netsim.control.eviction import cordon, drain
from netsim.control.holds import Release

OWN_TAINTS = "node.kubernetes.io/"
RESTARTED = "kubectl.kubernetes.io/restartedAt"

Edit = Callable[[Object], Object]


def undoing(before: Object, after: Object) -> Object:
    """The merge patch that makes `before` of `after`.

    >>> undoing({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3, "d": 4}})
    {'b': {'d': None, 'c': 2}}
    """
    patch: Object = {name: None for name in after if name not in before}
    for name, value in before.items():
        other = after.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            if deeper := undoing(value, other):
                patch[name] = deeper
        elif value != other:
            patch[name] = value
    return patch


class Operator:
    """Works on one cluster. `register` has a node's kubelet register it."""

    def __init__(self, cluster: Cluster, admission: Admission, register: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.admission = admission
        self.register = register

    def soon(self, act: Callable[[], None]) -> None:
        """Do something by way of the API server: now if it answers, or else as soon as it does."""
        if self.cluster.plane.answers:
            act()
        else:
            self.cluster.env.process(self._later(act))

    def _later(self, act: Callable[[], None]) -> Generator[Any, Any, None]:
        yield from self.cluster.plane.answered()
        act()

    # nodes ----------------------------------------------------------------------------------------------

    def cordon(self, node: str) -> Release:
        """No further pods are scheduled onto a node; afterwards they are again."""
        self.soon(lambda: cordon(self.cluster, node))
        return lambda: self.soon(lambda: cordon(self.cluster, node, on=False))

    def drain(self, node: str) -> Release:
        """Cordon a node and evict its pods, as their budgets allow, until it is let go: then it is uncordoned."""
        drains = self.cluster.env.process(self._drain(node))

        def end() -> None:
            if drains.is_alive:
                drains.interrupt()
            self.soon(lambda: cordon(self.cluster, node, on=False))

        return end

    def _drain(self, node: str) -> Generator[Any, Any, None]:
        with suppress(simpy.Interrupt):
            yield from self.cluster.plane.answered()
            yield from drain(self.cluster, node)

    def taint(self, node: str, taint: Object) -> Release:
        """Put a taint on a node, and take it off again."""
        key, effect = taint["key"], taint["effect"]

        def on() -> None:
            current = self.cluster.store.get("Node", "", node)
            if current is not None:
                added = {**taint, "timeAdded": self.cluster.now}
                self.cluster.store.update(with_taints(current, add=[added]))

        def off() -> None:
            current = self.cluster.store.get("Node", "", node)
            if current is not None and has_taint(current, key, effect):
                self.cluster.store.update(with_taints(current, remove=[(key, effect)]))

        self.soon(on)
        return lambda: self.soon(off)

    def delete_node(self, node: str) -> Release:
        """Delete a Node object; afterwards its kubelet is started again, and registers it anew."""
        gone: list[Object] = []

        def delete() -> None:
            current = self.cluster.store.remove("Node", "", node)
            self.cluster.store.remove("Lease", "kube-node-lease", node)
            if current is not None:
                gone.append(current)

        def register() -> None:
            for old in gone:
                self._create_node(old)
            gone.clear()

        self.soon(delete)
        return lambda: self.soon(register)

    def _create_node(self, old: Object) -> None:
        store, name, now = self.cluster.store, name_of(old), self.cluster.now
        taints = [t for t in old["spec"].get("taints") or () if not t["key"].startswith(OWN_TAINTS)]
        spec = {key: value for key, value in old["spec"].items() if key != "unschedulable"}
        metadata = {"name": name, "labels": old["metadata"].get("labels") or {}}
        status = {**old["status"], "conditions": []}
        store.create({**old, "metadata": metadata, "spec": {**spec, "taints": taints}, "status": status})
        lease = {"holderIdentity": name, "leaseDurationSeconds": 40, "acquireTime": now, "renewTime": now}
        store.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": "kube-node-lease"},
                "spec": lease,
            }
        )
        self.register(name)

    # objects --------------------------------------------------------------------------------------------

    def edit(self, kind: str, key: Key, edit: Edit) -> Release:
        """Change an object, and afterwards change back what of its spec was changed."""
        undone: list[Object] = []

        def change() -> None:
            current = self.cluster.store.get(kind, *key)
            if current is not None and self._update(edit(current), current):
                undone.append(undoing(current.get("spec", {}), self.cluster.store.get(kind, *key)["spec"]))  # type: ignore[index]

        def undo() -> None:
            for patch in undone:
                current = self.cluster.store.get(kind, *key)
                if current is not None:
                    self._update({**current, "spec": merged(current["spec"], patch)}, current)

        self.soon(change)
        return lambda: self.soon(undo)

    def delete(self, kind: str, key: Key) -> None:
        """Delete an object."""

        def delete() -> None:
            current = self.cluster.store.get(kind, *key)
            if current is not None:
                self.cluster.store.delete(current)

        self.soon(delete)

    def restarted(self, obj: Object) -> Object:
        """The object as `kubectl rollout restart` leaves it."""
        stamp = {"template": {"metadata": {"annotations": {RESTARTED: str(self.cluster.now)}}}}
        return {**obj, "spec": merged(obj["spec"], stamp)}

    def _update(self, new: Object, old: Object) -> bool:
        """Put an object in the place of another: what the API server keeps for itself stays; whether it agreed."""
        identity = {name: old["metadata"][name] for name in IDENTITY if name in old["metadata"]}
        status = {"status": old["status"]} if "status" in old else {}
        new = prepared({**new, "metadata": {**new["metadata"], **identity}, **status}, old)
        try:
            self._judge(new, old)
            self.admission.update(new)
        except Refused as refusal:
            self.cluster.history.record(self.cluster.now, "refused", reference(old), detail=str(refusal))
            return False
        return True

    def _judge(self, new: Object, old: Object) -> None:
        """Refuse what the API server would not take."""
        ranges = Ranges((str(self.admission.addresses.network),), version=self.cluster.version)
        wrong = list(refused(with_times(new), with_times(old), ranges, self.cluster.store.list("Service")))
        if wrong:
            said = ", ".join(one.message for one in wrong)
            raise Refused("Invalid", f'{old["kind"]} "{name_of(old)}" is invalid: {said}')
