"""Which kernels can be asked here, and the labs the tests cross.

What a machine lacks is found out first; tests that need it are skipped, and one line says what it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kernel_flows import Flow, add_services, judge
from kernel_lab import Lab, missing
from kernel_world import World, describe

MODES = {"nft": "nftables"}
_missing: dict[str, str] = {}


def mode_of(backend: str) -> str:
    """The proxy mode whose rules a backend loads."""
    return MODES.get(backend, "iptables")


def _require(backend: str) -> None:
    lacks = missing(backend)
    if lacks:
        _missing[backend] = lacks
        pytest.skip(f"{backend}: this machine lacks {lacks}")


@pytest.fixture
def laboratory() -> Iterator[Callable[..., Lab]]:
    """Makes labs for simulated worlds; they are gone after the test."""
    labs: list[Lab] = []

    def make(world: World, backend: str, **options: Any) -> Lab:
        _require(backend)
        labs.append(Lab({**describe(world.state, [world.at.nodes], world.at.outside), **options}, backend))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Callable[[str], Lab]]:
    """One lab a backend for tests that only load other rules into it; each gets it without rules and memories."""
    labs: dict[str, Lab] = {}

    def give(backend: str) -> Lab:
        _require(backend)
        if backend not in labs:
            world = World(mode=mode_of(backend))
            add_services(world)
            labs[backend] = Lab(describe(world.state, [world.at.nodes], world.at.outside), backend)
        labs[backend].reset()
        return labs[backend]

    yield give
    for lab in labs.values():
        lab.close()


@pytest.fixture(scope="session")
def crossed() -> Callable[[str, int], dict[Flow, list[str]]]:
    """All flows, sent through the rules of a whole cluster, once for each backend and address family."""

    @cache
    def cross(backend: str, family: int) -> dict[Flow, list[str]]:
        world = World(family, mode=mode_of(backend))
        add_services(world)
        lab = Lab(describe(world.state, [world.at.nodes], world.at.outside), backend)
        try:
            lab.load(world.rule_texts())
            return judge(lab, world)
        finally:
            lab.close()

    def once(backend: str, family: int) -> dict[Flow, list[str]]:
        _require(backend)
        return cross(backend, family)

    return once


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for backend, lacks in sorted(_missing.items()):
        terminalreporter.write_line(f"kernel: no {backend} tests, this machine lacks {lacks}")
