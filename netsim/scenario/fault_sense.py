"""Mistakes in faults that no single field shows: whom they would hit, and whether that can be done to them then.

A fault must be able to hit somebody: nodes and zones that exist, pods that some manifest has or makes, Services with a
load balancer, objects that are there. And a machine that has no power cannot lose it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from netsim.api.objects import labels_of
from netsim.faults import Chosen, Fault
from netsim.faults.model import wanted
from netsim.faults.network import NetworkPartition
from netsim.faults.nodes import KernelHang, NodeFault, NodePowerLoss, NodeReboot, ZoneOutage
from netsim.faults.operations import Edit, SetImage, object_named
from netsim.faults.pods import ContainerKill, PodFault
from netsim.faults.selectors import PodSelector, Selector, full_name
from netsim.faults.services import LoadBalancerDown
from netsim.scenario.draft import Draft
from netsim.scenario.mistakes import Mistake, Path, nearest, one_of, written
from netsim.scenario.model import Cluster
from netsim.scenario.references import Known
from netsim.topology.network import Nodes
from netsim.units import format_duration

Found = Iterator[Mistake]


def faults_that_hit_nobody(draft: Draft) -> Found:
    """A fault hits somebody who exists."""
    known = Known.of(draft)
    for i, fault in enumerate(draft.faults):
        where: Path = ("faults", i)
        if draft.cluster is not None and isinstance(fault, NodeFault):
            yield from _no_nodes(draft.cluster, (*where, "selector"), fault.selector)
        if draft.cluster is not None and isinstance(fault, NetworkPartition) and fault.target.selector:
            yield from _no_nodes(draft.cluster, (*where, "target", "selector"), fault.target.selector)
        if isinstance(fault, Chosen) and fault.mode == "fixed-percent" and fault.value > 100:
            path: Path = (*where, "value")
            yield Mistake(path, f"{written(path)}: {fault.value} in a hundred are too many")
        if draft.cluster is not None and isinstance(fault, PodFault):
            yield from _unknown_places(draft.cluster, (*where, "selector"), fault.selector)
        if draft.objects is not None:
            yield from _no_objects(known, where, fault)


def durations_of_nothing(draft: Draft) -> Found:
    """A fault that is over as soon as it has struck has no duration, unless it strikes again and again."""
    for i, fault in enumerate(draft.faults):
        if fault is not None and not fault.undone and fault.duration is not None and fault.mtbf is None:
            said = f"faults[{i}].duration: {fault.action} is not undone"  # type: ignore[attr-defined]
            yield Mistake(("faults", i, "duration"), said, "leave it out")


def _no_objects(known: Known, where: Path, fault: Fault | None) -> Found:
    """What needs the manifests to be known."""
    if isinstance(fault, NodeFault) and fault.selector.running:
        yield from _no_pods((*where, "selector", "running"), known.templates, fault.selector.running)
    if isinstance(fault, PodFault):
        yield from _no_such_pods(known, (*where, "selector"), fault.selector)
    if isinstance(fault, LoadBalancerDown):
        yield from _no_balancer(known, where, fault.selector.services)
    if isinstance(fault, Edit):
        yield from _no_target(known, (*where, "target"), fault.of())
    if isinstance(fault, SetImage | ContainerKill) and fault.container is not None:
        yield from _no_container(known, (*where, "container"), fault)


# nodes and zones ---------------------------------------------------------------------------------------


def _no_nodes(cluster: Cluster, where: Path, selector: Selector) -> Found:
    unknown = list(_unknown_places(cluster, where, selector))
    yield from unknown
    if unknown:
        return
    if not possible(cluster, selector):
        yield Mistake(where, f"{written(where)}: none of its nodes is in its zones")
    elif selector.node_selectors and not any(labelled(group, selector.node_selectors) for group in cluster.nodes):
        path = (*where, "nodeSelectors")
        labels = dict.fromkeys(f"{name}: {value}" for g in cluster.nodes for name, value in g.labels.items())
        hint = f"nodes have the labels {', '.join(labels)}" if labels else "no node has labels of its own"
        yield Mistake(path, f"{written(path)} matches no node", hint)


def labelled(group: Nodes, labels: Mapping[str, str]) -> bool:
    """Whether a group has these labels, as far as the scenario gives them."""
    own = ("kubernetes.io/", "topology.kubernetes.io/", "node-role.kubernetes.io/")
    return all(group.labels.get(name) == value or name.startswith(own) for name, value in labels.items())


def _unknown_places(cluster: Cluster, where: Path, selector: Selector | PodSelector) -> Found:
    nodes = [name for group in cluster.nodes for name in group.names()]
    zones = list(dict.fromkeys(group.zone for group in cluster.nodes if group.zone))
    yield from _unknown((*where, "nodes"), "node", selector.nodes, nodes)
    yield from _unknown((*where, "zones"), "zone", selector.zones, zones)


def _unknown(path: Path, what: str, names: Iterable[str], known: Sequence[str]) -> Found:
    for j, name in enumerate(names):
        if name not in known:
            here: Path = (*path, j)
            hint = one_of(f"{what}s", name, known) if known else f"the scenario has no {what}s"
            yield Mistake(here, f'{written(here)}: there is no {what} "{name}"', hint)


def possible(cluster: Cluster, selector: Selector) -> list[str]:
    """The nodes that a selector's nodes and zones leave."""
    return [
        name
        for group in cluster.nodes
        if not selector.zones or group.zone in selector.zones
        for name in group.names()
        if not selector.nodes or name in selector.nodes
    ]


