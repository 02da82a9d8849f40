"""What a column of `kubectl get` is: a name, and a function from an object to its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object, name_of
from netsim.api.tables.ages import age

NONE = "<none>"
UNSET = "<unset>"
MORE_THAN = 3  # so many of a list are shown, then how many more there are


@dataclass(frozen=True, slots=True)
class View:
    """How the table is looked at: when, and whether at full width."""

    now: int
    wide: bool = False


Cell = Callable[[Object, View], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; a wide one appears with `-o wide` only."""

    name: str
    cell: Cell
    wide: bool = False


def name_cell(obj: Object, view: View) -> str:
    """The object's name."""
    return name_of(obj)


def age_cell(obj: Object, view: View) -> str:
    """How long ago the object was made."""
    return age(obj["metadata"].get("creationTimestamp"), view.now)


NAME = Column("Name", name_cell)
AGE = Column("Age", age_cell)


def field(*path: str, default: Any = "") -> Cell:
    """The cell that shows one field of the object, or `default` where it is missing or empty."""

    def cell(obj: Object, view: View) -> Any:
        value: Any = obj
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return default if value is None or value == "" else value

    return cell


def labels_text(labels: Mapping[str, str] | None) -> str:
    """Labels as `k=v,k=v`.

    >>> labels_text({"run": "web", "app": "a"}), labels_text({})
    ('app=a,run=web', '<none>')
    """
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Mapping[str, Any] | None, empty: str = NONE) -> str:
    """A label selector as kubectl's `-l` would take it.

    >>> selector_text({"matchLabels": {"run": "web"}, "matchExpressions": [
    ...     {"key": "env", "operator": "In", "values": ["b", "a"]}]})
    'env in (a,b),run=web'
    """
    selector = selector or {}
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    terms += [(one["key"], _expression(one)) for one in selector.get("matchExpressions") or ()]
    return ",".join(text for _, text in sorted(terms)) or empty


EXPRESSIONS = {"In": "{0} in ({1})", "NotIn": "{0} notin ({1})", "Exists": "{0}", "DoesNotExist": "!{0}"}


def _expression(expression: Mapping[str, Any]) -> str:
    values = ",".join(sorted(expression.get("values") or ()))
    return EXPRESSIONS[expression["operator"]].format(expression["key"], values)


def first_few(items: Iterable[str], empty: str) -> str:
    """The first three, then how many more there are.

    >>> first_few("abcde", "<none>"), first_few("ab", "<none>"), first_few("", "<none>")
    ('a,b,c + 2 more...', 'a,b', '<none>')
    """
    every = list(items)
    text = ",".join(every[:MORE_THAN])
    more = len(every) - MORE_THAN
    return f"{text} + {more} more..." if more > 0 else text or empty


def host_port(host: str, port: Any) -> str:
    """Address and port, an IPv6 address in brackets.

    >>> host_port("10.0.0.1", 80), host_port("fd00::1", 80)
    ('10.0.0.1:80', '[fd00::1]:80')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
