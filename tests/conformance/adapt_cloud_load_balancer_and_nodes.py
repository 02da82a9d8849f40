"""Cases of kind `cloud_load_balancer_and_nodes`: what the cloud controllers make of Services and nodes."""

from __future__ import annotations

from typing import Any

from netsim.control.cloud_nodes import (
    EXCLUDE,
    SHUTDOWN,
    SOURCE_RANGES,
    Instance,
    allows_all,
    calls_for_update,
    cloud_call,
    eligible,
    needs_health_check,
    nodes_to_send,
    only_local,
    source_ranges,
    verdict,
    wants_balancer,
)

Given = dict[str, Any]
STATUS = {True: "True", False: "False", None: "Unknown"}


def judge(case: Given) -> None:
    """Each group of cases asks something else; the first part of the id says what."""
    GROUPS[case["id"].partition("/")[0]](case["input"], case["expected"])


def _node(given: Given) -> Given:
    """A node, from the few fields a case names."""
    ready = given.get("ready")
    labels = dict(given.get("labels") or {})
    if given.get("excluded"):
        labels[EXCLUDE] = ""
    metadata: Given = {"name": given.get("name", "node"), "labels": labels}
    if given.get("deletionTimestamp_set") or given.get("deleted"):
        metadata["deletionTimestamp"] = 1
    spec = {"taints": given.get("taints") or [], "providerID": given.get("providerID") or ""}
    conditions = [{"type": "Ready", "status": STATUS.get(ready, ready)}] if "ready" in given else []
    return {"metadata": metadata, "spec": spec, "status": {"conditions": conditions}}


def _service(given: Given) -> Given:
    """A Service, from the few fields a case names."""
    annotations = given.get("annotations") or {}
    if isinstance(given.get("annotation"), str):
        annotations = {SOURCE_RANGES: given["annotation"]}
    metadata: Given = {"name": given.get("name", "svc"), "annotations": annotations}
    metadata["finalizers"] = given.get("finalizers") or []
    if given.get("deletionTimestamp_set") or given.get("deletionTimestamp") or given.get("deleted"):
        metadata["deletionTimestamp"] = 1
    return {"metadata": metadata, "spec": given}


def _eligible(given: Given, expected: Given) -> None:
    """The source's table is of the rules before the node set was stable: it asks for readiness, too."""
    node = _node(given["node"])
    assert eligible(node, stable=False) == expected["eligible"]
    if expected["eligible"]:
        assert eligible(node)


def _node_set(given: Given, expected: Given) -> None:
    last = [_node(node) for node in given["last_synced_nodes"]]
    nodes = nodes_to_send(last, [_node(node) for node in given["nodes_now"]])
    told = [service["name"] for service in given["services"] if wants_balancer(_service(service))]
    assert bool(nodes is not None and told) == expected["lb_updated"]
    wanted = expected["new_lb_nodes_per_service"]
    if wanted is not None:
        names = sorted(node["metadata"]["name"] for node in nodes or ())
        each: Given = wanted if isinstance(wanted, dict) else dict.fromkeys(told, wanted)
        assert {service: sorted(listed) for service, listed in each.items()} == dict.fromkeys(told, names)


def _host_update(given: Given, expected: Given) -> None:
    nodes = [_node({"name": name, "ready": True}) for name in given["nodes"]]
    services = [service for service in given["services"] if service is not None]
    told = [service["name"] for service in services if wants_balancer(_service(service))]
    assert told == expected["services_whose_lb_is_updated"]
    if expected.get("with_nodes"):
        names = [node["metadata"]["name"] for node in nodes_to_send([], nodes) or ()]
        assert names == expected["with_nodes"]


def _node_change(given: Given, expected: Given) -> None:
    (wanted,) = expected.values()
    assert calls_for_update(_node(given["old_node"]), _node(given["new_node"])) == wanted


def _local_traffic(given: Given, expected: Given) -> None:
    service = _service(given["service"])
    assert only_local(service) == expected["requests_only_local_traffic"]
    if "needs_health_check_node_port" in expected:
        assert needs_health_check(service) == expected["needs_health_check_node_port"]


def _source_ranges(given: Given, expected: Given) -> None:
    try:
        ranges = source_ranges(_service(given))
    except ValueError:
        assert expected["error"]
        return
    assert not expected["error"]
    if "distinct_cidrs" in expected:
        assert len(ranges) == expected["distinct_cidrs"]
    if "allow_all" in expected:
        assert allows_all(ranges) == expected["allow_all"]


def _allow_all(given: Given, expected: Given) -> None:
    assert allows_all(given["cidrs"]) == expected["allow_all"]


def _sync(given: Given, expected: Given) -> None:
    assert cloud_call(_service(given["service"]), exists=given["lb_exists"]) == expected["cloud_call"]


def _cloud_node(given: Given, expected: Given) -> None:
    cloud, lookup = given["cloud"], given["cloud"].get("provider_id_lookup")
    exists: bool | None = cloud["instance_exists"]
    if cloud["exists_error"] or (lookup == "error" and not given["node"].get("providerID")):
        exists = None
    elif lookup in ("not_found", "empty", "") and not given["node"].get("providerID"):
        exists = False
    node, shut_down = _node(given["node"]), None if cloud["shutdown_error"] else cloud["shutdown"]
    found = verdict(node, Instance(exists, shut_down))
    had = any(taint["key"] == SHUTDOWN for taint in node["spec"]["taints"])
    assert (found == "delete") == expected["node_deleted"]
    assert (found == "taint" or (had and found == "keep")) == expected["shutdown_taint"]


GROUPS = {
    "lb_node_eligible": _eligible,
    "lb_node_set": _node_set,
    "lb_host_update": _host_update,
    "lb_node_change": _node_change,
    "local_traffic": _local_traffic,
    "source_ranges": _source_ranges,
    "allow_all": _allow_all,
    "lb_sync": _sync,
    "cloud_node": _cloud_node,
}
