"""A billion requests as replicas of one run, under seeds of their own, on every processor: as `netsim sweep` does it.

Each worker forgets a run's requests while the run goes on; what is said of every second adds up. So memory is that
of one run, however many there are, and that is what is measured: `python -m netsim.benchmark --large`.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from time import perf_counter

from netsim.benchmark.findings import Finding
from netsim.benchmark.large import application, written
from netsim.scenario.scenario import Scenario
from netsim.sweep.conduct import conduct
from netsim.sweep.plan import plan

EACH = 50  # seconds of a run, two hundred thousand requests in each
FEW = 40  # runs that need as much memory as many: enough for each process to have come to its own


def replica(seconds: int = EACH) -> Scenario:
    """Five pods with four workers each, half busy, and 200,000 requests a second for so long."""
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "replica"},
        "duration": f"{20 + seconds}s",
        "cluster": {"nodes": [{"name": "node", "count": 3}]},
        "serving": [{"selector": {"app": "web"}, "serviceTime": "exponential(50us)", "workers": 4}],
        "traffic": [{"name": "load", "from": "node/node-1", "to": "svc/web:80", "rate": "200k/s", "start": "20s"}],
    }
    return written(scenario, *application("web", 5))


def of_replicas(runs: int, seconds: int = EACH, few: int = FEW) -> Iterator[Finding]:
    """So many runs; and before them a few, which must not need less memory."""
    scenario = replica(seconds)
    conduct(plan(scenario, {}, few, {}))
    before = _largest()
    began, wall = _spent(), perf_counter()
    table = conduct(plan(scenario, {}, runs, {})).table("series")
    spent, wall, many = _spent() - began, perf_counter() - wall, _largest()
    total = sum(table["sent"].cells())
    known = sum(ok > 0 for ok in table["ok"].cells())
    found = (
        f"{wall / 60:.1f} min, {spent / 60:.1f} min CPU; p50 and p99 of {known} seconds; "
        f"the largest process {many:.0f} MiB ({before:.0f} MiB with {few} runs)"
    )
    yield Finding(f"{total:,} requests as {runs} replicas", "constant memory", found, many < 1.1 * before)


def _largest() -> float:
    """The most memory that this process or one of its children has had, in MiB."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def _spent() -> float:
    """CPU seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
