"""The iptables rules and ipsets of IPVS mode."""

from __future__ import annotations

import pytest
from proxy_builders import HOST, OUTSIDE, POD, ask, rules_of, service, slice_of

from netsim.proxy.ipvs_rules import members, render
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet

HERE, THERE = "10.244.1.2", "10.244.2.2"
VIP, EXTERNAL = "198.51.100.7", "198.51.100.8"


def cluster(policy: str = "Cluster", **config: object) -> NodeRules:
    """Every kind of address, and a pod on either node."""
    balanced = service(
        type="LoadBalancer", nodePort=30080, externalTrafficPolicy=policy, externalIPs=[EXTERNAL],
        loadBalancerSourceRanges=["203.0.113.0/24"],
    )  # fmt: skip
    balanced["status"] = {"loadBalancer": {"ingress": [{"ip": VIP}]}}
    return rules_of(balanced, slice_of("web", HERE, THERE), mode="ipvs", **config)


def test_sets_hold_what_rules_look_up() -> None:
    sets = members(cluster("Local"), 4)
    assert sets["KUBE-CLUSTER-IP"] == ["10.96.0.20,tcp:80"]
    assert sets["KUBE-EXTERNAL-IP-LOCAL"] == [f"{EXTERNAL},tcp:80"]
    assert sets["KUBE-EXTERNAL-IP"] == []
    assert sets["KUBE-LOAD-BALANCER"] == sets["KUBE-LOAD-BALANCER-LOCAL"] == [f"{VIP},tcp:80"]
    assert sets["KUBE-LOAD-BALANCER-SOURCE-CIDR"] == [f"{VIP},tcp:80,203.0.113.0/24"]
    assert sets["KUBE-NODE-PORT-TCP"] == sets["KUBE-NODE-PORT-LOCAL-TCP"] == ["30080"]
    assert sets["KUBE-LOOP-BACK"] == [f"{HERE},tcp:8080,{HERE}"]  # pods of this node only
    assert sets["KUBE-IPVS-IPS"] == ["10.96.0.20", EXTERNAL, VIP]


def test_the_rules_do_not_grow_with_services() -> None:
    many = [service(f"web-{i}", f"10.96.1.{i}") for i in range(1, 50)]
    one, all_of_them = (rules_of(*some, mode="ipvs") for some in (many[:1], many))
    assert render(one) == render(all_of_them)
    assert len(members(all_of_them, 4)["KUBE-CLUSTER-IP"]) == 49


def test_a_rule_whose_set_is_empty_is_not_written() -> None:
    text = render(rules_of(mode="ipvs"))
    nat = text.partition("*nat")[2]
    assert "--match-set" not in nat
    assert "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT" in nat


def test_pods_that_cannot_be_told_apart_are_not_looked_for() -> None:
    blind = render(cluster(detect_local="none"))
    assert "--match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ" in blind
    every = render(cluster(masquerade_all=True))
    assert "--match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ" in every
    assert "! -s" not in every


@pytest.mark.parametrize(
    ("source", "destination", "port"),
    [
        (OUTSIDE, "10.96.0.20", 80),
        (OUTSIDE, HOST, 30080),
        (OUTSIDE, EXTERNAL, 80),
        ("203.0.113.9", VIP, 80),
        ("192.0.2.1", VIP, 80),
        (HERE, "10.96.0.20", 80),
        (POD, "10.96.0.20", 81),
    ],
)
def test_an_explanation_quotes_the_rules_that_are_there(source: str, destination: str, port: int) -> None:
    rules = cluster()
    verdict = ask(rules, source, destination, port)
    assert verdict
    endpoint = verdict.endpoints[0] if verdict.endpoints else None
    steps = rules.explain(Packet(source, 40000, destination, port), endpoint)
    quoted = [f"-A {step.chain.split()[1]} {step.rule}" for step in steps if step.chain != "ipvs"]
    assert quoted
    assert set(quoted) <= set(render(rules).splitlines())


def test_the_rules_of_ipv6_look_into_sets_of_their_own() -> None:
    node = NodeInfo("node-1", ("fd00:192::1",))
    rules = rules_of(service(cluster_ip="fd00:96::20"), node=node, mode="ipvs")
    text = render(rules)
    assert "--match-set KUBE-6-CLUSTER-IP dst,dst" in text
    assert "-A KUBE-SERVICES -s ::1/128 -j RETURN" in text
    assert "icmp6-port-unreachable" in text
