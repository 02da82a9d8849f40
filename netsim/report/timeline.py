"""The story of a run: from every change that was recorded to the lines a person reads.

Three things make a story of a log. What happens while the cluster comes up is condensed to when it was done.
Changes of the same kind that follow each other within a second are one line ("4 pods not ready"). And of
all the times that some node programmed its rules, only those count which put an endpoint's change into
effect: which node was first, which was last, because in between the nodes disagree about where pods are.

Every line has two times: since the run began, and since the last thing that was done to the cluster (a
fault, or its end). Pure functions of the changes; the whole log is in the table of changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from netsim.dataplane.history import Change
from netsim.report.effects import Effect, Effects
from netsim.report.moments import GOING
from netsim.report.wording import some
from netsim.units import S

BURST = 1 * S
"""Changes of a kind that follow each other within this time are told as one."""

TURNS = ("fault", "healed", "power-off", "power-on", "link-down", "link-up", "api-down", "api-up")
"""What is done to a cluster, rather than what it does: the second clock starts anew with each."""

_DISTURBANCES = (*TURNS, "node-not-ready", "pod-not-ready", "endpoint-not-ready", "pod-terminating", "pod-collected")
_SILENT = ("pod-listening", "pod-stopped", "programmed")

_WORSE = ("fault", "power-off", "link-down", "api-down")
_TONES = {
    **dict.fromkeys(_WORSE, "fault"),
    **dict.fromkeys(("node-not-ready", "pod-not-ready", "endpoint-not-ready", "taint-added", "sandbox-lost"), "bad"),
    **dict.fromkeys(("leader-lost", "refused"), "bad"),
    **dict.fromkeys(("node-ready", "endpoint-ready", "pod-ready"), "good"),
    **dict.fromkeys(("healed", "power-on", "link-up", "api-up"), "turn"),
}

_PHRASES = {
    "fault": ("{names} struck{why}", "{count} struck{why}: {names}"),
    "healed": ("{names} let go{why}", "{count} let go{why}: {names}"),
    "refused": ("the API server refuses {names}: {details}", "the API server refuses {names}: {details}"),
    "api-down": ("the API server no longer answers{why}", "the API server no longer answers{why}"),
    "api-up": ("the API server answers again", "the API server answers again"),
    "leader-lost": ("no controllers lead any more", "no controllers lead any more"),
    "leader-elected": ("controllers lead again", "controllers lead again"),
    "power-off": ("{names} loses power{why}", "{count} nodes lose power{why}: {names}"),
    "power-on": ("{names} has power again", "{count} nodes have power again: {names}"),
    "booted": ("{names} has booted, its kubelet runs", "{count} nodes have booted: {names}"),
    "node-not-ready": ("{names} is NotReady", "{count} nodes are NotReady: {names}"),
    "node-ready": ("{names} is Ready", "{count} nodes are Ready: {names}"),
    "taint-added": ("{names} tainted {details}", "{count} nodes tainted {details}: {names}"),
    "taint-removed": ("{names} no longer tainted {details}", "{count} nodes no longer tainted {details}: {names}"),
    "pod-created": ("{new}pod {names} created", "{count} {new}pods created: {names}"),
    "sandbox-lost": ("kubelet sees that {names} lost its sandbox", "kubelets see that {count} lost theirs: {names}"),
    "pod-scheduled": ("pod {names} scheduled on {nodes}", "{count} pods scheduled on {nodes}: {names}"),
    "pod-started": ("pod {names} started on {nodes}", "{count} pods started on {nodes}: {names}"),
    "pod-ready": ("pod {names} ready", "{count} pods ready: {names}"),
    "pod-not-ready": ("pod {names} not ready", "{count} pods not ready: {names}"),
    "pod-terminating": ("pod {names} terminating", "{count} pods terminating: {names}"),
    "pod-collected": ("PodGC gives up pod {names}", "PodGC gives up {count} pods: {names}"),
    "pod-deleted": ("pod {names} deleted", "{count} pods deleted: {names}"),
    "endpoint-ready": ("endpoint {names} ready", "{count} endpoints ready: {names}"),
    "endpoint-not-ready": ("endpoint {names} not ready", "{count} endpoints not ready: {names}"),
    "lb-address": ("load balancer {names} has address {details}", "{count} load balancers have addresses"),
    "lb-node-in": ("load balancer sends to {nodes}", "load balancers send to {nodes}"),
    "lb-node-out": ("load balancer no longer sends to {nodes}", "load balancers no longer send to {nodes}"),
    "link-down": ("link {names} down{why}", "{count} links down{why}: {names}"),
    "link-up": ("link {names} up again", "{count} links up again: {names}"),
}  # fmt: skip
"""How one change of a kind is told, and how several."""


_SPOKEN = {"fault": 0, "healed": 1}  # which of a fault's words tell it

Words = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story."""

    time: int  # nanoseconds since the run began
    text: str
    since: int | None = None  # and since the last fault, or the end of one
    until: int | None = None  # the last of the changes it tells, if that was later
    tone: str = "plain"  # fault, turn, bad, good, rules or plain
    kind: str = ""  # of the changes it tells

    def data(self) -> dict[str, object]:
        """The entry as `summary.json` holds it, with times in seconds."""
        times = {"time": self.time, "since": self.since, "until": self.until}
        told = {name: None if time is None else time / S for name, time in times.items()}
        return {**told, "kind": self.kind, "text": self.text}


