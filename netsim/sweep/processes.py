"""Tasks done by processes of this machine, each a fresh Python that knows nothing of the one that asks.

A thread stands behind each worker: it hands it a task, waits for the answer, and takes the next one. A worker
that dies takes with it the run it was doing and nothing else. That run is tried once more, in a new process;
if it dies again, it is lost. Workers do not hear Ctrl-C (they have a session of their own): whoever started
them ends them. Should that one be killed, they find their input closed and end after their present run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from netsim.sweep.here import Deliver
from netsim.sweep.task import Lost, Task

TRIES = 2  # for a run whose worker dies
_BLINK = 0.2  # seconds between looks for Ctrl-C, where waiting cannot be interrupted

_START = "import sys; root = {!r}; root in sys.path or sys.path.insert(0, root)\n" \
         "from netsim.sweep.worker import main; main()"  # fmt: skip


def usable() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Worker:
    """One process, and the pipes to it."""

    def __init__(self) -> None:
        import netsim

        root = str(Path(netsim.__file__ or "").resolve().parents[1])
        apart: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START.format(root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, **apart,
        )  # fmt: skip

    def ask(self, task: Task) -> str | Lost | None:
        """What became of a task; None if the worker died of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = json.dumps({"scenario": task.scenario, "seed": task.seed}) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except (OSError, ValueError):
            return None
        if not answer.endswith(b"\n"):
            return None
        told = json.loads(answer)
        return Lost(task, told["lost"]) if "lost" in told else str(told["result"])

    def last_words(self) -> str:
        """How a dead worker ended."""
        code = self.process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"its process {ended}" + (f": {said[-1]}" if said else "")

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process.wait()
        self._said.close()


class _Crew:
    """The workers, what is still to be done, and what has been."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.todo = deque((task, 1) for task in tasks)
        self.done: SimpleQueue[tuple[Task, str | Lost]] = SimpleQueue()
        self.workers: set[Worker] = set()
        self.lock = Lock()
        self.over = False

    def serve(self) -> None:
        """What the thread behind each worker does."""
        worker: Worker | None = None
        while (taken := self._next()) is not None:
            task, tries = taken
            try:
                worker = worker or self._hired()
            except OSError as error:
                self.done.put((task, Lost(task, f"no process could be started: {error.strerror}")))
                continue
            if worker is None:
                return
            answer = worker.ask(task)
            if answer is None:
                if self.over:
                    return
                reason = worker.last_words()
                self._dismissed(worker)
                worker = None
                if tries < TRIES:
                    self.todo.append((task, tries + 1))
                    continue
                answer = Lost(task, reason)
            self.done.put((task, answer))
        if worker is not None:
            self._dismissed(worker)

    def _next(self) -> tuple[Task, int] | None:
        with suppress(IndexError):
            return None if self.over else self.todo.popleft()
        return None

    def _hired(self) -> Worker | None:
        with self.lock:
            if self.over:
                return None
            worker = Worker()
            self.workers.add(worker)
            return worker

    def _dismissed(self, worker: Worker) -> None:
        with self.lock:
            if worker in self.workers:
                self.workers.remove(worker)
                worker.end()

    def end(self) -> None:
        """Stop everything at once."""
        with self.lock:
            self.over = True
            for worker in self.workers:
                worker.process.kill()


def processes(tasks: Sequence[Task], deliver: Deliver, count: int) -> None:
    """Do all tasks with `count` processes; interrupted, what has been done is still delivered."""
    crew = _Crew(tasks)
    threads = [Thread(target=crew.serve, daemon=True) for _ in range(min(count, len(tasks)))]
    for thread in threads:
        thread.start()
    left = len(tasks)
    try:
        while left:
            with suppress(Empty):
                deliver(*crew.done.get(timeout=_BLINK))
                left -= 1
    finally:
        crew.end()
        for thread in threads:
            thread.join()
        for worker in crew.workers:
            worker.end()
        while not crew.done.empty():
            deliver(*crew.done.get())
