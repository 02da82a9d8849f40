"""Where in a scenario a value stands, and the scenario with another one there.

A path is written as one would say it: `cluster.proxy.minSyncPeriod`, `traffic.0.rate`, or, since whatever
stands in a list has a name, `traffic.inside.rate`. Kubernetes objects are found under `objects` by kind and
name: `objects.Deployment/my-nginx.spec.replicas` (`NAME.NAMESPACE` outside `default`). Names may have dots:
the longest one that fits is meant.

Whether a field exists is not decided here but where the scenario is read, which knows every field.
"""

from __future__ import annotations

from typing import Any

from netsim.errors import Place, Problem, ScenarioError
from netsim.scenario.mistakes import Path, nearest, one_of, shown

OBJECTS = "objects"
"""The list of Kubernetes objects in a scenario's contents."""

_FIXED = {
    "seed": "every variant runs under the same seeds, which --seeds gives",
    "apiVersion": "it says how the file is to be read",
    "kind": "it says what the file is",
    "metadata": "it changes nothing",
    "manifests": f"vary what is in them: {OBJECTS}.KIND/NAME.FIELD",
    "checks": "they change nothing",
}


def located(contents: Any, text: str, place: Place | None = None) -> Path:
    """The steps that a path means in a scenario's contents.

    >>> located({"traffic": [{"name": "inside", "rate": "5/s"}]}, "traffic.inside.rate")
    ('traffic', 0, 'rate')
    """
    parts = text.replace("[", ".").replace("]", "").split(".")
    if "" in parts:
        raise ScenarioError(Problem(f'"{text}" is not a path', place, "write such as cluster.proxy.mode"))
    if parts[0] in _FIXED:
        raise ScenarioError(Problem(f"{parts[0]} cannot be varied: {_FIXED[parts[0]]}", place))
    path: list[str | int] = []
    value = contents
    while parts:
        try:
            step, used = _step(value, parts, path)
        except LookupError as error:
            message, _, hint = str(error.args[0]).partition("; ")
            raise ScenarioError(Problem(message, place, hint)) from None
        value = value[step] if isinstance(step, int) else (value or {}).get(step)
        path.append(step)
        parts = parts[used:]
    return tuple(path)


def changed(contents: Any, path: Path, value: Any) -> Any:
    """The contents with another value at a path; what is not on its way is shared, not copied.

    >>> changed({"a": [{"b": 1}], "c": {}}, ("a", 0, "b"), 2)
    {'a': [{'b': 2}], 'c': {}}
    """
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        return [changed(item, tuple(rest), value) if i == step else item for i, item in enumerate(contents)]
    inside = dict(contents or {})
    inside[step] = changed(inside.get(step), tuple(rest), value)
    return inside


def _step(value: Any, parts: list[str], path: list[str | int]) -> tuple[str | int, int]:
    """One step into a value, and how many parts of the text it took; LookupError says why there is none."""
    where = ".".join(map(str, path))
    if isinstance(value, dict) or value is None:
        if value is None and parts[0].isdigit():
            raise LookupError(f"there are no {where} in this scenario")
        return _longest(parts, value or {}) or (parts[0], 1)
    if not isinstance(value, list):
        raise LookupError(f'{where} is {shown(value)}, which has no field "{parts[0]}"')
    if parts[0].isdigit():
        if int(parts[0]) < len(value):
            return int(parts[0]), 1
        raise LookupError(f"there is no {where}.{parts[0]}; there are {len(value)} of them, from 0")
    names = _object_names(value) if where == OBJECTS else {_name(item): i for i, item in enumerate(value)}
    found = _longest(parts, names) or _longest([part.lower() for part in parts], names)
    if found is None:
        word, known = parts[0], list(names)
        raise LookupError(f'there is no "{word}" in {where}; {nearest(word, known) or one_of(where, word, known)}')
    return names[found[0]], found[1]


def _longest(parts: list[str], names: Any) -> tuple[str, int] | None:
    """The longest name that the first parts make."""
    for used in range(len(parts), 0, -1):
        if (name := ".".join(parts[:used])) in names:
            return name, used
    return None


def _name(item: Any) -> str:
    return str(item.get("name", "")) if isinstance(item, dict) else str(item)


def _object_names(objects: list[Any]) -> dict[str, int]:
    names = {}
    for i, each in enumerate(objects):
        metadata = each["metadata"]
        name = f"{each['kind'].lower()}/{metadata['name']}"
        namespace = metadata.get("namespace", "default")
        names[name if namespace == "default" else f"{name}.{namespace}"] = i
    return names
