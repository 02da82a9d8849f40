"""What is measured: each case runs netsim and a rival, and gives the ratio of their speeds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

from netsim.benchmark import rivals
from netsim.benchmark.findings import Finding, at_most, ratio
from netsim.benchmark.world import World
from netsim.dataplane.compiled import CompiledEngine
from netsim.dataplane.engines import expected
from netsim.dataplane.moments import syn_schedule
from netsim.dataplane.plain import PlainEngine
from netsim.dataplane.requests import REQUEST
from netsim.units import MS, S

REPEATS = 5  # the fastest counts: whatever else a machine does only ever slows a run down
PATIENT = {"retries": {"attempts": 2}, "connectTimeout": "1s", "timeout": "2s"}


def per_second(count: Callable[[], int], repeats: int = 2) -> float:
    """How many a CPU second, at best."""
    rates = []
    for _ in range(repeats):
        began = process_time()
        done = count()
        rates.append(done / (process_time() - began))
    return max(rates)


def moved(
    world: World, traffic: dict[str, Any], end: int, engine: Any = CompiledEngine, every: int = 0,
    change: Callable[[World, int], None] | None = None,
) -> tuple[int, float]:  # fmt: skip
    """Move traffic through a world, with a change now and then: how many requests, and the CPU time they took."""
    sources = world.sources(end, traffic)
    more = (expected(sources),) if engine is CompiledEngine else ()
    began = process_time()
    mover = engine(world.state, sources, world.names, syn_schedule(6, 4), 0, *more)
    spent = process_time() - began
    for instant in range(every, end, every) if every and change else ():
        began = process_time()
        mover.advance(instant)
        spent += process_time() - began
        change(world, instant)  # type: ignore[misc]
    began = process_time()
    table = mover.finish(end)
    return len(table), spent + process_time() - began


def speed(make: Callable[[], World], traffic: dict[str, Any], end: int, **more: Any) -> float:
    """Requests a CPU second, at best."""
    rates = []
    for _ in range(REPEATS):
        count, spent = moved(make(), traffic, end, **more)
        rates.append(count / spent)
    return max(rates)


def _queue(pods: int = 5, service: str = "exponential(5ms)", nodes: int = 3) -> Callable[[], World]:
    return lambda: World(nodes=nodes, pods=pods, workers=4, service=service)


def _fails(world: World, instant: int) -> None:
    """A machine loses power at a third of the run, and rules know a third later; called every third."""
    if world.state.powered["node-2"]:
        world.state.time = instant
        world.state.power("node-2", on=False)
    else:
        world.publish(without="node-2")


def against_bare() -> Iterator[Finding]:
    """The open queue: both engines against processes and Resources."""
    rival = per_second(lambda: rivals.bare(60_000, 2000, 5, 4, 5e-3), REPEATS)
    compiled = speed(_queue(), {"rate": "2k/s"}, 200 * S)
    plain = speed(_queue(), {"rate": "2k/s"}, 20 * S, engine=PlainEngine)
    floor = per_second(lambda: rivals.floor(400_000, 2000, 5, 5e-3), REPEATS)
    yield ratio("open loop, 5 pods x 4 workers, rho 0.5, against bare SimPy", compiled, rival, 50)
    yield ratio("the same, the plain engine", plain, rival, 0.5)
    yield ratio("the same, against the NumPy floor", compiled, floor, 0.25)


def against_processes() -> Iterator[Finding]:
    """Everything else: against a SimPy process per request with the same semantics."""
    yield _failing_open()
    yield _closed(10_000, 70, 30)
    yield _closed(100_000, 40, 6)
    yield _overload()


def _failing_open() -> Finding:
    def rival() -> int:
        model = rivals.Patient(5, 4, 5e-3)
        model.fail(at=5, noticed=5)
        return model.open(2000, 15)

    traffic = {"rate": "2k/s", **PATIENT}
    ours = speed(_queue(), traffic, 150 * S, every=50 * S, change=_fails)
    what = "open loop with time-outs, retries and a node failure, against a SimPy process a request"
    return ratio(what, ours, per_second(rival), 120)


def _closed(clients: int, goal: float, seconds: int) -> Finding:
    """As many pods as keep a load of one half, a second of thought, 5 ms of service."""
    pods = clients // 400

    def rival() -> int:
        model = rivals.Patient(pods, 4, 5e-3)
        model.fail(at=1.5, noticed=0.5)
        return model.closed(clients, 1.0, 2.5)

    traffic = {"clients": clients, "think": "1s", "keepAlive": {}, **PATIENT}
    ours = speed(_queue(pods), traffic, seconds * S, every=seconds * S // 3, change=_fails)
    return ratio(f"closed loop, {clients:,} clients, kept connections, a node failure", ours, per_second(rival), goal)


def _overload() -> Finding:
    """Most requests wait in vain, three times: as long for ours as for the rival."""
    rival = per_second(lambda: rivals.Patient(5, 4, 50e-3).open(480, 30))
    ours = speed(_queue(service="exponential(50ms)"), {"rate": "480/s", **PATIENT}, 600 * S)
    return ratio("overload, rho 1.2", ours, rival, 70)


def of_changes_and_size() -> Iterator[Finding]:
    """What control changes cost, and how the cost of a request grows with the cluster."""
    fast = _queue(service="exponential(50us)")
    traffic = {"rate": "200k/s"}
    calm = speed(fast, traffic, 2 * S)
    busy = speed(fast, traffic, 2 * S, every=100 * MS, change=lambda world, _: world.publish())
    few = speed(_queue(10, nodes=10), {"rate": "4k/s"}, 1250 * S)
    many = speed(_queue(1000, nodes=10), {"rate": "400k/s"}, 25 * S // 2)
    rare = speed(fast, traffic, 25 * S, every=5 * S // 2, change=_bystand)
    frequent = speed(fast, traffic, 25 * S, every=5 * MS // 2, change=_bystand)
    each = (1 / frequent - 1 / rare) * 5_000_000 / 10_000
    yield at_most("cost of rules that change every 0.1 s", f"{calm / busy - 1:.0%}", calm / busy, 1.25, "25 %")
    growth, what = few / many, "growth of cost from 10 to 1,000 pods in 5 million requests"
    yield at_most(what, f"{growth:.2f}", growth, 1.5, "1.5 times")
    growth, what = rare / frequent, "growth of cost from 10 to 10,000 rule changes in 5 million requests"
    yield at_most(what, f"{growth:.2f}: {each * 1e6:.0f} us a change", growth, 1.5, "1.5 times")
    yield Finding("memory of a request that is kept", "at most 64 bytes", f"{REQUEST.itemsize} bytes", True)


def _bystand(world: World, instant: int) -> None:
    """Rules change for a Service nobody asks, on the node that every packet leaves by: they cost it something else."""
    world.bystander(port=80 + world.tables.revision % 2)
    world.state.program("node-1", world.tables.revision)


def of_the_main_job() -> Iterator[Finding]:
    """A whole process: `netsim run` of the scenario that everything began with."""
    code = (
        "import sys, time; from netsim.cli.main import main\n"
        "try: main(['run', 'scenarios/node-failure.yaml', '--no-save', '-q'])\n"
        "except SystemExit: pass\n"
        "print(time.process_time(), 'numba' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    spent, imported = done.stderr.split()[-2:]
    met = float(spent) < 2 and imported == "False"
    words = f"{float(spent):.1f} s CPU, numba {'' if imported == 'True' else 'not '}imported"
    yield Finding("`netsim run` of the main job, whole process", "within 2 s, without numba", words, met)


def warm_up() -> None:
    """Have compiled code loaded, or made."""
    moved(World(nodes=1, pods=1, workers=1, service="5ms"), {"rate": "10/s"}, 10 * S)


GROUPS: tuple[Callable[[], Iterator[Finding]], ...] = (
    against_bare, against_processes, of_changes_and_size, of_the_main_job,
)  # fmt: skip
