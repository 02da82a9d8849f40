"""Tasks done by a Dask cluster: the same function with the same texts, so the same bytes.

Wants the extra `cluster` here, and on each worker a netsim with the same code. A task is sent as the name of
a function and two plain values. Dask itself does a task again whose worker died (three times by default, its
`distributed.scheduler.allowed-failures`). Only so many tasks are on their way at a time, so that a sweep of
thousands neither fills the scheduler nor keeps others from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netsim.errors import Problem, ScenarioError
from netsim.sweep.here import Deliver, attempt
from netsim.sweep.task import Lost, Task

PATIENCE = 10  # seconds for a scheduler to answer
_AHEAD = 4  # tasks on their way for each thread of the cluster


def remote(scenario: str, seed: int) -> tuple[str, str]:
    """What a worker does: `result` and the result, or `lost` and the reason."""
    done = attempt(Task(scenario, seed))
    return ("lost", done.reason) if isinstance(done, Lost) else ("result", done)


def cluster(tasks: Sequence[Task], deliver: Deliver, scheduler: str) -> None:
    """Do all tasks with the workers of the scheduler at an address such as `tcp://10.0.0.1:8786`."""
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        hint = str(error) or "is it running, and is the address right?"
        raise ScenarioError(Problem(f"no Dask scheduler answers at {scheduler}", hint=hint)) from None
    with client:
        _do(distributed, client, tasks, deliver)


def _do(distributed: Any, client: Any, tasks: Sequence[Task], deliver: Deliver) -> None:
    threads = sum(client.nthreads().values())
    rest, sent = iter(tasks), {}

    def send() -> Any:
        task = next(rest, None)
        if task is None:
            return None
        future = client.submit(remote, task.scenario, task.seed, key=f"netsim-{task.key}", pure=True)
        sent[future.key] = task
        return future

    first = [future for _ in range(max(8, _AHEAD * threads)) if (future := send()) is not None]
    coming = distributed.as_completed(first, loop=client.loop)
    try:
        for future in coming:
            task = sent.pop(future.key)
            deliver(task, _answer(task, future))
            future.release()
            if (another := send()) is not None:
                coming.add(another)
    except BaseException:
        client.cancel(list(coming.futures), force=True)
        raise


def _answer(task: Task, future: Any) -> str | Lost:
    try:
        kind, text = future.result()
    except ModuleNotFoundError as error:
        raise ScenarioError(
            Problem(f"the workers of this cluster cannot import {error.name}", hint="install netsim-k8s on each")
        ) from None
    except Exception as error:
        return Lost(task, f"{type(error).__name__}: {error}")
    return Lost(task, text) if kind == "lost" else str(text)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        hint = "pip install 'netsim-k8s[cluster]'"
        raise ScenarioError(Problem("--engine dask needs dask.distributed", hint=hint)) from None
    return distributed
