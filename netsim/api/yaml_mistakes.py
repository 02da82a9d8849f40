"""What a YAML parser's complaint means to the person who wrote the file.

libyaml and PyYAML say the same things in slightly different words; each row of the table matches both.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

MAX_DEPTH = 100  # lists and maps in one another; newer parsers have a limit of their own, far above

# what the parser says | what is wrong | what would do | whether to point to where the construct began
MISTAKES: tuple[tuple[str, str, str, bool], ...] = (
    (
        "unexpected end of stream.*quoted|quoted scalar.*unexpected end",
        "this quote is never closed", "close it, or put the whole text in other quotes", True,
    ),
    ("maximum nesting depth", f"nested deeper than {MAX_DEPTH} levels", "", False),
    ("unknown escape character", "not an escape that double quotes know", r"write \\ for a backslash", False),
    (
        "mapping values are not allowed",
        "a colon that starts a value cannot stand here",
        "check the indentation; text with a colon and a space in it needs quotes", False,
    ),
    (
        "block sequence entries are not allowed|sequence entries are not allowed",
        "a list cannot begin here", "put the dash on a line of its own, indented", False,
    ),
    ("undefined alias", "no anchor of this name was set before", "", False),
    ("duplicate anchor", "this anchor is set a second time", "give it another name", False),
    (
        "could not find expected ':'",
        "this is neither a key with a value nor part of the text before it", "is a colon missing?", False,
    ),
    ("flow sequence", "this list has no end: a comma or ] is missing", "", True),
    ("flow mapping", "this map has no end: a comma or } is missing", "", True),
    ("flow node", "a value is missing here, or a bracket is not closed", "", False),
    (
        "block collection.*(-|block end)",
        "this does not belong to the list above it", "check the indentation", False,
    ),
    (
        "block mapping.*(expected key|block end)",
        "this does not fit the lines above it", "check the indentation, and quotes that end too early", False,
    ),
    ("unknown directive", "this directive is not known", "a line that begins with % needs quotes", False),
    ("document start", "a new document must begin with a line of three dashes", "", False),
)  # fmt: skip

TEMPLATE = "a template must be rendered before it can be read, for example with: helm template"

_STARTS = {
    "\t": ("a tab cannot be used for indentation", "use spaces"),
    "@": ("text cannot begin with @", "put it in quotes"),
    "`": ("text cannot begin with `", "put it in quotes"),
    "%": ("text cannot begin with %", "put it in quotes"),
}


def explained(error: Exception, text: str) -> tuple[str, tuple[int, int], str]:
    """The message, the line and column (both from zero), and the hint for a parser's error."""
    if isinstance(error, UnicodeEncodeError):
        return "half of a surrogate pair is not a character", _position(text, error.start), ""
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unreadable(error, text)
    problem, context = error.problem or "", error.context or ""
    mark: Any = error.problem_mark or error.context_mark
    at = (mark.line, mark.column)
    line = _line(text, mark.line)
    if "{{" in line and "}}" in line:
        return "this is a template, and not YAML yet", (mark.line, line.index("{{")), TEMPLATE
    if "cannot start any token" in problem:
        message, hint = _STARTS.get(
            _character(text, *at), ("text cannot begin with this character", "put it in quotes")
        )
        return message, at, hint
    for pattern, message, hint, from_start in MISTAKES:
        if re.search(pattern, f"{context} {problem}", re.DOTALL):
            if from_start and error.context_mark is not None:
                at = (error.context_mark.line, error.context_mark.column)
            return message, at, hint
    return f"not YAML: {problem}" + (f" ({context})" if context else ""), at, ""


def _unreadable(error: Exception, text: str) -> tuple[str, tuple[int, int], str]:
    """A character that may not be in a YAML file at all."""
    code = getattr(error, "character", 0)
    code = ord(code) if isinstance(code, str) else int(code)
    at = text.find(chr(code)) if 0 <= code < 0x110000 else -1
    return f"the character U+{code:04X} cannot be in a YAML file", _position(text, max(at, 0)), "remove it"


def _position(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n"), at - (before.rfind("\n") + 1)


def _character(text: str, line: int, column: int) -> str:
    return _line(text, line)[column : column + 1]


def _line(text: str, line: int) -> str:
    lines = text.split("\n", line + 1)
    return lines[line] if line < len(lines) else ""
