"""What a command has said, and how it ended: two streams in the order in which they were written."""

from __future__ import annotations

from dataclasses import dataclass, field

OUT, ERR = "out", "err"


class Failure(Exception):
    """A command gives up: what it says on stderr, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        self.text = text if text.endswith("\n") or not text else f"{text}\n"
        self.code = code
        super().__init__(text)


class Exit(Exception):
    """The person leaves: the pod or machine they are in, or the prompt itself."""


@dataclass
class Output:
    """What was written to stdout and stderr, in order, and the exit code.

    >>> output = Output()
    >>> output.out("a\\n"); output.err("b\\n"); output.text, output.stdout, output.stderr, output.code
    ('a\\nb\\n', 'a\\n', 'b\\n', 0)
    """

    parts: list[tuple[str, str]] = field(default_factory=list)
    code: int = 0
    timed: bool = False  # the command has moved the clock by as much as it was told, and it goes no further

    def out(self, text: str) -> None:
        """Write to stdout."""
        if text:
            self.parts.append((OUT, text))

    def err(self, text: str) -> None:
        """Write to stderr."""
        if text:
            self.parts.append((ERR, text))

    def line(self, text: str) -> None:
        """Write a line to stdout."""
        self.out(f"{text}\n")

    def warn(self, text: str) -> None:
        """Write a line to stderr."""
        self.err(f"{text}\n")

    def fail(self, failure: Failure) -> None:
        """Note that the command gave up."""
        self.err(failure.text)
        self.code = failure.code

    def add(self, other: Output) -> None:
        """All that another command has said."""
        self.parts += other.parts
        self.code = other.code

    @property
    def text(self) -> str:
        """Both streams, as a terminal shows them."""
        return "".join(text for _, text in self.parts)

    @property
    def stdout(self) -> str:
        """What a pipe would get."""
        return "".join(text for stream, text in self.parts if stream == OUT)

    @property
    def stderr(self) -> str:
        """What a pipe would not get."""
        return "".join(text for stream, text in self.parts if stream == ERR)
