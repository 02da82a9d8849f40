"""What was measured, what was to be reached, and the page that says both."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    goal: str
    found: str
    met: bool


def ratio(what: str, ours: float, theirs: float, goal: float) -> Finding:
    """So many times as fast as a rival, both in requests a CPU second."""
    times = f"{ours / theirs:.0f}" if ours > 3 * theirs else f"{ours / theirs:.2f}"
    return Finding(
        what, f"at least {goal:g} times", f"{times} times ({ours:,.0f} to {theirs:,.0f} a CPU second)",
        ours / theirs >= goal,
    )  # fmt: skip


def at_most(what: str, found: str, measured: float, goal: float, words: str) -> Finding:
    """No more than a goal."""
    return Finding(what, f"at most {words}", found, measured <= goal)


def page(findings: Sequence[Finding], title: str, command: str, how: str) -> str:
    """The machine and how it was done, and a line for each goal."""
    rows = "\n".join(
        f"| {one.what} | {one.goal} | {one.found} | {'yes' if one.met else 'no'} |" for one in findings
    )
    return (
        f"# {title}\n\nMeasured by `{command}` on {machine()}. {how}\n\n"
        f"| what | goal | measured | met |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def machine() -> str:
    """The machine and the software, in one line."""
    software = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "simpy"))
    return (
        f"{_processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {platform.system()}, "
        f"Python {platform.python_version()}, {software}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
