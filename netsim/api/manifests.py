"""Kubernetes manifests: documents in, checked objects out, every mistake in them reported at once.

What `kubectl apply` and the API server would refuse is refused here, in their words and with the place in
the file. What they would take but netsim does not simulate is taken, and listed once. Objects stay as they
were written, except that a List becomes its items, a namespaced object without a namespace is in `default`,
a field that is null is left out, which means the same, and what the API server sets itself on new objects
is left out, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from netsim.api import schema, validation
from netsim.api.advice import hint_for_field, hint_for_refusal
from netsim.api.checking import Mistake, Notes, check, described
from netsim.api.documents import Document, Path
from netsim.api.simulated import SERVER_SET, simulated
from netsim.errors import Place, Problem, ScenarioError

Object = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where an object was written: a document, and the path in it if it came in a List."""

    document: Document
    path: Path = ()

    def place(self, path: Path = (), key: bool = False) -> Place:
        """The place of what is at `path` in the object."""
        return self.document.place(self.path + path, key)


@dataclass(frozen=True)
class Manifests:
    """The objects of some manifests, where they were written, and what of them is not simulated."""

    objects: tuple[Object, ...]
    ignored: tuple[str, ...] = ()
    places: tuple[Origin, ...] = field(default=(), repr=False, compare=False)

    def place(self, index: int, path: Path = (), key: bool = False) -> Place:
        """Where the value at `path` of the object with that index stands, or its key."""
        return self.places[index].place(path, key)


def load_manifests(
    documents: Iterable[Document],
    *,
    service_cidrs: tuple[str, ...] = validation.SERVICE_CIDRS,
    node_ports: tuple[int, int] = validation.NODE_PORTS,
    version: str = validation.Ranges.version,
) -> Manifests:
    """The objects in these documents, for a cluster of that release; ScenarioError with all that is wrong with them."""
    documents = list(documents)
    reading = _Reading(validation.Ranges(service_cidrs, node_ports, version), documents)
    written = [one for document in documents for one in reading.flattened(Origin(document), document.value)]
    reading.learn_custom_kinds(obj for _, obj in written)
    for origin, obj in written:
        reading.read(origin, obj)
    reading.compare()
    if reading.problems:
        raise ScenarioError(reading.problems)
    return Manifests(tuple(reading.objects), tuple(reading.notes.ignored), tuple(reading.origins))


