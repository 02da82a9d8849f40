"""YAML as version 1.2 has it: text to nodes that know their place, and nodes to plain data.

By its core schema text stays text: `no`, `on`, `22:22` and `2024-01-01` are what they look like. A key that
is given twice is an error. What could hurt is refused: very deep nesting, and aliases that unfold into far
more than was written. Nothing but plain data is ever built.

Left out: merge keys (`<<`), which YAML 1.2 does not have, tags of one's own, and keys that are not text.
Source: yaml.org/spec/1.2.2, section 10.3.2. The parser is libyaml, by way of PyYAML.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from netsim.api.yaml_mistakes import MAX_DEPTH, TEMPLATE, explained
from netsim.errors import Place, Problem, ScenarioError

SPARE_VALUES = 100_000  # values that aliases may add to those that were written
LONGEST_LINE = 500  # characters; of longer lines messages show a piece
AROUND = 40  # characters of it on either side of the place that is meant

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Source:
    """The text of a file."""

    text: str
    file: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return _LINE_END.split(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins in the text."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def line_of(self, at: int) -> tuple[int, int]:
        """Line and column of a character, both from zero."""
        line = bisect_right(self.starts, at) - 1
        return line, at - self.starts[line]

    def place(self, line: int, column: int) -> Place:
        """A place by line and column, both from zero. What is shown of the line keeps its columns."""
        text = self.lines[line] if line < len(self.lines) else ""
        cut = max(0, column - AROUND) if len(text) > LONGEST_LINE else 0
        piece = text[cut : column + AROUND] if len(text) > LONGEST_LINE else text
        shown = _UNSHOWABLE.sub("\ufffd", piece.replace("\t", " "))
        return Place(self.file, line + 1, column + 1, shown, cut)

    def place_of(self, node: Node) -> Place:
        """Where a node begins."""
        return self.place(node.start_mark.line, node.start_mark.column)


# text to nodes ----------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"
_STR, _MAP, _SEQ = _TAG + "str", _TAG + "map", _TAG + "seq"
_CORE = re.compile(
    r"(?P<null>null|Null|NULL|~|)$"
    r"|(?P<bool>true|True|TRUE|false|False|FALSE)$"
    r"|(?P<int>[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"
    r"|(?P<float>[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
)
_MAYBE_CORE = frozenset("0123456789+-.~nNtTfF") | {""}  # how something that is not text can begin


class TooDeep(Exception):
    """There is more nesting than a parser in C can survive."""

    def __init__(self, node: Node | None) -> None:
        self.node = node


class _CoreResolver:
    """Gives values their tags by the core schema, and watches the depth."""

    depth = 0

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> str:
        if kind is ScalarNode:
            if implicit[0] and value[:1] in _MAYBE_CORE and (match := _CORE.match(value)):
                return _TAG + str(match.lastgroup)
            return _STR
        return _MAP if kind is MappingNode else _SEQ

    def descend_resolver(self, node: Node | None, index: Any) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:
            raise TooDeep(node)

    def ascend_resolver(self) -> None:
        self.depth -= 1


@cache
def loader(pure: bool = False) -> Any:
    """The class that turns text into nodes: libyaml's if PyYAML has it, else PyYAML's own."""
    if not pure and yaml.__with_libyaml__:
        from yaml import _yaml

        return type("CLoader", (_CoreResolver, _yaml.CParser), {"dispose": lambda self: None})
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureLoader(_CoreResolver, Reader, Scanner, Parser, Composer):
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)

    return PureLoader


def nodes(source: Source) -> Iterator[Node]:
    """The root of each document; a mistake in the syntax becomes a problem with its place."""
    try:
        parser = loader()(source.text)
        while parser.check_node():
            yield parser.get_node()
    except TooDeep as deep:
        place = source.place_of(deep.node) if deep.node is not None else None
        raise ScenarioError(Problem(f"nested deeper than {MAX_DEPTH} levels", place)) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        message, (line, column), hint = explained(error, source.text)
        raise ScenarioError(Problem(message, source.place(line, column), hint)) from None


def reread(text: str) -> Node | None:
    """The root of the first document in a text that was read before; None for JSON that YAML cannot read."""
    try:
        parser = loader()(text)
        return parser.get_node() if parser.check_node() else None
    except (yaml.YAMLError, TooDeep, UnicodeEncodeError):
        return None


# nodes to data ----------------------------------------------------------------------------------------


def build(root: Node, source: Source, problems: list[Problem], repeated: list[Problem]) -> Any:
    """The data of a document; what must not be in it goes to `problems`, keys that are given twice to `repeated`.

    Of such keys the first one counts.
    """
    return _Builder(source, problems, repeated).value(root)


class _Builder:
    def __init__(self, source: Source, problems: list[Problem], repeated: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.again = repeated
        self.left = len(source.text) + SPARE_VALUES  # values that may still be built

    def value(self, node: Any, depth: int = 0) -> Any:
        kind = node.__class__
        if kind is ScalarNode:
            return node.value if node.tag == _STR else self.scalar(node)
        self.left -= len(node.value)
        if self.left < 0 or depth > MAX_DEPTH:
            raise ScenarioError(self.bomb(node, depth))
        if kind is MappingNode and node.tag == _MAP:
            return self.mapping(node, depth)
        if kind is SequenceNode and node.tag == _SEQ:
            return [self.value(item, depth + 1) for item in node.value]
        return self.strange(node)

    def mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value
            if key.tag != _STR or key.__class__ is not ScalarNode:
                self.strange_key(key)
            elif name in values:
                self.repeated(node, key)
            elif name == "<<" and key.style not in ("'", '"'):
                self.problem("merge keys (<<) are not part of YAML 1.2", key, "write the fields out")
            else:
                values[sys.intern(name)] = self.value(value, depth + 1)
        return values

    def scalar(self, node: ScalarNode) -> Any:
        tag, text = node.tag.removeprefix(_TAG), node.value
        if tag not in _BUILD:
            return self.strange(node)
        try:
            return _BUILD[tag](text)
        except (ValueError, KeyError):
            return self.problem(f"{text[:40]!r} is not of the type !!{tag}", node)

    # what must not be there

    def problem(self, message: str, node: Node, hint: str = "") -> None:
        self.problems.append(Problem(message, self.source.place_of(node), hint))

    def strange(self, node: Node) -> None:
        tag = node.tag.replace(_TAG, "!!")
        self.problem(
            f"the tag {tag} is not known here", node, "only plain data can be read: leave the tag out"
        )

    def strange_key(self, key: Node) -> None:
        if isinstance(key, MappingNode):
            self.problem("a key must be text, found a map", key, TEMPLATE)
        elif isinstance(key, SequenceNode):
            self.problem("a key must be text, found a list", key)
        else:
            message = f"a key must be text, found {key.value or 'nothing'}"
            self.problem(message, key, f'put it in quotes: "{key.value}"')

    def repeated(self, node: MappingNode, again: ScalarNode) -> None:
        first = next(key for key, _ in node.value if key.value == again.value)
        message = f'key "{again.value}" is already set in this map'
        place, hint = self.source.place_of(again), f"first at {self.source.place_of(first)}"
        self.again.append(Problem(message, place, hint))

    def bomb(self, node: Node, depth: int) -> Problem:
        place = self.source.place_of(node)
        if _contains_itself(node):
            message = "an alias in here stands for something that contains it"
            return Problem(message, place, "remove the alias")
        if depth > MAX_DEPTH:
            return Problem(f"with its aliases unfolded, this is nested deeper than {MAX_DEPTH} levels", place)
        message = "aliases unfold into far more values than are written"
        return Problem(message, place, "write fewer aliases of aliases")


def _contains_itself(root: Node) -> bool:
    """Whether following the nodes below `root` can go round for ever."""
    above: set[int] = set()
    done: set[int] = set()

    def visit(node: Node) -> bool:
        if not isinstance(node, CollectionNode) or id(node) in done:
            return False
        if id(node) in above:
            return True
        above.add(id(node))
        inside = (value for _, value in node.value) if isinstance(node, MappingNode) else node.value
        found = any(visit(item) for item in inside)
        above.discard(id(node))
        done.add(id(node))
        return found

    return visit(root)


def _integer(text: str) -> int:
    if len(text) > 400:
        raise ValueError(text)
    return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_BUILD: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda text: {"null": None, "~": None, "": None}[text.lower()],
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": _integer,
    "float": _real,
}
