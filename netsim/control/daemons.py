"""What a DaemonSet decides: which nodes are to have a pod, and which pods come and go.

A pod runs on every node whose labels fit and whose taints it bears. All pods of DaemonSets bear what would drive
others away: a node that is not ready, unreachable, cordoned, or short of something. So they are never evicted
when a node is lost.

A rolling update either deletes old pods, no more at a time than may be unavailable, or (`maxSurge`) makes new
ones beside the old, which go when the new are available.

Source: kubernetes `pkg/controller/daemon` (daemon_controller.go, update.go, util/daemonset_util.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netsim.api.objects import Object, is_finished, is_leaving, labels_of, name_of, node_of, pod_ready
from netsim.api.selectors import matches_labels, matches_node_selector
from netsim.control.pod_status import is_available
from netsim.control.pod_template import REVISION
from netsim.control.rollout import share_of
from netsim.control.taints import untolerated
from netsim.units import S

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
BORNE = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
BORNE_ON_HOST = ("node.kubernetes.io/network-unavailable", "NoSchedule")  # by pods in the node's own network

Pods = Mapping[str, list[Object]]
"""The pods that a DaemonSet has, by the node they are meant for."""

Fits = Mapping[str, tuple[bool, bool]]
"""Whether a pod of a DaemonSet should run, and whether one may stay, on each node (`belongs`)."""


@dataclass
class Plan:
    """What to do now: nodes that are to get a pod, and pods that must go."""

    create: list[str] = field(default_factory=list)
    delete: list[Object] = field(default_factory=list)


# where ----------------------------------------------------------------------------------------------------


def belongs(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a pod of the set should run on a node, and whether one that is there may stay."""
    spec = daemon_set["spec"]["template"]["spec"]
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(REQUIRED)
    fits = matches_labels(spec.get("nodeSelector"), labels_of(node)) and matches_node_selector(
        affinity, labels_of(node), name_of(node)
    )
    if not fits or spec.get("nodeName", name_of(node)) != name_of(node):
        return False, False
    taints, borne = node["spec"].get("taints") or (), tolerations(spec)
    return untolerated(taints, borne) is None, untolerated(taints, borne, ("NoExecute",)) is None


def tolerations(spec: Object) -> list[Object]:
    """What the pods of a DaemonSet bear: what their template says, and what all of them do."""
    borne = (*BORNE, BORNE_ON_HOST) if spec.get("hostNetwork") else BORNE
    own = spec.get("tolerations") or []
    return [*own, *({"key": key, "operator": "Exists", "effect": effect} for key, effect in borne)]


# how many ---------------------------------------------------------------------------------------------------


def manage(daemon_set: Object, fits: Fits, pods: Pods, ending: str, now: int) -> Plan:
    """Pods that are missing, too many, or where they should not be; `ending` is the hash of the present template."""
    plan, surge = Plan(), bool(limits(daemon_set, len(fits))[0])
    for node, (runs, stays) in fits.items():
        here = pods.get(node, [])
        staying = _staying(here)
        if runs and not here:
            plan.create.append(node)
        elif not stays:
            plan.delete += staying
        else:
            alive = sorted((pod for pod in staying if not is_finished(pod)), key=age)
            plan.delete += [pod for pod in staying if is_finished(pod)]
            plan.delete += _outlived(daemon_set, alive, ending, now) if surge else alive[1:]
    lost = [pod for node, here in pods.items() if node not in fits for pod in _staying(here)]
    plan.delete += [pod for pod in lost if not node_of(pod)]  # nobody else would: bound ones are garbage collected
    return plan


def _outlived(daemon_set: Object, alive: list[Object], ending: str, now: int) -> list[Object]:
    """While updates surge a node may have an old pod and a new one; the old goes when it is not needed."""
    new, old = _of_template(alive, ending)
    both = new and old and (not pod_ready(old[0]) or _is_available(daemon_set, new[0], now))
    return [*new[1:], *old[1:], *(old[:1] if both else [])]


