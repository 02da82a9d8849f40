"""`-f`: the objects in files, one by one, each with the file that it came from.

A name is a file, a folder (all its YAML and JSON files) or `-` for what stands before the pipe. Nothing is
fetched from the network, and nothing outside of the scenario's folder is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from netsim.api.documents import read_documents
from netsim.api.objects import Object
from netsim.console.flags import Call
from netsim.console.output import Failure, Output
from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.console.session import Lab

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


def objects_in(lab: Lab, call: Call) -> list[tuple[Object, str]]:
    """All objects in the files and folders of `-f`, with the name of their file as it was given."""
    found, failures = readable(lab, call)
    if failures:
        raise failures[0]
    return found


def readable(lab: Lab, call: Call) -> tuple[list[tuple[Object, str]], list[Failure]]:
    """What can be read of the files of `-f`, and what is wrong with the others. A file ends where it goes wrong."""
    found: list[tuple[Object, str]] = []
    failures = []
    for name in call["filename"]:
        try:
            for content, shown in _contents(lab, call, name):
                try:
                    found.extend(_objects(content, shown))
                except Failure as failure:
                    failures.append(failure)
        except Failure as failure:
            failures.append(failure)
    return found, failures


def each_written(lab: Lab, call: Call, output: Output, done: str, write: Callable[[Object, str], None]) -> None:
    """Write each object of `-f`. What cannot be read or is refused does not keep the others from it: it is told last.

    `done` is what becomes of the objects, in the words for that there are none.
    """
    if not call["filename"]:
        raise Failure("error: must specify one of -f and -k")
    objects, failures = readable(lab, call)
    if not objects and not failures:
        raise Failure(f"error: no objects passed to {done}")
    for obj, source in objects:
        try:
            write(obj, source)
        except Failure as failure:
            failures.append(failure)
    for told in failures:
        output.fail(told)


def _contents(lab: Lab, call: Call, name: str) -> Iterator[tuple[bytes, str]]:
    if name == STDIN:
        yield call.stdin.encode(), "STDIN"
        return
    if name.startswith(("http://", "https://")):
        raise Failure(f'error: unable to read URL "{name}": the prompt reads files only')
    held = lab.read(name)
    if held is not None:
        yield held, name
        return
    path = lab.file(name)
    if not path.is_dir():
        raise Failure(f'error: the path "{name}" does not exist')
    names = sorted(one.name for one in path.iterdir() if one.suffix in SUFFIXES)
    if not names:
        raise Failure(f"error: error reading [{name}]: recognized file extensions are [{' '.join(sorted(SUFFIXES))}]")
    for inside in (f"{name.rstrip('/')}/{one}" for one in names):
        held = lab.read(inside)
        if held is not None:
            yield held, inside


def _objects(content: bytes, shown: str) -> Iterator[tuple[Object, str]]:
    try:
        documents = read_documents(content.decode("utf-8"), shown)
    except UnicodeDecodeError:
        raise Failure(f"error: error parsing {shown}: invalid UTF-8") from None
    except ScenarioError as error:
        problem = error.problems[0]
        line = f"line {problem.place.line}: " if problem.place else ""
        wrong = f"error converting YAML to JSON: yaml: {line}{problem.message}"
        raise Failure(f"error: error parsing {shown}: {wrong}") from None
    for document in documents:
        yield from ((obj, shown) for obj in _flat(document.value, shown))


def _flat(value: object, shown: str) -> Iterator[Object]:
    invalid = f'error: error validating "{shown}": error validating data'
    if not isinstance(value, dict):
        raise Failure(f"{invalid}: invalid object to validate")
    if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _flat(item, shown)
        return
    for name in ("apiVersion", "kind"):
        if not value.get(name):
            raise Failure(f"{invalid}: {name} not set")
    if not isinstance(value.get("metadata") or {}, dict):
        raise Failure(f"{invalid}: metadata must be an object")
    yield value
