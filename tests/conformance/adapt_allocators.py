"""Cases of kind `allocators`: cluster IPs, node ports, and their bands."""

from __future__ import annotations

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

ERRORS = {Full: "full", NotInRange: "not_in_range", AlreadyAllocated: "already_allocated"}


def allocators(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A case is a conversation with one allocator, or the question where its bands lie."""
    for case in document["cases"]:
        if "steps" in case:
            yield case["id"], partial(_converse, case["input"], case["steps"])
        else:
            yield case["id"], partial(_band, case["input"], case["expected"])


def _allocator(given: dict[str, Any]) -> Any:
    if "cidr" in given:
        return ServiceIPAllocator(given["cidr"])
    first, last = given["port_range"].split("-")
    return NodePortAllocator(int(first), int(last))


def _places(allocator: Any) -> dict[str, Any]:
    """The bands, in the words of the cases."""
    if isinstance(allocator, ServiceIPAllocator):
        names = ("static_first", "static_last", "dynamic_first", "dynamic_last")
        return {"offset": allocator.offset, "band_offset": allocator.offset,
                **dict(zip(names, allocator.band(), strict=True))}  # fmt: skip
    return {
        "offset": allocator.offset, "band_offset": allocator.offset, "static_first": allocator.first,
        "static_last": allocator.dynamic_first - 1, "dynamic_first": allocator.dynamic_first,
        "dynamic_last": allocator.last,
    }  # fmt: skip


def _band(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = _places(_allocator(given))
    assert {key: found[key] for key in expected} == expected


def _converse(given: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    allocator = _allocator(given)
    for number, step in enumerate(steps):
        expected = step["expected"]
        try:
            found = OPERATIONS[step["op"]](allocator, step, number)
        except AllocationError as error:
            found = {"error": ERRORS[type(error)]}
        assert _agrees(found, expected, allocator), (step, found)


def _bits(number: int) -> int:
    """Any 64 bits will do: the cases do not say which free value is picked."""
    return (number + 1) * 0x9E3779B97F4A7C15 % 2**64


def _next(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    return {_word(allocator): allocator.allocate_next(_bits(number))}


def _next_times(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    values = [allocator.allocate_next(_bits(number + k)) for k in range(step["times"])]
    return {"values": values}


def _take(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    allocator.allocate(step[_word(allocator)])
    return {"ok": True}


def _take_each(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    for value in _range(step["range"]):
        allocator.allocate(value)
    return {"ok": True}


def _give_back(allocator: Any, step: dict[str, Any], number: int) -> dict[str, Any]:
    allocator.release(step[_word(allocator)])
    return {"ok": True}


OPERATIONS = {
    "allocate": _take,
    "allocate_each": _take_each,
    "allocate_next": _next,
    "allocate_next_times": _next_times,
    "allocate_all": lambda allocator, step, number: _next_times(allocator, {"times": allocator.free}, number),
    "band": lambda allocator, step, number: _places(allocator),
    "counts": lambda allocator, step, number: {"free": allocator.free, "used": allocator.used},
    "has": lambda allocator, step, number: {"has": allocator.has(step[_word(allocator)])},
    "list": lambda allocator, step, number: {_word(allocator) + "s": list(allocator)},
    "release": _give_back,
}


def _word(allocator: Any) -> str:
    return "ip" if isinstance(allocator, ServiceIPAllocator) else "port"


def _range(ends: list[Any]) -> list[Any]:
    first, last = ends
    if isinstance(first, int):
        return list(range(first, last + 1))
    kind = type(ip_address(first))
    return [str(kind(number)) for number in range(int(ip_address(first)), int(ip_address(last)) + 1)]


def _agrees(found: dict[str, Any], expected: dict[str, Any], allocator: Any) -> bool:
    """Whether an answer is what a step expects; some steps only bound it."""
    if "exactly_the_range" in expected:
        return sorted(map(str, found["values"])) == sorted(map(str, _range(expected["exactly_the_range"])))
    if expected.get("ok") is True:
        return "error" not in found
    if expected.get("ok") is False:
        return "error" in found
    if "distinct" in expected:
        return len(set(found["values"])) == expected["distinct"]
    for key, value in expected.items():
        mine = found.get(key)
        if isinstance(value, list) and isinstance(mine, list):
            if sorted(map(str, mine)) != sorted(map(str, value)):
                return False
        elif mine != value:
            return False
    return True
