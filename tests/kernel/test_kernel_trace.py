"""A trace ends at the program that answers, and shows the source address that it sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kernel_flows import Flow, add_services
from kernel_lab import Lab
from kernel_world import World

from netsim.dataplane.trace import Tracer
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


def _traced(world: World, flow: Flow) -> set[tuple[str, ...]]:
    """Who answers and whom they see, by what a trace prints."""
    place, packet = flow.packet(world)
    tracer = Tracer(world.state, Draws(1), "flannel-host-gw")
    trace = tracer.trace(flow.source, place, flow.target, packet.destination, packet.port, packet.protocol)
    answers = [hop.what.split()[2].rstrip(",") for hop in trace.hops if hop.what.startswith("delivered to")]
    source = trace.hops[-1].packet.split()[1].rpartition(":")[0]
    return {("ok", *answers, source)}
