"""Reading a scenario: a file in, a `Scenario` out, or every mistake in it and in its manifests at once.

The first document of the file is the scenario; the documents after it are Kubernetes objects, and so are
those in the files it lists under `manifests`. What comes out is resolved: every default is filled in, and the
objects are part of it, wherever they were written (its `manifests` are therefore empty).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from netsim.api.documents import Document, read_documents
from netsim.api.manifests import Manifests, load_manifests
from netsim.errors import Place, Problem, ScenarioError
from netsim.scenario.draft import Draft, drafted
from netsim.scenario.files import Refused, manifest_files, read_text
from netsim.scenario.mistakes import Mistake, nearest, understood
from netsim.scenario.model import ScenarioDocument
from netsim.scenario.scenario import Scenario
from netsim.scenario.semantics import senseless

BEGINNING = "a scenario begins with apiVersion: netsim/v1 and kind: Scenario"


def load(path: str | Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError with all mistakes in it, and in the manifests it lists."""
    path = Path(path)
    if path.is_dir():
        raise ScenarioError(Problem(f"{path} is a folder; give the scenario file in it"))
    if path.is_symlink() and not path.exists():
        raise ScenarioError(Problem(f"{path} is a link to {path.readlink()}, and there is no such file"))
    if not path.exists():
        near = [str(other) for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ScenarioError(Problem(f"there is no file {path}", hint=nearest(path, sorted(near))))
    scenario = loads(read_text(path, str(path)), str(path), path.parent, itself=path)
    return replace(scenario, path=path)


def loads(
    text: str, file: str = "<text>", folder: str | Path | None = None, *, itself: Path | None = None
) -> Scenario:
    """The scenario in a text, whose manifests lie in `folder`.

    >>> loads('''{apiVersion: netsim/v1, kind: Scenario, metadata: {name: small}, duration: 10s,
    ...           cluster: {nodes: [{name: worker, count: 3}]}}''').document.cluster.nodes[0].names()
    ['worker-1', 'worker-2', 'worker-3']
    """
    reading = _Reading(Path(folder) if folder is not None else None, [itself.resolve()] if itself else [])
    head, rest = reading.parted(read_documents(text, file, reading.problems), file)
    document, mistakes = understood(head.value) if head else (None, [])
    documents = [*rest, *reading.manifests(head)] if head else []
    draft = drafted(head.value, document, mistakes) if head else Draft(None, None, None)
    manifests = reading.objects(documents, draft)
    draft = replace(draft, objects=manifests.objects if manifests and not reading.unread else None)
    if head:
        found = mistakes + [m for m in senseless(draft) if not _told(m, mistakes)]
        reading.problems += [mistake.problem(head) for mistake in found]
    if reading.problems or document is None or manifests is None:
        raise ScenarioError(_in_file_order(reading.problems, [file, *map(_called, reading.files)]))
    resolved = document.model_copy(update={"manifests": ()})
    written = head.value if head else None
    return Scenario(resolved, manifests.objects, manifests.ignored, files=tuple(reading.files), written=written)


@dataclass
class _Reading:
    """One load: what was read so far, and what was wrong with it."""

    folder: Path | None
    seen: list[Path]  # files that must not be read again
    files: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: bool = False  # some manifests are missing

    def parted(self, documents: Sequence[Document], file: str) -> tuple[Document | None, list[Document]]:
        """The scenario among the documents of its file, and the others."""
        if not documents:
            self.problems.append(Problem("there is no scenario in this file", Place(file, 1, 1), BEGINNING))
            return None, []
        head = next((document for document in documents if _is_scenario(document.value)), None)
        if head is None and isinstance(documents[0].value, dict) and _may_be_scenario(documents[0].value):
            head = documents[0]
        if head is not documents[0]:
            hint = f"move it up from line {head.line}" if head else BEGINNING
            message = "the first document must be the scenario" if head else "this is not a scenario"
            self.problems.append(Problem(message, documents[0].place(), hint))
        rest = [document for document in documents if document is not head]
        for other in [document for document in rest if _is_scenario(document.value)]:
            self.problems.append(Problem("a file holds one scenario, and this is another", other.place()))
            rest.remove(other)
        return head, rest

    def manifests(self, head: Document) -> Iterator[Document]:
        """The documents in the files that the scenario lists."""
        entries = head.value.get("manifests") if isinstance(head.value, dict) else None
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, str):
                try:
                    yield from self.listed(entry)
                except Refused as refusal:
                    self.unread = True
                    mistake = Mistake(("manifests", i), f"manifests[{i}]: {refusal.message}", refusal.hint)
                    self.problems.append(mistake.problem(head))
            else:
                self.unread = True

    def listed(self, entry: str) -> Iterator[Document]:
        """The documents in the files that one entry means."""
        if self.folder is None:
            raise Refused("a text has no folder to read from", "write the objects as further documents")
        files = manifest_files(entry, self.folder)
        new = [file for file in files if file.resolve() not in self.seen]
        if files and not new:
            raise Refused(f"{entry} has been read already")
        for file in new:
            self.seen.append(file.resolve())
            self.files.append(file)
            try:
                yield from read_documents(read_text(file, _called(file)), _called(file), self.problems)
            except ScenarioError as error:
                self.unread = True
                self.problems += error.problems

    def objects(self, documents: Iterable[Document], draft: Draft) -> Manifests | None:
        """The Kubernetes objects in all these documents; None if something is wrong with them."""
        known: dict[str, Any] = {}
        if draft.cluster is not None:
            known = {
                "service_cidrs": (str(draft.cluster.addresses.services),),
                "version": draft.cluster.version,
            }
        try:
            return load_manifests(documents, **known)
        except ScenarioError as error:
            self.problems += error.problems
            return None


def _is_scenario(value: Any) -> bool:
    return isinstance(value, dict) and (
        value.get("kind") == "Scenario" or str(value.get("apiVersion")).startswith("netsim/")
    )


def _may_be_scenario(value: dict[str, Any]) -> bool:
    """Whether a map without a kind, or with a misspelt one, was probably meant to be a scenario."""
    return "cluster" in value or bool(nearest(value.get("kind"), ["Scenario"]))


def _told(mistake: Mistake, others: Iterable[Mistake]) -> bool:
    """Whether something is said already of the value that a mistake is about."""
    return any(mistake.path == other.path for other in others)


def _called(file: Path) -> str:
    """What a manifest file is called in messages."""
    return file.as_posix()


def _in_file_order(problems: Iterable[Problem], files: Sequence[str]) -> list[Problem]:
    def order(problem: Problem) -> tuple[int, int, int]:
        place = problem.place
        return (files.index(place.file), place.line, place.column) if place else (-1, 0, 0)

    return sorted(dict.fromkeys(problems), key=order)


__all__ = ["Scenario", "ScenarioDocument", "load", "loads"]
