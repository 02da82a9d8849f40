"""Cases of kind `endpoint_ports`: the ports of an endpoint, from a Service's ports and a pod's containers."""

from __future__ import annotations

from typing import Any

from netsim.control.endpoints import endpoint_ports, find_port

Given = dict[str, Any]


def judge(case: Given) -> None:
    """Look up one port, or all ports of a Service."""
    given, expected = case["input"], case["expected"]
    containers = [{"ports": ports} for ports in given.get("containers") or ()]
    pod = {"spec": {"containers": containers, "initContainers": given.get("init_containers")}}
    if "service_port" in given:
        found = find_port(pod, given["service_port"])
        assert (found, found is not None) == (expected["port"], expected["found"])
    else:
        ports = endpoint_ports({"spec": {"ports": given["service_ports"]}}, pod)
        assert list(map(_plain, ports)) == list(map(_plain, expected["ports"]))


def _plain(port: Given) -> Given:
    """A port whose unset fields are left out."""
    return {name: value for name, value in port.items() if value not in (None, "")}
