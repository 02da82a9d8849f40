r"""Scripts: lines from a file, each shown with its prompt and with what it said, as on a terminal.

A line that ends in `\` goes on in the next one. Comments and empty lines are shown as they are. Two runs of a
script in the same scenario give the same text, byte for byte, so a transcript can be kept and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netsim.console.output import Exit, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

Step = tuple[str, Output]  # what is shown of a line, and what it said


def lines(text: str) -> Iterator[str]:
    r"""The lines of a script; what was broken with a backslash is one of them.

    >>> list(lines("a \\\n  b\nc\n"))
    ['a \\\n  b', 'c']
    """
    held = ""
    for line in text.splitlines():
        held += line
        if line.endswith("\\"):
            held += "\n"
            continue
        yield held
        held = ""
    if held:
        yield held


def steps(lab: Lab, text: str) -> Iterator[Step]:
    """Do the lines of a script one by one, until its end or `exit`."""
    for line in lines(text):
        if not line.strip() or line.lstrip().startswith("#"):
            yield line, Output()
            continue
        shown = f"{lab.prompt}{line}"
        try:
            yield shown, lab.run(line)
        except Exit:
            yield shown, Output()
            return


def transcript(lab: Lab, text: str) -> str:
    """A whole script, as a terminal would show it."""
    return "".join(f"{shown}\n{output.text}" for shown, output in steps(lab, text))