# pods, Services, objects ---------------------------------------------------------------------------------


def _no_such_pods(known: Known, where: Path, selector: PodSelector) -> Found:
    spaces = sorted({space for space, _ in known.templates})
    for j, namespace in enumerate(selector.namespaces):
        if namespace not in spaces:
            path: Path = (*where, "namespaces", j)
            message = f'{written(path)}: no manifest has pods in namespace "{namespace}"'
            yield Mistake(path, message, one_of("namespaces", namespace, spaces))
            return
    near = [(space, pod) for space, pod in known.templates if space in (selector.namespaces or spaces)]
    if selector.label_selectors:
        yield from _no_pods((*where, "labelSelectors"), near, selector.label_selectors)
    elif not near:
        yield Mistake(where[:-1], f"{written(where[:-1])}: no manifest has pods that it could hit")


def _no_pods(path: Path, pods: Iterable[tuple[str, Any]], labels: Mapping[str, str]) -> Found:
    each = [labels_of(pod) for _, pod in pods]
    if not any(all(own.get(name) == value for name, value in labels.items()) for own in each):
        told = dict.fromkeys(f"{name}: {value}" for own in each for name, value in own.items())
        hint = f"pods have the labels {', '.join(list(told)[:10])}" if told else "no pod has labels"
        yield Mistake(path, f"{written(path)} matches no pod", hint)


def _no_balancer(known: Known, where: Path, services: Sequence[str]) -> Found:
    balanced = {f"{space}/{name}": name if space == "default" else f"{name}.{space}"
                for (space, name), service in known.services.items()
                if service["spec"].get("type") == "LoadBalancer"}  # fmt: skip
    for j, name in enumerate(services):
        if full_name(name) not in balanced:
            path: Path = (*where, "selector", "services", j)
            message = f'{written(path)}: no manifest has a Service "{name}" of type LoadBalancer'
            yield Mistake(path, message, one_of("Services", name, list(balanced.values())) if balanced else "")
    if not balanced and not services:
        yield Mistake(where, f"{written(where)}: no manifest has a Service of type LoadBalancer")


