"""What Kubernetes fills in."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from netsim.api.defaults import defaulted

Object = dict[str, Any]


def service(**spec: Any) -> Object:
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    return defaulted(obj)["spec"]


def pod(**spec: Any) -> Object:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    return defaulted(obj)["spec"]


def container(**fields: Any) -> Object:
    (found,) = pod(containers=[{"name": "web", "image": "nginx", **fields}])["containers"]
    return found


OBJECTS: dict[str, Object] = {
    "Service": {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}},
    "Pod": {
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "a", "image": "nginx", "ports": [{"containerPort": 80}]}]},
    },
    "Deployment": {
        "metadata": {"name": "web"},
        "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
    },
    "ReplicaSet": {
        "metadata": {"name": "web"},
        "spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}},
    },
    "Namespace": {"metadata": {"name": "shop"}},
    "Node": {"metadata": {"name": "node-1"}, "status": {"capacity": {"cpu": "4"}}},
    "Secret": {"metadata": {"name": "s"}, "data": {"a": "YQ=="}, "stringData": {"b": "b"}},
    "EndpointSlice": {"metadata": {"name": "web-1"}, "addressType": "IPv4", "ports": [{"port": 80}]},
    "Endpoints": {"metadata": {"name": "web"}, "subsets": [{"ports": [{"port": 80}]}]},
    "ConfigMap": {"metadata": {"name": "c"}, "data": {"a": "b"}},
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_defaulting_makes_a_new_object_and_is_done_after_once(kind: str) -> None:
    obj = {"apiVersion": "v1", "kind": kind, **OBJECTS[kind]}
    before = copy.deepcopy(obj)
    once = defaulted(obj)
    assert obj == before
    assert once is not obj
    assert defaulted(once) == once


@pytest.mark.parametrize("kind", OBJECTS)
def test_what_was_written_stays(kind: str) -> None:
    def kept(written: Any, found: Any) -> bool:
        if isinstance(written, dict):
            return all(name in found and kept(item, found[name]) for name, item in written.items())
        if isinstance(written, list):
            return len(written) == len(found) and all(map(kept, written, found))
        return written == found

    obj = {"kind": kind, **{name: part for name, part in OBJECTS[kind].items() if name != "stringData"}}
    assert kept(obj, defaulted(obj))


def test_a_kind_without_defaults_is_copied() -> None:
    obj = {"kind": "Job", "spec": {"completions": 3}}
    assert defaulted(obj) == obj


# Services ---------------------------------------------------------------------------------------------


def test_a_service_is_a_cluster_ip_without_affinity() -> None:
    assert service(ports=[{"port": 80}]) == {
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }


@pytest.mark.parametrize("target", [8080, "http"])
def test_a_target_port_that_is_given_stays(target: int | str) -> None:
    assert service(ports=[{"port": 80, "targetPort": target}])["ports"][0]["targetPort"] == target


def test_client_ip_affinity_lasts_three_hours() -> None:
    spec = service(sessionAffinity="ClientIP")
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    spec = service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 5}}


@pytest.mark.parametrize(
    ("kind", "internal", "external", "allocates"),
    [
        ("ClusterIP", "Cluster", None, None),
        ("NodePort", "Cluster", "Cluster", None),
        ("LoadBalancer", "Cluster", "Cluster", True),
        ("ExternalName", None, None, None),
    ],
)
def test_policies_depend_on_the_type(kind: str, internal: Any, external: Any, allocates: Any) -> None:
    spec = service(type=kind)
    assert spec.get("internalTrafficPolicy") == internal
    assert spec.get("externalTrafficPolicy") == external
    assert spec.get("allocateLoadBalancerNodePorts") == allocates


def test_no_addresses_or_node_ports_are_chosen() -> None:
    spec = service(type="NodePort", ports=[{"port": 80}])
    assert "clusterIP" not in spec
    assert "nodePort" not in spec["ports"][0]


# Pods -------------------------------------------------------------------------------------------------


def test_a_pod_restarts_and_has_thirty_seconds_to_leave() -> None:
    spec = pod(containers=[])
    assert {name: value for name, value in spec.items() if name != "containers"} == {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
    }
    assert pod(containers=[], terminationGracePeriodSeconds=0)["terminationGracePeriodSeconds"] == 0


@pytest.mark.parametrize("name", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_a_probe_asks_every_ten_seconds_and_gives_up_after_three_failures(name: str) -> None:
    probe = container(**{name: {"httpGet": {"port": 80}, "timeoutSeconds": 0}})[name]
    assert probe == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    given = {"tcpSocket": {"port": 80}, "periodSeconds": 2, "failureThreshold": 1}
    assert container(**{name: given})[name] == {**given, "timeoutSeconds": 1, "successThreshold": 1}


def test_a_port_of_a_container_is_tcp() -> None:
    assert container(ports=[{"containerPort": 53}])["ports"] == [{"containerPort": 53, "protocol": "TCP"}]
    udp = {"containerPort": 53, "protocol": "UDP"}
    assert container(ports=[udp])["ports"] == [udp]


def test_on_the_host_network_a_port_is_the_hosts() -> None:
    spec = pod(hostNetwork=True, containers=[{"name": "a", "ports": [{"containerPort": 80}]}])
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP", "hostPort": 80}]


def test_a_limit_without_a_request_is_the_request() -> None:
    resources = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}
    assert container(resources=resources)["resources"]["requests"] == {"cpu": "100m", "memory": "1Gi"}
    assert "requests" not in container(resources={"limits": {}})["resources"]


def test_a_hook_that_asks_over_http_asks_for_the_root() -> None:
    hooks = container(lifecycle={"preStop": {"httpGet": {"port": 80}}})["lifecycle"]
    assert hooks["preStop"]["httpGet"] == {"port": 80, "path": "/", "scheme": "HTTP"}
    sleep = {"preStop": {"sleep": {"seconds": 5}}}
    assert container(lifecycle=sleep)["lifecycle"] == sleep


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:0123", "IfNotPresent"),
    ],
)
def test_an_image_whose_tag_may_move_is_always_pulled(image: str, policy: str) -> None:
    assert container(image=image)["imagePullPolicy"] == policy


# workloads --------------------------------------------------------------------------------------------


def test_a_deployment_rolls_a_quarter_at_a_time() -> None:
    spec = defaulted({"kind": "Deployment", "spec": {"template": {}}})["spec"]
    assert spec["replicas"] == 1
    assert spec["revisionHistoryLimit"] == 10
    assert spec["progressDeadlineSeconds"] == 600
    quarter = {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": quarter}


def test_a_deployment_with_no_replicas_has_none() -> None:
    assert defaulted({"kind": "Deployment", "spec": {"replicas": 0, "template": {}}})["spec"]["replicas"] == 0


def test_recreating_takes_no_numbers() -> None:
    spec = {"strategy": {"type": "Recreate"}, "template": {}}
    assert defaulted({"kind": "Deployment", "spec": spec})["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
def test_a_template_has_the_defaults_of_a_pod_but_for_those_that_only_pods_get(kind: str) -> None:
    limits = {"limits": {"cpu": "1"}}
    template = {"spec": {"containers": [{"name": "a", "image": "b", "resources": limits}]}}
    spec = defaulted({"kind": kind, "spec": {"template": template}})["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 30
    assert "enableServiceLinks" not in spec
    assert spec["containers"][0]["resources"] == limits


# the rest ---------------------------------------------------------------------------------------------


def test_a_namespace_is_labelled_with_its_name() -> None:
    obj = defaulted({"kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}})
    assert obj["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "shop"}
    assert obj["status"] == {"phase": "Active"}


def test_all_that_a_node_has_can_be_allocated() -> None:
    node = {"kind": "Node", "metadata": {"name": "a"}, "status": {"capacity": {"cpu": "4"}}}
    assert defaulted(node)["status"]["allocatable"] == {"cpu": "4"}


def test_a_secrets_plain_text_is_stored_in_base64() -> None:
    obj = defaulted({"kind": "Secret", "data": {"a": "YQ==", "b": "eA=="}, "stringData": {"b": "b"}})
    assert "stringData" not in obj
    assert {name: base64.b64decode(text) for name, text in obj["data"].items()} == {"a": b"a", "b": b"b"}
    assert obj["type"] == "Opaque"


def test_ports_of_slices_and_endpoints_are_tcp() -> None:
    slice_ = defaulted({"kind": "EndpointSlice", "ports": [{"port": 80}]})
    assert slice_["ports"] == [{"port": 80, "name": "", "protocol": "TCP"}]
    assert slice_["endpoints"] == []
    subsets = [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]
    assert defaulted({"kind": "Endpoints", "subsets": subsets})["subsets"] == [
        {"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80, "protocol": "TCP"}]}
    ]
