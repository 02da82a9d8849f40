"""As much of a scenario as could be understood, so that one reading of a file finds every mistake in it.

A file with a mistake in one entry still has others, and their names still have to meet. A draft holds each
part that is right in itself, None where one is not, and the names that a wrong part was going to have.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from netsim.dataplane.serving import Serving
from netsim.faults import Fault
from netsim.fields import Duration
from netsim.scenario.mistakes import Mistake, Path, read_strictly
from netsim.scenario.model import Check, Cluster, ScenarioDocument
from netsim.topology.network import Nodes
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
    groups: tuple[Nodes | None, ...] = ()  # the cluster's nodes, whatever else is wrong with it
    objects: tuple[dict[str, Any], ...] | None = None  # None: not all manifests could be read

    def names(self, part: str) -> list[str | None]:
        """The names of the entries of a part (`traffic`, `faults`), whatever else is wrong with them."""
        entries = self.raw.get(part, []) if isinstance(self.raw, dict) else []
        if not isinstance(entries, list):
            return [None]
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
        return [name if isinstance(name, str) else None for name in names]

    def nodes(self) -> list[str]:
        """The names of all nodes, if all are known."""
        groups = [group for group in self.groups if group is not None]
        return [name for group in groups for name in group.names()] if len(groups) == len(self.groups) else []

    def time(self, *path: str | int) -> int | None:
        """The duration that the file has at `path`, if it is one, whatever else is wrong with what it is part of."""
        return _read(Duration, self._at(path)) if self.wrote(path) else None

    def wrote(self, path: Path) -> bool:
        """Whether the file itself says something at `path`."""
        try:
            self._at(path)
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def _at(self, path: Path) -> Any:
        value = self.raw
        for step in path:
            value = value[step]
        return value


def drafted(raw: Any, document: ScenarioDocument | None, mistakes: Iterable[Mistake]) -> Draft:
    """The draft of a scenario, without objects yet: `document`, or else what of `raw` is right."""
    if document is not None:
        lists = {name: getattr(document, name) for name in LISTS}
        return Draft(raw, document.duration, document.cluster, groups=document.cluster.nodes, **lists)
    known = _without(raw, [mistake.path for mistake in mistakes if mistake.key])
    known = known if isinstance(known, dict) else {}
    default = ScenarioDocument.model_fields["duration"].default
    return Draft(
        raw,
        duration=_read(Duration, known["duration"]) if "duration" in known else default,
        cluster=_read(Cluster, known.get("cluster")),
        groups=tuple(_entries(Cluster, "nodes", known.get("cluster"))),
        **{name: tuple(_entries(ScenarioDocument, name, known)) for name in LISTS},
    )


def _entries(model: type[BaseModel], name: str, raw: Any) -> Iterable[Any]:
    """The entries of a list in a part of a file that `model` describes."""
    kind = get_args(model.model_fields[name].annotation)[0]
    entries = raw.get(name) if isinstance(raw, dict) else None
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
