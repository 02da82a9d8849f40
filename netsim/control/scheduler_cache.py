"""What the scheduler remembers of nodes and of the pods on them, kept up to date one change at a time.

Resources are sums per node. For spreading and affinity, pods that look alike (same namespace, labels,
affinity, leaving or not) are one *class* with a count per node. A pod then costs one addition when it comes
and one subtraction when it goes, and a question about a selector costs as much as there are nodes with such
pods, however large the cluster is.

Sources: kubernetes `pkg/scheduler/backend/cache` (the cache, and the tree that interleaves zones).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netsim.api.objects import Object, labels_of, name_of
from netsim.control.pod_info import Affinity, NodeDemands, PodInfo, PodSelector
from netsim.control.taints import zone_key
from netsim.units import millicores, whole

Taint = dict[str, Any]
Port = tuple[str, str, int]
Item = tuple[str, str]  # a label


class NodeInfo:
    """A node: what it is, what it has, what is taken."""

    __slots__ = (
        "cpu",
        "free_of_pods",
        "labels",
        "memory",
        "name",
        "others",
        "pods",
        "ports",
        "scored_cpu",
        "scored_memory",
        "soft_taints",
        "taints",
        "total_cpu",
        "total_memory",
        "total_others",
        "unschedulable",
        "zone",
    )

    def __init__(self, node: Object) -> None:
        self.name = name_of(node)
        self.cpu = self.memory = 0  # requested, exactly
        self.scored_cpu = self.scored_memory = 0  # requested, with a little for those who request nothing
        self.others: dict[str, int] = {}
        self.pods: dict[str, PodInfo] = {}  # by uid
        self.ports: dict[Port, int] = {}
        self.labels: dict[str, str] = {}
        self.taints: tuple[Taint, ...] = ()
        self.soft_taints: tuple[Taint, ...] = ()
        self.unschedulable = False
        self.zone = ("", "")
        self.set(node)

    def set(self, node: Object) -> bool:
        """Take in the node object; whether anything changed that decides which pods may come."""
        before = (self.labels, self.taints, self.unschedulable)
        self.labels = labels_of(node)
        self.taints = tuple(node["spec"].get("taints") or ())
        self.soft_taints = tuple(taint for taint in self.taints if taint["effect"] == "PreferNoSchedule")
        self.unschedulable = bool(node["spec"].get("unschedulable"))
        self.zone = zone_key(self.labels)
        status = node.get("status") or {}
        has = dict(status.get("allocatable") or status.get("capacity") or {})
        self.total_cpu = millicores(has.pop("cpu", 0))
        self.total_memory = whole(has.pop("memory", 0))
        self.free_of_pods = whole(has.pop("pods", 0)) - len(self.pods)
        self.total_others = {name: whole(amount) for name, amount in has.items()}
        return before != (self.labels, self.taints, self.unschedulable)

    def add(self, pod: PodInfo) -> None:
        """A pod is here."""
        self._count(pod, 1)
        self.pods[pod.uid] = pod

    def remove(self, pod: PodInfo) -> None:
        """A pod is no longer here."""
        self._count(self.pods.pop(pod.uid), -1)

    def _count(self, pod: PodInfo, by: int) -> None:
        self.free_of_pods -= by
        self.cpu += by * pod.cpu
        self.memory += by * pod.memory
        self.scored_cpu += by * pod.scored_cpu
        self.scored_memory += by * pod.scored_memory
        for name, amount in pod.others:
            self.others[name] = self.others.get(name, 0) + by * amount
        for port in pod.ports:
            self.ports[port] = self.ports.get(port, 0) + by
            if not self.ports[port]:
                del self.ports[port]

    def __repr__(self) -> str:
        return f"<Node {self.name} {len(self.pods)} pods>"


class PodClass:
    """Pods that look alike, counted per node."""

    __slots__ = ("affinity", "labels", "leaving", "namespace", "nodes")

    def __init__(self, pod: PodInfo) -> None:
        self.namespace = pod.namespace
        self.labels = pod.labels
        self.leaving = pod.leaving
        self.affinity: Affinity | None = pod.affinity
        self.nodes: dict[str, int] = {}


class Cache:
    """All nodes and all pods that are bound to them, or are about to be."""

    def __init__(self, nodes: Iterable[Object] = ()) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.namespaces: dict[str, Mapping[str, str]] = {}  # labels, for selectors of namespaces
        self.values: dict[str, dict[str, int]] = {}  # label -> value -> nodes that have it
        self._having: dict[str, int] = {}  # label -> nodes that have it
        self.demanding: list[PodClass] = []  # classes whose pods ask something of their neighbours
        self._where: dict[str, tuple[str, PodInfo]] = {}  # uid -> node
        self._homeless: dict[str, dict[str, PodInfo]] = {}  # pods of nodes that are not known (any longer)
        self._classes: dict[Any, PodClass] = {}
        self._labelled: dict[Item, list[PodClass]] = {}  # classes by each of their labels
        self._selected: dict[PodSelector, list[PodClass]] = {}
        self._asking: dict[Item | None, list[PodSelector]] = {}  # the selectors in it, by a label they ask for
        self._verdicts: dict[NodeDemands, dict[str, str]] = {}
        self._order: list[NodeInfo] | None = None
        for node in nodes:
            self.set_node(node)

    # nodes ---------------------------------------------------------------------------------------------

    def set_node(self, node: Object) -> None:
        """A node came, or changed."""
        info = self.nodes.get(name_of(node))
        if info is None:
            info = self.nodes[name_of(node)] = NodeInfo(node)
            for pod in self._homeless.pop(info.name, {}).values():
                info.add(pod)
            self._label(info.labels, 1)
            self._order = None
            return
        labels, zone = info.labels, info.zone
        if info.set(node):
            self._forget(info.name)
            self._label(labels, -1)
            self._label(info.labels, 1)
            if info.zone != zone:
                self._order = None

    def remove_node(self, name: str) -> None:
        """A node object has gone; its pods may still be there for a while."""
        info = self.nodes.pop(name, None)
        if info is not None:
            self._homeless[name] = info.pods
            self._label(info.labels, -1)
            self._forget(name)
            self._order = None

    def in_order(self) -> list[NodeInfo]:
        """All nodes, one zone after another in turn, so that a walk that stops early has seen all zones."""
        if self._order is None:
            zones: dict[tuple[str, str], list[NodeInfo]] = {}
            for info in self.nodes.values():
                zones.setdefault(info.zone, []).append(info)
            longest = max(map(len, zones.values()), default=0)
            self._order = [zone[i] for i in range(longest) for zone in zones.values() if i < len(zone)]
        return self._order

    def all_have(self, keys: Iterable[str]) -> bool:
        """Whether every node has all of these labels."""
        return all(self._having.get(key, 0) == len(self.nodes) for key in keys)

    def _label(self, labels: Mapping[str, str], by: int) -> None:
        for key, value in labels.items():
            self._having[key] = self._having.get(key, 0) + by
            counts = self.values.setdefault(key, {})
            counts[value] = counts.get(value, 0) + by
            if not counts[value]:
                del counts[value]

    def verdicts(self, demands: NodeDemands) -> dict[str, str]:
        """What was found out about nodes for such demands ("" if they are met); the asker fills it in."""
        return self._verdicts.setdefault(demands, {})

    def _forget(self, name: str) -> None:
        for known in self._verdicts.values():
            known.pop(name, None)

    # pods ----------------------------------------------------------------------------------------------

    def add(self, pod: PodInfo, node: str = "") -> None:
        """A pod is bound to a node (its own `node`, unless another is named), or is assumed to be."""
        self.remove(pod.uid)
        node = node or pod.node
        self._where[pod.uid] = node, pod
        info = self.nodes.get(node)
        if info is not None:
            info.add(pod)
        else:
            self._homeless.setdefault(node, {})[pod.uid] = pod
        counts = self._class(pod).nodes
        counts[node] = counts.get(node, 0) + 1

    def remove(self, uid: str) -> None:
        """A pod has gone, or was not bound after all. One that is not known is no matter."""
        node, pod = self._where.pop(uid, ("", None))
        if pod is None:
            return
        info = self.nodes.get(node)
        if info is not None:
            info.remove(pod)
        else:
            self._homeless[node].pop(uid)
        counts = self._class(pod).nodes
        counts[node] -= 1
        if not counts[node]:
            del counts[node]

    def __contains__(self, uid: object) -> bool:
        return uid in self._where

    def _class(self, pod: PodInfo) -> PodClass:
        key = (pod.namespace, pod.leaving, tuple(sorted(pod.labels.items())), pod.affinity)
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(pod)
            if found.affinity is not None:
                self.demanding.append(found)
            for item in (None, *found.labels.items()):
                if item is not None:
                    self._labelled.setdefault(item, []).append(found)
                for selector in self._asking.get(item, ()):
                    if selector.selects(found.namespace, found.labels, self.namespaces):
                        self._selected[selector].append(found)
        return found

    def selected(self, selector: PodSelector) -> list[PodClass]:
        """The classes of pods that a selector selects."""
        classes = self._selected.get(selector)
        if classes is None:
            item = selector.item()
            near = self._classes.values() if item is None else self._labelled.get(item, ())
            classes = [one for one in near if selector.selects(one.namespace, one.labels, self.namespaces)]
            self._selected[selector] = classes
            self._asking.setdefault(item, []).append(selector)
        return classes
