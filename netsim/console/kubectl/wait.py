"""wait: until a condition holds. Source: kubectl pkg/cmd/wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from netsim.api import jsonpath
from netsim.api.objects import Object
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.verb import ALL_NAMESPACES, FILES, SELECTOR, Verb, shown, targets, time_limit
from netsim.console.output import Failure, Output
from netsim.units import S

if TYPE_CHECKING:
    from netsim.console.session import Lab


def wait(lab: Lab, call: Call, output: Output) -> None:
    """`wait --for=condition=Ready pod/x`."""
    if not call["for"]:
        raise Failure("error: one or more --for conditions are required")
    test, done = _asked(call["for"])
    wanted = targets(lab, call, every=call["all"])
    if not wanted:
        raise Failure("error: no matching resources found")
    limit = time_limit(lab, call, 30 * S)
    for one in wanted:

        def holds() -> bool:
            return test(lab.store.get(one.kind.name, one.namespace, one.name))  # noqa: B023

        first = lab.store.get(one.kind.name, one.namespace, one.name)
        if first is None and done != "deleted":
            lab.api.get(one.kind, one.namespace, one.name)
        if not lab.clock.until(holds, limit):
            raise Failure(f"error: timed out waiting for the condition on {one.kind.plural}/{one.name}")
        if first is not None:
            output.line(f"{shown(first)} {done}")


def _asked(text: str) -> tuple[Callable[[Object | None], bool], str]:
    """What is to hold, and how that is said."""
    kind, _, rest = text.partition("=")
    if text == "delete":
        return lambda obj: obj is None, "deleted"
    if kind == "condition":
        name, _, value = rest.partition("=")
        return lambda obj: _is(obj, name, value or "True"), "condition met"
    if kind == "jsonpath":
        path, _, value = rest.rpartition("=") if not rest.endswith("}") else (rest, "", "")
        return lambda obj: obj is not None and _has(jsonpath.find(path.strip("'"), obj), value), "condition met"
    raise Failure(f'error: unrecognized condition: "{text}"')


def _is(obj: Object | None, name: str, value: str) -> bool:
    found = next(
        (c for c in (obj or {}).get("status", {}).get("conditions", ()) if c["type"].lower() == name.lower()), None
    )
    return found is not None and found["status"].lower() == value.lower()


def _has(values: list[object], value: str) -> bool:
    return bool(values) and (not value or str(values[0]) == value)


VERBS = {
    "wait": Verb(
        "Wait until something holds of objects",
        wait,
        (Flag("for"), Flag("timeout", "duration"), Flag("all", "bool"), SELECTOR, ALL_NAMESPACES, FILES),
        "wait --for=condition=Ready TYPE/NAME",
    )
}
