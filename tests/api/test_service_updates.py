"""What a Service means that is written again: what was given to it stays, and another value is refused."""

from __future__ import annotations

from typing import Any

import pytest

from netsim.api.immutable import changes
from netsim.api.service_updates import prepared

Object = dict[str, Any]

IP, OTHER = "10.96.0.9", "10.96.0.8"
ADDRESSED: Object = {"clusterIP": IP, "clusterIPs": [IP]}
PLAIN = {"type": "ClusterIP", **ADDRESSED, "ports": [{"port": 80}]}
HEADLESS = {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80}]}
NODE_PORT = {"type": "NodePort", **ADDRESSED, "externalTrafficPolicy": "Cluster", "ports": [
    {"name": "a", "port": 80, "nodePort": 30001}, {"name": "b", "port": 81, "nodePort": 30002}]}  # fmt: skip
BALANCED = {"type": "LoadBalancer", **ADDRESSED, "externalTrafficPolicy": "Local", "healthCheckNodePort": 30003,
            "allocateLoadBalancerNodePorts": True, "ports": [{"port": 80, "nodePort": 30001}]}  # fmt: skip
NAMED = {"type": "ExternalName", "externalName": "a.example.org"}
GONE = object()  # a field that is left out

KEEPS = "may not change once set"
RULES = [
    # before, what is written of it, what is then meant (GONE: it is not there), and why that is refused
    (PLAIN, {"clusterIP": None}, ADDRESSED, ""),
    (PLAIN, {"clusterIP": ""}, ADDRESSED, ""),
    (PLAIN, {"clusterIP": GONE, "clusterIPs": GONE}, ADDRESSED, ""),
    (PLAIN, {"clusterIP": None, "clusterIPs": []}, ADDRESSED, ""),
    (PLAIN, {"clusterIPs": None}, ADDRESSED, ""),
    (PLAIN, {"clusterIP": OTHER}, {"clusterIPs": [OTHER]},
     f'spec.clusterIPs[0]: Invalid value: []string{{"{OTHER}"}}: {KEEPS}'),
    (PLAIN, {"clusterIP": OTHER, "clusterIPs": GONE}, {"clusterIPs": [OTHER]}, KEEPS),
    (PLAIN, {"clusterIPs": [OTHER]}, {"clusterIP": IP}, KEEPS),
    (PLAIN, {"clusterIP": "None"}, {"clusterIPs": ["None"]}, KEEPS),
    (PLAIN, {"type": "NodePort", "clusterIP": None}, ADDRESSED, ""),
    (PLAIN, {**NAMED}, {"clusterIP": GONE, "clusterIPs": GONE}, ""),
    (PLAIN, {**NAMED, "clusterIP": None}, {"clusterIP": None, "clusterIPs": GONE}, ""),
    (HEADLESS, {"clusterIP": None}, {"clusterIP": "None", "clusterIPs": ["None"]}, ""),
    (HEADLESS, {"clusterIP": IP}, {"clusterIPs": [IP]}, KEEPS),
    (NAMED, {"type": "ClusterIP", "clusterIP": IP}, {"clusterIP": IP}, ""),
    (NODE_PORT, {"ports": [{"name": "a", "port": 90}]}, {"ports": [{"name": "a", "port": 90, "nodePort": 30001}]}, ""),
    (NODE_PORT, {"ports": [{"name": "b", "port": 80, "nodePort": None}, {"name": "c", "port": 81}]},
     {"ports": [{"name": "b", "port": 80, "nodePort": 30002}, {"name": "c", "port": 81}]}, ""),
    (NODE_PORT, {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81, "nodePort": 30001}]},
     {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81, "nodePort": 30001}]}, ""),
    (NODE_PORT, {"ports": [{"name": "a", "port": 80, "nodePort": 30009}]},
     {"ports": [{"name": "a", "port": 80, "nodePort": 30009}]}, ""),
    (NODE_PORT, {"type": "LoadBalancer", "ports": [{"name": "a", "port": 80}]},
     {"ports": [{"name": "a", "port": 80, "nodePort": 30001}]}, ""),
    (NODE_PORT, {"type": "ClusterIP"}, {"externalTrafficPolicy": GONE,
     "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}, ""),
    (NODE_PORT, {"type": "ClusterIP", "ports": NODE_PORT["ports"][:1]}, {"ports": [{"name": "a", "port": 80}]}, ""),
    (NODE_PORT, {"type": "ClusterIP", "ports": [{"name": "a", "port": 80, "nodePort": 30009}]},
     {"ports": [{"name": "a", "port": 80, "nodePort": 30009}]}, ""),
    (NODE_PORT, {"type": "ClusterIP", "externalIPs": ["203.0.113.7"]}, {"externalTrafficPolicy": "Cluster"}, ""),
    (BALANCED, {"healthCheckNodePort": None}, {"healthCheckNodePort": 30003}, ""),
    (BALANCED, {"healthCheckNodePort": 0}, {"healthCheckNodePort": 30003}, ""),
    (BALANCED, {"healthCheckNodePort": 30004}, {"healthCheckNodePort": 30004},
     "spec.healthCheckNodePort: Forbidden: field is immutable"),
    (BALANCED, {"externalTrafficPolicy": "Cluster"}, {"healthCheckNodePort": GONE}, ""),
    (BALANCED, {"externalTrafficPolicy": "Cluster", "healthCheckNodePort": 30004}, {"healthCheckNodePort": 30004}, ""),
    (BALANCED, {"type": "NodePort"}, {"healthCheckNodePort": GONE, "allocateLoadBalancerNodePorts": GONE,
     "externalTrafficPolicy": "Local", "ports": [{"port": 80, "nodePort": 30001}]}, ""),
    (BALANCED, {"allocateLoadBalancerNodePorts": False}, {"ports": [{"port": 80, "nodePort": 30001}]}, ""),
]  # fmt: skip


def service(spec: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def without(spec: Object) -> Object:
    return {name: value for name, value in spec.items() if value is not GONE}


@pytest.mark.parametrize(("before", "written", "meant", "refused"), RULES)
def test_what_was_given_stays_unless_something_else_is_asked_for(before, written, meant, refused):
    old = service(before)
    new = prepared(service(without({**before, **written})), old)
    for name, value in meant.items():
        assert new["spec"].get(name, GONE) == value, name
    told = list(changes("Service", new, old))
    assert len(told) == (1 if refused else 0)
    assert not told or told[0].endswith(refused)
    assert prepared(new, old) == new


@pytest.mark.parametrize("garbage", ["x", 7, ["x"], [None], [{"name": ["x"]}], [{"nodePort": [1]}], {"a": 1}])
@pytest.mark.parametrize("field", ["ports", "clusterIP", "clusterIPs", "type", "healthCheckNodePort"])
@pytest.mark.parametrize("before", [PLAIN, NODE_PORT, BALANCED])
def test_what_cannot_be_meant_is_left_to_validation(before, field, garbage):
    assert prepared(service({**before, field: garbage}), service(before))["spec"][field] == garbage


@pytest.mark.parametrize("spec", [None, "x", 7, []])
def test_a_spec_that_is_none_is_left_to_validation(spec):
    assert prepared(service(spec), service(PLAIN))["spec"] == spec


def test_objects_of_other_kinds_mean_what_they_say():
    old = {"kind": "Deployment", "spec": {"clusterIP": IP, "replicas": 1}}
    new = {"kind": "Deployment", "spec": {"replicas": 2}}
    assert prepared(new, old) is new
