"""What a proxy makes of a Service."""

from __future__ import annotations

from typing import Any

import pytest
from proxy_builders import service

from netsim.proxy.services import service_ports


@pytest.mark.parametrize(
    "spec",
    [
        {"clusterIP": "None"},
        {"clusterIP": ""},
        {"type": "ExternalName", "externalName": "example.com"},
    ],
)
def test_headless_and_external_names_give_nothing(spec: dict[str, Any]) -> None:
    found = service()
    found["spec"].update(spec)
    assert service_ports(found) == ()


@pytest.mark.parametrize(
    "label", ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"]
)
def test_a_label_takes_a_service_away_from_kube_proxy(label: str) -> None:
    found = service()
    found["metadata"]["labels"] = {label: "x"}
    assert service_ports(found) == ()


def test_dual_stack_gives_a_port_for_each_family_with_its_own_addresses() -> None:
    found = service(
        clusterIPs=["10.96.0.20", "fd00:96::20"],
        externalIPs=["198.51.100.1", "2001:db8::1"],
        ingress=["1.2.3.4", "2001:db8::2"],
        loadBalancerSourceRanges=[" 203.0.113.0/25", "2001:db8::/32"],
        type="LoadBalancer",
    )
    four, six = service_ports(found)
    assert (four.cluster_ip, four.external_ips, four.load_balancer_vips) == (
        "10.96.0.20",
        ("198.51.100.1",),
        ("1.2.3.4",),
    )
    assert (six.cluster_ip, six.external_ips, six.load_balancer_vips) == (
        "fd00:96::20",
        ("2001:db8::1",),
        ("2001:db8::2",),
    )
    assert [str(n) for n in four.source_ranges.networks] == ["203.0.113.0/25"]
    assert [str(n) for n in six.source_ranges.networks] == ["2001:db8::/32"]


def test_a_single_stack_service_of_the_other_family_is_that_familys() -> None:
    (port,) = service_ports(service(cluster_ip="fd00:96::20"))
    assert port.family == 6


def test_ip_mode_proxy_keeps_the_address_from_the_nodes() -> None:
    found = service(type="LoadBalancer", ingress=["1.2.3.4", "1.2.3.5"])
    found["status"]["loadBalancer"]["ingress"][0]["ipMode"] = "Proxy"
    found["status"]["loadBalancer"]["ingress"].append({"hostname": "lb.example.com"})
    assert service_ports(found)[0].load_balancer_vips == ("1.2.3.5",)
    assert service_ports(found, lb_ip_mode=False)[0].load_balancer_vips == ("1.2.3.4", "1.2.3.5")


@pytest.mark.parametrize(
    ("spec", "local"),
    [
        ({"type": "NodePort"}, True),
        ({"type": "LoadBalancer"}, True),
        ({"type": "ClusterIP"}, False),
        ({"type": "ClusterIP", "externalIPs": ["198.51.100.1"]}, True),
    ],
)
def test_an_external_policy_needs_a_way_in(spec: dict[str, Any], local: bool) -> None:
    assert service_ports(service(externalTrafficPolicy="Local", **spec))[0].external_local == local


def test_only_local_load_balancers_have_a_health_check_port() -> None:
    def port(**spec: Any) -> int:
        return service_ports(service(healthCheckNodePort=32000, **spec))[0].health_check_node_port

    assert port(type="LoadBalancer", externalTrafficPolicy="Local") == 32000
    assert port(type="LoadBalancer") == 0
    assert port(type="NodePort", externalTrafficPolicy="Local") == 0


def test_affinity_lasts_three_hours_unless_the_service_says() -> None:
    (port,) = service_ports(service(sessionAffinity="ClientIP"))
    assert port.affinity_seconds == 10800
    config = {"clientIP": {"timeoutSeconds": 10}}
    (port,) = service_ports(service(sessionAffinity="ClientIP", sessionAffinityConfig=config))
    assert port.affinity == 10 * 10**9


def test_a_label_names_the_port_if_it_has_a_name() -> None:
    found = service(ports=[{"port": 80, "name": "http"}, {"port": 81, "name": ""}])
    assert [port.label for port in service_ports(found)] == ["default/web:http", "default/web"]
