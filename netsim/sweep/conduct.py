"""Doing a sweep: what is not finished is handed to whoever does it; what comes back is kept at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from netsim.errors import Problem, ScenarioError
from netsim.sweep.here import Deliver, here
from netsim.sweep.plan import Plan
from netsim.sweep.store import Store
from netsim.sweep.sweep import Sweep
from netsim.sweep.task import Lost, Result, Task, understood

if TYPE_CHECKING:
    from netsim.sweep.pool import Pool

Progress = Callable[[int, int], None]
"""Told how many runs are finished, of how many."""


def conduct(
    plan: Plan,
    *,
    jobs: int | None = None,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Do all runs that are not finished already. Interrupted, it returns what there is, marked as partial."""
    tasks = plan.tasks()
    ledger = _Ledger(list(dict.fromkeys(tasks.values())), store, progress)
    reused = sum(task.key in ledger.done for task in tasks.values())
    partial = False
    try:
        ledger.tell()
        _backend(jobs, engine, scheduler)(ledger.open(), ledger.deliver)
    except KeyboardInterrupt:
        partial = True
    results = {place: ledger.done[task.key] for place, task in tasks.items() if task.key in ledger.done}
    pools = {each.number: ledger.pools[each.text] for each in plan.variants if each.text in ledger.pools}
    return Sweep(plan, results, pools, tuple(ledger.lost), partial, reused)


class _Ledger:
    """What is finished, and what is not."""

    def __init__(self, tasks: Sequence[Task], store: Store | None, progress: Progress | None) -> None:
        self.tasks = {task.key: task for task in tasks}  # variants that are the same share their runs
        self.store, self.progress = store, progress
        self.done: dict[str, Result] = {}
        self.pools: dict[str, Pool] = {}  # by scenario: the requests of all its finished runs together
        self.lost: list[Lost] = []
        for key, task in self.tasks.items():
            if store is not None and (found := store.get(key)) is not None:
                self.keep(task, *found)

    def open(self) -> list[Task]:
        """What has yet to be done."""
        return [task for key, task in self.tasks.items() if key not in self.done]

    def deliver(self, task: Task, answer: str | Lost) -> None:
        """Take in what became of a task."""
        if isinstance(answer, Lost):
            self.lost.append(answer)
        else:
            found = understood(answer)
            if found is None or found[0].key != task.key:
                problem = "a worker runs another netsim than this one"
                raise ScenarioError(Problem(problem, hint="install the same everywhere, and leave it alone meanwhile"))
            if self.store is not None:
                self.store.put(task.key, answer)
            self.keep(task, *found)
        self.tell()

    def keep(self, task: Task, result: Result, requests: Pool) -> None:
        """Note a finished run: its measures by themselves, its requests among those of the others."""
        self.done[task.key] = result
        if task.scenario in self.pools:
            self.pools[task.scenario].add(requests)
        else:
            self.pools[task.scenario] = requests

    def tell(self) -> None:
        """Say how far it is."""
        if self.progress is not None:
            self.progress(len(self.done) + len(self.lost), len(self.tasks))


def _backend(jobs: int | None, engine: str, scheduler: str | None) -> Callable[[Sequence[Task], Deliver], None]:
    """Who does the tasks."""
    if engine == "dask":
        if not scheduler:
            raise ScenarioError(Problem("a Dask cluster has a scheduler", hint="--scheduler tcp://HOST:8786"))
        from netsim.sweep.cluster import cluster

        return lambda tasks, deliver: cluster(tasks, deliver, scheduler) if tasks else None
    from netsim.sweep.processes import processes, usable

    count = usable() if jobs is None else jobs
    return lambda tasks, deliver: (
        processes(tasks, deliver, count) if min(count, len(tasks)) > 1 else here(tasks, deliver)
    )