class _Reading:
    """One load: what was read so far, and what was wrong with it."""

    def __init__(self, ranges: validation.Ranges, documents: list[Document]) -> None:
        self.ranges = ranges
        self.order = {id(document): number for number, document in enumerate(documents)}
        self.objects: list[Object] = []
        self.origins: list[Origin] = []
        self.found: list[tuple[int, Problem]] = []  # with the number of the document
        self.notes = Notes()
        self.seen: dict[tuple[str, ...], Origin] = {}
        self.custom: dict[tuple[str, str], schema.Kind] = {}

    @property
    def problems(self) -> list[Problem]:
        """All that was wrong, in the order in which it was written."""

        def order(found: tuple[int, Problem]) -> tuple[int, int, int]:
            place = found[1].place
            return (found[0], place.line, place.column) if place else (found[0], 0, 0)

        return [problem for _, problem in sorted(self.found, key=order)]

    def problem(self, origin: Origin, path: Path, message: str, hint: str = "", key: bool = False) -> None:
        number = self.order[id(origin.document)]
        hint = origin.document.as_written(hint, origin.path + path)
        self.found.append((number, Problem(message, origin.place(path, key), hint)))

    def flattened(
        self, origin: Origin, value: Any, kind: schema.Kind | None = None
    ) -> Iterator[tuple[Origin, Object]]:
        """The objects in a value: itself, or its items if it is a list, which need not say their `kind`."""
        if not isinstance(value, dict):
            self.problem(origin, (), f"expected a Kubernetes object, found {described(value)}")
            return
        if kind is not None:
            value = {"apiVersion": kind.api_version, "kind": kind.name, **value}
        if not _is_list(value):
            yield origin, value
            return
        for name in sorted(value.keys() - {"apiVersion", "kind", "metadata", "items"}):
            self.problem(origin, (name,), f'unknown field "{name}"', key=True)
        if not isinstance(value.get("items") or [], list):
            self.problem(origin, ("items",), f"items: expected list, found {described(value['items'])}")
            return
        kind = schema.find(value["apiVersion"], value["kind"].removesuffix("List"))
        for index, item in enumerate(value.get("items") or []):
            yield from self.flattened(Origin(origin.document, (*origin.path, "items", index)), item, kind)

    def learn_custom_kinds(self, objects: Iterable[Object]) -> None:
        """The kinds that CustomResourceDefinitions among the objects bring."""
        for obj in objects:
            if obj.get("kind") == "CustomResourceDefinition" and isinstance(spec := obj.get("spec"), dict):
                for kind in _defined(spec):
                    self.custom[kind.api_version, kind.name] = kind

    def read(self, origin: Origin, obj: Object) -> None:
        """Look one object over; keep it."""
        kind = self.kind_of(origin, obj)
        if kind is None:
            return
        self.notes.nulls = False
        mistakes = check(kind, obj, self.notes)
        for mistake in mistakes:
            hint = mistake.hint or hint_for_field(obj, mistake.path)
            self.problem(origin, mistake.path, mistake.message, hint, key=mistake.unknown)
        if self.notes.nulls:
            obj = without_nulls(obj, self.notes.null_texts)
        bad = {_of_field(mistake) for mistake in mistakes}
        obj = as_created(_without(obj, bad) if bad else obj, kind)
        for path, message in validation.validate(obj, kind, self.ranges):
            if not any(_overlap(path, other) for other in bad):
                self.problem(origin, path, _refusal(obj, message), hint_for_refusal(obj, message))
        self.remember(origin, obj, kind)

    def kind_of(self, origin: Origin, obj: Object) -> schema.Kind | None:
        """The kind an object says it is; None if there is no such kind."""
        version, name = obj.get("apiVersion"), obj.get("kind")
        for word, value in (("apiVersion", version), ("kind", name)):
            if value is None or value == "":
                self.problem(origin, (word,), f"{word} not set", _hint_for_missing(word, name))
            elif not isinstance(value, str):
                self.problem(origin, (word,), f"{word}: expected string, found {described(value)}")
        if not (isinstance(version, str) and isinstance(name, str) and version and name):
            return None
        kind = schema.find(version, name) or self.custom.get((version, name))
        if kind is None:
            word = "apiVersion" if schema.versions(name) else "kind"
            message = f'no matches for kind "{name}" in version "{version}"'
            self.problem(origin, (word,), message, _hint_for_kind(version, name))
        return kind

    def remember(self, origin: Origin, obj: Object, kind: schema.Kind) -> None:
        """Keep the object, unless there is one of its name already."""
        metadata = obj["metadata"]
        identity = (kind.group, kind.name, metadata.get("namespace", ""), metadata.get("name", ""))
        first = self.seen.setdefault(identity, origin) if metadata.get("name") else origin
        if first is not origin:
            message = f'{kind.resource} "{metadata["name"]}" already exists'
            where = first.place(("metadata", "name"))
            self.problem(origin, ("metadata", "name"), message, f"the first is at {where}")
        self.objects.append(obj)
        self.origins.append(origin)

    def compare(self) -> None:
        """What objects may not have in common: addresses and ports of Services."""
        for index, path, message in validation.taken_twice(self.objects, self.ranges):
            self.problem(self.origins[index], path, _refusal(self.objects[index], message))


def _refusal(obj: Object, message: str) -> str:
    return f'The {obj["kind"]} "{obj["metadata"].get("name", "")}" is invalid: {message}'


