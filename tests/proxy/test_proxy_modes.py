"""Where the modes send a packet, and where they differ."""

from __future__ import annotations

import pytest
from proxy_builders import (
    HOST,
    NODE,
    OTHER_POD,
    OUTSIDE,
    POD,
    ask,
    endpoint,
    rules_of,
    service,
    slice_of,
    targets,
)

from netsim.proxy.modes import MODES
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.packet import Packet

ALL = pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs", "ebpf"])
RULES = pytest.mark.parametrize("mode", ["iptables", "nftables"])
HERE, THERE = "10.244.1.2", "10.244.2.2"


@ALL
def test_a_cluster_ip_leads_to_every_pod(mode: str) -> None:
    rules = rules_of(service(), slice_of("web", HERE, THERE), mode=mode)
    verdict = ask(rules, POD, "10.96.0.20")
    assert targets(verdict) == [HERE, THERE]
    assert not any(verdict.masquerades(e, POD) for e in verdict.endpoints)


@ALL
def test_a_service_without_endpoints_refuses(mode: str) -> None:
    assert ask(rules_of(service(), mode=mode), POD, "10.96.0.20").action == "REJECT"


LOCAL = {
    "iptables": ("DROP", []),
    "nftables": ("DROP", []),
    "ipvs": ("DNAT", [THERE]),
    "ebpf": ("DROP", []),
}


@ALL
def test_internal_policy_local_without_a_local_pod(mode: str) -> None:
    rules = rules_of(service(internalTrafficPolicy="Local"), slice_of("web", THERE), mode=mode)
    verdict = ask(rules, POD, "10.96.0.20")
    assert (verdict.action, targets(verdict)) == LOCAL[mode]


@ALL
def test_external_policy_local_without_a_local_pod(mode: str) -> None:
    rules = rules_of(
        service(type="NodePort", nodePort=30080, externalTrafficPolicy="Local"),
        slice_of("web", THERE),
        mode=mode,
    )
    verdict = ask(rules, OUTSIDE, HOST, 30080)
    assert (verdict.action, targets(verdict)) == LOCAL[mode]
    # clients inside the cluster are short-circuited: they may use every pod
    assert targets(ask(rules, POD, HOST, 30080)) == [THERE]
    assert targets(ask(rules, HOST, HOST, 30080)) == [THERE]


@RULES
def test_external_policy_local_keeps_the_clients_address(mode: str) -> None:
    rules = rules_of(
        service(type="NodePort", nodePort=30080, externalTrafficPolicy="Local"),
        slice_of("web", HERE, THERE),
        mode=mode,
    )
    outside = ask(rules, OUTSIDE, HOST, 30080)
    assert (targets(outside), outside.masquerade) == ([HERE], False)
    pod, host = ask(rules, POD, HOST, 30080), ask(rules, HOST, HOST, 30080)
    assert (targets(pod), pod.masquerade) == ([HERE, THERE], False)
    assert (targets(host), host.masquerade) == ([HERE, THERE], True)


@RULES
def test_external_policy_cluster_masquerades_everybody(mode: str) -> None:
    rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", HERE, THERE), mode=mode)
    for source in (OUTSIDE, POD, HOST):
        verdict = ask(rules, source, HOST, 30080)
        assert (targets(verdict), verdict.masquerade) == ([HERE, THERE], True)


@RULES
def test_without_a_detector_pods_look_like_outsiders(mode: str) -> None:
    """Kernel truth: with no way to tell pods, policy Local does not short-circuit them."""
    rules = rules_of(
        service(type="NodePort", nodePort=30080, externalTrafficPolicy="Local"),
        slice_of("web", HERE, THERE),
        mode=mode,
        detect_local="none",
    )
    assert targets(ask(rules, POD, HOST, 30080)) == [HERE]
    assert not ask(rules, OUTSIDE, "10.96.0.20").masquerade


