"""What admission makes of a Service that is written again: its address stays, and another is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from control_builders import service

from netsim.api.store import Refused, Store
from netsim.control.admission import Admission
from netsim.draws import Draws
from netsim.topology.allocators import NodePortAllocator, ServiceIPAllocator

Object = dict[str, Any]


@pytest.fixture
def admission() -> Admission:
    """The way into an empty store."""
    cluster: Any = SimpleNamespace(store=Store(lambda: 0), draws=Draws(1))
    return Admission(cluster, ServiceIPAllocator("10.96.0.0/16"), NodePortAllocator())


def changed(obj: Object, **spec: Any) -> Object:
    return {**obj, "spec": {**obj["spec"], **spec}}


def test_another_cluster_ip_is_refused_in_the_api_servers_words(admission: Admission) -> None:
    stored = admission.create(service("web", clusterIP="10.96.0.10"))
    with pytest.raises(Refused) as refused:
        admission.update(changed(stored, clusterIP="10.96.0.11", clusterIPs=["10.96.0.11"]))
    assert refused.value.reason == "Invalid"
    assert str(refused.value) == (
        'Service "web" is invalid: spec.clusterIPs[0]: Invalid value: []string{"10.96.0.11"}: may not change once set'
    )
    assert admission.cluster.store.get("Service", "default", "web") == stored
    assert not admission.addresses.has("10.96.0.11")


@pytest.mark.parametrize(("old", "new"), [("10.96.0.10", "None"), ("None", "10.96.0.10")])
def test_headless_is_an_address_too(admission: Admission, old: str, new: str) -> None:
    stored = admission.create(service("web", clusterIP=old))
    with pytest.raises(Refused, match="may not change once set"):
        admission.apply(changed(stored, clusterIP=new, clusterIPs=[new]))


def test_without_an_address_the_old_one_is_kept(admission: Admission) -> None:
    stored = admission.create(service("web", clusterIP=""))
    again = admission.update(changed(stored, clusterIP="", clusterIPs=[], sessionAffinity="ClientIP"))
    assert again["spec"]["clusterIP"] == stored["spec"]["clusterIP"]
    assert again["spec"]["sessionAffinity"] == "ClientIP"


def test_a_name_in_the_place_of_an_address_is_no_change_of_address(admission: Admission) -> None:
    stored = admission.create(service("web", type="ExternalName", externalName="a.example.org", clusterIP=""))
    assert admission.update(changed(stored, type="ClusterIP", clusterIP="10.96.0.12"))["spec"]["clusterIP"]


def test_without_node_ports_the_old_ones_are_kept(admission: Admission) -> None:
    ports = [{"name": "a", "port": 80, "protocol": "TCP"}, {"name": "b", "port": 81, "protocol": "TCP"}]
    stored = admission.create(service("web", type="LoadBalancer", externalTrafficPolicy="Local", ports=ports))
    again = admission.update(changed(stored, ports=ports[::-1], healthCheckNodePort=None))
    before = {port["name"]: port["nodePort"] for port in stored["spec"]["ports"]}
    assert {port["name"]: port["nodePort"] for port in again["spec"]["ports"]} == before
    assert again["spec"]["healthCheckNodePort"] == stored["spec"]["healthCheckNodePort"]
    assert admission.ports.used == 3


def test_what_a_later_service_asks_for_is_not_given_away_before(admission: Admission) -> None:
    free = range(admission.ports.dynamic_first, 32768)
    asking = service("asking", type="NodePort", clusterIP="10.96.200.1")
    asking["spec"]["ports"][0]["nodePort"] = 31000
    abroad = service("abroad", clusterIP="192.0.2.1")
    admission.set_aside([asking, abroad, service("headless", clusterIP="None"), {"kind": "Pod"}])
    with pytest.raises(Refused, match="not in the valid range"):
        admission.create(abroad)
    given = {
        admission.create(service(f"s{i}", type="NodePort", clusterIP=""))["spec"]["ports"][0]["nodePort"] for i in free
    }
    assert 31000 not in given
    assert admission.create(asking)["spec"]["ports"][0]["nodePort"] == 31000
    assert admission.addresses.has("10.96.200.1")


DNS = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]


@pytest.mark.parametrize("asked", [{}, {"nodePort": 30053}])
def test_two_protocols_of_one_port_share_a_node_port(admission: Admission, asked: Object) -> None:
    stored = admission.create(service("dns", type="NodePort", ports=[DNS[0], {**DNS[1], **asked}]))
    first, second = (port["nodePort"] for port in stored["spec"]["ports"])
    assert first == second == asked.get("nodePort", first)
    assert admission.ports.used == 1
    admission.cluster.store.delete(stored)
    assert admission.ports.used == 0


def test_a_service_that_gets_node_ports_later_has_one_for_each_protocol(admission: Admission) -> None:
    stored = admission.update(changed(admission.create(service("dns", ports=DNS)), type="NodePort"))
    assert len({port["nodePort"] for port in stored["spec"]["ports"]}) == admission.ports.used == 2


def test_what_a_service_no_longer_needs_can_be_had_by_others(admission: Admission) -> None:
    balanced = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    stored = admission.create(service("web", **balanced, clusterIP="10.96.0.10"))
    stored = admission.update(changed(stored, externalTrafficPolicy="Cluster"))
    assert "healthCheckNodePort" not in stored["spec"]
    assert admission.ports.used == 1
    stored = admission.update(changed(stored, type="ClusterIP"))
    assert admission.ports.used == 0
    stored = admission.update(changed(stored, type="ExternalName", externalName="a.example.org"))
    assert not admission.addresses.has("10.96.0.10")
    assert "clusterIP" not in stored["spec"]


def test_a_health_check_node_port_that_is_asked_for_is_taken(admission: Admission) -> None:
    asked = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": False}
    stored = admission.create(service("web", **asked, healthCheckNodePort=30100))
    assert admission.ports.has(30100)
    assert "nodePort" not in stored["spec"]["ports"][0]
    other = admission.create(service("other", **asked))
    assert other["spec"]["healthCheckNodePort"] >= admission.ports.dynamic_first
