"""Every stroke of every fault: when it struck whom, when it let go, and which changes are about its victims.

A fault tells of its strokes by the changes `fault` and `healed`, whose detail is its name. A stroke that hit nodes or
pods is about these; one that changed a workload is about the pods of that name; any other is about everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.dataplane.history import Change
from netsim.report.moments import victims as nodes_hit
from netsim.traffic import Target, parse_target

if TYPE_CHECKING:
    from netsim.scenario.scenario import Scenario
    from netsim.simulation import Recording


@dataclass(frozen=True)
class Stroke:
    """When a fault struck whom, and when it let go."""

    fault: str
    action: str
    at: int
    healed: int | None
    lasting: bool  # it never let go, and was at work until the end
    victims: tuple[str, ...]
    nodes: frozenset[str]
    pods: frozenset[str]  # as namespace/name
    owned: re.Pattern[str] | None  # what the pods of a workload that was changed are called

    def sources(self, recording: Recording) -> tuple[str, ...]:
        """The traffic sources that it may cost something: of a changed workload, those that ask for its pods."""
        if self.owned is None:
            return tuple(recording.sources)
        endpoints = {c.subject for c in recording.changes if c.subject.startswith("endpoint/")}
        parts = (endpoint.split("/") for endpoint in endpoints)
        services = {f"{space}/{name}" for _, space, name, pod in parts if self.owned.fullmatch(f"{space}/{pod}")}
        targets = {traffic.name: parse_target(traffic.target) for traffic in recording.scenario.document.traffic}
        return tuple(name for name in recording.sources if _asks(targets.get(name), services))

    def again(self, others: Iterable[Stroke], ended: int) -> int:
        """When one of its victims was next struck (if it has none of its own: anybody); or the end of the run."""
        after = (other for other in others if other.at > self.at)
        mine = (o.at for o in after if not (self.nodes or self.pods) or o.nodes & self.nodes or o.pods & self.pods)
        return min(mine, default=ended)

    def concerns(self, change: Change) -> bool:
        """Whether a change is about one of the victims."""
        if not self.nodes and not self.pods and self.owned is None:
            return True
        kind, _, name = change.subject.partition("/")
        if kind == "endpoint":
            namespace, _, pod = name.split("/", 2)
            name = f"{namespace}/{pod}"
        if kind not in ("pod", "endpoint"):
            return change.node in self.nodes
        if self.owned is not None:
            return self.owned.fullmatch(name) is not None
        return change.node in self.nodes or name in self.pods


def _asks(target: Target | None, services: set[str]) -> bool:
    """Whether a target is one of these Services (namespace/name), or may be."""
    if target is None or target.kind in ("node", "address", "pod"):
        return True
    name, _, space = target.name.partition(".")
    return f"{target.namespace or space.partition('.')[0] or 'default'}/{name}" in services


def strokes(recording: Recording) -> list[Stroke]:
    """Every stroke of every fault; from changes that do not tell of strokes, each fault's one."""
    document = recording.scenario.document
    found: dict[tuple[str, int], list[str]] = {}
    ends: dict[str, list[int]] = {}
    for change in recording.changes:
        if change.kind == "fault":
            found.setdefault((change.detail, change.time), []).append(change.subject)
        elif change.kind == "healed" and change.time not in ends.setdefault(change.detail, []):
            ends[change.detail].append(change.time)
    every = []
    for fault in document.faults:
        own = {at: subjects for (name, at), subjects in found.items() if name == fault.name}
        if not own and fault.at < recording.ended:
            hit = nodes_hit(recording.changes, fault.name, fault.at)
            own = {fault.at: [f"node/{name}" for name in hit]} if hit else {}
            ends.setdefault(fault.name, []).extend([] if fault.duration is None else [fault.at + fault.duration])
        for at, subjects in own.items():
            healed = next((time for time in ends.get(fault.name, []) if time >= at), None)
            victims = tuple(subject for subject in subjects if subject != "nobody")
            every.append(
                Stroke(fault.name, _action(fault), at, healed, healed is None and not _at_once(fault), victims,
                       *_concerned(recording.scenario, victims), _owned(victims))
            )  # fmt: skip
    return sorted(every, key=lambda stroke: stroke.at)


def _action(fault: Any) -> str:
    return str(fault.action)


def _at_once(fault: Any) -> bool:
    """Whether it is over as soon as it has struck."""
    return bool(fault.momentary) and fault.duration is None and fault.mttr is None


def _owned(victims: Sequence[str]) -> re.Pattern[str] | None:
    """What the pods of a changed workload are called; None if no workload was changed.

    >>> pattern = _owned(["deployment/default/web"])
    >>> bool(pattern.fullmatch("default/web-77b9c67898-4xk2p")), bool(pattern.fullmatch("default/web-api-1-4xk2p"))
    (True, False)
    """
    kind, _, name = victims[0].partition("/") if len(victims) == 1 else ("", "", "")
    ending = {
        "deployment": "-[a-z0-9]+-[a-z0-9]{5}",
        "replicaset": "-[a-z0-9]{5}",
        "daemonset": "-[a-z0-9]{5}",
        "statefulset": "-[0-9]+",
    }.get(kind)
    return re.compile(re.escape(name) + ending) if ending else None


def _concerned(scenario: Scenario, victims: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The nodes and the pods among the victims; a zone is its nodes."""
    nodes, pods = set(), set()
    for victim in victims:
        kind, _, name = victim.partition("/")
        if kind == "node":
            nodes.add(name)
        elif kind == "pod":
            pods.add(name)
        elif kind == "zone":
            nodes |= {n for g in scenario.document.cluster.nodes if g.zone == name for n in g.names()}
    return frozenset(nodes), frozenset(pods)
