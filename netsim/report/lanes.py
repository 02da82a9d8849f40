"""The state of the cluster as lanes: for every node and pod, what it was, from when to when.

What matters is where belief and truth part. A node without power, or one that boots, that the API still calls Ready
is `unnoticed`, one that another fault has struck is `struck` until it is called NotReady; an endpoint that is listed
although no program listens (any more, or yet) is `stale`: whoever is sent there is lost. Pure functions of the
changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from netsim.dataplane.history import Change

LANES = 24
"""So many lanes fit in a figure; those in which something happens come first."""


@dataclass(frozen=True, slots=True)
class Span:
    """A state, and from when to when it lasted."""

    begin: int
    end: int
    state: str


@dataclass(frozen=True)
class Lane:
    """A node or a pod through the run."""

    name: str
    kind: str  # node or pod
    spans: tuple[Span, ...]
    node: str = ""  # of a pod: where it is
    marks: tuple[int, ...] = ()  # of a node: when its kube-proxy changed its rules


@dataclass
class _State:
    """What is so of a node or a pod, and since when it has been shown so."""

    facts: set[str] = field(default_factory=set)
    node: str = ""
    spans: list[Span] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    shown: str = ""
    since: int = 0

    def show(self, state: str, now: int) -> None:
        if state != self.shown:
            if self.shown and now > self.since:
                self.spans.append(Span(self.since, now, self.shown))
            self.shown, self.since = state, now


_FACTS: dict[str, tuple[str, bool]] = {
    "power-off": ("off", True),
    "booted": ("off", False),
    "node-not-ready": ("not ready", True),
    "node-ready": ("not ready", False),
    "pod-created": ("exists", True),
    "pod-deleted": ("exists", False),
    "pod-listening": ("listens", True),
    "pod-stopped": ("listens", False),
    "pod-ready": ("ready", True),
    "pod-not-ready": ("ready", False),
    "pod-terminating": ("terminating", True),
}
"""What a change makes true or false of its subject.

Endpoints are counted apart, and so are the faults that have struck: there may be several.
"""


def node_state(facts: set[str]) -> str:
    """What a node is.

    >>> node_state({"off"}), node_state({"off", "not ready"}), node_state({"not ready"}), node_state(set())
    ('unnoticed', 'off', 'not ready', 'ready')
    >>> node_state({"struck f"}), node_state({"struck f", "off"}), node_state({"struck f", "not ready"})
    ('struck', 'unnoticed', 'not ready')
    """
    if "off" in facts:
        return "off" if "not ready" in facts else "unnoticed"
    if "not ready" in facts:
        return "not ready"
    return "struck" if any(fact.startswith("struck") for fact in facts) else "ready"


def pod_state(facts: set[str]) -> str:
    """What a pod is; nothing if it does not exist.

    >>> pod_state({"exists", "endpoint", "listens"}), pod_state({"exists", "endpoint"}), pod_state({"exists"})
    ('serving', 'stale', 'starting')
    """
    if "exists" not in facts:
        return ""
    if any(fact.startswith("endpoint") for fact in facts):
        return "serving" if "listens" in facts else "stale"
    if "terminating" in facts:
        return "terminating"
    if "served" in facts:
        return "out"
    return "ready" if "ready" in facts else "starting"


def lanes(changes: Iterable[Change], nodes: Sequence[str], ended: int) -> tuple[Lane, ...]:
    """Every node's lane, in the cluster's order, then that of every pod that was ever an endpoint."""
    of_nodes = {name: _State(shown="ready") for name in nodes}
    of_pods: dict[str, _State] = {}
    for change in changes:
        kind, _, rest = change.subject.partition("/")
        if kind == "node" and rest in of_nodes:
            _apply(of_nodes[rest], change, node_state)
        elif kind == "pod":
            _apply(of_pods.setdefault(rest, _State()), change, pod_state)
        elif kind == "endpoint" and not rest.endswith("/"):  # an endpoint without a pod has no lane
            namespace, service, pod = rest.split("/")
            state = of_pods.setdefault(f"{namespace}/{pod}", _State())
            state.facts.add("served")
            _set(state.facts, f"endpoint {service}", change.kind == "endpoint-ready")
            state.show(pod_state(state.facts), change.time)
    found = [_finished(name, "node", state, ended) for name, state in of_nodes.items()]
    found += [
        _finished(name, "pod", state, ended) for name, state in of_pods.items() if "served" in state.facts
    ]
    return tuple(found)


def _apply(state: _State, change: Change, shown: Callable[[set[str]], str]) -> None:
    if change.kind == "programmed":
        state.marks.append(change.time)
    if change.kind == "pod-scheduled":
        state.node = change.node
    if change.kind == "pod-created":
        state.facts.clear()
    if change.kind in ("fault", "healed", "power-off"):  # a fault that cuts the power has done what it does
        _set(state.facts, f"struck {change.detail}", change.kind == "fault")
    if change.kind in _FACTS:
        _set(state.facts, *_FACTS[change.kind])
    if change.kind in ("fault", "healed", *_FACTS):
        state.show(shown(state.facts), change.time)


def _set(facts: set[str], fact: str, true: bool) -> None:
    if true:
        facts.add(fact)
    else:
        facts.discard(fact)


def _finished(name: str, kind: str, state: _State, ended: int) -> Lane:
    state.show("", ended)
    return Lane(name, kind, tuple(state.spans), state.node, tuple(state.marks))


def chosen(every: Sequence[Lane], most: int = LANES) -> tuple[Lane, ...]:
    """The lanes that fit: as they come if all do, else those in which something broke before the others."""
    if len(every) <= most:
        return tuple(every)
    eventful = sorted(every, key=lambda lane: not any(span.state in _EVENTFUL for span in lane.spans))
    kept = {id(lane) for lane in eventful[:most]}
    return tuple(lane for lane in every if id(lane) in kept)


_EVENTFUL = ("unnoticed", "struck", "off", "not ready", "stale", "out", "terminating")
