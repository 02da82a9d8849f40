"""Cases of the kinds `topology_aware_hints` and `traffic_distribution_hints`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from netsim.control.hints import (
    MODE_ANNOTATION,
    Notice,
    Slices,
    cpu_by_zone,
    cpu_ratios,
    giving_and_receiving,
    hints,
    hints_enabled,
    topology_hints,
)
from netsim.control.hints import (
    traffic_distribution_hints as distribute,
)
from netsim.units import millicores

NAMES = {"create": "to_create", "update": "to_update", "unchanged": "unchanged"}


def topology_aware_hints(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What a case is about shows in what it gives."""
    for case in document["cases"]:
        given = case["input"]
        if "service_annotations" in given:
            check = _enabled
        elif "desired_by_zone" in given:
            check = _rebalance
        elif "slices" in given:
            check = _topology
        elif "existing_slices_pods" in given:
            check = _reconcile
        else:
            check = _ratios
        yield case["id"], partial(check, given, case["expected"])


def traffic_distribution_hints(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Whole reconciles, or the function that sets hints alone."""
    for case in document["cases"]:
        check = _distribution if "slices" in case["input"] else _reconcile
        yield case["id"], partial(check, case["input"], case["expected"])


def _enabled(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert hints_enabled(given["service_annotations"] or {}) == expected["enabled"]


def _rebalance(given: dict[str, Any], expected: dict[str, Any]) -> None:
    giving, receiving = giving_and_receiving(given["desired_by_zone"], given["allocated_by_zone"])
    assert (giving, receiving) == (expected["giving"], expected["receiving"])


def _ratios(given: dict[str, Any], expected: dict[str, Any]) -> None:
    nodes = [_node(node) for node in given["nodes"]]
    assert (cpu_by_zone(nodes) is not None) == expected["sufficient_node_info"]
    wanted = expected["cpu_by_zone"]
    assert cpu_by_zone(nodes) == (wanted and {zone: millicores(cpu) for zone, cpu in wanted.items()})
    ratios = cpu_ratios(nodes)
    if expected["ratio_by_zone"] is None:
        assert ratios is None
    else:
        assert ratios is not None
        assert ratios.keys() == expected["ratio_by_zone"].keys()
        for zone, ratio in expected["ratio_by_zone"].items():
            assert abs(ratios[zone] - ratio) < 1e-4


def _topology(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found, notice = topology_hints(_slices(given["slices"]), given["cpu_ratio_by_zone"])
    counts = Counter(z for s in found.all() for e in s for z in _hints(e)["zones"])
    assert dict(counts) == (expected["hint_counts_by_zone"] or {})
    wanted = expected.get("slices") or {}
    for mine, theirs in NAMES.items():
        if theirs in wanted:
            # which endpoint is lent is free; which slices there are, and which endpoints have hints, is not
            assert [[(_rest(e), "hints" in e) for e in s] for s in getattr(found, mine)] == [
                [(_rest(e), "hints" in e) for e in _read(s)] for s in wanted[theirs]
            ]
    assert _event(notice) == expected["event"]


def _event(notice: Notice) -> dict[str, str]:
    return {"type": notice.type, "reason": notice.reason, "message_id": notice.message_id}


def _distribution(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = distribute(_slices(given["slices"]), given["trafficDistribution"])
    for mine, theirs in NAMES.items():
        if theirs in expected.get("slices", {}):
            assert [[(_rest(e), _hints(e)) for e in s] for s in getattr(found, mine)] == [
                [(_rest(e), _hints(e)) for e in _read(s)] for s in expected["slices"][theirs]
            ], theirs
    by_address = {e["addresses"][0]: _hints(e) for s in found.all() for e in s}
    wanted = {a: h or {"zones": [], "nodes": []} for a, h in expected.get("hints_by_address", {}).items()}
    assert {a: by_address[a] for a in wanted} == wanted


def _reconcile(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Pods (in slices that exist already, or new ones) and nodes go in; hints come out."""
    nodes = {node["name"]: node for node in given["nodes"]}
    existing = given.get("existing_slices_pods")
    groups = existing if existing is not None else [given["pods"]]
    slices = [[_endpoint(pod, nodes) for pod in group] for group in groups]
    annotation = given.get("topology_hints_annotation")
    service = {
        "metadata": {"annotations": {MODE_ANNOTATION: annotation} if annotation is not None else {}},
        "spec": {"trafficDistribution": given.get("trafficDistribution")},
    }
    gates = given.get("feature_gates") or {}
    if not gates.get("ServiceTrafficDistribution", True):
        service["spec"] = {}
    found, _ = hints(
        Slices(unchanged=slices) if existing is not None else Slices(create=slices),
        service,
        cpu_ratios([_node(node) for node in given["nodes"]]),
        topology_cache=given.get("topology_cache_enabled", True),
        same_gate=gates.get("PreferSameTrafficDistribution", True),
    )
    endpoints = [e for s in found.all() for e in s]
    zones = _counts(e for e in (_hints(e)["zones"] for e in endpoints))
    assert _wanted(zones, expected["zone_hint_counts"], len(endpoints)) == zones
    if "node_hint_counts" in expected:
        names = _counts(e for e in (_hints(e)["nodes"] for e in endpoints))
        assert _wanted(names, expected["node_hint_counts"], len(endpoints)) == names
    crossed = sum(bool(_hints(e)["zones"]) and _hints(e)["zones"] != [e.get("zone")] for e in endpoints)
    assert crossed == expected["endpoints_with_cross_zone_hint"]


def _counts(hinted: Iterator[list[str]]) -> dict[str, int]:
    """How many endpoints are meant for each zone or node; "" counts those without a single hint."""
    return dict(Counter(names[0] if len(names) == 1 else "" for names in hinted))


def _wanted(found: dict[str, int], wanted: dict[str, int] | None, total: int) -> dict[str, int]:
    return {"": total} if wanted is None and total else wanted or {}


def _node(node: dict[str, Any]) -> dict[str, Any]:
    labels = dict(node.get("labels") or {})
    if node.get("zone"):
        labels["topology.kubernetes.io/zone"] = node["zone"]
    return {
        "metadata": {"name": node.get("name", ""), "labels": labels},
        "status": {
            "allocatable": {"cpu": node["cpu"]} if node.get("cpu") else {},
            "conditions": [{"type": "Ready", "status": "True" if node.get("ready") else "False"}],
        },
    }


def _endpoint(pod: dict[str, Any], nodes: dict[str, Any]) -> dict[str, Any]:
    zone = pod.get("zone") or nodes[pod["node"]].get("zone")
    return {
        "addresses": [str(pod.get("name", pod.get("index")))],
        "nodeName": pod["node"],
        "conditions": {"ready": pod.get("ready", True)},
        **({"zone": zone} if zone else {}),
    }


def _slices(given: dict[str, Any]) -> Slices:
    return Slices(**{mine: [_read(s) for s in given.get(theirs) or []] for mine, theirs in NAMES.items()})


def _read(slice_: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "addresses": entry["addresses"],
            "conditions": {"ready": entry.get("ready")},
            **{field: entry[field] for field in ("zone", "nodeName") if entry.get(field) is not None},
            **({"hints": _long(entry["hints"])} if entry.get("hints") else {}),
        }
        for entry in slice_
    ]


def _long(short: Any) -> dict[str, Any]:
    zones = (short.get("zones") or []) if isinstance(short, dict) else short
    names = (short.get("nodes") or []) if isinstance(short, dict) else []
    long = {"forZones": [{"name": z} for z in zones], "forNodes": [{"name": n} for n in names]}
    return {key: value for key, value in long.items() if value}


def _hints(entry: Any) -> dict[str, list[str]]:
    found = entry.get("hints") or {}
    return {
        "zones": [zone["name"] for zone in found.get("forZones", ())],
        "nodes": [node["name"] for node in found.get("forNodes", ())],
    }


def _rest(entry: dict[str, Any]) -> dict[str, Any]:
    """What hints must leave as it is."""
    return {name: value for name, value in entry.items() if name != "hints"}
