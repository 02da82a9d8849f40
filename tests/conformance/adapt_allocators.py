"""Cases of kind `allocators`: cluster IPs, node ports, and their bands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from typing import Any

from netsim.topology.allocators import (
    AllocationError,
    AlreadyAllocated,
    Full,
    NodePortAllocator,
    NotInRange,
    ServiceIPAllocator,
)

RANGE = re.compile("(?P<cidr>[0-9a-fA-F.:]+/[0-9]+)|(?P<first>[0-9]+)-(?P<last>[0-9]+)")
ERRORS = {Full: "full", NotInRange: "not_in_range", AlreadyAllocated: "already_allocated"}


def allocators(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A case is a conversation with one allocator, or the question where its bands lie."""
    for case in document["cases"]:
        if "steps" in case:
            yield case["id"], partial(_converse, case["input"], case["steps"])
        else:
            yield case["id"], partial(_band, case["input"], case["expected"])


def _allocator(given: dict[str, Any]) -> Any:
    ranges = (RANGE.fullmatch(value) for value in given.values() if isinstance(value, str))
    found = next(match for match in ranges if match)
    if found["cidr"]:
        return ServiceIPAllocator(found["cidr"])
    return NodePortAllocator(int(found["first"]), int(found["last"]))


def _places(allocator: Any) -> dict[str, Any]:
    """The bands, in the words of the cases."""
    if isinstance(allocator, ServiceIPAllocator):
        ends: tuple[Any, ...] = allocator.band()
    else:
        first = allocator.dynamic_first
        ends = allocator.first, first - 1, first, allocator.last
    if not allocator.offset:  # no static band
        ends = None, None, *ends[2:]
    names = ("static_first", "static_last", "dynamic_first", "dynamic_last")
    return {"offset": allocator.offset, "band_offset": allocator.offset, **dict(zip(names, ends, strict=True))}


def _band(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = _places(_allocator(given))
    assert {key: found[key] for key in expected} == expected


def _converse(given: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    allocator = _allocator(given)
    for number, step in enumerate(steps):
        try:
            found = OPERATIONS[step["op"]](allocator, step, number)
        except AllocationError as error:
            found = {"error": ERRORS[type(error)]}
        for key, wanted in step["expected"].items():
            assert _agrees(found, key, wanted), (step, found)


def _bits(number: int) -> int:
    """Any 64 bits will do: the cases do not say which free value is picked."""
    return (number + 1) * 0x9E3779B97F4A7C15 % 2**64


def _next(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    value = allocator.allocate_next(_bits(number))
    return {_word(allocator): value, "values": [value]}


def _next_times(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    times = step.get("times", allocator.free)
    return {"values": [allocator.allocate_next(_bits(number + k)) for k in range(times)]}


def _take(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    values = _values(allocator, step)
    for value in values:
        allocator.allocate(value)
    return {"values": values}


def _give_back(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    values = _values(allocator, step)
    for value in values:
        allocator.release(value)
    return {"values": values}


def _has(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    found = all(allocator.has(value) for value in _values(allocator, step))
    return {"has": found, "allocated": found}


def _list(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    return {_word(allocator) + "s": list(allocator), "values": list(allocator)}


OPERATIONS = {
    "allocate": _take,
    "allocate_each": _take,
    "allocate_next": _next,
    "allocate_next_times": _next_times,
    "allocate_next_until_full": _next_times,
    "allocate_until_full": _next_times,
    "allocate_all": _next_times,
    "band": lambda allocator, step, number: _places(allocator),
    "counts": lambda allocator, step, number: {"free": allocator.free, "used": allocator.used},
    "has": _has,
    "list": _list,
    "release": _give_back,
    "release_each": _give_back,
}


def _word(allocator: Any) -> str:
    return "ip" if isinstance(allocator, ServiceIPAllocator) else "port"


def _values(allocator: Any, step: dict[str, Any]) -> list[Any]:
    """The values a step names: one, some, or a range."""
    word = _word(allocator)
    if word in step:
        return [step[word]]
    return step[f"{word}s"] if f"{word}s" in step else _range(step["range"])


def _range(ends: list[Any]) -> list[Any]:
    first, last = ends
    if isinstance(first, int):
        return list(range(first, last + 1))
    kind = type(ip_address(first))
    return [str(kind(number)) for number in range(int(ip_address(first)), int(ip_address(last)) + 1)]


def _agrees(found: dict[str, Any], key: str, wanted: Any) -> bool:
    """Whether an answer is what a step expects; some steps only bound it."""
    if key == "ok":
        return ("error" not in found) == wanted
    if "error" in found or key in found:
        mine: Any = found.get(key)
        listed = isinstance(mine, list) and isinstance(wanted, list)
        return sorted(map(str, mine)) == sorted(map(str, wanted)) if listed else mine == wanted
    values = found["values"]
    if key == "exactly_the_range":
        return sorted(map(str, values)) == sorted(map(str, _range(wanted)))
    if "range" in key or key == "within":
        return set(map(str, values)) <= set(map(str, _range(wanted)))
    if "distinct" in key or "unique" in key:
        return (len(set(values)) == len(values)) == wanted
    return key in ("count", "allocated") and len(values) == wanted
