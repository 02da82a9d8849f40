"""Taints and tolerations: which node keeps which pods away, which pods bear it, and for how long.

Node lifecycle turns a node's conditions into NoSchedule taints at once, and puts a NoExecute taint on a node
that is not ready, at a rate that falls when much of a zone is unwell. Admission gives every pod that says
nothing itself 300 s on such a node; taint eviction counts them down (`evictions.py`).

Sources: kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`, `api/core/v1/toleration.go`,
`plugin/pkg/admission/defaulttolerationseconds`, `component-helpers/scheduling/corev1`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from netsim.api.objects import REGION, ZONE, Object, condition, is_true, labels_of
from netsim.control.timings import Timings
from netsim.units import S

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
EXCLUDE_DISRUPTION = "node.kubernetes.io/exclude-disruption"

CONDITION_TAINTS = MappingProxyType(
    {
        ("Ready", "False"): NOT_READY,
        ("Ready", "Unknown"): UNREACHABLE,
        ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
        ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
        ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
        ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    }
)
"""Which condition, in which status, keeps pods away under which key."""

Taint = Mapping[str, Any]
Toleration = Mapping[str, Any]


# who bears what ------------------------------------------------------------------------------------------


def tolerates(toleration: Toleration, taint: Taint, *, comparisons: bool = False) -> bool:
    """Whether a toleration bears a taint. An empty key or effect bears any.

    `comparisons` is the feature gate of the operators Gt and Lt (alpha in 1.35).

    >>> tolerates({"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoExecute"})
    True
    >>> tolerates({"key": "a", "value": "x"}, {"key": "a", "value": "b", "effect": "NoSchedule"})
    False
    """
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    given, wanted = taint.get("value") or "", toleration.get("value") or ""
    if operator == "Equal":
        return given == wanted
    return comparisons and operator in ("Gt", "Lt") and _compares(given, wanted, operator)


def _compares(given: str, wanted: str, operator: str) -> bool:
    one, other = _integer(given), _integer(wanted)
    if one is None or other is None:
        return False
    return one > other if operator == "Gt" else one < other


def _integer(text: str) -> int | None:
    """A decimal 64-bit integer in its one canonical form (no plus sign, no leading zeros)."""
    if not re.fullmatch("0|-?[1-9][0-9]*", text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def untolerated(
    taints: Iterable[Taint],
    tolerations: Iterable[Toleration],
    effects: tuple[str, ...] = ("NoSchedule", "NoExecute"),
    *,
    comparisons: bool = False,
) -> Taint | None:
    """The first taint of one of the `effects` that none of the tolerations bears."""
    tolerations = tuple(tolerations)
    for taint in taints:
        if taint.get("effect") in effects and not any(
            tolerates(toleration, taint, comparisons=comparisons) for toleration in tolerations
        ):
            return taint
    return None


def used_tolerations(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> list[Toleration] | None:
    """For each taint the first toleration that bears it; None if one taint is not borne at all."""
    tolerations = tuple(tolerations)
    found = [next((t for t in tolerations if tolerates(t, taint)), None) for taint in taints]
    borne = [toleration for toleration in found if toleration is not None]
    return borne if len(borne) == len(found) else None


def shortest(tolerations: Iterable[Toleration]) -> int | None:
    """How long the tolerations hold together, in nanoseconds; None means for ever, none at all not at all."""
    tolerations = tuple(tolerations)
    if not tolerations:
        return 0
    limits = [t["tolerationSeconds"] for t in tolerations if t.get("tolerationSeconds") is not None]
    return max(0, min(limits)) * S if limits else None


def with_default_tolerations(pod: Object, timings: Timings) -> Object:
    """The pod as admission lets it in: it bears a silent node for a while, unless it says itself how long."""
    tolerations = pod["spec"].get("tolerations") or []
    defaults = ((NOT_READY, timings.not_ready_toleration), (UNREACHABLE, timings.unreachable_toleration))
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": time // S}
        for key, time in defaults
        if not any(_speaks_of(toleration, key) for toleration in tolerations)
    ]
    return {**pod, "spec": {**pod["spec"], "tolerations": [*tolerations, *added]}} if added else pod


def _speaks_of(toleration: Toleration, key: str) -> bool:
    about = (toleration.get("key") or key) == key
    return about and (toleration.get("effect") or "NoExecute") == "NoExecute"


# what conditions mean ------------------------------------------------------------------------------------


def condition_taints(node: Object) -> tuple[list[Object], list[tuple[str, str]]]:
    """NoSchedule taints that a node's conditions ask for and it lacks; those it has without a reason."""
    keys = [
        CONDITION_TAINTS[c["type"], c["status"]]
        for c in node.get("status", {}).get("conditions") or ()
        if (c["type"], c["status"]) in CONDITION_TAINTS
    ]
    if node["spec"].get("unschedulable"):
        keys.append(UNSCHEDULABLE)
    has = [t["key"] for t in node["spec"].get("taints") or () if t["effect"] == "NoSchedule"]
    ours = (*CONDITION_TAINTS.values(), UNSCHEDULABLE)
    missing = [{"key": key, "effect": "NoSchedule"} for key in keys if key not in has]
    return missing, [(key, "NoSchedule") for key in has if key in ours and key not in keys]


def no_execute_key(node: Object) -> str | None:
    """The key of the NoExecute taint that a node deserves; None if it is ready."""
    if is_true(node, "Ready"):
        return None
    ready = condition(node, "Ready")
    return NOT_READY if ready is not None and ready["status"] == "False" else UNREACHABLE


# zones ---------------------------------------------------------------------------------------------------

_OLD_ZONE, _OLD_REGION = "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"


def zone_key(labels: Mapping[str, str]) -> tuple[str, str]:
    """Region and zone of a node by its labels, each empty if unknown; the old beta labels go first."""
    return labels.get(_OLD_REGION, labels.get(REGION, "")), labels.get(_OLD_ZONE, labels.get(ZONE, ""))


def zone_state(nodes: Iterable[Object], timings: Timings) -> str:
    """Normal, PartialDisruption or FullDisruption: how a zone's nodes are, those excluded apart."""
    counted = [node for node in nodes if EXCLUDE_DISRUPTION not in labels_of(node)]
    unready = sum(not is_true(node, "Ready") for node in counted)
    if counted and unready == len(counted):
        return "FullDisruption"
    if unready > 2 and unready / len(counted) >= timings.unhealthy_zone_threshold:
        return "PartialDisruption"
    return "Normal"


def eviction_rate(state: str, size: int, timings: Timings) -> float:
    """How many nodes of a zone may be tainted NoExecute per second; `size` is its number of nodes.

    >>> eviction_rate("PartialDisruption", 50, Timings()), eviction_rate("PartialDisruption", 51, Timings())
    (0.0, 0.01)
    """
    if state != "PartialDisruption":
        return timings.node_eviction_rate
    return timings.secondary_node_eviction_rate if size > timings.large_cluster_size else 0.0
