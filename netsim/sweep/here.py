"""Tasks done one after the other in this process: the simplest way, and the one to look into mistakes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netsim.sweep.task import Lost, Task, perform

Deliver = Callable[[Task, str | Lost], None]
"""Whom results are handed to, in whatever order they come: the task, and its result or why there is none."""


def here(tasks: Sequence[Task], deliver: Deliver) -> None:
    """Do all tasks. One that goes wrong is lost, and only that one."""
    for task in tasks:
        deliver(task, attempt(task))


def attempt(task: Task) -> str | Lost:
    """The result of a task, or the loss of it."""
    try:
        return perform(task.scenario, task.seed)
    except Exception as error:
        return Lost(task, f"{type(error).__name__}: {error}")
