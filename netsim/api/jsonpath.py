r"""kubectl's JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.

A template is text with actions in braces. An action is a path (fields, `[*]`, indices and slices, unions,
filters `[?(@.x=="y")]`, `..` for every depth), a quoted text, or one of `range PATH` and `end`. A dot
inside a name is written `\.`. A missing field gives nothing; an index outside its list is an error, as in
kubectl. Maps are walked in the order of their names (Go walks them in no order).

Left out: steps in slices (`[::2]`), and what kubectl refuses too: regular expressions (`=~`), and `&&` and
`||` in filters. Source: client-go util/jsonpath, and kubectl's reference page on JSONPath support.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Values = list[Any]
Step = Callable[[Values], Values]


class JsonPathError(ValueError):
    """The template is malformed, or the objects do not have the shape it asks for."""


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text between actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Path:
    """An action that selects values."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """`{range PATH}...{end}`: the body once for each value."""

    path: Path
    body: tuple[Text | Path | Range, ...]


Template = tuple[Text | Path | Range, ...]


def parse(template: str) -> Template:
    """A template, ready to be evaluated any number of times."""
    pieces = _pieces(template)
    parsed, ended = _block(pieces)
    if ended:
        raise JsonPathError("not in range, nothing to end")
    return parsed


def evaluate(template: Template, value: Any) -> str:
    """The text that a template makes of a value.

    >>> pods = {"items": [{"name": "a", "ready": True}, {"name": "b", "ready": False}]}
    >>> evaluate(parse("{.items[*].name}"), pods), evaluate(parse("{.items[?(@.ready==false)].name}"), pods)
    ('a b', 'b')
    """
    return "".join(_evaluated(template, value))


def find(path: str, value: Any) -> Values:
    """The values that one path selects, as `--sort-by` and `wait --for=jsonpath` use it.

    >>> find("{.a.b}", {"a": {"b": 3}})
    [3]
    """
    return [one for node in parse(path) if isinstance(node, Path) for one in _walk(node.steps, value)]


def _evaluated(template: Template, value: Any) -> Iterator[str]:
    for node in template:
        if isinstance(node, Text):
            yield node.text
        elif isinstance(node, Path):
            yield " ".join(_shown(one) for one in _walk(node.steps, value))
        else:
            for one in _walk(node.path.steps, value):
                yield from _evaluated(node.body, one)


def _walk(steps: Iterable[Step], value: Any) -> Values:
    values = [value]
    for step in steps:
        values = step(values)
    return values


def _shown(value: Any) -> str:
    """A value as text: maps and lists as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


# the template ------------------------------------------------------------------------------------------

_ACTION = re.compile(
    r"""\{((?:
        "(?:[^"\\\n]|\\.)*" |
        '(?:[^'\\\n]|\\.)*' |
        [^{}"']
    )*)\}""",
    re.VERBOSE,
)


def _pieces(template: str) -> Iterator[Text | str]:
    """Text and actions, in turn."""
    position = 0
    while position < len(template):
        start = template.find("{", position)
        if start < 0:
            start = len(template)
        if start > position:
            yield Text(template[position:start])
        if start == len(template):
            return
        action = _ACTION.match(template, start)
        if action is None:
            raise JsonPathError("unclosed action")
        yield action[1].strip()
        position = action.end()


def _block(pieces: Iterator[Text | str]) -> tuple[Template, bool]:
    """The nodes up to the end of the template, or to the `end` that closes this range."""
    nodes: list[Text | Path | Range] = []
    for piece in pieces:
        if isinstance(piece, Text):
            nodes.append(piece)
        elif piece == "end":
            return tuple(nodes), True
        elif piece.startswith("range ") or piece == "range":
            body, _ = _block(pieces)  # kubectl, too, lets the template's end close a range
            nodes.append(Range(Path(_steps(piece.removeprefix("range").strip())), body))
        else:
            nodes.append(Path(_steps(piece)))
    return tuple(nodes), False


