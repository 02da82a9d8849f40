"""Cases of kind `endpoint_conditions`: which pods are endpoints of which Services, and in which condition."""

from __future__ import annotations

from typing import Any

from netsim.control.endpoints import canonical, change_matters, counts, endpoint_of, has_hostname, services_of

Given = dict[str, Any]


def judge(case: Given) -> None:
    """Each group of cases asks one function; what it gives tells which."""
    given, expected = case["input"], case["expected"]
    if "old_pod" in given:
        _change(given, expected)
    elif "services" in given:
        _membership(given, expected)
    elif "include_terminating" in given:
        _in_endpoints(given, expected)
    elif "conditions" in expected:
        _conditions(given, expected)
    else:
        _hostname(given, expected)


def pod_of(given: Given) -> Given:
    """A pod, from the few fields a case names."""
    ready = "True" if given.get("ready") else "False"
    metadata = {
        "name": given.get("name") or "pod",
        "namespace": given.get("namespace") or "test",
        "labels": given.get("labels") or {},
        "resourceVersion": given.get("resourceVersion"),
        "deletionTimestamp": 1 if given.get("deletionTimestamp_set") else None,
    }
    spec: Given = {
        "nodeName": given.get("nodeName") or "",
        "hostname": given.get("hostname"),
        "subdomain": given.get("subdomain"),
        "restartPolicy": given.get("restartPolicy"),
        "containers": [],
    }
    status = {
        "phase": given.get("phase") or "Running",
        "podIPs": [{"ip": ip} for ip in given.get("podIPs") or ()],
        "conditions": [{"type": "Ready", "status": ready}],
    }
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def service_of(given: Given) -> Given:
    """A Service, from the few fields a case names."""
    metadata = {
        "name": given.get("name") or "svc",
        "namespace": given.get("namespace") or "test",
        "uid": "svc-uid",
    }
    spec = {name: value for name, value in given.items() if name not in ("name", "namespace")}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _conditions(given: Given, expected: Given) -> None:
    node = given["node"] and {"metadata": given["node"]}
    endpoint = endpoint_of(pod_of(given["pod"]), node, service_of(given["service"]), given["address_type"])
    endpoint["targetRef"].pop("uid")
    found = {name: endpoint.get(name) for name in expected}
    assert found == {**expected, "addresses": [canonical(ip) for ip in expected["addresses"]]}


def _in_endpoints(given: Given, expected: Given) -> None:
    pod = pod_of(given["pod"])
    assert counts(pod, terminating=given["include_terminating"]) == expected["in_endpoints"]


def _change(given: Given, expected: Given) -> None:
    matters, relabelled = change_matters(pod_of(given["old_pod"]), pod_of(given["new_pod"]))
    assert matters == expected["endpoints_relevant_change"]
    assert relabelled == expected["labels_changed"]


def _membership(given: Given, expected: Given) -> None:
    services = services_of(pod_of(given["pod"]), [service_of(service) for service in given["services"]])
    names = [f"{s['metadata']['namespace']}/{s['metadata']['name']}" for s in services]
    assert sorted(names) == sorted(expected["services"])


def _hostname(given: Given, expected: Given) -> None:
    (wanted,) = expected.values()
    assert has_hostname(pod_of(given["pod"]), service_of(given["service"])) == wanted
