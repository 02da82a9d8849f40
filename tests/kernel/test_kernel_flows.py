"""Real TCP and UDP go through rendered rules to where the simulator says: who answers, how evenly, seen as whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kernel_flows import FLOWS, Flow, add_services
from kernel_world import World

from netsim.dataplane.reach import reach_of

OTHERS = [pytest.param(b, marks=pytest.mark.long) for b in ("iptables-legacy", "iptables-nft")]
BACKENDS = pytest.mark.parametrize("backend", ["iptables", "nft", *OTHERS])


@pytest.mark.parametrize("flow", FLOWS, ids=str)
@pytest.mark.parametrize("family", [4, 6])
@BACKENDS
def test_the_kernel_does_what_the_simulator_says(
    backend: str, family: int, flow: Flow, crossed: Callable[[str, int], dict[Flow, list[str]]]
) -> None:
    assert crossed(backend, family)[flow] == []


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_reach_counts_the_answers_that_a_client_gets(mode: str) -> None:
    world = World(mode=mode)
    add_services(world)
    for flow in FLOWS:
        answered = sum(chance for outcome, chance in flow.predict(world).chances.items() if outcome[0] == "ok")
        assert reach_of(world.state, *flow.packet(world)).share == answered, flow