# one action --------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<root>[$@])
    | (?P<descend>\.\.)
    | \.?\*(?P<every>)
    | (?P<filter>\[\?\()
    | \[(?P<inside>(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*)\]
    | \.?(?P<name>(?:[^\s.,\[\]$@{}'"()=!<>\\]|\\.)+)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<dot>\.)(?=\s|$|\[)
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
_WORDS = {"true": True, "false": False}


def _steps(action: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(action):
        token = _TOKEN.match(action, position)
        if token is None:
            raise JsonPathError(f"unrecognized character in action: {action[position]!r}")
        position = token.end()
        if token.lastgroup == "filter":
            end = _filter_end(action, position)
            steps.append(_filter(action[position:end]))
            position = end + 2
        else:
            steps += _step(token, after_dots=steps[-1:] == [_descend])
    return tuple(steps)


def _step(token: re.Match[str], after_dots: bool) -> list[Step]:
    group, text = token.lastgroup, token[token.lastgroup or 0]
    if group == "descend":
        return [_descend]
    if group == "every":
        return [_every]
    if group == "inside":
        return _inside(text.strip())
    if group == "text":
        return [_literal(unquote(text))]
    if group == "name":
        return [_named(text, bare=not after_dots and not token[0].startswith("."))]
    return []  # a blank, $, @ or a lone dot: the value itself


def _named(text: str, bare: bool) -> Step:
    """A field; without a dot before it, a number or a truth value stands for itself."""
    if bare and _NUMBER.fullmatch(text):
        return _literal(float(text) if "." in text else int(text))
    if bare and text in _WORDS:
        return _literal(_WORDS[text])
    if bare:
        raise JsonPathError(f"unrecognized identifier {text}")
    return _field(re.sub(r"\\(.)", r"\1", text))


def _inside(text: str) -> list[Step]:
    """What stands between brackets: `*`, an index, a slice, a quoted path, or several of these."""
    if text == "*":
        return [_every_item]
    parts = re.findall(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"])+""", text)
    if len(parts) > 1:
        return [_union(tuple(tuple(_inside(part.strip())) for part in parts))]
    if text[:1] in ("'", '"') and len(text) > 1 and text[-1] == text[0]:
        return [_field(re.sub(r"\\(.)", r"\1", name)) for name in re.findall(r"(?:[^.\\]|\\.)+", text[1:-1])]
    bounds = re.fullmatch(r"(-?[0-9]*)(:)?(-?[0-9]*)", text)
    if bounds is None or not text:
        raise JsonPathError(f"invalid array index {text}")
    if not bounds[2]:
        return [_index(int(bounds[1]))]
    return [_slice(*(int(bound) if bound else None for bound in (bounds[1], bounds[3])))]


def unquote(text: str) -> str:
    r"""A quoted text without its quotes, its escapes resolved.

    >>> unquote(r'"a\tb\n"')
    'a\tb\n'
    """
    escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}

    def resolve(match: re.Match[str]) -> str:
        if match[1] not in escapes:
            raise JsonPathError(f"unquote string {text} error invalid syntax")
        return escapes[match[1]]

    return re.sub(r"\\(.)", resolve, text[1:-1])


# steps -------------------------------------------------------------------------------------------------


def _literal(value: Any) -> Step:
    return lambda values: [value for _ in values]


def _field(name: str) -> Step:
    def step(values: Values) -> Values:
        return [value[name] for value in values if isinstance(value, Mapping) and name in value]

    return step


def _children(value: Any) -> Values:
    if isinstance(value, Mapping):
        return [value[name] for name in sorted(value)]
    return list(value) if isinstance(value, list | tuple) else []


def _every(values: Values) -> Values:
    return [child for value in values for child in _children(value)]


def _descend(values: Values) -> Values:
    """Every value at every depth that holds others."""
    found: Values = []
    for value in values:
        children = _children(value)
        if children:
            found += [value, *_descend(children)]
    return found


def _items(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise JsonPathError(f"{_shown(value)} is not array or slice")
    return value


def _every_item(values: Values) -> Values:
    return [item for value in values if value is not None for item in _items(value)]


def _index(index: int) -> Step:
    def step(values: Values) -> Values:
        found = []
        for items in (_items(value) for value in values if value is not None):
            place = index + len(items) if index < 0 else index
            if not 0 <= place < len(items):
                raise JsonPathError(f"array index out of bounds: index {place}, length {len(items)}")
            found.append(items[place])
        return found

    return step


def _slice(start: int | None = None, stop: int | None = None) -> Step:
    return lambda values: [
        item for value in values if value is not None for item in _items(value)[slice(start, stop)]
    ]


def _union(branches: tuple[tuple[Step, ...], ...]) -> Step:
    def step(values: Values) -> Values:
        found: Values = []
        for branch in branches:
            chosen = values
            for one in branch:
                chosen = one(chosen)
            found += chosen
        return found

    return step


# filters -----------------------------------------------------------------------------------------------

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"""((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^!<>="'])+)([!<>=~]+)(.+)""", re.DOTALL)


def _filter_end(action: str, start: int) -> int:
    """Where the `)]` stands that closes a filter."""
    quote = ""
    for place in range(start, len(action)):
        letter = action[place]
        if quote:
            quote = "" if letter == quote and action[place - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif action.startswith(")]", place):
            return place
    raise JsonPathError("unterminated filter")


def _filter(text: str) -> Step:
    if "&&" in text or "||" in text:
        raise JsonPathError(f"a filter makes one comparison, without && and ||: {text}")
    comparison = _COMPARISON.fullmatch(text)
    if comparison is None:
        return _exists(_steps(text))
    if comparison[2] not in _OPERATORS:
        raise JsonPathError(f"unrecognized filter operator {comparison[2]}")
    return _comparing(_steps(comparison[1]), _OPERATORS[comparison[2]], _steps(comparison[3]))


def _exists(steps: tuple[Step, ...]) -> Step:
    return lambda values: [item for value in values for item in _items(value) if _walk(steps, item)]


def _comparing(left: tuple[Step, ...], test: Callable[[Any, Any], bool], right: tuple[Step, ...]) -> Step:
    def passes(item: Any) -> bool:
        lefts, rights = _walk(left, item), _walk(right, item)
        if not lefts or not rights:
            return False
        if len(lefts) > 1 or len(rights) > 1:
            raise JsonPathError("can only compare one element at a time")
        return test(*_comparable(lefts[0], rights[0]))

    return lambda values: [item for value in values for item in _items(value) if passes(item)]


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values of one basic type."""
    for kind in (bool, int | float, str):
        if isinstance(left, kind) and isinstance(right, kind):
            return left, right
    raise JsonPathError("incompatible types for comparison")
