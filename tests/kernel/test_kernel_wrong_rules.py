"""The comparison has teeth: eight wrong rule sets are each caught by it, and the right one is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kernel_flows import Flow, add_services, judge
from kernel_lab import Lab
from kernel_world import World
from kernel_wrong_rules import WRONG, spoil

CATCHES = {
    "equal probabilities": [Flow("a3", "svc web", 80, even=True)],
    "no hairpin masquerade": [Flow("a1", "svc one", 80)],
    "no external masquerade": [Flow("outside", "node 2", 30011), Flow("outside", "vip 18", 80)],
    "no REJECT": [Flow("a3", "svc none", 80), Flow("outside", "vip 14", 80)],
    "REJECT is DROP": [Flow("a3", "svc none", 80), Flow("node-2", "svc none", 80)],
    "no affinity check": [Flow("a3", "svc sticky", 80)],
    "policy Local ignored": [Flow("outside", "node 1", 30012), Flow("outside", "node 2", 30012)],
    "no node masquerade": [Flow("node-1", "svc one", 80)],
}
"""The flows that must notice each mistake."""

WATCH = [flow for flows in CATCHES.values() for flow in flows]
BACKENDS = pytest.mark.parametrize("backend", ["iptables", "nft"])


@pytest.fixture
def world(backend: str) -> World:
    world = World(mode="nftables" if backend == "nft" else "iptables")
    add_services(world)
    return world


@BACKENDS
def test_the_right_rules_raise_no_complaint(backend: str, world: World, shared: Callable[[str], Lab]) -> None:
    lab = shared(backend)
    lab.load(world.rule_texts())
    assert {str(flow): words for flow, words in judge(lab, world, WATCH).items() if words} == {}


@pytest.mark.parametrize("mistake", CATCHES)
@BACKENDS
def test_wrong_rules_are_caught(backend: str, mistake: str, world: World, shared: Callable[[str], Lab]) -> None:
    lab = shared(backend)
    lab.load(spoil(world.config.mode, mistake, world.rule_texts()))
    complaints = judge(lab, world, CATCHES[mistake], longest=0.5)
    assert {flow: bool(complaints[flow]) for flow in CATCHES[mistake]} == dict.fromkeys(CATCHES[mistake], True)


def test_there_are_eight_mistakes_in_each_mode() -> None:
    assert [list(mistakes) for mistakes in WRONG.values()] == [list(CATCHES)] * 2
    assert len(CATCHES) == 8
