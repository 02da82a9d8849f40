"""What `kubectl get` asks, and the objects that answer it.

A question names kinds (by plural, singular or short name, several with commas, or `all`) and perhaps objects,
by name or by label and field selector, in one namespace or all. Lists come in the API's order, that is by
namespace and name: an API server reads them from etcd, whose keys are sorted. (So `get events` is not in the
order of time; it is `kubectl events` that is.) Objects asked for by name come in the order they were asked
for; which of them are missing is part of the answer.
Source: cli-runtime pkg/resource, builder.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from netsim.api import selectors
from netsim.api.objects import Object, key_of, labels_of
from netsim.api.printing import Group
from netsim.api.schema import Kind, by_name, kinds
from netsim.errors import Problem, ScenarioError

ALL = (
    "pods",
    "replicationcontrollers",
    "services",
    "daemonsets.apps",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "horizontalpodautoscalers.autoscaling",
    "cronjobs.batch",
    "jobs.batch",
)
"""The kinds that `all` stands for, in kubectl's order."""


class Objects(Protocol):
    """Where objects are looked up: the API store."""

    def get(self, kind: str, namespace: str, name: str) -> Object | None: ...

    def list(self, kind: str, namespace: str | None = None) -> list[Object]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kind, and the names asked for; without names, all of them."""

    kind: Kind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood."""

    wanted: tuple[Wanted, ...]
    namespace: str = "default"
    all_namespaces: bool = False
    selector: str = ""
    field_selector: str = ""

    @property
    def single(self) -> bool:
        """One object of one kind was asked for by name."""
        return [len(one.names) for one in self.wanted] == [1]


@dataclass(frozen=True, slots=True)
class Answer:
    """The objects by kind, and what the API server says of those that are not there."""

    groups: tuple[Group, ...]
    missing: tuple[str, ...] = ()


def parse_words(words: Sequence[str]) -> tuple[Wanted, ...]:
    """The kinds and names in `pods`, `pods,svc`, `pod web-1 web-2`, `pod/web-1 svc/web`.

    >>> [(one.kind.name, one.names) for one in parse_words(["po/web-1", "svc/web"])]
    [('Pod', ('web-1',)), ('Service', ('web',))]
    """
    if not words:
        raise _mistake("required resource not specified", "say what to get, such as pods or svc/web")
    if any("/" in word for word in words):
        return _merged(Wanted(kind_of(kind), (name,)) for kind, name in map(_pair, words))
    names = tuple(words[1:])
    named = [name for part in words[0].split(",") for name in (ALL if part == "all" else (part,))]
    if names and "all" in words[0].split(","):
        raise _mistake("you may not get a resource by name when listing `all`")
    return _merged(Wanted(kind_of(name), names) for name in named)


def kind_of(word: str) -> Kind:
    """The kind that a word stands for; an unknown one is refused with what would do."""
    found = by_name(word)
    if found is not None:
        return found
    plurals = {name: kind.plural for kind in kinds() for name in (kind.plural, kind.singular)}
    near = dict.fromkeys(plurals[name] for name in get_close_matches(word.lower(), plurals, n=3))
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    raise _mistake(f'the server doesn\'t have a resource type "{word}"', hint)


def check(query: Query) -> None:
    """Refuse what contradicts itself, and selectors that cannot be read."""
    named = any(one.names for one in query.wanted)
    if named and query.all_namespaces:
        raise _mistake("a resource cannot be retrieved by name across all namespaces")
    if named and (query.selector or query.field_selector):
        raise _mistake("name cannot be provided when a selector is specified")
    selectors.parse(query.selector)
    selectors.parse_fields(query.field_selector)


def answer(query: Query, store: Objects) -> Answer:
    """What the store holds of what is asked for."""
    groups, missing = [], []
    for one in query.wanted:
        if one.names:
            found = {name: _named(one.kind, name, query, store) for name in one.names}
            missing += [
                f'{one.kind.resource} "{name}" not found' for name, obj in found.items() if obj is None
            ]
            objects = [obj for obj in found.values() if obj is not None]
        else:
            objects = _listed(one.kind, query, store)
        groups.append(Group(one.kind.name, tuple(objects), one.kind.namespaced))
    return Answer(tuple(groups), tuple(missing))


def _named(kind: Kind, name: str, query: Query, store: Objects) -> Object | None:
    return store.get(kind.name, query.namespace if kind.namespaced else "", name)


def _listed(kind: Kind, query: Query, store: Objects) -> list[Object]:
    namespace = query.namespace if kind.namespaced and not query.all_namespaces else None
    by_label, by_field = selectors.parse(query.selector), selectors.parse_fields(query.field_selector)
    objects = store.list(kind.name, namespace)
    return sorted((obj for obj in objects if by_label(labels_of(obj)) and by_field(obj)), key=_etcd_key)


def _etcd_key(obj: Object) -> tuple[str, str, int, str]:
    """Where an object comes in a list: after its namespace and name.

    Kubernetes names an Event after its object and the time when it came up, so the events of an object
    follow one another in time.
    """
    namespace, name = key_of(obj)
    if obj["kind"] != "Event":
        return namespace, name, 0, ""
    about = (obj.get("involvedObject") or {}).get("name", "")
    first = obj.get("firstTimestamp")
    return namespace, about, (obj.get("eventTime") or 0) if first is None else first, name


def _pair(word: str) -> tuple[str, str]:
    kind, slash, name = word.partition("/")
    if not slash:
        raise _mistake(
            "there is no need to specify a resource type as a separate argument when passing arguments in "
            "resource/name form (e.g. 'get resource/<resource_name>' instead of "
            "'get resource resource/<resource_name>'"
        )
    if not kind or not name or "/" in name:
        raise _mistake(f"arguments in resource/name form may not have more than one slash: {word}")
    return kind, name


def _merged(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Each kind once, where it stood first, with all its names."""
    names: dict[Kind, tuple[str, ...]] = {}
    for one in wanted:
        names[one.kind] = tuple(dict.fromkeys((*names.get(one.kind, ()), *one.names)))
    return tuple(Wanted(kind, listed) for kind, listed in names.items())


def _mistake(message: str, hint: str = "") -> ScenarioError:
    return ScenarioError(Problem(message, hint=hint))
