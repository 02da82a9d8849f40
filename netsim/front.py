"""The front door's furniture: a scenario that can be run and traced, and the functions that make one.

`netsim.scenario.Scenario` is a value and knows nothing of running; the one here is the same value with verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netsim.scenario import scenario as model

if TYPE_CHECKING:
    from netsim.console.session import Lab
    from netsim.dataplane.trace import Trace
    from netsim.report.run import Run
    from netsim.sweep.sweep import Sweep


class Scenario(model.Scenario):
    """A scenario, read and understood, that can be run.

    `document` is the scenario file with every default filled in, `objects` are its Kubernetes objects.
    """

    def __repr__(self) -> str:
        document = self.document
        nodes = sum(group.count or 1 for group in document.cluster.nodes)
        counts = f"{nodes} nodes, {len(self.objects)} objects, {len(document.faults)} faults"
        return f"<Scenario {self.name}: {counts}>"

    def run(
        self,
        seed: int | None = None,
        until: str | int | None = None,
        progress: Callable[[int, int], None] | None = None,
        *,
        engine: Literal["auto", "plain", "compiled"] = "auto",
        requests: str = "all",
    ) -> Run:
        """Run it, with its own seed or another, to its end or until a time such as `90s`.

        The `engine` that moves packets never changes a result: `auto` takes the compiled one, which needs numba,
        if the run is large enough. `progress` is called now and then with the simulated time and the number of
        requests so far. Of the table of `requests` the run keeps `all` (64 bytes each), `sample:1000` or `none`;
        nothing else that it says depends on that.
        """
        from netsim.report.execute import execute
        from netsim.report.keeping import wished
        from netsim.units import parse_duration

        stop = None if until is None else parse_duration(until)
        return execute(self, seed, stop, progress, engine=engine, keep=wished(requests))

    def sweep(
        self,
        vary: Mapping[str, Iterable[Any]] | None = None,
        seeds: int | Iterable[int] = 30,
        *,
        baseline: Mapping[str, Any] | None = None,
        jobs: int | None = None,
        engine: Literal["local", "dask"] = "local",
        scheduler: str | None = None,
        folder: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Sweep:
        """Run it in every variant of a grid, each under the same seeds.

        `scenario.sweep({"cluster.proxy.minSyncPeriod": ["1s", "10s"]}, seeds=30)` varies what stands at a path,
        with values as a scenario file has them. Variants are compared with the one that has the values of
        `baseline`, or with the first. `jobs` is the number of processes (one a processor by default); with
        `engine="dask"` a cluster's `scheduler` has the runs done, and the results are the same. With a
        `folder` everything is written there, and what is finished in it already is not run again.
        """
        from netsim.sweep.conduct import conduct
        from netsim.sweep.folder import opened
        from netsim.sweep.plan import plan

        planned = plan(self, vary or {}, seeds, baseline or {})
        store = None if folder is None else opened(Path(folder), self, {})
        found = conduct(planned, jobs=jobs, engine=engine, scheduler=scheduler, store=store, progress=progress)
        if folder is not None:
            found.save(folder)
        return found

    def trace(
        self, source: str, target: str, at: str | int, seed: int | None = None, protocol: str = "TCP"
    ) -> Trace:
        """Where the first packet of a connection from `source` to `target` goes at an instant, and why.

        They are written as in a scenario's traffic:
        `scenario.trace("pod/client", "svc/my-nginx:80", at="35s")`.
        """
        from netsim.simulation import Simulation
        from netsim.units import parse_duration

        simulation = Simulation(self, seed)
        simulation.run(until=parse_duration(at))
        return simulation.trace(source, target, protocol)


def load(path: str | Path) -> Scenario:
    """Read a scenario file, or raise a ScenarioError that holds every mistake in it."""
    from netsim.scenario.load import load as read

    found = read(path)
    return Scenario(**{field.name: getattr(found, field.name) for field in fields(found)})


def run(scenario: Scenario | str | Path, seed: int | None = None, until: str | int | None = None) -> Run:
    """Run a scenario, or the one in a file."""
    return (scenario if isinstance(scenario, Scenario) else load(scenario)).run(seed, until)


def trace(
    scenario: Scenario | str | Path,
    source: str,
    target: str,
    at: str | int,
    seed: int | None = None,
    protocol: str = "TCP",
) -> Trace:
    """Where a packet goes in a scenario at an instant, and why."""
    found = scenario if isinstance(scenario, Scenario) else load(scenario)
    return found.trace(source, target, at, seed, protocol)


def shell(
    scenario: Scenario | str | Path, *others: Scenario | str | Path, seed: int | None = None
) -> Lab:
    """A prompt on a scenario's cluster: `lab("kubectl get svc my-nginx")` returns what kubectl would print.

    The clock goes on after each command until the cluster has come to rest, or by `lab("sleep 40s")`; `lab.now`
    says where it stands, and `lab.simulation` is what runs. Several scenarios are several clusters of one set.
    """
    from netsim.console.session import Lab

    return Lab([one if isinstance(one, Scenario) else load(one) for one in (scenario, *others)], seed)
