"""Cases of kind `taints_and_node_selection`: tolerations, node selectors, zones of nodes."""

from __future__ import annotations

from typing import Any

from netsim.control.node_filters import meets_affinity
from netsim.control.pod_info import PodInfo
from netsim.control.scheduler_cache import NodeInfo
from netsim.control.taints import tolerates, untolerated, zone_key

Given = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def judge(case: Given) -> None:
    """Ask what the case asks."""
    given, expected = case["input"], case["expected"]
    comparisons = (given.get("feature_gates") or {}).get("TaintTolerationComparisonOperators", False)
    if "toleration" in given:
        assert (
            tolerates(given["toleration"], given["taint"], comparisons=comparisons) == expected["tolerated"]
        )
    elif "tolerations" in given:
        effects = _considered(given.get("taints_considered", "all"))
        found = untolerated(
            given["taints"] or [], given["tolerations"] or [], effects, comparisons=comparisons
        )
        assert (found is None) == expected["all_tolerated"]
    elif "nodeSelector" in given:
        assert _selects(given["nodeSelector"], given["node"]) == expected["matches"]
    else:
        region, zone = zone_key(given["node_labels"] or {})
        assert {"region": region, "zone": zone} == {k: v or "" for k, v in _zone(expected).items()}


def _zone(expected: Given) -> Given:
    return {"region": expected.get("region"), "zone": expected.get("zone")}


def _considered(which: str) -> tuple[str, ...]:
    if which == "all":
        return EFFECTS
    return tuple(effect for effect in EFFECTS if effect in which.replace(",", " ").split())


def _selects(selector: Given | None, node: Given | None) -> bool:
    """Whether a pod with this required node affinity may go there. Nothing goes to a node that is not."""
    if node is None:
        return False
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector or {}}}
    pod = {"metadata": {"name": "pod"}, "spec": {"containers": [], "affinity": affinity}}
    metadata = {"name": node.get("name", ""), "labels": node.get("labels") or {}}
    return meets_affinity(PodInfo.of(pod).demands, NodeInfo({"metadata": metadata, "spec": {}}))