def _is_list(value: Object) -> bool:
    """Whether a value is a list of objects: a List, or for example a PodList."""
    kind, version = value.get("kind"), value.get("apiVersion")
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(version, str)):
        return False
    return kind == "List" or schema.find(version, kind.removesuffix("List")) is not None


def _defined(spec: Object) -> Iterator[schema.Kind]:
    names, group = spec.get("names"), spec.get("group")
    if not (isinstance(names, dict) and isinstance(group, str) and isinstance(names.get("kind"), str)):
        return
    for version in spec.get("versions") or ():
        if isinstance(version, dict) and isinstance(version.get("name"), str):
            plural = str(names.get("plural", ""))
            yield schema.Kind(
                group, version["name"], names["kind"], plural, (), spec.get("scope") != "Cluster"
            )


def _hint_for_missing(word: str, kind: Any) -> str:
    known = schema.versions(kind) if word == "apiVersion" and isinstance(kind, str) else ()
    return f"write apiVersion: {known[0].api_version}" if known else ""


def _hint_for_kind(version: str, name: str) -> str:
    if known := schema.versions(name):
        return f"write apiVersion: {known[0].api_version}"
    if version.startswith("netsim/"):
        return "a scenario is run by itself; it is not a manifest"
    names = {kind.name.lower(): kind for kind in reversed(schema.kinds())}
    for kind in schema.kinds():
        names.setdefault(kind.plural, kind)
    if close := get_close_matches(name.lower(), names, n=1, cutoff=0.75):
        kind = names[close[0]]
        other = "" if kind.api_version == version else f" (apiVersion: {kind.api_version})"
        return f"did you mean {kind.name}?{other}"
    return "a custom kind needs its CustomResourceDefinition among the manifests"


_SERVER_SET = frozenset(SERVER_SET)


def as_created(obj: Object, kind: schema.Kind) -> Object:
    """The object with a namespace if it lives in one, and without what the API server sets itself."""
    metadata = obj.get("metadata") or {}
    if not _SERVER_SET.isdisjoint(metadata):
        metadata = {name: value for name, value in metadata.items() if name not in _SERVER_SET}
    if kind.namespaced and not metadata.get("namespace"):
        metadata = {**metadata, "namespace": "default"}
    table = simulated(kind)
    if table is not None and "status" in obj and "status" not in table:
        obj = {name: value for name, value in obj.items() if name != "status"}
    return obj if obj.get("metadata") is metadata else {**obj, "metadata": metadata}


def without_nulls(value: Any, texts: Collection[int] = ()) -> Any:
    """A copy in which no map has a null in it: to Kubernetes such a field is one that was left out.

    In the maps whose ids are `texts`, which hold nothing but text, it is an empty text.

    >>> without_nulls({"a": None, "b": [{"c": None, "d": 1}]})
    {'b': [{'d': 1}]}
    """
    if isinstance(value, dict) and id(value) in texts:
        return {name: "" if item is None else item for name, item in value.items()}
    if isinstance(value, dict):
        return {name: without_nulls(item, texts) for name, item in value.items() if item is not None}
    return [without_nulls(item, texts) for item in value] if isinstance(value, list) else value


def _of_field(mistake: Mistake) -> Path:
    """The field that a mistake is about: the list, if an item is wrong; what was meant, if a name is."""
    path = mistake.path
    if mistake.meant:
        return (*path[:-1], mistake.meant)
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _without(obj: Object, bad: set[Path]) -> Object:
    """A copy without the fields that are wrong, so that the rest can be looked at further."""

    def copied(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            kept = {name: item for name, item in value.items() if (*path, name) not in bad}
            return {name: copied(item, (*path, name)) for name, item in kept.items()}
        if isinstance(value, list):
            return [copied(item, (*path, index)) for index, item in enumerate(value)]
        return value

    return copied(obj, ())


def _overlap(one: Path, other: Path) -> bool:
    """Whether one path leads to, or through, the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