@RULES
def test_another_nodes_pod_is_short_circuited_without_masquerade(mode: str) -> None:
    """So answers bypass this node, and about half of such connections hang: it follows from the rules."""
    rules = rules_of(
        service(type="NodePort", nodePort=30080, externalTrafficPolicy="Local"),
        slice_of("web", HERE, THERE),
        mode=mode,
    )
    verdict = ask(rules, OTHER_POD, HOST, 30080)
    assert (targets(verdict), verdict.masquerade) == ([HERE, THERE], False)


WRONG_PORT = {"iptables": "NO_MATCH", "nftables": "REJECT", "ipvs": "REJECT", "ebpf": "NO_MATCH"}
UNALLOCATED = {"iptables": "NO_MATCH", "nftables": "DROP", "ipvs": "NO_MATCH", "ebpf": "NO_MATCH"}


@ALL
def test_a_wrong_port_and_an_unallocated_address(mode: str) -> None:
    rules = rules_of(service(), slice_of("web", HERE), mode=mode)
    assert ask(rules, POD, "10.96.0.20", 81).action == WRONG_PORT[mode]
    assert ask(rules, POD, "10.96.0.20", 80, "UDP").action == WRONG_PORT[mode]
    assert ask(rules, POD, "10.96.0.99").action == UNALLOCATED[mode]


NODE_PORTS = {  # at the primary address, at another one, at loopback from the node itself
    "iptables": ("DNAT", "DNAT", "DNAT"),
    "nftables": ("DNAT", "NO_MATCH", "NO_MATCH"),
    "ipvs": ("DNAT", "DNAT", "NO_MATCH"),
    "ebpf": ("DNAT", "DNAT", "DNAT"),
}


@ALL
def test_where_node_ports_are_served(mode: str) -> None:
    node = NodeInfo("node-1", (HOST, "192.168.1.1"), pod_cidrs=("10.244.1.0/24",))
    rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", HERE), node=node, mode=mode)
    found = (
        ask(rules, OUTSIDE, HOST, 30080).action,
        ask(rules, OUTSIDE, "192.168.1.1", 30080).action,
        ask(rules, "127.0.0.1", "127.0.0.1", 30080).action,
    )
    assert found == NODE_PORTS[mode]
    assert ask(rules, OUTSIDE, "192.168.0.2", 30080).action == "NO_MATCH"  # another node's address


@ALL
def test_source_ranges_guard_the_load_balancer_and_nothing_else(mode: str) -> None:
    rules = rules_of(
        service(
            type="LoadBalancer",
            nodePort=30080,
            ingress=["1.2.3.4"],
            loadBalancerSourceRanges=["203.0.113.0/25"],
        ),
        slice_of("web", HERE),
        mode=mode,
    )  # fmt: skip
    assert ask(rules, OUTSIDE, "1.2.3.4").action == "DNAT"
    assert ask(rules, "203.0.113.200", "1.2.3.4").action == "DROP"
    assert ask(rules, "203.0.113.200", HOST, 30080).action == "DNAT"


@RULES
def test_a_node_in_the_source_ranges_may_come_from_the_vip(mode: str) -> None:
    def rules(ranges: list[str]) -> str:
        found = rules_of(
            service(type="LoadBalancer", ingress=["1.2.3.4"], loadBalancerSourceRanges=ranges),
            slice_of("web", HERE),
            mode=mode,
        )
        return str(ask(found, "1.2.3.4", "1.2.3.4").action)

    assert rules(["192.168.0.0/24"]) == "DNAT"
    assert rules(["203.0.113.0/25"]) == "DROP"


def test_nftables_drops_a_blocked_source_even_without_endpoints() -> None:
    wanted = service(type="LoadBalancer", ingress=["1.2.3.4"], loadBalancerSourceRanges=["203.0.113.0/25"])
    assert ask(rules_of(wanted, mode="nftables"), "203.0.113.200", "1.2.3.4").action == "DROP"
    assert ask(rules_of(wanted, mode="iptables"), "203.0.113.200", "1.2.3.4").action == "REJECT"


def test_in_iptables_mode_the_node_itself_leaks_to_an_external_address_without_endpoints() -> None:
    """KUBE-EXTERNAL-SERVICES hangs on INPUT and FORWARD only."""
    rules = rules_of(service(externalIPs=["198.51.100.1"]), mode="iptables")
    assert ask(rules, HOST, "198.51.100.1").action == "NO_MATCH"
    assert ask(rules, POD, "198.51.100.1").action == "REJECT"
    assert (
        ask(rules_of(service(externalIPs=["198.51.100.1"]), mode="nftables"), HOST, "198.51.100.1").action
        == "REJECT"
    )


