"""Looking an object over, field by field, against what Kubernetes knows: every mistake in it, not just the
first.

The schema is turned into small functions once, a type at a time, when the first object needs it. Each takes
a value and returns the mistakes in it. Those of a simulated kind also note which fields of it are real but
not simulated; which those are depends on the field alone, so the text of the note is made only once.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import Any

from netsim.api import schema
from netsim.api.simulated import ALL, Table, simulated
from netsim.units import parse_quantity

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)")
_RANGE = {"i": 2**31, "l": 2**63}


@dataclass(slots=True)
class Mistake:
    """Something wrong at a path; the path grows from its end while the functions return."""

    text: str  # what is wrong, without the path; empty for an unknown field
    hint: str = ""
    backwards: list[str | int] = field(default_factory=list)
    known: tuple[str, ...] = ()  # for an unknown field: those that there are
    meant: str = ""  # ... and the one that it was probably to be

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where it is, from the object's root."""
        return tuple(reversed(self.backwards))

    @property
    def unknown(self) -> bool:
        """Whether a field of this name does not exist; else its value is wrong."""
        return not self.text

    @property
    def message(self) -> str:
        """The mistake in kubectl's words.

        >>> Mistake("", "", ["replcas", "spec"]).message
        'unknown field "spec.replcas"'
        """
        where = dotted(self.path)
        return f'unknown field "{where}"' if self.unknown else f"{where}: {self.text}"


class Notes:
    """What else was seen on the way."""

    def __init__(self) -> None:
        self.ignored: dict[str, None] = {}  # in the order in which they were first seen
        self.nulls = False  # whether something is null, which means the same as leaving it out
        self.null_texts: set[int] = set()  # the ids of maps of text, in which null means an empty text


