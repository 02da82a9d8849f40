"""Cases of kind `endpointslice_controller`: how the endpoints of a Service are packed into slices."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from adapt_endpoint_conditions import pod_of

from netsim.control.endpoints import address_types, canonical, endpoint_of
from netsim.control.endpointslices import Plan, new_slice, reconcile, slice_labels

Given = dict[str, Any]
UID = "service-uid"
FOREIGN = re.compile(r"not owned|(another|other|different|wrong) (owner|service|uid)|no owner")


def judge(case: Given) -> None:
    """Each group of cases asks something else; the first part of the id says what."""
    given, expected = case["input"], case["expected"]
    group = case["id"].partition("/")[0]
    GROUPS[group](given, expected)


def _service(given: Given, **spec: Any) -> Given:
    metadata = {
        "name": given.get("name", "foo"),
        "namespace": given.get("namespace", "test"),
        "labels": given.get("labels") or {},
        "annotations": given.get("annotations") or {},
        "uid": UID,
    }
    spec = {"clusterIP": given.get("clusterIP"), "ipFamilies": given.get("ipFamilies"), **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _metadata(given: Given, expected: Given) -> None:
    service = _service(given["service"])
    if "slice_labels" in given:
        labels, updated = slice_labels({"metadata": {"labels": given["slice_labels"]}}, service)
        assert labels == expected["labels"]
        assert updated == expected["counts_as_update"]
        return
    metadata = new_slice(service, "IPv4", [], [])["metadata"]
    assert metadata["labels"] == expected["labels"]
    assert metadata["generateName"] == expected["generateName"]
    assert metadata["namespace"] == expected["namespace"]
    assert (metadata["ownerReferences"][0]["uid"] == UID) == expected["owner_is_service"]


def _address_types(given: Given, expected: Given) -> None:
    found = address_types(_service(given, selector=given.get("selector")))
    assert sorted(found) == sorted(expected["address_types"])


def _one_pod(given: Given, expected: Given) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}]
    publish = given["service"].get("publishNotReadyAddresses", False)
    service = _service(given["service"], ports=ports, publishNotReadyAddresses=publish)
    node = {"metadata": given["node"]}
    names = count()
    plan = reconcile(service, [pod_of(given["pod"])], lambda _: node, [], lambda: f"foo-{next(names)}")
    assert len(plan.create) == len(expected["slices"])
    for wanted in expected["slices"]:
        found = next(piece for piece in plan.create if piece["addressType"] == wanted["addressType"])
        assert found["metadata"]["labels"] == expected["labels"]
        assert len(found["endpoints"]) == len(wanted["endpoints"])
        for endpoint, described in zip(found["endpoints"], wanted["endpoints"], strict=True):
            addresses = [canonical(ip) for ip in described["addresses"]]
            assert {name: endpoint.get(name) for name in described} == {**described, "addresses": addresses}


# packing -------------------------------------------------------------------------------------------------


def _packing(given: Given, expected: Given) -> None:
    before = _Packing(given)
    slices = before.slices()
    plan = before.change(slices)
    assert sorted(_sizes(slices, plan)) == sorted(expected["slice_sizes"])
    assert len(plan.create) == expected["created"]
    assert len(plan.update) == expected["updated"]
    assert len(plan.delete) == expected["deleted"]
    if "slice_ports" in expected:
        found = sorted(piece["ports"][0]["port"] for piece in _after(slices, plan))
        assert found == sorted(expected["slice_ports"])


class _Packing:
    """A Service with many pods, some of which are in slices already, and something that changes."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.text = (given.get("change") or "").lower()
        self.foreign = bool(FOREIGN.search(self.text)) or any(
            value is False for key, value in given.items() if "owned" in key
        )
        self.pods = [self._pod(i) for i in range(given["pods"])]
        self.names = count()

    def _pod(self, i: int) -> Given:
        address = f"10.0.{i // 250}.{i % 250}"
        pod = pod_of({"name": f"pod{i}", "podIPs": [address], "ready": True, "nodeName": "node"})
        pod["metadata"]["uid"] = f"uid-{i}"
        if self.given.get("named_port"):
            assert self.given["container_port_of_pod_i"] == "8080 + (i % 5)"
            ports = [{"name": self.given["named_port"], "containerPort": 8080 + i % 5, "protocol": "TCP"}]
            pod["spec"]["containers"] = [{"ports": ports}]
        return pod

    def _service(self, target: int = 80, labels: Given | None = None) -> Given:
        behind = self.given.get("named_port") or target
        port = {"name": "http", "port": 80, "targetPort": behind, "protocol": "TCP"}
        given = {"clusterIP": "10.0.0.10", "ipFamilies": ["IPv4"], "labels": labels}
        return _service(given, ports=[port])

    def slices(self) -> list[Given]:
        """The slices that there are, filled with the pods in their order."""
        service, pods = self._service(), (self._pod(i) for i in count())
        found = []
        for number, size in enumerate(self.given["existing_slices"]):
            endpoints = [endpoint_of(next(pods), None, service) for _ in range(size)]
            ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
            family = "IP" if "deprecated" in self.text or "addresstype" in self.text else "IPv4"
            piece = new_slice(service, family, ports, endpoints)
            piece["metadata"]["name"] = f"old-{number}"
            if self.foreign:
                piece["metadata"]["ownerReferences"][0]["uid"] = "another"
            found.append(piece)
        return found

    def change(self, slices: list[Given]) -> Plan:
        """What the controller does after the change."""
        service = self._service()
        if "target" in self.text:
            service = self._service(target=81)
        elif "reserved" in self.text:
            reserved = {"service.kubernetes.io/headless": "", "kubernetes.io/service-name": "x"}
            service = self._service(labels=reserved)
        elif "label" in self.text:
            service = self._service(labels={"foo": "bar"})
        if "unready" in self.text:
            assert "every tenth" in self.text
            for i in range(0, sum(self.given["existing_slices"]), 10):
                self.pods[i]["status"]["conditions"][0]["status"] = "False"
        most = self.given.get("max_endpoints_per_slice", 100)
        node = {"metadata": {"name": "node", "labels": {}}}
        return reconcile(service, self.pods, lambda _: node, slices, lambda: f"new-{next(self.names)}", most)


