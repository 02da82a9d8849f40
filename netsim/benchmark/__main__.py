"""`python -m netsim.benchmark`: measure, print the table of goals, and write it with the machine's description."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from netsim.benchmark.findings import Finding, page
from netsim.benchmark.large import of_a_cluster
from netsim.benchmark.measures import GROUPS, warm_up
from netsim.benchmark.replicas import of_replicas

WHERE = Path("results/reference")
NODES, RUNS = 5000, 100


def main() -> int:
    """Measure; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m netsim.benchmark", description=__doc__)
    parser.add_argument("--large", action="store_true", help="a cluster of a real one's size, and a billion requests")
    parser.add_argument("--nodes", type=int, default=NODES, help="how large a cluster (%(default)s)")
    parser.add_argument("--runs", type=int, default=RUNS, help="of how many replicas (%(default)s)")
    parser.add_argument("--out", type=Path, default=WHERE, help="the folder for the page (%(default)s)")
    parser.add_argument("--only", choices=("cluster", "replicas"), help=argparse.SUPPRESS)  # in a process of its own
    asked = parser.parse_args()
    if asked.only:
        for finding in of_a_cluster(asked.nodes) if asked.only == "cluster" else of_replicas(asked.runs):
            print(json.dumps(asdict(finding)), flush=True)
        return 0
    findings = []
    for finding in _large(asked.nodes, asked.runs) if asked.large else _usual():
        findings.append(finding)
        print(f"{'met   ' if finding.met else 'missed'}  {finding.what}: {finding.found}", flush=True)
    name, *told = LARGE if asked.large else USUAL
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / name).write_text(page(findings, *told))
    print(f"written to {asked.out / name}", file=sys.stderr)
    return 0 if all(finding.met for finding in findings) else 1


USUAL = (
    "performance.md", "How fast netsim is", "python -m netsim.benchmark",
    "Ratios are of CPU times, of the fastest of some runs, all in one process; rivals are in "
    "`netsim/benchmark/rivals.py`.",
)  # fmt: skip
LARGE = (
    "performance-large.md", "How large netsim gets", "python -m netsim.benchmark --large",
    "Each part in a process of its own; shares are of CPU time, by whose work it was (`netsim/benchmark/looks.py`).",
)  # fmt: skip

def _usual() -> Iterator[Finding]:
    warm_up()
    for group in GROUPS:
        yield from group()


def _large(nodes: int, runs: int) -> Iterator[Finding]:
    """Both parts, each in a process of its own, so that its peak of memory is its own."""
    for part in (("cluster", f"--nodes={nodes}"), ("replicas", f"--runs={runs}")):
        command = [sys.executable, "-m", "netsim.benchmark", "--only", *part]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Finding(**json.loads(line))
        if process.returncode:
            raise SystemExit(process.returncode)


if __name__ == "__main__":
    sys.exit(main())
