"""`-o custom-columns=NAME:PATH,...`: a table whose columns are JSONPath expressions.

A path may be written without braces and without its first dot. What is not there is `<none>`; several values
are joined by commas. Source: kubectl pkg/cmd/get/customcolumn.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netsim.api import jsonpath
from netsim.api.objects import Object
from netsim.api.tables.layout import TABLE, align
from netsim.api.times import with_times

NONE = "<none>"
Columns = list[tuple[str, str]]  # header, path


def parse(text: str) -> Columns:
    """The columns that a text asks for; a malformed one raises a ValueError.

    >>> parse("NAME:.metadata.name,IP:status.podIP")
    [('NAME', '{.metadata.name}'), ('IP', '{.status.podIP}')]
    """
    if not text:
        raise ValueError("custom-columns format specified but no custom columns given")
    columns = []
    for part in text.split(","):
        name, colon, path = part.partition(":")
        if not colon:
            raise ValueError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        plain = path.strip("{}")
        columns.append((name, "{" + (plain if plain.startswith(".") else f".{plain}") + "}"))
    return columns


def rows(columns: Columns, objects: Iterable[Object], *, headers: bool = True) -> str:
    """The table.

    >>> pod = {"metadata": {"name": "a"}, "status": {}}
    >>> print(rows(parse("NAME:.metadata.name,IP:.status.podIP"), [pod]), end="")
    NAME   IP
    a      <none>
    """
    lines = [[name for name, _ in columns]] if headers else []
    for obj in objects:
        plain = with_times(obj)
        lines.append([_cell(path, plain) for _, path in columns])
    return "".join(f"{line}\n" for line in align(lines, **TABLE))


def _cell(path: str, obj: Object) -> str:
    try:
        values = jsonpath.find(path, obj)
    except jsonpath.JsonPathError:
        return NONE
    return ",".join(_shown(value) for value in values) or NONE


def _shown(value: Any) -> str:
    """A value as Go's `%v` prints it: lists in brackets, maps with `map`.

    >>> _shown([{"ip": "10.244.3.4"}]), _shown(True), _shown(None)
    ('[map[ip:10.244.3.4]]', 'true', '<nil>')
    """
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