@ALL
def test_a_health_check_port_is_let_in_where_iptables_filters(mode: str) -> None:
    rules = rules_of(
        service(
            type="LoadBalancer", ingress=["1.2.3.4"], externalTrafficPolicy="Local", healthCheckNodePort=32000
        ),
        slice_of("web", HERE),
        mode=mode,
    )  # fmt: skip
    expected = "ACCEPT" if mode in ("iptables", "ipvs") else "NO_MATCH"
    assert ask(rules, OUTSIDE, HOST, 32000).action == expected
    assert rules.local_ready("default", "web") == 1


@RULES
def test_masquerade_all_and_outsiders(mode: str) -> None:
    wanted = (service(), slice_of("web", HERE, THERE))
    assert ask(rules_of(*wanted, mode=mode), OUTSIDE, "10.96.0.20").masquerade
    assert ask(rules_of(*wanted, mode=mode), HOST, "10.96.0.20").masquerade
    assert not ask(rules_of(*wanted, mode=mode), POD, "10.96.0.20").masquerade
    assert ask(rules_of(*wanted, mode=mode, masquerade_all=True), POD, "10.96.0.20").masquerade


@RULES
def test_a_pod_that_reaches_itself_is_masqueraded(mode: str) -> None:
    rules = rules_of(service(), slice_of("web", HERE, THERE), mode=mode)
    verdict = ask(rules, HERE, "10.96.0.20")
    assert [verdict.masquerades(e, HERE) for e in verdict.endpoints] == [True, False]


def test_the_source_a_pod_sees_depends_on_the_device_the_packet_leaves_by() -> None:
    rules = rules_of(
        service(type="NodePort", nodePort=30080),
        slice_of("web", HERE, THERE, endpoint("192.168.0.3", "node-3")),
    )
    packet = Packet(OUTSIDE, 40000, HOST, 30080)
    verdict = rules.verdict(packet)
    seen = {e.ip: rules.source_seen(packet, e) for e in verdict.endpoints}
    assert seen == {HERE: "10.244.1.1", THERE: "10.244.1.0", "192.168.0.3": HOST}
    routed = NodeInfo("node-1", (HOST,), pod_cidrs=("10.244.1.0/24",))  # no bridge, no tunnel
    assert rules_of(service(), slice_of("web", HERE), node=routed).device_address(HERE) == HOST


def test_a_node_calls_itself_by_the_device_that_it_sends_by() -> None:
    rules = rules_of(service())
    found = {a: rules.source_for(a) for a in ("127.0.0.1", HOST, HERE, THERE, "192.168.0.3", "10.96.0.20")}
    assert found == {
        "127.0.0.1": "127.0.0.1",
        HOST: HOST,
        HERE: "10.244.1.1",
        THERE: "10.244.1.0",
        "192.168.0.3": HOST,
        "10.96.0.20": HOST,
    }


def test_a_packet_delivered_to_the_node_itself_keeps_its_source() -> None:
    rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", endpoint(HOST, "node-1")))
    packet = Packet(OUTSIDE, 40000, HOST, 30080)
    (own,) = rules.verdict(packet).endpoints
    assert rules.source_seen(packet, own) == OUTSIDE  # it never leaves: there is no POSTROUTING
    assert rules.source_seen(Packet(HOST, 40000, HOST, 30080), own) == HOST


