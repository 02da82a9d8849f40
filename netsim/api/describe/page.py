"""The page that `kubectl describe` prints: titled lines, indented parts, aligned at the end.

Source: kubectl pkg/describe, describe.go (PrefixWriter, tabbedString, print...Multiline).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netsim.api.tables.columns import NONE
from netsim.api.tables.layout import PAGE, align

INDENT = "  "
LONGEST = 140
"""An annotation longer than this stands on lines of its own, and they are cut at this length."""

HIDDEN_ANNOTATIONS = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})


class Page:
    """Lines of cells, collected; `str` lays them out."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = []

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in align(self._lines, **PAGE))

    @property
    def tabbed(self) -> str:
        """The page with a tab between cells, as `kubectl rollout history` prints it."""
        return "".join("\t".join(cells) + "\n" for cells in self._lines)

    def line(self, *cells: Any, level: int = 0) -> None:
        """One line; each cell but the last belongs to a column."""
        self._lines.append([INDENT * level + str(cells[0]), *map(str, cells[1:])])

    def many(self, title: str, values: Iterable[Any], level: int = 0) -> None:
        """A titled list, one value a line; `<none>` without any."""
        for number, value in enumerate(list(values) or [NONE]):
            first = f"{INDENT * level}{title}:" if number == 0 else INDENT * level
            self.line(first, value)

    def table(self, headers: tuple[str, ...], rows: Iterable[Iterable[Any]], ruler: bool = True) -> None:
        """A table inside the page, its headers perhaps underlined."""
        self.line(*headers, level=1)
        if ruler:
            self.line(*RULERS.get(headers, tuple("-" * len(header) for header in headers)), level=1)
        for row in rows:
            self.line(*row, level=1)

    def labels(self, title: str, labels: Mapping[str, str] | None, level: int = 0) -> None:
        """Labels in the order of their keys, one a line."""
        self.many(title, (f"{key}={value}" for key, value in sorted((labels or {}).items())), level)

    def annotations(self, title: str, annotations: Mapping[str, str] | None, level: int = 0) -> None:
        """Annotations in the order of their keys; long ones below their key."""
        shown = sorted((k, v) for k, v in (annotations or {}).items() if k not in HIDDEN_ANNOTATIONS)
        if not shown:
            self.many(title, (), level)
        for number, (key, value) in enumerate(shown):
            value = value.removesuffix("\n")
            first = f"{INDENT * level}{title}:" if number == 0 else INDENT * level
            if len(key) + len(value) + 2 <= LONGEST and "\n" not in value:
                self.line(first, f"{key}: {value}")
                continue
            self.line(first, f"{key}:")
            for part in value.split("\n"):
                self.line("", f"{INDENT}{_cut(part)}")


RULERS = {
    # kubectl's own, where it is not the header's length
    ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"): (
        "----",
        "------",
        "-----------------",
        "------------------",
        "------",
        "-------",
    ),
    ("Type", "Reason", "Age", "From", "Message"): ("----", "------", "----", "----", "-------"),
}


def _cut(text: str) -> str:
    limit = LONGEST - 2
    return text if len(text) <= limit else f"{text[:limit]}..."
