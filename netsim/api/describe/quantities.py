"""Quantities as Kubernetes writes them back, and what pods ask for and may use.

`0.5` of a CPU comes back as `500m`, `1024Mi` as `1Gi`: the largest unit in which the number is whole.
Source: apimachinery pkg/api/resource, CanonicalizeBytes; component-helpers resource, PodRequests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from netsim.api.objects import Object
from netsim.units import parse_quantity

BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")

Quantities = dict[str, tuple[Fraction, bool]]
"""Amounts by resource, and whether each was written in powers of two."""


def quantity_text(value: Any) -> str:
    """A quantity in its canonical form.

    >>> [quantity_text(q) for q in ("0.5", "1024Mi", "2000m", "1500", "110", "0")]
    ['500m', '1Gi', '2', '1500', '110', '0']
    """
    return amount_text(parse_quantity(value), _is_binary(value))


def amount_text(amount: Fraction, binary: bool) -> str:
    """The same for an amount that was computed."""
    if not amount:
        return "0"
    if binary and amount.denominator == 1:
        return _largest(amount, BINARY, 1024)
    return _largest(amount * 10**9, DECIMAL, 1000)


def requests(pod: Object) -> Quantities:
    """What a pod asks for of each resource."""
    return _of_pod(pod, "requests")


def limits(pod: Object) -> Quantities:
    """The most that a pod may use of each resource."""
    return _of_pod(pod, "limits")


def total(amounts: Iterable[Quantities]) -> Quantities:
    """Amounts added up."""
    result: Quantities = {}
    for one in amounts:
        for name, (amount, binary) in one.items():
            had, was_binary = result.get(name, (Fraction(0), binary))
            result[name] = (had + amount, was_binary)
    return result


def qos_class(pod: Object) -> str:
    """How soon the pod is given up when memory is short: by requests and limits of its containers."""
    named = pod.get("status", {}).get("qosClass")
    if named:
        return named
    resources = [container.get("resources") or {} for container in _containers(pod)]
    given = [{**(r.get("limits") or {}), **(r.get("requests") or {})} for r in resources]
    if not any({"cpu", "memory"} & set(one) for one in given):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(r.get("limits") or {})
        and all(
            parse_quantity((r.get("requests") or {}).get(n, r["limits"][n])) == parse_quantity(r["limits"][n])
            for n in ("cpu", "memory")
        )
        for r in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _of_pod(pod: Object, which: str) -> Quantities:
    """The containers together, or the largest init container if that is more; and the pod's overhead."""
    spec = pod["spec"]
    result = total(_given(container, which) for container in spec["containers"])
    for container in spec.get("initContainers") or ():
        for name, (amount, binary) in _given(container, which).items():
            result[name] = (max(amount, result.get(name, (Fraction(0), binary))[0]), binary)
    overhead = {n: (parse_quantity(q), _is_binary(q)) for n, q in (spec.get("overhead") or {}).items()}
    if which == "limits":
        overhead = {name: amount for name, amount in overhead.items() if name in result}
    return total([result, overhead])


def _given(container: Mapping[str, Any], which: str) -> Quantities:
    resources = container.get("resources") or {}
    given = resources.get(which) or {}
    if which == "requests":  # a limit without a request is a request as well
        given = {**(resources.get("limits") or {}), **given}
    return {name: (parse_quantity(value), _is_binary(value)) for name, value in given.items()}


def _containers(pod: Object) -> list[Object]:
    return [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]


def _is_binary(value: Any) -> bool:
    return str(value).endswith("i")


def _largest(amount: Fraction, units: tuple[str, ...], step: int) -> str:
    """The amount, given in the smallest unit, in the largest one that leaves it whole."""
    number = -(-amount.numerator // amount.denominator)  # finer than the smallest unit is rounded up
    for unit in units:
        if number % step or unit == units[-1]:
            return f"{number}{unit}"
        number //= step
    raise AssertionError("the last unit ends the loop")
