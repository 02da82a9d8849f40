"""As much of a scenario as could be understood, so that one reading of a file finds every mistake in it.

A file with a mistake in one entry still has others, and their names still have to meet. A draft holds each
part that is right in itself, None where one is not, and the names that a wrong part was going to have.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from netsim.dataplane.serving import Serving
from netsim.faults import Fault
from netsim.scenario.mistakes import Mistake, Path, read_strictly
from netsim.scenario.model import Check, Cluster, ScenarioDocument
from netsim.traffic import Traffic

LISTS = ("traffic", "serving", "faults", "checks")


@dataclass(frozen=True)
class Draft:
    """The parts of a scenario; None stands for one that is wrong in itself, or not known."""

    raw: Any  # as the file has it
    duration: int | None
    cluster: Cluster | None
    traffic: tuple[Traffic | None, ...] = ()
    serving: tuple[Serving | None, ...] = ()
    faults: tuple[Fault | None, ...] = ()
    checks: tuple[Check | None, ...] = ()
    objects: tuple[dict[str, Any], ...] | None = None  # None: not all manifests could be read

    def names(self, part: str) -> list[str | None]:
        """The names of the entries of a part (`traffic`, `faults`), whatever else is wrong with them."""
        entries = self.raw.get(part, []) if isinstance(self.raw, dict) else []
        if not isinstance(entries, list):
            return [None]
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
        return [name if isinstance(name, str) else None for name in names]

    def nodes(self) -> list[str]:
        """The names of all nodes, if the cluster is known."""
        return [name for group in self.cluster.nodes for name in group.names()] if self.cluster else []

    def wrote(self, path: Path) -> bool:
        """Whether the file itself says something at `path`."""
        value = self.raw
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return False
        return True


def drafted(raw: Any, document: ScenarioDocument | None, mistakes: Iterable[Mistake]) -> Draft:
    """The draft of a scenario, without objects yet: `document`, or else what of `raw` is right."""
    if document is not None:
        lists = {name: getattr(document, name) for name in LISTS}
        return Draft(raw, document.duration, document.cluster, **lists)
    known = _without(raw, [mistake.path for mistake in mistakes if mistake.key])
    known = known if isinstance(known, dict) else {}
    default = ScenarioDocument.model_fields["duration"].default
    return Draft(
        raw,
        duration=_part("duration", known) if "duration" in known else default,
        cluster=_part("cluster", known),
        **{name: tuple(_entries(name, known)) for name in LISTS},
    )


def _part(name: str, raw: dict[str, Any]) -> Any:
    return _read(ScenarioDocument.model_fields[name].annotation, raw.get(name))


def _entries(name: str, raw: dict[str, Any]) -> Iterable[Any]:
    kind = get_args(ScenarioDocument.model_fields[name].annotation)[0]
    entries = raw.get(name)
    return [_read(kind, entry) for entry in entries] if isinstance(entries, list) else ()


def _read(kind: Any, raw: Any) -> Any:
    try:
        return read_strictly(kind, raw)
    except ValidationError:
        return None


def _without(raw: Any, unknown: Iterable[Path]) -> Any:
    """A copy of `raw` without its unknown fields, which say nothing about those that are known."""
    copy = deepcopy(raw)
    for *path, name in unknown:
        value = copy
        for step in path:
            value = value[step]
        if isinstance(value, dict):
            value.pop(name, None)
    return copy
