"""nslookup's output, to the letter."""

from __future__ import annotations

import pytest
from lab_clusters import scale, service, simulation

from netsim.lab.nslookup import nslookup
from netsim.simulation import Simulation
from netsim.units import S


@pytest.fixture(scope="module")
def made() -> Simulation:
    return simulation(service("bare", clusterIP="None"))


def shown(made: Simulation, *argv: str, flavour: str = "bind") -> tuple[str, int]:
    text, code, _ = nslookup(made, "pod/client", argv, flavour)
    return text, code


def test_busybox_names_every_address(made: Simulation) -> None:
    assert shown(made, "my-nginx", flavour="busybox") == (
        "Server:    10.0.0.10\n"
        "Address 1: 10.0.0.10 kube-dns.kube-system.svc.cluster.local\n"
        "\n"
        "Name:      my-nginx\n"
        "Address 1: 10.0.162.149 my-nginx.default.svc.cluster.local\n",
        0,
    )


def test_busybox_cannot_resolve_what_is_not_there(made: Simulation) -> None:
    text, code = shown(made, "nobody", flavour="busybox")
    assert text.endswith("\n\nnslookup: can't resolve 'nobody'\n")
    assert code == 1


def test_bind_prints_the_name_it_found(made: Simulation) -> None:
    assert shown(made, "my-nginx") == (
        "Server:\t\t10.0.0.10\nAddress:\t10.0.0.10#53\n\n"
        "Name:\tmy-nginx.default.svc.cluster.local\nAddress: 10.0.162.149\n\n",
        0,
    )


def test_bind_says_which_name_there_is_not(made: Simulation) -> None:
    assert shown(made, "nobody")[0].endswith("\n** server can't find nobody: NXDOMAIN\n\n")


def test_bind_prints_other_types(made: Simulation) -> None:
    text, _ = shown(made, "-type=SRV", "_http._tcp.bare")
    lines = [line for line in text.splitlines() if "service =" in line]
    assert len(lines) == 2
    assert lines[0].startswith("_http._tcp.bare.default.svc.cluster.local\tservice = 0 50 80 10-244-")
    assert shown(made, "10.0.0.1")[0] == "1.0.0.10.in-addr.arpa\tname = kubernetes.default.svc.cluster.local.\n\n"
    assert 'text = "1.1.0"' in shown(made, "-type=txt", "dns-version.cluster.local")[0]


def test_another_server_than_the_pods_own_can_be_asked(made: Simulation) -> None:
    # a name for the server is looked up first; the program there is not one that answers queries
    assert "Server:\t\t10.0.0.10" in shown(made, "my-nginx", "kube-dns.kube-system")[0]
    text, code = shown(made, "my-nginx", "my-nginx")
    assert "no servers could be reached" in text
    assert code == 1


def test_without_servers_bind_says_so() -> None:
    made = simulation()
    scale(made, "coredns", 0, "kube-system")
    made.run(60 * S)
    assert shown(made, "my-nginx") == (
        ";; communications error to 10.0.0.10#53: connection refused\n" * 2 + ";; no servers could be reached\n\n",
        1,
    )