@dataclass
class _Group:
    """Changes of one kind in a burst."""

    changes: list[Change] = field(default_factory=list)

    @property
    def first(self) -> Change:
        return self.changes[0]

    @property
    def last(self) -> Change:
        return self.changes[-1]


def timeline(
    changes: Sequence[Change], faults: dict[int, str] | None = None, words: Words | None = None
) -> tuple[Entry, ...]:
    """What happened, in order. `faults` names the faults by the time at which they strike.

    `words` says for a fault's name how its beginning and its end are told; a fault without words is told by what it
    changes.

    >>> for entry in timeline([Change(60 * S, "power-off", "node/worker-2", "worker-2")], {60 * S: "crash"}):
    ...     print(entry.time // S, entry.text)
    60 worker-2 loses power (crash)
    """
    changes = _turned([change for change in changes if _is_told(change, words or {})])
    start = next((i for i, change in enumerate(changes) if change.kind in _DISTURBANCES), len(changes))
    entries = [*_arrival(changes[:start])]
    groups = _groups(changes[start:])
    going = next((change.time for change in changes if change.kind in GOING), inf)
    entries += [
        _told(group, faults or {}, going, words or {}) for group in groups if group.first.kind not in _SILENT
    ]
    entries += _programmed(groups, changes)
    turns = sorted({change.time for change in changes if change.kind in TURNS})
    return tuple(_timed(entry, turns) for entry in sorted(entries, key=lambda entry: entry.time))


def _is_told(change: Change, words: Words) -> bool:
    """Whether a fault has words of its own, or hit nobody; everything else is told anyway."""
    if change.kind not in _SPOKEN:
        return True
    return change.subject == "nobody" or bool(words.get(change.detail, ("", ""))[_SPOKEN[change.kind]])


_ON = ("node-ready", "pod-ready", "endpoint-ready")
_OFF = ("node-not-ready", "pod-not-ready", "endpoint-not-ready")


def _turned(changes: Sequence[Change]) -> list[Change]:
    """The changes without those that say again what was so already (a new pod is not ready: no news).

    A pod that is created is a new one, though one of its name was ready before.
    """
    ready: set[str] = set()
    news = []
    for change in changes:
        if change.kind in _ON or change.kind in _OFF:
            if (change.kind in _ON) == (change.subject in ready):
                continue
            ready ^= {change.subject}
        elif change.kind == "pod-created":
            ready.discard(change.subject)
        news.append(change)
    return news


def _timed(entry: Entry, turns: list[int]) -> Entry:
    turn = bisect_right(turns, entry.time)
    return replace(entry, since=entry.time - turns[turn - 1] if turn else None)


