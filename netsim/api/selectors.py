"""Choosing objects: by labels, as selectors in objects and kubectl's `-l` do, and by fields, as
`--field-selector`.

Source: Kubernetes 1.32, k8s.io/apimachinery/pkg/labels/selector.go, pkg/fields,
component-helpers/scheduling/corev1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.errors import ScenarioError

Labels = Mapping[str, str]


# selectors in objects ---------------------------------------------------------------------------------


def matches_labels(match: Labels | None, labels: Labels | None) -> bool:
    """Whether all of `match` is among the labels. An empty map selects everything.

    >>> matches_labels({"app": "web"}, {"app": "web", "tier": "front"}), matches_labels({"app": "web"}, None)
    (True, False)
    """
    labels = labels or {}
    return all(labels.get(key) == value for key, value in (match or {}).items())


def matches(selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a LabelSelector selects an object with these labels. An empty one selects all, None nothing.

    >>> one_of = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}
    >>> matches(one_of, {"app": "api"})
    True
    >>> matches({}, {"app": "web"}), matches(None, {"app": "web"})
    (True, False)
    """
    if selector is None:
        return False
    labels = labels or {}
    if not matches_labels(selector.get("matchLabels"), labels):
        return False
    rules = selector.get("matchExpressions")
    return not rules or all(_of_rule(rule).matches(labels) for rule in rules)


def matches_node_term(term: Mapping[str, Any], labels: Labels | None, name: str = "") -> bool:
    """Whether one term of a node selector selects a node. A term without rules selects no node.

    >>> large = {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["4"]}]}
    >>> matches_node_term(large, {"cores": "8"})
    True
    >>> called = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}
    >>> matches_node_term(called, {}, "b")
    False
    """
    rules, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not rules and not fields:
        return False
    by_field = {"metadata.name": name}
    if any(len(rule.get("values") or ()) != 1 for rule in fields):
        return False  # a field is compared with exactly one value
    return all(_of_rule(rule).matches(labels or {}) for rule in rules) and all(
        _of_rule(rule).matches(by_field) for rule in fields
    )


def matches_node_selector(selector: Mapping[str, Any] | None, labels: Labels | None, name: str = "") -> bool:
    """Whether any term of a node selector selects a node. Without a selector every node is selected."""
    if selector is None:
        return True
    return any(matches_node_term(term, labels, name) for term in selector.get("nodeSelectorTerms") or ())


# one requirement --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that is asked of the labels."""

    key: str
    operator: str  # In, NotIn, Exists, DoesNotExist, Gt, Lt
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Whether labels meet it. NotIn is met by an object without the label, Gt and Lt are not."""
        value = labels.get(self.key)
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        if self.operator == "Exists":
            return value is not None
        if self.operator == "DoesNotExist":
            return value is None
        if value is None or len(self.values) != 1:
            return False
        one, other = _whole(value), _whole(self.values[0])
        if one is None or other is None:
            return False
        return one > other if self.operator == "Gt" else self.operator == "Lt" and one < other


def _of_rule(rule: Mapping[str, Any]) -> Requirement:
    return Requirement(rule.get("key", ""), rule.get("operator", ""), tuple(rule.get("values") or ()))


def _whole(text: str) -> int | None:
    """A decimal 64-bit integer."""
    number = int(text) if re.fullmatch("[-+]?[0-9]{1,19}", text) else 2**63
    return number if -(2**63) <= number < 2**63 else None


# kubectl's -l -----------------------------------------------------------------------------------------

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUALITY = re.compile(rf"({_KEY})\s*(==|=|!=|>|<)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_OPERATORS = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt", "in": "In", "notin": "NotIn"}


@dataclass(frozen=True, slots=True)
class Selector:
    """Several requirements, all of which must be met. It is called with labels."""

    requirements: tuple[Requirement, ...] = ()

    def __call__(self, labels: Labels | None) -> bool:
        labels = labels or {}
        return all(one.matches(labels) for one in self.requirements)


def parse(text: str) -> Selector:
    """What kubectl's `-l` asks for; a predicate over labels.

    >>> wanted = parse("app=web,tier in (front, back),!old")
    >>> wanted({"app": "web", "tier": "back"}), wanted({"app": "web", "tier": "back", "old": ""})
    (True, False)
    """
    parts = [part.strip() for part in _split(text)]
    return Selector(tuple(_parsed(part) for part in parts if part or len(parts) > 1))


def _split(text: str) -> Iterable[str]:
    """The parts between the commas that are not in brackets."""
    return re.split(r",(?![^()]*\))", text)


def _parsed(part: str) -> Requirement:
    if match := _SET.fullmatch(part):
        values = tuple(value.strip() for value in match[4].split(","))
        if all(re.fullmatch(_VALUE, value) for value in values):
            return Requirement(match[1], _OPERATORS[match[3]], values)
    elif match := _EQUALITY.fullmatch(part):
        if match[3] not in "<>" or _whole(match[4]) is not None:
            return Requirement(match[1], _OPERATORS[match[3]], (match[4],))
    elif match := _EXISTS.fullmatch(part):
        return Requirement(match[2], "DoesNotExist" if match[1] else "Exists")
    raise ScenarioError(
        f'unable to parse requirement: "{part}" is not a label selector;'
        " write app=web, app!=web, app in (web,api), app or !app, separated by commas"
    )


# kubectl's --field-selector ---------------------------------------------------------------------------


def parse_fields(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """What kubectl's `--field-selector` asks for: a predicate over objects. A missing field is empty.

    >>> running = parse_fields("status.phase=Running,spec.nodeName!=a")
    >>> running({"spec": {"nodeName": "b"}, "status": {"phase": "Running"}})
    True
    """
    rules = tuple(_field_rule(part.strip()) for part in text.split(",") if part.strip())

    def selects(obj: Mapping[str, Any]) -> bool:
        return all((field_text(obj, path) == value) is equal for path, value, equal in rules)

    return selects


def _field_rule(part: str) -> tuple[tuple[str, ...], str, bool]:
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9.]*?)\s*(==|=|!=)\s*(.*)", part)
    if match is None:
        raise ScenarioError(
            f'invalid selector: "{part}"; write status.phase=Running or spec.nodeName!=node-1'
        )
    return tuple(match[1].split(".")), match[3], match[2] != "!="


def field_text(obj: Mapping[str, Any], path: tuple[str, ...]) -> str:
    """A field of an object as text; empty if it is not there.

    >>> field_text({"spec": {"unschedulable": True}}, ("spec", "unschedulable"))
    'true'
    """
    value: Any = obj
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, Mapping | list) else str(value)
