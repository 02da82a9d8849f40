"""The tree of errors: few, and each one useful.

    NetsimError
    |-- ScenarioError    your file is wrong: every mistake in it, each with its place and what would do
    `-- ModelError       an invariant of ours broke: which one, and when

A request that fails inside the simulation is an *outcome*, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in a file something stands. Lines and columns count from one."""

    file: str
    line: int
    column: int
    text: str = ""  # the line, for the caret to point into; of a very long one a piece
    cut: int = 0  # columns of the line that are left out before it

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: what was found, where, and what would do."""

    message: str
    place: Place | None = None
    hint: str = ""

    def __str__(self) -> str:
        r"""The mistake as compilers print it.

        >>> print(Problem("unknown field", Place("a.yaml", 2, 3, "  nod: x"), "did you mean node?"))
        a.yaml:2:3: unknown field
          |   nod: x
          |   ^
          = did you mean node?
        """
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        if self.place and self.place.text:
            lines += [f"  | {self.place.text}", f"  | {' ' * (self.place.column - 1 - self.place.cut)}^"]
        if self.hint:
            lines.append(f"  = {self.hint}")
        return "\n".join(lines)


class NetsimError(Exception):
    """Anything netsim says no to."""


class ScenarioError(NetsimError):
    """What the user wrote cannot be run; `problems` holds every mistake found, in file order."""

    def __init__(self, problems: Iterable[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ModelError(NetsimError):
    """One of netsim's own invariants broke. This is our bug."""