def _after(slices: list[Given], plan: Plan) -> list[Given]:
    """The slices there are once a plan was carried out."""
    names = {piece["metadata"]["name"]: piece for piece in [*slices, *plan.create, *plan.update]}
    for piece in plan.delete:
        del names[piece["metadata"]["name"]]
    return list(names.values())


def _sizes(slices: list[Given], plan: Plan) -> list[int]:
    return [len(piece["endpoints"]) for piece in _after(slices, plan)]


# pods on nodes that are not there ------------------------------------------------------------------------


def _missing_node(given: Given, expected: Given) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}]
    publish = given["publishNotReadyAddresses"]
    cluster_ip = {"ipFamilies": ["IPv4"], "clusterIP": "10.0.0.10"}
    service = _service(cluster_ip, ports=ports, publishNotReadyAddresses=publish)
    pods = [pod_of({**pod, "podIPs": [f"10.0.0.{i + 1}"]}) for i, pod in enumerate(given["pods"])]
    nodes = {name: {"metadata": {"name": name, "labels": {}}} for name in given["existing_nodes"]}
    slices = []
    if given["existing_slice_endpoints"] is not None:
        listed = [pod for pod in pods if _is_listed(pod, given["existing_slice_endpoints"])]
        there = [{"name": "http", "port": 80, "protocol": "TCP"}]
        endpoints = [endpoint_of(pod, nodes.get(pod["spec"]["nodeName"]), service) for pod in listed]
        slices = [new_slice(service, "IPv4", there, endpoints)]
        slices[0]["metadata"]["name"] = "old"
    plan = reconcile(service, pods, nodes.get, slices, lambda: "new")
    found = {
        "endpoints": sum(_sizes(slices, plan)),
        "added": plan.added,
        "removed": plan.removed,
        "slices_created": len(plan.create),
        "slices_updated": len(plan.update),
        "slices_deleted": len(plan.delete),
        "retry_error": plan.retry,
        "slices": len(_after(slices, plan)),
    }
    assert found == {**found, **expected}


def _is_listed(pod: Given, listed: Any) -> bool:
    """Whether a pod is in the existing slice, which is given as a count, names, or objects with names."""
    if isinstance(listed, int):
        return int(pod["metadata"]["name"].removeprefix("pod")) < listed
    return pod["metadata"]["name"] in map(_pod_name, listed)


def _pod_name(entry: Any) -> Any:
    if isinstance(entry, str):
        return entry
    return entry.get("name") or entry.get("pod") or (entry.get("targetRef") or {}).get("name")


GROUPS = {
    "slice_metadata": _metadata,
    "address_types": _address_types,
    "one_pod": _one_pod,
    "packing": _packing,
    "missing_node": _missing_node,
}