def test_the_socket_balancer_translates_nothing_on_the_wire() -> None:
    rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", HERE), mode="ebpf")
    inside, outside = ask(rules, POD, "10.96.0.20"), ask(rules, OUTSIDE, HOST, 30080)
    assert (inside.on_connect, inside.masquerades(inside.endpoints[0], HERE)) == (True, False)
    assert (outside.on_connect, outside.masquerade) == (False, True)


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_a_socket_knows_node_ports_at_every_node_of_the_cluster(policy: str) -> None:
    """connect() is answered with any endpoint, whatever the policy; outside packets are none of its business."""
    rules = rules_of(
        service(type="NodePort", nodePort=30080, externalTrafficPolicy=policy), slice_of("web", THERE), mode="ebpf"
    )
    NodeRules(rules.tables, NodeInfo("node-2", ("192.168.0.2",)))
    for source in (POD, HOST):
        verdict = ask(rules, source, "192.168.0.2", 30080)
        assert (verdict.action, targets(verdict), verdict.on_connect) == ("DNAT", [THERE], True)
        assert not verdict.masquerade
    assert ask(rules, POD, "192.168.0.2", 30081).action == "NO_MATCH"
    assert ask(rules, POD, "192.168.0.9", 30080).action == "NO_MATCH"  # no node of this cluster
    assert ask(rules, OUTSIDE, "192.168.0.2", 30080).action == "NO_MATCH"


def test_kube_proxy_leaves_node_ports_of_other_nodes_to_them() -> None:
    for mode in ("iptables", "nftables", "ipvs"):
        rules = rules_of(service(type="NodePort", nodePort=30080), slice_of("web", THERE), mode=mode)
        NodeRules(rules.tables, NodeInfo("node-2", ("192.168.0.2",)))
        assert ask(rules, POD, "192.168.0.2", 30080).action == "NO_MATCH"


def test_a_verdict_chooses_each_endpoint_for_an_equal_share_of_bits() -> None:
    verdict = ask(rules_of(service(), slice_of("web", HERE, THERE, "10.244.3.2")), POD, "10.96.0.20")
    chosen = [verdict.choose(bits).ip for bits in range(0, 2**64, 2**64 // 300)]
    assert {chosen.count(ip) for ip in (HERE, THERE, "10.244.3.2")} <= {100, 101}


@ALL
def test_costs_grow_as_they_were_measured(mode: str) -> None:
    found = MODES[mode]
    first, last = found.first_packet_cost(0, 10_000), found.first_packet_cost(9_999, 10_000)
    assert (last > first) == (mode == "iptables")
    full = found.sync_cost(full=True, services=10_000, endpoints=20_000, changed=0)
    one = found.sync_cost(full=False, services=10_000, endpoints=20_000, changed=2)
    assert one < full
    seconds = {"iptables": (35, 45), "nftables": (150, 250), "ipvs": (0.1, 2), "ebpf": (0, 1)}[mode]
    assert seconds[0] <= full / 1e9 <= seconds[1]  # 40.1 s and 194 s: kubernetes PR 130119


def test_two_commits_in_iptables_and_one_in_nftables() -> None:
    assert MODES["iptables"].commits == ("filter", "nat")
    assert MODES["nftables"].commits == ("nftables",)


@ALL
def test_ipv6_goes_the_same_ways(mode: str) -> None:
    node = NodeInfo("node-1", ("fd00:192::1",))
    rules = rules_of(
        service(cluster_ip="fd00:96::20", type="NodePort", nodePort=30080),
        slice_of("web", endpoint("fd00:10:244::2", "node-1")),
        node=node,
        mode=mode,
    )
    assert targets(ask(rules, "fd00:10:244::9", "fd00:96::20")) == ["fd00:10:244::2"]
    assert targets(ask(rules, "2001:db8::1", "fd00:192::1", 30080)) == ["fd00:10:244::2"]
    at_loopback = ask(rules, "::1", "::1", 30080).action
    assert at_loopback == ("DNAT" if mode == "ebpf" else "NO_MATCH")
    assert "fd00:10:244::2" in rules.render()


def test_families_do_not_share_node_ports() -> None:
    tables_node = NodeInfo("node-1", (HOST, "fd00:192::1"))
    rules = rules_of(
        service(type="NodePort", nodePort=30080), slice_of("web", HERE), node=tables_node
    )  # fmt: skip
    assert ask(rules, OUTSIDE, HOST, 30080).action == "DNAT"
    assert ask(rules, "2001:db8::1", "fd00:192::1", 30080).action == "NO_MATCH"
    assert NODE.primary(6) == ""
