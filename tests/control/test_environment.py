"""Service environment variables, as a container is given them."""

from __future__ import annotations

from typing import Any

from control_builders import pod, service

from netsim.control.environment import service_variables, variables_of


def api_server() -> dict[str, Any]:
    return service("kubernetes", clusterIP="10.0.0.1", ports=[{"name": "https", "port": 443}])


def test_the_tutorials_pod_sees_the_service_only_if_it_came_first() -> None:
    made, nginx = pod("p"), service("my-nginx", clusterIP="10.0.162.149", ports=[{"port": 80}])
    before = service_variables(made, [api_server()])
    assert before["KUBERNETES_SERVICE_HOST"] == "10.0.0.1"
    assert before["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert not any(name.startswith("MY_NGINX") for name in before)
    after = service_variables(made, [api_server(), nginx])
    assert after["MY_NGINX_SERVICE_HOST"] == "10.0.162.149"
    assert after["MY_NGINX_SERVICE_PORT"] == "80"
    assert after["MY_NGINX_PORT_80_TCP_ADDR"] == "10.0.162.149"


def test_services_of_other_namespaces_are_not_seen() -> None:
    foreign = service("db")
    foreign["metadata"]["namespace"] = "other"
    assert service_variables(pod("p"), [foreign]) == {}


def test_a_pod_that_wants_no_links_still_finds_the_api_server() -> None:
    found = service_variables(pod("p", enableServiceLinks=False), [service("web"), api_server()])
    assert {name.split("_")[0] for name in found} == {"KUBERNETES"}


def test_a_service_called_kubernetes_of_the_pods_own_namespace_takes_its_place() -> None:
    made, own = pod("p"), service("kubernetes", clusterIP="10.0.0.99")
    made["metadata"]["namespace"] = own["metadata"]["namespace"] = "shop"
    for services in ([api_server(), own], [own, api_server()]):
        assert service_variables(made, services)["KUBERNETES_SERVICE_HOST"] == "10.0.0.99"


def test_headless_services_and_mere_names_have_no_variables() -> None:
    services = [service("a", clusterIP="None"), service("b", type="ExternalName", clusterIP=None)]
    assert variables_of(services) == []


def test_an_ipv6_address_is_bracketed_where_a_port_follows() -> None:
    found = dict(variables_of([service("web", clusterIP="fd00::10")]))
    assert found["WEB_PORT_80_TCP"] == "tcp://[fd00::10]:80"
    assert found["WEB_PORT_80_TCP_ADDR"] == "fd00::10"