def _arrival(changes: Sequence[Change]) -> Iterator[Entry]:
    """When the cluster was up."""
    created = {change.subject for change in changes if change.kind == "pod-created"}
    ready = {change.subject: change.time for change in changes if change.kind == "pod-ready"}
    if ready:
        total = max(len(created), len(ready))
        every = _count(total, "pod") if total == 1 else f"all {total} pods"
        count = every if len(ready) == total else f"{len(ready)} of {total} pods"
        yield Entry(max(ready.values()), f"{count} ready", kind="pod-ready")
    programmed = {change.node: change.time for change in changes if change.kind == "programmed"}
    if programmed:
        yield Entry(
            max(programmed.values()),
            f"rules up to date on {_count(len(programmed), 'node')}",
            kind="programmed",
        )
    yield from (_told(_Group([change]), {}) for change in changes if change.kind == "lb-address")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _groups(changes: Iterable[Change]) -> list[_Group]:
    """Bursts of changes of a kind. A fault, or its end, begins every group anew.

    What is refused again and again, for the same reason, is told once.
    """
    groups: list[_Group] = []
    open_groups: dict[tuple[str, ...], _Group] = {}
    for change in changes:
        if change.kind in TURNS:
            open_groups = {key: group for key, group in open_groups.items() if key[0] in TURNS}
        apart = change.kind.startswith("taint") or change.kind in (*_SPOKEN, "refused")
        key = (change.kind, change.detail) if apart else (change.kind,)
        group = open_groups.get(key)
        if group is None or (change.time - group.last.time > BURST and change.kind != "refused"):
            group = open_groups[key] = _Group()
            groups.append(group)
        group.changes.append(change)
    return groups


def _told(group: _Group, faults: dict[int, str], going: float = inf, words: Words | None = None) -> Entry:
    """A group as a line. A pod that is created after `going` takes the place of another."""
    first, last = group.first, group.last
    names = list(dict.fromkeys(_name(change.subject) for change in group.changes))
    nodes = list(dict.fromkeys(change.node for change in group.changes if change.node))
    one, many = _PHRASES.get(first.kind, (f"{first.kind} {{names}}", f"{first.kind}: {{names}}"))
    fault = (first.detail or faults.get(first.time, "")) if first.kind in _WORSE else ""
    if first.kind in _SPOKEN:
        own = (words or {}).get(first.detail, ("", ""))[_SPOKEN[first.kind]]
        one = many = (own if first.subject != "nobody" else "there is nobody to hit") + "{why}"
    text = (one if len(names) == 1 else many).format(
        names=some(names),
        nodes=some(nodes),
        count=len(names),
        details=", ".join(dict.fromkeys(_short(change.detail) for change in group.changes if change.detail)),
        why=f" ({fault})" if fault else "",
        new="replacement " if first.time >= going else "",
    )
    until = last.time if last.time > first.time else None
    return Entry(first.time, text.strip(), None, until, _TONES.get(first.kind, "plain"), first.kind)


def _name(subject: str) -> str:
    """What a person calls it: the last part, and the namespace where it is not `default`.

    >>> [_name(s) for s in ("pod/default/web-1", "pod/shop/web-1", "endpoint/default/web/web-1", "node/n")]
    ['web-1', 'shop/web-1', 'web-1', 'n']
    >>> _name("link/node-1/switch/zone-a"), _name("dns")
    ('node-1/switch/zone-a', 'dns')
    """
    kind, slash, rest = subject.rstrip("/").partition("/")
    if not slash or kind == "link":
        return rest or kind
    *namespace, name = rest.split("/")
    return f"{namespace[0]}/{name}" if namespace and namespace[0] != "default" else name


def _short(detail: str) -> str:
    """A taint without the domain that all of Kubernetes' own share."""
    return detail.removeprefix("node.kubernetes.io/")


def _programmed(groups: Sequence[_Group], changes: Sequence[Change]) -> Iterator[Entry]:
    """When the nodes acted on each burst of endpoint changes, and when a node that was away caught up."""
    effects = Effects(changes)
    told: set[Effect] = set()
    for group in groups:
        if group.first.kind in ("endpoint-ready", "endpoint-not-ready"):
            effect = effects.of(group.changes)
            if effect and effect not in told:
                told.add(effect)
                yield _rules(effect)
        elif group.first.kind == "booted":
            yield from _caught_up(group, effects)


def _rules(effect: Effect) -> Entry:
    (first, began), (last, ended) = effect[0], effect[-1]
    if len(effect) == 1:
        return Entry(began, f"rules changed on {first}", tone="rules", kind="programmed")
    text = f"rules changed on {len(effect)} nodes, first {first}, last {last}"
    return Entry(began, text, None, ended if ended > began else None, "rules", "programmed")


def _caught_up(booted: _Group, effects: Effects) -> Iterator[Entry]:
    for change in booted.changes:
        time = effects.next(change.node, change.time)
        if time is not None:
            text = f"rules changed on {change.node}: it is up to date again"
            yield Entry(time, text, tone="rules", kind="programmed")
