"""`python -m netsim.benchmark`: measure, print the table of goals, and write it with the machine's description."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from netsim.benchmark.measures import GROUPS, Finding, speed
from netsim.benchmark.world import World
from netsim.units import S

WHERE = Path("results/reference/performance.md")


def main() -> int:
    """Run everything; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m netsim.benchmark", description=__doc__)
    parser.add_argument("--out", type=Path, default=WHERE, help="where the table is written (%(default)s)")
    out: Path = parser.parse_args().out
    speed(lambda: World(nodes=1, pods=1, workers=1, service="5ms"), {"rate": "10/s"}, 10 * S)  # load compiled code
    findings: list[Finding] = []
    for group in GROUPS:
        for finding in group():
            findings.append(finding)
            print(f"{'met   ' if finding.met else 'missed'}  {finding.what}: {finding.found}", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(table(findings))
    print(f"written to {out}", file=sys.stderr)
    return 0 if all(finding.met for finding in findings) else 1


def table(findings: list[Finding]) -> str:
    """The page: the machine, and a line for each goal."""
    rows = "\n".join(
        f"| {one.what} | {one.goal} | {one.found} | {'yes' if one.met else 'no'} |" for one in findings
    )
    return (
        f"# How fast netsim is\n\nMeasured by `python -m netsim.benchmark` on {machine()}. Ratios are of CPU times, "
        "of the fastest of some runs, all in one process; rivals are in `netsim/benchmark/rivals.py`.\n\n"
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


if __name__ == "__main__":
    sys.exit(main())
