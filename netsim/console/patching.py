"""Patches: what a partial object makes of a whole one, in the three ways that kubectl sends them.

A *merge* patch is RFC 7386. A *strategic* one knows Kubernetes' types: lists of objects that have a merge key
are merged by it, lists of texts that are sets are joined, other lists are replaced; null takes away, and
`$patch: delete` or `replace` says so of an object. A *json* patch (RFC 6902) is a list of operations. `apply`
compares three objects: what was applied last, what is applied now, and what is there.
Source: apimachinery pkg/util/strategicpatch, pkg/util/jsonmergepatch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsim.api.objects import merged
from netsim.api.schema import Field, Kind, Type, fields

ANY = Type("*")


class PatchError(ValueError):
    """The patch does not fit the object."""


def patched(obj: Any, patch: Any, how: str, kind: Kind) -> Any:
    """The object with a patch laid over it; `how` is strategic, merge or json."""
    if how == "json":
        return _operated(obj, patch)
    if not isinstance(patch, Mapping):
        raise PatchError("a patch is an object")
    return merged(obj, patch) if how == "merge" or not kind.type else strategic(obj, patch, Type("#", kind.type))


def strategic(obj: Any, patch: Any, what: Type = ANY) -> Any:
    """The same for a strategic patch to a value of a type.

    >>> from netsim.api.schema import find
    >>> pod = Type("#", find("v1", "Pod").type)
    >>> was = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}]}}
    >>> strategic(was, {"spec": {"containers": [{"name": "a", "image": "y"}]}}, pod)
    {'spec': {'containers': [{'name': 'a', 'image': 'y'}, {'name': 'b'}]}}
    """
    if isinstance(patch, Mapping):
        return _map(obj if isinstance(obj, Mapping) else {}, patch, what)
    if isinstance(patch, list) and isinstance(obj, list) and what.merge_key is not None:
        return _list(obj, patch, what)
    return patch


def _map(obj: Mapping[str, Any], patch: Mapping[str, Any], what: Type) -> dict[str, Any]:
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    result = dict(obj)
    if "$retainKeys" in patch:
        result = {name: value for name, value in result.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = strategic(result.get(name), value, inside(what, name))
    return result


def inside(what: Type, name: str) -> Type:
    """The type of a field of a value of that type."""
    if what.code == "{":
        return what.items or ANY
    found: Field | None = fields(what.name).get(name) if what.code == "#" else None
    return found.type if found else ANY


def _list(old: list[Any], patch: list[Any], what: Type) -> list[Any]:
    key, items = what.merge_key, what.items or ANY
    if not key:
        return [*old, *(value for value in patch if value not in old)]
    result = list(old)
    for one in patch:
        if not isinstance(one, Mapping):
            raise PatchError(f"a list that is merged by {key} holds objects")
        if one.get("$patch") == "replace":
            return [item for item in patch if item is not one]
        if key not in one:
            raise PatchError(f"map: {dict(one)} does not contain declared merge key: {key}")
        at = next((n for n, item in enumerate(result) if item.get(key) == one[key]), None)
        if one.get("$patch") == "delete":
            result = [item for item in result if item.get(key) != one[key]]
        elif at is None:
            result.append(strategic({}, one, items))
        else:
            result[at] = strategic(result[at], one, items)
    return result


# apply -------------------------------------------------------------------------------------------------


def applied(last: Any, now: Any, live: Any, what: Type) -> Any:
    """What is there (`live`) with what is applied now, less what was applied last and no longer is.

    >>> applied({"a": 1, "b": 2}, {"a": 3}, {"a": 1, "b": 2, "c": 4}, ANY)
    {'a': 3, 'c': 4}
    """
    if isinstance(now, Mapping):
        live = live if isinstance(live, Mapping) else {}
        last = last if isinstance(last, Mapping) else {}
        result = {name: value for name, value in live.items() if name not in last or name in now}
        for name, value in now.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = applied(last.get(name), value, live.get(name), inside(what, name))
        return result
    if isinstance(now, list) and isinstance(live, list) and what.merge_key is not None:
        return _applied_list(last if isinstance(last, list) else [], now, live, what)
    return now


def _applied_list(last: list[Any], now: list[Any], live: list[Any], what: Type) -> list[Any]:
    key, items = what.merge_key, what.items or ANY
    if not key:
        kept = [value for value in live if value in now or value not in last]
        return [*kept, *(value for value in now if value not in kept)]
    by_key = {one.get(key): one for one in now}
    gone = {one.get(key) for one in last} - by_key.keys()
    before = {one.get(key): one for one in last}
    there = [one.get(key) for one in live]
    result = [
        applied(before.get(one.get(key)), by_key[one.get(key)], one, items) if one.get(key) in by_key else one
        for one in live
        if one.get(key) not in gone
    ]
    return [*result, *(one for one in now if one.get(key) not in there)]


# RFC 6902 -----------------------------------------------------------------------------------------------


def _operated(obj: Any, operations: Any) -> Any:
    if not isinstance(operations, list):
        raise PatchError("a JSON patch is a list of operations")
    for operation in operations:
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path", ""), str):
            raise PatchError("an operation is an object with op, path and value")
        name, path = operation.get("op"), operation.get("path", "")
        parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
        if name == "test":
            if _at(obj, parts) != operation.get("value"):
                raise PatchError(f"testing value {path} failed: test failed")
        elif name in ("add", "replace", "remove") and parts:
            obj = _changed(obj, parts, name, operation.get("value"), path)
        else:
            raise PatchError(f"Unexpected kind: {name}")
    return obj


def _at(value: Any, parts: Sequence[str]) -> Any:
    for part in parts:
        if isinstance(value, list):
            value = value[int(part)] if part.isdecimal() and int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _changed(value: Any, parts: Sequence[str], name: str, new: Any, path: str) -> Any:
    """A copy with one place changed."""
    part, rest = parts[0], parts[1:]
    if isinstance(value, list):
        return _changed_list(value, parts, name, new, path)
    if not isinstance(value, Mapping) or (part not in value and (rest or name != "add")):
        doing = {"add": "add", "replace": "replace", "remove": "remove"}[name]
        raise PatchError(f"{doing} operation does not apply: doc is missing path: {path}: missing value")
    result = dict(value)
    if rest:
        result[part] = _changed(value[part], rest, name, new, path)
    elif name == "remove":
        del result[part]
    else:
        result[part] = new
    return result


def _changed_list(value: list[Any], parts: Sequence[str], name: str, new: Any, path: str) -> list[Any]:
    part, rest = parts[0], parts[1:]
    at = len(value) if part == "-" else int(part) if part.isdecimal() else -1
    if at < 0 or at > len(value) or (at == len(value) and (rest or name != "add")):
        raise PatchError(f"{name} operation does not apply: doc is missing path: {path}: invalid index")
    if rest:
        return [*value[:at], _changed(value[at], rest, name, new, path), *value[at + 1 :]]
    behind = value[at:] if name == "add" else value[at + 1 :]
    return [*value[:at], *([] if name == "remove" else [new]), *behind]
