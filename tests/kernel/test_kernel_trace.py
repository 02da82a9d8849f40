"""A trace ends at the program that answers, shows the source that it sees, and what each node remembers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kernel_flows import Flow, add_services
from kernel_lab import Lab
from kernel_world import World

from netsim.dataplane.trace import Trace, Tracer
from netsim.draws import Draws

FLOWS = (
    Flow("a3", "svc one", 80),
    Flow("a1", "svc one", 80),
    Flow("b1", "svc one", 80),
    Flow("node-1", "svc one", 80),
    Flow("node-2", "svc one", 80),
    Flow("outside", "node 1", 30011),
    Flow("outside", "node 2", 30011),
    Flow("a3", "pod b1", 8080),
    Flow("node-1", "pod b1", 8080),
    Flow("node-1", "pod a1", 8080),
    Flow("node-1", "node 1", 6443),
)
"""Each can end at one place only."""


@pytest.mark.parametrize("backend", ["iptables", "nft"])
def test_a_trace_shows_the_source_that_the_server_sees(backend: str, laboratory: Callable[..., Lab]) -> None:
    world = World(mode="nftables" if backend == "nft" else "iptables")
    add_services(world)
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    found = lab.cross(flow.request(world, flow.predict(world)) for flow in FLOWS)
    traced = {str(flow): _traced(world, flow) for flow in FLOWS}
    assert traced == {str(flow): set(count) for flow, count in zip(FLOWS, found, strict=True)}


@pytest.mark.parametrize("backend", ["iptables", "nft"])
def test_a_trace_shows_the_conntrack_entries_of_the_kernel(backend: str, laboratory: Callable[..., Lab]) -> None:
    world = World(mode="nftables" if backend == "nft" else "iptables")
    add_services(world)
    lab = laboratory(world, backend)
    lab.load(world.rule_texts())
    compared = 0
    for flow in FLOWS:
        trace = _trace(world, flow)
        assert lab.open("one", flow.request(world, flow.predict(world)))[0] == "ok"
        for hop in trace.hops:
            if hop.conntrack:
                node = hop.where.rpartition(" ")[2].removeprefix("node/")
                table = lab.run(node, ["conntrack", "-L", "-p", "tcp", "-f", "ipv4"])
                assert _tuples(hop.conntrack) in [_tuples(line) for line in table.splitlines()], flow
                compared += 1
        lab.hang_up("one")
        for node in lab.nodes:
            lab.forget(node)
    assert compared > len(FLOWS)


def _tuples(line: str) -> tuple[str, ...]:
    """Both directions of an entry, but for the client's port: MASQUERADE chooses it at random."""
    names = ("src", "dst", "sport", "dport")
    source, target, _, port, *reply, _ = [word for word in line.split() if word.partition("=")[0] in names]
    return (source, target, port, *reply)


def _trace(world: World, flow: Flow) -> Trace:
    place, packet = flow.packet(world)
    tracer = Tracer(world.state, Draws(1), "flannel-host-gw")
    return tracer.trace(flow.source, place, flow.target, packet.destination, packet.port, packet.protocol)


def _traced(world: World, flow: Flow) -> set[tuple[str, ...]]:
    """Who answers and whom they see, by what a trace prints."""
    trace = _trace(world, flow)
    answers = [hop.what.split()[2].rstrip(",") for hop in trace.hops if hop.what.startswith("delivered to")]
    source = trace.hops[-1].packet.split()[1].rpartition(":")[0]
    return {("ok", *answers, source)}
