"""Patches that the API server would refuse, found before anything runs.

Each patch is laid over the object as its manifest has it, and what comes out is judged as the server would: in its
words, at the place in the patch. What another fault has done to the object by then is not known here; if that makes
a patch impossible, the run's API server refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator

from netsim.api.objects import Object, merged
from netsim.api.service_updates import prepared
from netsim.api.updates import refused
from netsim.api.validation import Ranges
from netsim.faults.operations import Patch, object_named
from netsim.scenario.draft import Draft
from netsim.scenario.mistakes import Mistake, Path, written
from netsim.scenario.references import Known

IDENTITY = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))
"""What says which object it is."""


def refused_patches(draft: Draft) -> Iterator[Mistake]:
    """Patches after which an object is none any more, or another."""
    known = Known.of(draft)
    ranges = _ranges(draft)
    for i, fault in enumerate(draft.faults):
        if isinstance(fault, Patch):
            old = _target(known, fault)
            if old is not None:
                yield from _refused(draft, known, ("faults", i, "patch"), fault, old, ranges)


def _ranges(draft: Draft) -> Ranges:
    cluster = draft.cluster
    return Ranges((str(cluster.addresses.services),), version=cluster.version) if cluster else Ranges()


def _target(known: Known, fault: Patch) -> Object | None:
    """The object that is patched, as far as the scenario says what it is like."""
    kind, (namespace, name) = object_named(fault.target)
    if kind == "Node" and name in known.nodes:
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}}
    return known.objects.get((kind, namespace, name))


def _refused(draft: Draft, known: Known, where: Path, fault: Patch, old: Object, ranges: Ranges) -> Iterator[Mistake]:
    new = prepared(merged(old, fault.patch), old)
    other = [path for path in IDENTITY if draft.wrote((*where, *path)) and _at(new, path) != _at(old, path)]
    for path in other:
        yield Mistake((*where, *path), f"{written((*where, *path))}: a patch cannot make it another object")
    if other:
        return
    for wrong in refused(new, old, ranges, known.services.values()):
        place, unknown = _place(draft, where, wrong.path), wrong.unknown
        yield Mistake(place, f"{written(where)}: {wrong.message}", wrong.hint, unknown and place == where + wrong.path)


def _at(obj: Object, path: tuple[str, ...]) -> object:
    """What an object says at a path; a namespace that it does not name is `default`."""
    *above, last = path
    for name in above:
        inner = obj.get(name)
        obj = inner if isinstance(inner, dict) else {}
    return obj.get(last) or ("default" if last == "namespace" else None)


def _place(draft: Draft, where: Path, path: Path) -> Path:
    """Where a patch says what is wrong at a path of the object: as far down as it is written."""
    return next((*where, *path[:end]) for end in range(len(path), -1, -1) if draft.wrote((*where, *path[:end])))
