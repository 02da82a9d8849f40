"""Text in columns, as Go's tabwriter lays it out for kubectl.

A cell ends at a tab; what follows the last tab of a line belongs to no column and gets no blanks behind it.
A column is as wide as the widest of its cells in *neighbouring* lines, plus padding: a line without that
many tabs ends the column, and below it a new one starts with a width of its own. That is why the parts of
`kubectl describe` are each aligned by themselves. Source: text/tabwriter, the package comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TABLE = {"least": 6, "padding": 3}
"""How `kubectl get` lays out (cli-runtime, printers.GetNewTabWriter)."""

PAGE = {"least": 0, "padding": 2}
"""How `kubectl describe` lays out (kubectl, describe.tabbedString)."""


def align(lines: Iterable[Sequence[str]], *, least: int, padding: int) -> list[str]:
    """Each line's cells in columns; all but a line's last cell are padded.

    >>> for line in align([["NAME", "AGE"], ["my-nginx", "5s"]], least=6, padding=3): print(line)
    NAME       AGE
    my-nginx   5s
    """
    cells = [list(line) for line in lines]
    for column in range(max((len(line) for line in cells), default=0)):
        for start, end in _blocks(cells, column):
            width = max(least, padding + max(len(line[column]) for line in cells[start:end]))
            for line in cells[start:end]:
                line[column] = line[column].ljust(width)
    return ["".join(line) for line in cells]


def _blocks(lines: Sequence[Sequence[str]], column: int) -> Iterable[tuple[int, int]]:
    """The runs of neighbouring lines that have this column, that is a further cell behind it."""
    start = None
    for number, line in enumerate(lines):
        if len(line) > column + 1:
            start = number if start is None else start
        elif start is not None:
            yield start, number
            start = None
    if start is not None:
        yield start, len(lines)
