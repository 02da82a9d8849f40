"""`ip route get` on a node: which road packets to an address take, and which address they come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest

import netsim
from netsim.console.session import Lab

Open = Callable[..., Lab]


def got(lab: Lab, address: str) -> str:
    return lab(f"ssh lab-worker-1 ip route get {address}")


def test_each_destination_has_its_road_and_its_source(lab: Lab) -> None:
    for address, said in {
        "8.8.8.8": "8.8.8.8 via 192.168.255.254 dev eth0 src 192.168.0.2",
        "10.244.1.7": "10.244.1.7 dev cni0 src 10.244.1.1",
        "10.244.2.3": "10.244.2.3 via 10.244.2.0 dev flannel.1 src 10.244.1.0",
        "192.168.0.3": "192.168.0.3 dev eth0 src 192.168.0.2",
    }.items():
        assert got(lab, address) == f"{said} uid 0 \n    cache \n"


@pytest.mark.parametrize("address", ["192.168.0.2", "10.244.1.1", "127.0.0.1"])
def test_the_nodes_own_addresses_are_local(lab: Lab, address: str) -> None:
    assert got(lab, address) == f"local {address} dev lo src {address} uid 0 \n    cache <local> \n"


def test_a_service_is_local_where_ipvs_binds_it(opened: Open) -> None:
    lab = opened()
    file = lab.folder / "lab.yaml"
    file.write_text(file.read_text().replace("cluster:\n", "cluster:\n  proxy: {mode: ipvs}\n", 1))
    assert got(lab, "10.0.0.1").startswith("10.0.0.1 via ")
    assert got(netsim.shell(file), "10.0.0.1").startswith("local 10.0.0.1 dev lo ")


def test_with_calico_a_pod_has_a_road_of_its_own_and_the_rest_of_its_block_none(opened: Open) -> None:
    lab = opened(more="  cni: calico-bgp")
    lab("kubectl apply -f my-nginx.yaml")
    pods = lab("kubectl get pods -o jsonpath='{range .items[*]}{.status.podIP} {.spec.nodeName} {end}'").split()
    own = dict(zip(pods[1::2], pods[::2], strict=True))["lab-worker-1"]
    assert got(lab, own).startswith(f"{own} dev cali")
    free = ipaddress.ip_address(own) + 50
    assert got(lab, str(free)) == "RTNETLINK answers: Invalid argument\n"
    assert lab.last.code == 2


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        ("get nowhere", 'Error: any valid prefix is expected rather than "nowhere".', 1),
        ("get", "need at least a destination address", 255),
        ("flap", 'Command "flap" is unknown, try "ip route help".', 255),
    ],
)
def test_what_is_asked_wrongly_is_told(lab: Lab, words: str, says: str, code: int) -> None:
    assert lab(f"ssh lab-worker-1 ip route {words}") == f"{says}\n"
    assert lab.last.code == code
