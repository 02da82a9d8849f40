"""Three views of one packet agree: the verdict, the rules' text, and where simulated packets go."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

import iptables_interpreter
import nft_interpreter
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_clusters import NODE, Cluster, clusters

from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.history import History
from netsim.dataplane.kernel import Kernel
from netsim.dataplane.reach import roads
from netsim.dataplane.route import Delivered, Refused, Silence
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.proxy.addresses import is_loopback
from netsim.proxy.packet import Packet
from netsim.topology.graph import build
from netsim.topology.network import Links, Nodes

OWN = {*NODE.addresses, *NODE.bridge_addresses}
INTERPRETERS: dict[str, Any] = {
    "iptables": iptables_interpreter.Interpreter,
    "nftables": nft_interpreter.Interpreter,
}
View = dict[tuple[str, str], Fraction]


def world(cluster: Cluster) -> Forwarding:
    """A data half in which every endpoint of the cluster answers, on one machine: the node under test."""
    state = Forwarding(
        build((Nodes(name=NODE.name),), Links()), History(), Links(), "bridge", "203.0.113.254"
    )
    state.kernels[NODE.name] = Kernel(cluster.rules)
    for address in OWN:
        state.add_address(Place("node", NODE.name, address, NODE.name))
    endpoints = {e for v in cluster.rules.versions(4) for e in v.endpoints.all}
    for number, endpoint in enumerate(sorted(endpoints, key=lambda e: e.address)):
        ports = [(endpoint.port, protocol) for protocol in ("TCP", "UDP", "SCTP")]
        server = Server(number, f"test/{endpoint.address}", NODE.name, (endpoint.ip,), Serving(), ports)
        if endpoint.ip not in OWN:
            state.add_address(Place("pod", NODE.name, endpoint.ip, server.name))
        state.start(server)
        state.listen(server)
    return state


def simulated(state: Forwarding, packet: Packet, from_node: bool) -> View:
    """Where packets go in the data half: every end with its chance."""
    client = Place("node" if from_node else "pod", NODE.name, packet.source)
    found: View = defaultdict(Fraction)
    for chance, end in roads(state, client, packet):
        if isinstance(end, Delivered):
            found["DNAT", end.server.name.partition("/")[2]] += chance
        elif isinstance(end, Refused):
            found["REJECT", ""] += chance
        else:
            assert isinstance(end, Silence)
            found["DROP", ""] += chance
    return dict(found)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_verdict_text_and_simulated_packets_agree(mode: str, data: st.DataObject) -> None:
    cluster: Cluster = data.draw(clusters(mode))
    state = world(cluster)
    text = cluster.rules.render().partition("\n\n*")[0]
    interpreter = INTERPRETERS[mode](text, OWN)
    compared = 0
    for packet, from_node in cluster.packets():
        verdict = cluster.rules.verdict(packet)
        if verdict.action not in ("DNAT", "REJECT", "DROP"):
            continue  # what no rule speaks of goes where its address says
        if is_loopback(packet.destination) and not from_node:
            continue  # a pod's loopback is its own: the node never sees the packet
        walked: View = defaultdict(Fraction)
        for (action, address, _), chance in interpreter.result(
            packet.source, packet.destination, packet.port, packet.protocol, from_node
        ).items():
            walked[action, address] += chance
        sent = simulated(state, packet, from_node)
        assert sent.keys() == walked.keys(), packet
        for end, chance in sent.items():
            assert abs(walked[end] - chance) < Fraction(1, 10**8), packet
        if verdict.action == "DNAT":
            assert {address for _, address in sent} == {e.address for e in verdict.endpoints}
        compared += 1
    assert compared or not cluster.rules.versions(4)
