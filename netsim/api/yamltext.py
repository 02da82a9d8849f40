"""Objects as YAML, in the words of kubectl: the same keys, quotes and line breaks.

kubectl writes with Go's yaml.v2: keys in natural order (`key2` before `key10`), lists not indented, text
in double quotes when it would otherwise be read as something else, and as a `|` block when it has several
lines; lines are folded at 80 columns. PyYAML descends from the same emitter, so only the order and the
quotes are chosen here. Source: sigs.k8s.io/yaml, goyaml.v2 (encode.go, resolve.go, sorter.go).
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any

import yaml

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_BOOL = re.compile(r"y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON|n|N|no|No|NO|false|False|FALSE|off|Off|OFF")
_INT = re.compile(r"[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_OTHER = re.compile(
    r"<<"  # merge
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|\ )[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?"
    r"(?:Z|[-+][0-9]{2}:[0-9]{2})?)?"  # a time
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"  # base 60: 22:22
)
_READ_AS = (
    ("tag:yaml.org,2002:null", _NULL),
    ("tag:yaml.org,2002:bool", _BOOL),
    ("tag:yaml.org,2002:int", _INT),
    ("tag:yaml.org,2002:float", _FLOAT),
    ("tag:yaml.org,2002:merge", _OTHER),
)


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter with Go's choices."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own protocol

    def ignore_aliases(self, data: Any) -> bool:
        return True  # objects share parts; each is written out


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif any(pattern.fullmatch(text) for _, pattern in _READ_AS):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


def _map(dumper: yaml.SafeDumper, value: dict[str, Any]) -> yaml.MappingNode:
    pairs = [(key, value[key]) for key in sorted(value, key=cmp_to_key(natural_order))]
    return dumper.represent_mapping("tag:yaml.org,2002:map", pairs)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _map)
for _tag, _pattern in _READ_AS:
    _Dumper.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern.pattern})\Z"), None)


def to_yaml(value: Any) -> str:
    """A value as kubectl writes it.

    >>> print(to_yaml({"kind": "Pod", "args": ["yes", "10.0.0.1", ""], "a": {}}), end="")
    a: {}
    args:
    - "yes"
    - 10.0.0.1
    - ""
    kind: Pod
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True)


def natural_order(left: str, right: str) -> int:
    """Negative if `left` comes first: digits count as numbers, and signs come before letters.

    >>> sorted(["b", "key10", "key2", "a_b", "aB"], key=cmp_to_key(natural_order))
    ['a_b', 'aB', 'b', 'key2', 'key10']
    """
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one == other:
            continue
        if one.isalpha() or other.isalpha():
            both = one.isalpha() and other.isalpha()
            return (-1 if one < other else 1) if both else (1 if one.isalpha() else -1)
        numbers = [_number(text, place) for text in (left, right)]
        return -1 if (*numbers[0], one) < (*numbers[1], other) else 1
    return len(left) - len(right)


def _number(text: str, place: int) -> tuple[int, int]:
    """The number that begins at `place`, and how many digits it has."""
    digits = re.match(r"[0-9]*", text[place:])
    found = digits[0] if digits else ""
    return int(found or "0"), len(found)
