"""Documents: text in, plain data out, and for every value the place it came from.

YAML is read by `yaml_reader.py`. JSON, which is YAML too, goes to Python's own reader, which is faster;
JSON with a mistake in it is read as YAML, whose messages know places. Places are found only when somebody
asks for one: the lines of that document are then parsed once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from netsim.api.yaml_mistakes import MAX_DEPTH
from netsim.api.yaml_reader import Source, build, nodes, reread
from netsim.errors import Place, Problem, ScenarioError

IN_QUOTES = "put it in quotes"  # how a hint begins that shows a value in quotes
MAX_SIZE = 16 << 20  # characters in a file

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """One document of a file: its data, and where each part of it stands."""

    value: Any
    file: str
    line: int  # of its first value, from one
    written: _Written | None = field(default=None, repr=False, compare=False)

    def place(self, path: Path = (), key: bool = False) -> Place:
        """Where the value at `path` stands, or its key; if there is none, what it would be in."""
        if self.written is None:
            return Place(self.file, self.line, 1)
        line, column = self.written.position(path, key)
        return self.written.source.place(line, column)

    def as_written(self, hint: str, path: Path) -> str:
        """A hint to put the value at `path` in quotes, with the value as the file has it: `0o17`, not 15."""
        text = self.written.scalar(path) if self.written is not None and hint.startswith(IN_QUOTES) else ""
        return re.sub(f'^{IN_QUOTES}: "[^"]*"', lambda _: f'{IN_QUOTES}: "{text}"', hint) if text else hint


def read_documents(text: str, file: str, repeated: list[Problem] | None = None) -> tuple[Document, ...]:
    """The documents in a text of YAML or JSON; empty ones are left out. ScenarioError with all that is wrong with it.

    To whom gives a list for them, keys that are given twice are no reason to stop: the first one counts.

    >>> [document.value for document in read_documents("a: no\\n---\\n- 0x10\\n- 22:22\\n", "a.yaml")]
    [{'a': 'no'}, [16, '22:22']]
    """
    source = Source(text.removeprefix("\ufeff"), file)
    if len(source.text) > MAX_SIZE:
        message = f"the file is larger than {MAX_SIZE >> 20} MiB"
        raise ScenarioError(Problem(message, Place(file, 1, 1), "split it into several files"))
    documents = _read_json(source)
    return tuple(_read_yaml(source, repeated)) if documents is None else documents


# where things stand -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Written:
    """The lines that a document was read from; they are parsed again when somebody asks for a place."""

    source: Source
    first: int  # line, from zero
    last: int
    column: int = 0  # where in the first line it begins

    @cached_property
    def root(self) -> Node | None:
        lines = self.source.lines[self.first : self.last + 1]
        lines[0] = " " * self.column + lines[0][self.column :]
        return reread("\n".join(lines).replace("\t", " "))  # JSON may be indented with tabs

    def position(self, path: Path, key: bool) -> tuple[int, int]:
        """Line and column, both from zero."""
        at = node = self.root
        for step, part in enumerate(path):
            if node is None:
                break
            name, value = _child(node, part)
            if value is None:
                return self._of(at)
            last = step == len(path) - 1
            node, at = value, (value if (last and not key) or name is None else name)
        return self._of(at)

    def scalar(self, path: Path) -> str:
        """The text of the value at `path`, without its quotes; nothing for a list, a map, or what is not there."""
        node = self.root
        for part in path:
            node = _child(node, part)[1] if node is not None else None
        return str(node.value) if isinstance(node, ScalarNode) else ""

    def _of(self, node: Node | None) -> tuple[int, int]:
        if node is None:
            return self.first, self.column
        return self.first + node.start_mark.line, node.start_mark.column


def _child(node: Node, part: str | int) -> tuple[Node | None, Node | None]:
    """The key node (if it has one) and the value node of one step into a node."""
    if isinstance(node, MappingNode):
        found = [pair for pair in node.value if pair[0].value == part and isinstance(pair[0], ScalarNode)]
        return found[0] if found else (None, None)
    if isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.value):
        return None, node.value[part]
    return None, None


# JSON -------------------------------------------------------------------------------------------------


class _NotPlainJson(ValueError):
    """Something that the YAML reader should look at."""


def _read_json(source: Source) -> tuple[Document, ...] | None:
    """The documents, if the text is nothing but JSON values one after the other and all is well with them."""
    text, documents = source.text, []
    at = _skip_blanks(text, 0)
    if text[at : at + 1] not in ("{", "["):
        return None
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            if _too_deep(value):
                return None
            if "\\ud" in text[at:end].lower():
                json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not text
            line, column = source.line_of(at)
            written = _Written(source, line, source.line_of(end)[0], column)
            documents.append(Document(value, source.file, line + 1, written))
            at = _skip_blanks(text, end)
    except (ValueError, RecursionError):
        return None
    return tuple(documents)


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _NotPlainJson
    return values


def _refuse(constant: str) -> Any:
    raise _NotPlainJson(constant)


def _too_deep(value: Any, depth: int = 0) -> bool:
    if depth > MAX_DEPTH:
        return True
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_too_deep(item, depth + 1) for item in inside)


# YAML -------------------------------------------------------------------------------------------------


def _line(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)


def _read_yaml(source: Source, repeated: list[Problem] | None) -> Iterator[Document]:
    problems: list[Problem] = []
    twice: list[Problem] = []
    for root in nodes(source):
        value = build(root, source, problems, twice)
        if value is not None:
            first, last = root.start_mark.line, root.end_mark.line
            yield Document(value, source.file, first + 1, _Written(source, first, last))
    if problems or (twice and repeated is None):
        raise ScenarioError(sorted([*problems, *twice], key=_line))
    if repeated is not None:
        repeated += twice
