"""What the API server says no to, collected: the place in the object, and the message as kubectl prints it.

Source: Kubernetes 1.32, k8s.io/apimachinery/pkg/util/validation/field/errors.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from netsim.api.checking import dotted

Path = tuple[str | int, ...]


class Refusals(list[tuple[Path, str]]):
    """All that is wrong with an object.

    >>> no = Refusals()
    >>> no.invalid(("spec", "replicas"), -1, "must be greater than or equal to 0")
    >>> no.required(("spec", "ports"))
    >>> for path, message in no: print(message)
    spec.replicas: Invalid value: -1: must be greater than or equal to 0
    spec.ports: Required value
    """

    def required(self, path: Path, detail: str = "") -> None:
        """Something must be there."""
        self._say(path, "Required value", detail)

    def invalid(self, path: Path, value: Any, detail: str, key: str | int | None = None) -> None:
        """A value is wrong; `key` narrows the place, which Kubernetes' messages leave at the field."""
        self._say(path, f"Invalid value: {shown(value)}", detail, key)

    def each(self, path: Path, value: Any, details: Iterable[str], key: str | int | None = None) -> None:
        """A value is wrong in as many ways."""
        for detail in details:
            self.invalid(path, value, detail, key)

    def unsupported(self, path: Path, value: Any, allowed: Iterable[str]) -> None:
        """A value is none of those that there are."""
        quoted = ", ".join(f'"{one}"' for one in allowed)
        self._say(path, f"Unsupported value: {shown(value)}", f"supported values: {quoted}")

    def forbidden(self, path: Path, detail: str) -> None:
        """Something may not be set here."""
        self._say(path, "Forbidden", detail)

    def duplicate(self, path: Path, value: Any) -> None:
        """A value that must be unique is there twice."""
        self._say(path, f"Duplicate value: {shown(value)}")

    def not_found(self, path: Path, value: Any) -> None:
        """A name is that of nothing."""
        self._say(path, f"Not found: {shown(value)}")

    def not_negative(self, path: Path, value: Any) -> None:
        """A number may not be below zero."""
        if value is not None and value < 0:
            self.invalid(path, value, "must be greater than or equal to 0")

    def _say(self, path: Path, problem: str, detail: str = "", key: str | int | None = None) -> None:
        at = path if key is None else (*path, key)
        self.append((at, f"{dotted(path)}: {problem}" + (f": {detail}" if detail else "")))


def shown(value: Any) -> str:
    """A value as Go prints it in these messages.

    >>> shown("a"), shown(True), shown(["10.0.0.1"]), shown({"app": "web"})
    ('"a"', 'true', '[]string{"10.0.0.1"}', 'map[string]string{"app":"web"}')
    """
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "[]string{" + ", ".join(map(shown, value)) + "}"
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        pairs = (f"{shown(key)}:{shown(value[key])}" for key in sorted(value))
        return "map[string]string{" + ", ".join(pairs) + "}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
