"""What `netsim get iptables` prints is what the kernel prints back once it has loaded it, to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from kernel_flows import add_services
from kernel_lab import RESTORE, Lab
from kernel_world import World


def without_counters(text: str) -> list[str]:
    """The lines of `iptables-save` short of its remarks; counters are zero."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [re.sub(r"\[\d+:\d+\]$", "[0:0]", line) for line in lines]


@pytest.mark.parametrize("backend", ["iptables-nft", "iptables-legacy"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_prints_the_rules_as_we_do(
    laboratory: Callable[..., Lab], backend: str, family: int
) -> None:
    world = World(family)
    add_services(world)
    lab = laboratory(world, backend)
    texts = world.rule_texts()
    lab.load(texts)
    save = RESTORE[backend][family].replace("-restore", "-save")
    for node, text in texts.items():
        ours = without_counters(text)
        kernels = [
            line
            for table in ("mangle", "filter", "nat")
            for line in without_counters(lab.run(node, [save, "-t", table]))
        ]
        assert sum("--probability" in line for line in ours) > 10
        assert kernels == ours
