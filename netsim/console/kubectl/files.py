"""`-f`: the objects in files, one by one, each with the file that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.api.documents import read_documents
from netsim.api.objects import Object
from netsim.console.output import Failure
from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.console.session import Lab


def objects_in(lab: Lab, names: Sequence[str]) -> list[tuple[Object, str]]:
    """All objects in these files and folders, with the name of their file as it was given."""
    return [found for name in names for path, shown in _paths(lab, name) for found in _objects(path, shown)]


def _paths(lab: Lab, name: str) -> list[tuple[Path, str]]:
    if name.startswith(("http://", "https://")):
        raise Failure(f'error: unable to read URL "{name}": the prompt reads files only')
    path = lab.file(name)
    if path.is_dir():
        inside = sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml", ".json"))
        return [(one, f"{name.rstrip('/')}/{one.name}") for one in inside]
    if not path.is_file():
        raise Failure(f'error: the path "{name}" does not exist')
    return [(path, name)]


def _objects(path: Path, shown: str) -> Iterator[tuple[Object, str]]:
    try:
        documents = read_documents(path.read_text("utf-8"), shown)
    except ScenarioError as error:
        problem = error.problems[0]
        line = f"line {problem.place.line}: " if problem.place else ""
        raise Failure(f"error: error parsing {shown}: error converting YAML to JSON: yaml: {line}{problem.message}") from None
    for document in documents:
        yield from ((obj, shown) for obj in _flat(document.value, shown))


def _flat(value: object, shown: str) -> Iterator[Object]:
    if not isinstance(value, dict):
        raise Failure(f"error: error validating \"{shown}\": error validating data: invalid object to validate")
    if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _flat(item, shown)
        return
    for name in ("apiVersion", "kind"):
        if not value.get(name):
            raise Failure(f'error: error validating "{shown}": error validating data: {name} not set')
    yield value
