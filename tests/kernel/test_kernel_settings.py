"""kube-proxy's settings, and what the network around it does, change where packets go; the kernel agrees how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kernel_flows import Flow, add_services, judge
from kernel_judge import complaints
from kernel_lab import Lab
from kernel_prediction import predict
from kernel_world import World, space_of

from netsim.proxy.packet import Packet

BACKENDS = pytest.mark.parametrize("backend", ["iptables", "nft"])

SETTINGS: dict[str, dict[str, Any]] = {
    "everything is masqueraded": {"masquerade_all": True},
    "pods cannot be told apart": {"detect_local": "none"},
    "node ports on the primary address": {"node_port_addresses": "primary"},
    "node ports in a range without a node": {"node_port_addresses": ("10.99.0.0/16",)},
    "no node ports on loopback": {"localhost_node_ports": False},
}

FLOWS = (
    Flow("a3", "svc web", 80),
    Flow("a1", "svc one", 80),
    Flow("node-1", "svc one", 80),
    Flow("node-2", "svc web", 80),
    Flow("outside", "node 1", 30010),
    Flow("outside", "node 2", 30012),
    Flow("outside", "node 3", 30012),
    Flow("a3", "node 1", 30012),
    Flow("node-1", "node 1", 30012),
    Flow("node-1", "loopback", 30010),
    Flow("outside", "node 1", 30014),
    Flow("outside", "vip 16", 80),
    Flow("stranger", "vip 16", 80),
    Flow("a3", "vip 17", 80),
    Flow("c2", "svc inner", 80),
    Flow("c2", "svc host", 443),
)


@pytest.mark.parametrize("setting", SETTINGS)
@BACKENDS
def test_settings_mean_the_same_to_kernel_and_simulator(
    backend: str, setting: str, laboratory: Callable[..., Lab]
) -> None:
    world = World(mode="nftables" if backend == "nft" else "iptables", **SETTINGS[setting])
    add_services(world)
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    assert {str(flow): words for flow, words in judge(lab, world, FLOWS).items() if words} == {}


@BACKENDS
def test_without_rules_nobody_answers_for_a_service(backend: str, laboratory: Callable[..., Lab]) -> None:
    """A node that has booted and not programmed anything yet."""
    world = World(mode="nftables" if backend == "nft" else "iptables")
    add_services(world)
    for kernel in world.state.kernels.values():
        kernel.reset()
    assert set(world.rule_texts().values()) == {""}
    lab = laboratory(world, backend)
    lab.reset()
    flows = [flow for flow in FLOWS if not flow.target.startswith("vip")]  # a node and the router would play ball
    assert {str(flow): words for flow, words in judge(lab, world, flows).items() if words} == {}


@pytest.mark.parametrize("pod", ["c2", "b2"])
@BACKENDS
def test_a_plugin_that_masquerades_makes_a_pod_look_like_its_node(
    backend: str, pod: str, laboratory: Callable[..., Lab]
) -> None:
    """To another node's node port under policy Local, the pod is then an outside client like its own node."""
    world = World(mode="nftables" if backend == "nft" else "iptables")
    add_services(world)
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    place = world.place(pod)
    number = int(place.machine.rpartition("-")[2])
    lab.masquerade(place.machine, world.at.pod_range(number), world.at.pods)
    for target in {1, 2, 3} - {number}:
        flow = Flow(place.machine, f"node {target}", 30012)
        prediction = flow.predict(world)
        asked = {**flow.request(world, prediction), "space": space_of(place)}
        assert complaints(prediction, lab.cross([asked])[0]) == []


@pytest.mark.long
@pytest.mark.parametrize("client", ["a2", "node-1", "c1"])
@BACKENDS
def test_a_pod_that_is_gone_is_noticed_by_its_nodes_neighbour_table(
    backend: str, client: str, laboratory: Callable[..., Lab]
) -> None:
    """Its node lives and asks for it in vain: host unreachable, after the time the simulator says."""
    world = World(mode="nftables" if backend == "nft" else "iptables")
    world.service("web", 30)
    world.endpoints("web", ["a1"])
    world.program()
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    lab.run("default/a1", ["ip", "link", "set", "eth0", "down"])
    lab.run("node-1", ["ip", "neigh", "flush", "all"])
    lab.run("default/a2", ["ip", "neigh", "flush", "all"])
    server = world.state.servers["default/a1"]
    world.state.stop(server, farewell=False)
    world.state.drop_address(server.addresses[0])
    place = world.place(client)
    prediction = predict(world.state, place, Packet(place.address, 40_000, world.at.cluster_ip(30), 80))
    assert set(prediction.chances) == {("host-unreachable",)}
    flow = {"space": space_of(place), "to": world.at.cluster_ip(30), "port": 80, "protocol": "TCP"}
    for patience, outcome in ((2.5, "timeout"), (6.0, "host-unreachable")):
        lab.run("node-1", ["ip", "neigh", "flush", "all"])
        (count,) = lab.cross([{**flow, "count": 1, "window": 1, "patience": patience}])
        assert set(count) == {(outcome,)}