Check = Callable[[Any, Notes], list[Mistake]]
_FINE: list[Mistake] = []


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as Kubernetes writes it.

    >>> dotted(("spec", "ports", 0, "name")), dotted(("metadata", "labels", "example.org/a"))
    ('spec.ports[0].name', 'metadata.labels[example.org/a]')
    """
    text = ""
    for part in path:
        if isinstance(part, int) or "." in part or "/" in part:
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def check(kind: schema.Kind, obj: Any, notes: Notes) -> list[Mistake]:
    """The mistakes in an object of that kind; `notes` takes what is not simulated of it."""
    if simulated(kind) is None:
        notes.ignored[f"{kind.name} is accepted but not simulated"] = None
    mistakes = _of_kind(kind)(obj, notes)
    for mistake in mistakes:
        if mistake.unknown:
            _advise(kind, mistake)
    return mistakes


@cache
def _of_kind(kind: schema.Kind) -> Check:
    if not kind.type:
        return _custom
    table = simulated(kind)
    if table is None:
        return _plain(schema.Type("#", kind.type))
    return _structure(kind.type, table, "", kind.name)


def _custom(value: Any, notes: Notes) -> list[Mistake]:
    """An object of a kind whose fields nobody published: only its metadata is known."""
    metadata = _plain(schema.Type("#", "meta.v1.ObjectMeta"))
    return _inside("metadata", metadata(value.get("metadata") or {}, notes))


# from types to functions ------------------------------------------------------------------------------


@cache
def _plain(what: schema.Type) -> Check:
    """The function for a type of which nothing is to be noted."""
    if what.code == "#":
        return _structure(what.name, ALL, "", "")
    if what.items is not None:
        return (_list_of if what.code == "[" else _map_of)(_plain(what.items))
    return _SCALARS[what.code]


def _watched(what: schema.Type, table: Table | bool, path: str, kind: str) -> Check:
    """The function for a type of which only what `table` names is simulated."""
    if table is ALL:
        return _plain(what)
    if what.code == "#":
        return _structure(what.name, table, path, kind)
    assert what.items is not None, f"{path} has no fields to choose from"
    return _list_of(_watched(what.items, table, path + "[]", kind))


def _noting(inner: Check, note: str) -> Check:
    def look(value: Any, notes: Notes) -> list[Mistake]:
        if value != {} and value != []:
            notes.ignored[note] = None
        return inner(value, notes)

    return look


def _structure(type_name: str, table: Table | bool, path: str, kind: str) -> Check:
    known = schema.fields(type_name)
    checks: dict[str, Check] = {}  # filled as fields turn up: most types are never needed

    def made(name: str) -> Check:
        where = f"{path}.{name}" if path else name
        if table is ALL:
            return _plain(known[name].type)
        if isinstance(table, dict) and name in table:
            return _watched(known[name].type, table[name], where, kind)
        return _noting(_plain(known[name].type), f"{where} is not simulated ({kind})")

    def look(value: Any, notes: Notes) -> list[Mistake]:
        if not isinstance(value, dict):
            return _wrong("object", value)
        found: list[Mistake] = []
        for name, item in value.items():
            inner = checks.get(name)
            if inner is None:
                if name not in known:
                    found.append(Mistake("", backwards=[name], known=tuple(known)))
                    continue
                inner = checks[name] = made(name)
            if item is None:
                notes.nulls = True
            elif mistakes := inner(item, notes):
                found += _inside(name, mistakes)
        return found

    return look


def _list_of(inner: Check) -> Check:
    def look(value: Any, notes: Notes) -> list[Mistake]:
        if not isinstance(value, list):
            return _wrong("list", value)
        found: list[Mistake] = []
        for index, item in enumerate(value):
            if mistakes := inner(item, notes):
                found += _inside(index, mistakes)
        return found

    return look


def _map_of(inner: Check) -> Check:
    def look(value: Any, notes: Notes) -> list[Mistake]:
        if not isinstance(value, dict):
            return _wrong("object", value)
        found: list[Mistake] = []
        for name, item in value.items():
            if item is None:
                notes.nulls = True
                if inner is _text:
                    notes.null_texts.add(id(value))
            elif mistakes := inner(item, notes):
                found += _inside(name, mistakes)
        return found

    return look


def _inside(name: str | int, mistakes: list[Mistake]) -> list[Mistake]:
    for mistake in mistakes:
        mistake.backwards.append(name)
    return mistakes


# what an unknown field was to be ----------------------------------------------------------------------


def _advise(kind: schema.Kind, mistake: Mistake) -> None:
    """Say what an unknown field was probably to be: another word, or the same word in another place."""
    name = str(mistake.path[-1])
    home = _home(kind, mistake.path)
    mistake.meant = _alike(name, mistake.known, 0.9 if home else 0.7)
    if mistake.meant:
        mistake.hint = f"did you mean {mistake.meant}?"
    elif home is not None:
        mistake.hint = f"{name} belongs in {'.'.join(home)}" if home else f"{name} belongs at the top"


def _alike(name: str, known: tuple[str, ...], cutoff: float) -> str:
    """The field that is spelt most like `name`, or ends in it; empty if none is."""
    lower = {other.lower(): other for other in known}
    close = get_close_matches(name.lower(), lower, n=1, cutoff=cutoff)
    longer = [other for other in lower if len(name) > 3 and other.endswith(name.lower())]
    return lower[(close or longer or [""])[0]] if close or longer else ""


def _home(kind: schema.Kind, path: tuple[str | int, ...]) -> tuple[str, ...] | None:
    """Where a field of this name exists: not far below where it was written, or beside or above it."""
    marked = (f"{part}[]" if isinstance(after, int) else part for part, after in pairwise(path))
    here = tuple(part for part in marked if isinstance(part, str))
    near = []
    for home in _fields_of(kind):
        shared = _shared(here, home[:-1])
        if home[-1] == path[-1] and len(home) - 1 - shared <= (2 if shared == len(here) else 1):
            near.append((-shared, len(home), home[:-1]))
    return min(near)[2] if near else None


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many steps two paths have in common."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


_DEEP = 6  # how far down to look for a field; some types contain themselves


@cache
def _fields_of(kind: schema.Kind) -> tuple[tuple[str, ...], ...]:
    """The paths of all fields of a kind that are not too deep, without its status."""
    found: list[tuple[str, ...]] = []
    todo: list[tuple[tuple[str, ...], str]] = [((), kind.type)]
    for path, type_name in todo:
        for name, known in schema.fields(type_name).items():
            found.append((*path, name))
            inner, step = known.type, name
            while inner.code == "[" and inner.items is not None:
                inner, step = inner.items, step + "[]"
            if inner.code == "#" and len(path) < _DEEP and (*path, name) != ("status",):
                todo.append(((*path, step), inner.name))
    return tuple(found)


# single values ----------------------------------------------------------------------------------------


def _text(value: Any, notes: Notes) -> list[Mistake]:
    return _FINE if isinstance(value, str) else _wrong("string", value)


def _boolean(value: Any, notes: Notes) -> list[Mistake]:
    return _FINE if isinstance(value, bool) else _wrong("boolean", value)


def _integer(code: str) -> Check:
    limit = _RANGE[code]

    def look(value: Any, notes: Notes) -> list[Mistake]:
        if not isinstance(value, int) or isinstance(value, bool):
            return _wrong("integer", value)
        if not -limit <= value < limit:
            return [Mistake(f"{value} does not fit an integer of {limit.bit_length()} bits")]
        return _FINE

    return look


def _number(value: Any, notes: Notes) -> list[Mistake]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _FINE if is_number else _wrong("number", value)


def _integer_or_text(value: Any, notes: Notes) -> list[Mistake]:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return _FINE if isinstance(value, str) else _INTEGER(value, notes)
    return _wrong("integer or string", value)


def _quantity(value: Any, notes: Notes) -> list[Mistake]:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return _wrong("quantity", value)
    text = _quantity_mistake(str(value))
    return [Mistake(text, "such as 250m, 0.5, 64Mi or 2G")] if text else _FINE


@cache
def _quantity_mistake(text: str) -> str:
    try:
        parse_quantity(text)
    except ValueError as error:
        return str(error)
    return ""


def _time(value: Any, notes: Notes) -> list[Mistake]:
    if not isinstance(value, str):
        return _wrong("time", value)
    if _TIME.fullmatch(value):
        return _FINE
    return [Mistake(f'"{value}" is not a time as RFC 3339 has it', "such as 2026-01-31T12:00:00Z")]


def _base64(value: Any, notes: Notes) -> list[Mistake]:
    if not isinstance(value, str):
        return _wrong("string in base64", value)
    try:
        binascii.a2b_base64("".join(value.split()).encode(), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return [Mistake("illegal base64 data", "for plain text in a Secret there is stringData")]
    return _FINE


def _object(value: Any, notes: Notes) -> list[Mistake]:
    return _FINE if isinstance(value, dict) else _wrong("object", value)


def _anything(value: Any, notes: Notes) -> list[Mistake]:
    return _FINE


_INTEGER = _integer("i")
_SCALARS: dict[str, Check] = {
    "s": _text, "b": _boolean, "i": _INTEGER, "l": _integer("l"), "n": _number, "x": _integer_or_text,
    "q": _quantity, "t": _time, "y": _base64, "o": _object, "*": _anything,
}  # fmt: skip


def _wrong(expected: str, value: Any) -> list[Mistake]:
    return [Mistake(f"expected {expected}, found {described(value)}", _remedy(expected, value))]


def described(value: Any) -> str:
    """A value of the wrong type, as a message names it.

    >>> described("three"), described(True), described([1]), described(1.5)
    ('string "three"', 'boolean true', 'list', 'number 1.5')
    """
    if isinstance(value, str):
        return f'string "{value}"' if len(value) < 60 else f'string "{value[:50]}..."'
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"{'integer' if isinstance(value, int) else 'number'} {value}"
    return "null" if value is None else "object" if isinstance(value, dict) else "list"


def _remedy(expected: str, value: Any) -> str:
    if expected == "string" and isinstance(value, bool | int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f'put it in quotes: "{text}"'
    if isinstance(value, str) and expected == "integer" and re.fullmatch("-?[0-9]+", value):
        return f"leave the quotes out: {value}"
    if isinstance(value, str) and expected == "boolean":
        return "write true or false, without quotes"
    if expected == "list" and value is not None:
        return "begin each item of the list with a dash"
    if expected == "object" and isinstance(value, list):
        return "leave the dash out" if len(value) == 1 else ""
    return ""
