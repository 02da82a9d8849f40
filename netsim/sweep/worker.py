"""A worker process: a task a line on standard input, its answer a line on standard output, until input ends.

Lines are JSON, so nothing that comes out of a file or a pipe is ever executed. Whatever the simulation prints
goes to standard error and cannot be mistaken for an answer.
"""

from __future__ import annotations

import json
import os
import sys

from netsim.sweep.here import attempt
from netsim.sweep.task import Lost, Task


def main() -> None:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        done = attempt(Task(asked["scenario"], asked["seed"]))
        answers.write(json.dumps({"lost": done.reason} if isinstance(done, Lost) else {"result": done}) + "\n")
        answers.flush()
