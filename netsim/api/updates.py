"""Whether an object may take the place of another: what the API server says to a PUT or a PATCH.

It decodes what was sent, and refuses unknown fields and wrong types; only what it could decode it validates, and
compares with what is stored. A Service must not ask for an address or a node port that another one has. What a Service
means that leaves something out is told in `service_updates.py`.

Source: apiserver `pkg/registry/rest/update.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netsim.api import immutable, schema, validation
from netsim.api.checking import Notes, check
from netsim.api.documents import Path
from netsim.api.manifests import as_created, without_nulls
from netsim.api.objects import Object, key_of


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is refused: where in the object, and in which words."""

    path: Path
    message: str
    hint: str = ""
    unknown: bool = False  # there is no field of that name


def refused(new: Object, old: Object, ranges: validation.Ranges, services: Iterable[Object] = ()) -> Iterator[Wrong]:
    """What is wrong with putting `new` in the place of `old`, while there are these `services`.

    Kinds that nobody knows are taken as they are.
    """
    kind = schema.find(old["apiVersion"], old["kind"])
    if kind is None:
        return
    notes = Notes()
    mistakes = check(kind, new, notes)
    for mistake in mistakes:
        yield Wrong(mistake.path, mistake.message, mistake.hint, mistake.unknown)
    if mistakes:
        return
    new = as_created(without_nulls(new, notes.null_texts) if notes.nulls else new, kind)
    invalid = validation.validate(new, kind, ranges)
    for path, message in invalid:
        yield Wrong(path, message)
    for message in immutable.changes(kind.name, new, old):
        yield Wrong(tuple(message.partition(":")[0].split(".")), message)
    if kind.name == "Service" and not invalid:
        others = [service for service in services if key_of(service) != key_of(new)]
        for index, path, message in validation.taken_twice([*others, new], ranges):
            if index == len(others):
                yield Wrong(path, message)