def _of_template(pods: list[Object], ending: str) -> tuple[list[Object], list[Object]]:
    """Pods of the present template, and of older ones."""
    new = [pod for pod in pods if labels_of(pod).get(REVISION) == ending]
    return new, [pod for pod in pods if pod not in new]


def _staying(pods: list[Object]) -> list[Object]:
    return [pod for pod in pods if not is_leaving(pod)]


def age(pod: Object) -> tuple[bool, int, str]:
    """What pods of one node are sorted by: those that are bound first, then the oldest."""
    return not node_of(pod), pod["metadata"]["creationTimestamp"], name_of(pod)


# updates ------------------------------------------------------------------------------------------------------


def limits(daemon_set: Object, wanted: int) -> tuple[int, int]:
    """maxSurge and maxUnavailable as numbers, both rounded up; they are never both zero.

    >>> limits({"spec": {}}, 10), limits({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "15%"}}}}, 10)
    ((0, 1), (0, 2))
    """
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    surge = share_of(rolling.get("maxSurge", 0), wanted, up=True)
    unavailable = share_of(rolling.get("maxUnavailable", 1), wanted, up=True)
    return surge, unavailable if surge or unavailable else 1


def update(daemon_set: Object, fits: Fits, pods: Pods, ending: str, now: int) -> Plan:
    """What a rolling update does now."""
    if (daemon_set["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") != "RollingUpdate":
        return Plan()
    names = [node for node, (runs, _) in fits.items() if runs]
    surge, unavailable = limits(daemon_set, len(names))
    here = {name: _of_template(_staying(pods.get(name, [])), ending) for name in names}
    if surge:
        return _surge(daemon_set, here, surge, now)
    return _replace(daemon_set, here, unavailable, now)


Here = Mapping[str, tuple[list[Object], list[Object]]]  # node -> its new pods, its old ones


def _replace(daemon_set: Object, here: Here, limit: int, now: int) -> Plan:
    """Delete old pods: all that are not available anyway, others as long as enough are left."""
    unavailable = 0
    broken: list[Object] = []
    candidates: list[Object] = []
    for new, old in here.values():
        if len(new) + len(old) != 1:
            unavailable += 1  # there is none, or too many: `manage` sees to it
            continue
        (pod,) = new or old
        well = _is_available(daemon_set, pod, now)
        unavailable += not well
        if old:
            (candidates if well else broken).append(pod)
    return Plan(delete=[*broken, *candidates[: max(0, limit - unavailable)]])


def _surge(daemon_set: Object, here: Here, limit: int, now: int) -> Plan:
    """Make new pods beside old ones, and delete the old whose new is available."""
    plan, surging = Plan(), 0
    candidates: list[str] = []
    for name, (new, old) in here.items():
        if len(new) > 1 or len(old) > 1:
            surging += 1
        elif old and not new:
            (candidates if _is_available(daemon_set, old[0], now) else plan.create).append(name)
        elif old:
            replaced = _is_available(daemon_set, new[0], now)
            surging += _is_available(daemon_set, old[0], now)
            if replaced or not _is_available(daemon_set, old[0], now):
                plan.delete.append(old[0])
    plan.create += candidates[: max(0, limit - surging)]
    return plan


def _is_available(daemon_set: Object, pod: Object, now: int) -> bool:
    return is_available(pod, daemon_set["spec"].get("minReadySeconds", 0) * S, now)


# status ---------------------------------------------------------------------------------------------------------


def status_of(daemon_set: Object, fits: Fits, pods: Pods, ending: str, now: int) -> Object:
    """The counts that `kubectl get ds` shows: nodes, each judged by its oldest pod."""
    wanted = [node for node, (runs, _) in fits.items() if runs]
    oldest = {name: min(here, key=age) for name, here in pods.items() if here}
    there = [oldest[name] for name in wanted if name in oldest]
    available = sum(_is_available(daemon_set, pod, now) for pod in there)
    return {
        "observedGeneration": daemon_set["metadata"]["generation"],
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(there),
        "numberMisscheduled": len(set(oldest).difference(wanted)),
        "numberReady": sum(pod_ready(pod) for pod in there),
        "updatedNumberScheduled": sum(labels_of(pod).get(REVISION) == ending for pod in there),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