def _no_target(known: Known, path: Path, target: str) -> Found:
    kind, (namespace, name) = object_named(target)
    if kind == "Node":
        if name not in known.nodes:
            yield Mistake(path, f'{written(path)}: there is no node "{name}"', one_of("nodes", name, known.nodes))
        return
    if (kind, namespace, name) not in known.objects:
        there = [n for k, space, n in known.objects if k == kind and space == namespace]
        hint = nearest(name, there) or (f"there are {', '.join(there)}" if there else "")
        yield Mistake(path, f'{written(path)}: no manifest has a {kind} "{name}" in namespace "{namespace}"', hint)


def _no_container(known: Known, path: Path, fault: SetImage | ContainerKill) -> Found:
    """A container that is named, in the workload or in one of the pods."""
    if isinstance(fault, SetImage):
        kind, (namespace, name) = object_named(fault.target)
        owner = known.objects.get((kind, namespace, name))
        pods = [owner["spec"]["template"]] if owner else []
    else:
        pods = [pod for space, pod in known.templates if _selects(fault.selector, space, pod)]
    names = list(dict.fromkeys(container["name"] for pod in pods for container in pod["spec"]["containers"]))
    if names and fault.container not in names:
        hint = one_of("containers", str(fault.container), names)
        yield Mistake(path, f'{written(path)}: no container is called "{fault.container}"', hint)


def _selects(selector: PodSelector, namespace: str, pod: Any) -> bool:
    near = not selector.namespaces or namespace in selector.namespaces
    own = labels_of(pod)
    return near and all(own.get(name) == value for name, value in selector.label_selectors.items())


# power -------------------------------------------------------------------------------------------------

POWERLESS = (NodePowerLoss, NodeReboot, ZoneOutage, KernelHang)
"""Faults after which a machine is as if it had no power, for a while."""


def overlapping_power_losses(draft: Draft) -> Found:
    """A machine without power cannot lose it (nor hang); who gives it back first would be a matter of luck."""
    if draft.cluster is None:
        return
    losses: list[tuple[NodeFault, set[str]]] = []
    boot = draft.cluster.resolved_timings.node_boot
    for i, fault in enumerate(draft.faults):
        if not isinstance(fault, POWERLESS) or fault.mtbf is not None:
            continue
        victims = _certain_victims(draft.cluster, fault)
        for other, taken in losses:
            both = sorted(victims & taken)
            if both and _overlap(fault, other, boot):
                yield Mistake(
                    ("faults", i, "at"), f"faults[{i}]: {both[0]} {_WITHOUT[other.action]} at that time",  # type: ignore[attr-defined]
                    f'"{other.name}" takes it at {format_duration(other.at)}, {_until(other, boot)}',
                )  # fmt: skip
                break
        losses.append((fault, victims))


_WITHOUT = {
    "node-power-loss": "has no power",
    "zone-outage": "has no power",
    "node-reboot": "boots",
    "kernel-hang": "hangs",
}


def _until(fault: Fault, boot: int) -> str:
    end = _end(fault, boot)
    return "for good" if end is None else f"until {format_duration(end)}"


def _end(fault: Fault, boot: int) -> int | None:
    if isinstance(fault, NodeReboot):
        return fault.at + boot
    return None if fault.duration is None else fault.at + fault.duration


def _certain_victims(cluster: Cluster, fault: NodeFault) -> set[str]:
    """The nodes that a fault hits whatever chance says; none if it depends on where pods run."""
    names = possible(cluster, fault.selector)
    if fault.selector.running or fault.selector.node_selectors:
        return set()
    if isinstance(fault, ZoneOutage):
        zones = {group.zone for group in cluster.nodes if set(group.names()) & set(names)}
        every = [name for group in cluster.nodes if group.zone in zones for name in group.names()]
        return set(every) if wanted(fault.mode, fault.value, len(zones)) == len(zones) else set()
    return set(names) if wanted(fault.mode, fault.value, len(names)) == len(names) else set()


def _overlap(fault: Fault, other: Fault, boot: int) -> bool:
    first, second = sorted((fault, other), key=lambda f: f.at)
    end = _end(first, boot)
    return end is None or second.at < end


