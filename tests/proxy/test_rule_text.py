"""The rules as text: names, order and words as kube-proxy writes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import iptables_interpreter
import nft_interpreter
import pytest
from proxy_builders import HOST, NODE, OUTSIDE, POD, rules_of, service, slice_of

from netsim.proxy.endpoints import Endpoint
from netsim.proxy.iptables_text import chain_name
from netsim.proxy.nftables_text import chain_name as nft_name
from netsim.proxy.packet import Packet
from netsim.proxy.services import ServicePort

VECTORS = [
    ("ns1", "svc1", "p80", "TCP", "KUBE-SVC-XPGD46QRK7WJZT7O"),
    ("default", "kubernetes", "https", "TCP", "KUBE-SVC-NPX46M4PTMTKRN6Y"),
    ("kube-system", "kube-dns", "dns", "UDP", "KUBE-SVC-TCOU7JCQXEZGVUNU"),
    ("kube-system", "kube-dns", "dns-tcp", "TCP", "KUBE-SVC-ERIFXISQEP7F7OF4"),
    ("default", "my-nginx", "", "TCP", "KUBE-SVC-L65ENXXZWWSAPRCR"),
]


@pytest.mark.parametrize(("namespace", "name", "port", "protocol", "chain"), VECTORS)
def test_chain_names_are_kube_proxys(namespace: str, name: str, port: str, protocol: str, chain: str) -> None:
    assert chain_name("KUBE-SVC-", ServicePort(namespace, name, port, protocol, "10.96.0.1", 80)) == chain


def test_endpoint_chain_names_are_kube_proxys() -> None:
    nginx = ServicePort("default", "my-nginx", "", "TCP", "10.0.162.149", 80)
    names = [chain_name("KUBE-SEP-", nginx, Endpoint(ip, 80)) for ip in ("10.244.2.5", "10.244.3.4")]
    assert names == ["KUBE-SEP-QT562I3QEAQKDDZ7", "KUBE-SEP-NU2MGAOZL6KSHENC"]


def test_nftables_names_hold_colons_as_dots_and_are_cut() -> None:
    long = ServicePort("n" * 63, "s" * 63, "p" * 15, "TCP", "fd00::1", 80)
    name = nft_name("endpoint-", long, Endpoint("fd00:10:180::1", 80))
    assert "__fd00.10.180..1/80" in name
    longer = ServicePort("n" * 200, "s" * 63, "p", "TCP", "fd00::1", 80)
    assert len(nft_name("service-", longer)) < 256


def nat(text: str, chain: str) -> list[str]:
    """The rules of a nat chain."""
    table = text.partition("*nat\n")[2].partition("COMMIT")[0]
    return [
        line.partition(f"-A {chain} ")[2] for line in table.splitlines() if line.startswith(f"-A {chain} ")
    ]


def test_balancing_rules_have_the_chances_of_the_remaining() -> None:
    text = rules_of(service(), slice_of("web", *(f"10.244.1.{i}" for i in range(2, 6)))).render()
    (chain,) = {line.split()[-1] for line in nat(text, "KUBE-SERVICES") if "cluster IP" in line}
    chances = [
        line.partition("--probability ")[2].split()[0] if "--probability" in line else ""
        for line in nat(text, chain)[1:]
    ]
    assert chances == ["0.25000000000", "0.33333333349", "0.50000000000", ""]


@pytest.mark.parametrize(
    ("spec", "endpoints", "rules"),
    [
        ({}, 3, 2 + 3 * 3),  # a cluster IP needs 2 + 3n rules
        ({"sessionAffinity": "ClientIP"}, 3, 2 + 3 * 3 + 3),  # n more to remember clients
        ({"type": "NodePort", "nodePort": 30080}, 3, 2 + 3 * 3 + 1 + 2),
        ({}, 0, 0),
    ],
)
def test_a_service_needs_as_many_nat_rules_as_the_formula_says(
    spec: dict[str, Any], endpoints: int, rules: int
) -> None:
    def count(*objects: dict[str, object]) -> int:
        text = rules_of(*objects).render().partition("*nat\n")[2].partition("COMMIT")[0]
        return sum(line.startswith("-A KUBE") for line in text.splitlines())

    pods = slice_of("web", *(f"10.244.1.{i + 2}" for i in range(endpoints)))
    assert count(service(**spec), pods) - count() == rules


def test_without_endpoints_there_is_one_filter_rule() -> None:
    text = rules_of(service()).render()
    (line,) = [x for x in text.splitlines() if "has no endpoints" in x]
    assert line == (
        '-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/web has no endpoints"'
        " -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable"
    )


def test_a_large_cluster_has_no_comments_on_private_chains() -> None:
    pods = [f"10.244.{i // 200}.{i % 200 + 2}" for i in range(1001)]
    text = rules_of(service(), slice_of("web", *pods)).render()
    assert not any("comment" in x for x in text.splitlines() if x.startswith("-A KUBE-SEP-"))
    assert any("comment" in x for x in text.splitlines() if x.startswith("-A KUBE-SERVICES"))
    small = rules_of(service(), slice_of("web", *pods[:1000])).render()
    assert all("comment" in x for x in small.splitlines() if x.startswith("-A KUBE-SEP-"))


def test_node_ports_come_last() -> None:
    for name in ("a", "z"):
        lines = nat(rules_of(service(name)).render(), "KUBE-SERVICES")
        assert "this must be the last rule in this chain" in lines[-1]


def test_affinity_is_asked_before_the_dice() -> None:
    text = rules_of(service(sessionAffinity="ClientIP"), slice_of("web", "10.244.1.2", "10.244.1.3")).render()
    (chain,) = {line.split()[-1] for line in nat(text, "KUBE-SERVICES") if "cluster IP" in line}
    kinds = ["rcheck" if "--rcheck --seconds 10800 --reap" in x else "dice" for x in nat(text, chain)[1:]]
    assert kinds == ["rcheck", "rcheck", "dice", "dice"]


def test_the_explanation_follows_a_remembered_client() -> None:
    for mode, word in (("iptables", "--rcheck"), ("nftables", "@affinity-"), ("ipvs", "persistence")):
        rules = rules_of(
            service(sessionAffinity="ClientIP"), slice_of("web", "10.244.1.2", "10.244.1.3"), mode=mode
        )
        packet = Packet(POD, 40000, "10.96.0.20", 80)
        second = rules.verdict(packet).endpoints[1]
        remembered = " ".join(map(str, rules.explain(packet, second, remembered=True)))
        fresh = " ".join(map(str, rules.explain(packet, second)))
        assert word in remembered
        assert "probability" not in remembered
        assert "ipvs" in mode or "probability" in fresh or "10.244.1.3" in fresh
        assert "10.244.1.3" in remembered


def test_an_explanation_names_the_chains_in_order() -> None:
    rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", "10.244.1.2"))
    packet = Packet(OUTSIDE, 40000, HOST, 30080)
    steps = rules.explain(packet, rules.verdict(packet).endpoints[0])
    chains = [step.chain.split()[1][:9] for step in steps]
    assert chains[:4] == ["PREROUTIN", "KUBE-SERV", "KUBE-NODE", "KUBE-EXT-"]
    assert chains[4:8] == ["KUBE-MARK", "KUBE-EXT-", "KUBE-SVC-", "KUBE-SEP-"]
    assert chains[8:] == ["POSTROUTI", "KUBE-POST", "KUBE-POST"]


WRONG = {
    "equal chances": ("--probability 0.33333333349", "--probability 0.50000000000"),
    "no hairpin masquerade": ("-A KUBE-SEP-{sep} -s 10.244.1.2/32", "-A KUBE-SEP-{sep} -s 10.9.9.9/32"),
    "no masquerade of outsiders": ("! -s 10.244.0.0/16", "-s 10.9.9.9/32"),
    "no mark": ("--set-xmark 0x4000/0x4000", "--set-xmark 0x0/0x4000"),
    "reject becomes drop": ("-j REJECT --reject-with icmp-port-unreachable", "-j DROP"),
    "no reject": ("--dport 80 -j REJECT", "--dport 81 -j REJECT"),
    "policy ignored": ("-m addrtype --src-type LOCAL -j KUBE-SVC", "-j KUBE-SVC"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_ruleset_is_noticed_by_the_interpreter(fault: str) -> None:
    """The agreement of verdict and text is worth something only if a wrong text disagrees."""
    rules = rules_of(
        service(),
        slice_of("web", "10.244.1.2", "10.244.2.2", "10.244.3.2"),
        service("local", "10.96.0.21", type="NodePort", nodePort=30081, externalTrafficPolicy="Local"),
        slice_of("local", "10.244.1.3", "10.244.2.3"),
        service("none", "10.96.0.22"),
    )
    text = rules.render()
    sep = next(x.split()[1] for x in text.splitlines() if "-s 10.244.1.2/32" in x).removeprefix("KUBE-SEP-")
    old, new = (part.format(sep=sep) for part in WRONG[fault])
    assert old in text
    packets = [
        Packet(source, 40000, address, port)
        for source in (POD, OUTSIDE, HOST, "10.244.1.2")
        for address, port in (("10.96.0.20", 80), (HOST, 30081), ("10.96.0.22", 80))
    ]

    def outcomes(rule_text: str) -> list[object]:
        walker = iptables_interpreter.Interpreter(rule_text, {HOST, *NODE.bridge_addresses})
        return [walker.result(p.source, p.destination, p.port, p.protocol, p.source == HOST) for p in packets]

    assert outcomes(text) != outcomes(text.replace(old, new))


def test_the_nft_interpreter_notices_a_missing_element() -> None:
    text = rules_of(service(), slice_of("web", "10.244.1.2"), mode="nftables").render()
    wrong = text.replace("10.96.0.20 . tcp . 80", "10.96.0.20 . tcp . 81")
    found = [
        nft_interpreter.Interpreter(t, {HOST}).result(POD, "10.96.0.20", 80, "TCP", False)
        for t in (text, wrong)
    ]
    assert Counter(next(iter(ends))[0] for ends in found) == {"DNAT": 1, "REJECT": 1}


def test_ipvsadm_lists_servers_with_persistence() -> None:
    rules = rules_of(
        service(sessionAffinity="ClientIP"), slice_of("web", "10.244.1.2"), mode="ipvs", ipvs_scheduler="lc"
    )
    assert rules.render().splitlines()[3:] == [
        "TCP  10.96.0.20:80 lc persistent 10800",
        "  -> 10.244.1.2:8080              Masq    1      0          0",
    ]
