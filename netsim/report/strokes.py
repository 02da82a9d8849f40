"""Every stroke of every fault: when it struck whom, when it let go, and which changes are about its victims.

A fault tells of its strokes by the changes `fault` and `healed`, whose detail is its name. A stroke that hit nodes or
pods is about these; one that changed a workload is about the pods of that name; any other is about everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netsim.control.corefile import NAMESPACE, SERVICE
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
        """The traffic sources that it may cost something: of a changed workload, those that ask for its pods.

        Whoever is to find a name asks the pods of the cluster's DNS, too.
        """
        if self.owned is None:
            return tuple(recording.sources)
        endpoints = {c.subject for c in recording.changes if c.subject.startswith("endpoint/")}
        parts = (endpoint.split("/") for endpoint in endpoints)
        services = {f"{space}/{name}" for _, space, name, pod in parts if self.owned.fullmatch(f"{space}/{pod}")}
        targets = {traffic.name: parse_target(traffic.target) for traffic in recording.scenario.document.traffic}
        return tuple(name for name in recording.sources if _asks(targets.get(name), services))

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
    """Whether a target is one of these Services (namespace/name), or may be, or needs one to be found."""
    if target is None or target.kind in ("node", "address", "pod"):
        return True
    if target.kind == "dns" and f"{NAMESPACE}/{SERVICE}" in services:
        return True
    name, _, space = target.name.partition(".")
    return f"{target.namespace or space.partition('.')[0] or 'default'}/{name}" in services


Ends = dict[tuple[str, str], list[int]]
"""When each fault (by name) let go of each of those that it had struck."""


def strokes(recording: Recording) -> list[Stroke]:
    """Every stroke of every fault; from changes that do not tell of strokes, each fault's one."""
    document = recording.scenario.document
    found: dict[tuple[str, int], list[str]] = {}
    ends: Ends = {}
    for change in recording.changes:
        if change.kind == "fault":
            found.setdefault((change.detail, change.time), []).append(change.subject)
        elif change.kind == "healed":
            ends.setdefault((change.detail, change.subject), []).append(change.time)
    every = []
    for fault in document.faults:
        own = {at: subjects for (name, at), subjects in found.items() if name == fault.name}
        if not own and fault.at < recording.ended:
            hit = nodes_hit(recording.changes, fault.name, fault.at)
            own = {fault.at: [f"node/{name}" for name in hit]} if hit else {}
            if fault.duration is not None:
                ends |= {(fault.name, f"node/{name}"): [fault.at + fault.duration] for name in hit}
        for at, subjects in own.items():
            healed = _let_go(ends, fault.name, subjects, at)
            victims = tuple(subject for subject in subjects if subject != "nobody")
            every.append(
                Stroke(fault.name, _action(fault), at, healed, healed is None and not _at_once(fault), victims,
                       *_concerned(recording.scenario, victims), _owned(victims))
            )  # fmt: skip
    return sorted(every, key=lambda stroke: stroke.at)


def _let_go(ends: Ends, fault: str, subjects: Iterable[str], at: int) -> int | None:
    """When a stroke had let go of everything that it had hit; another stroke of the fault may still hold others."""
    each = [next((time for time in ends.get((fault, subject), ()) if time >= at), None) for subject in subjects]
    return None if None in each else max(time for time in each if time is not None)


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
