"""Which files a scenario may bring in, and their text.

A scenario is often somebody else's. What it lists under `manifests` is therefore read from its own folder and
below, never from elsewhere: no absolute paths, no `..`, no links that lead out, nothing but regular files,
and no file larger than `MAX_BYTES`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PureWindowsPath

from netsim.errors import Place, Problem, ScenarioError
from netsim.scenario.mistakes import nearest

MAX_BYTES = 16 << 20
SUFFIXES = (".yaml", ".yml", ".json")
_SEARCHED = 2000  # files looked at for a suggestion


class Refused(Exception):
    """A file that may not be read, or is not there: why, and what would do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def manifest_files(entry: str, folder: Path) -> list[Path]:
    """The files that an entry of `manifests` means: itself, or those in it if it is a folder."""
    _refuse_strange_paths(entry)
    path = folder / entry
    try:
        _refuse_to_leave(path, folder)
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
            for file in files:
                _refuse_to_leave(file, folder)
        elif path.exists():
            files = [path]
        else:
            raise Refused(f"there is no file {entry}", _similar(entry, folder))
    except (OSError, RuntimeError, ValueError) as error:  # such as a link to itself, or a null character
        raise Refused(f"{entry} cannot be read: {_reason(error)}") from None
    if not files:
        raise Refused(f"the folder {entry} has no {', '.join('*' + suffix for suffix in SUFFIXES)} in it")
    return files


def read_text(path: Path, file: str) -> str:
    """The text of a file called `file` in messages, or a ScenarioError that says why there is none."""
    start = Place(file, 1, 1)
    try:
        if not path.is_file():
            raise ScenarioError(Problem("this is not a regular file", start))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ScenarioError(Problem(f"the file cannot be read: {_reason(error)}", start)) from None
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES >> 20} MiB"
        raise ScenarioError(Problem(message, start, "split it into several files"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"this is not UTF-8 text: byte 0x{error.object[error.start]:02x}"
        raise ScenarioError(Problem(message, place, "save the file as UTF-8")) from None


def _refuse_strange_paths(entry: str) -> None:
    hint = "manifests lie in the scenario's own folder, or in one below"
    windows = PureWindowsPath(entry)
    if not entry.strip():
        raise Refused("the name of a file is missing")
    if entry.startswith(("/", "~")) or windows.drive or windows.root:
        raise Refused(f"{entry} does not begin in the scenario's folder", hint)
    if ".." in windows.parts:
        raise Refused(f"{entry} leads out of the scenario's folder", hint)
    if "\\" in entry:
        raise Refused(f"{entry} has a backslash in it", f"write {entry.replace(chr(92), '/')}")


def _refuse_to_leave(path: Path, folder: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"{path.name} is a link that leads out of the scenario's folder", "put a copy there")


def _similar(entry: str, folder: Path) -> str:
    """A hint that names the file that was probably meant."""
    files = list(islice(_files_below(folder), _SEARCHED))
    same_name = [file for file in files if file.rpartition("/")[2] == entry.rpartition("/")[2]]
    return f"did you mean {same_name[0]}?" if same_name else nearest(entry, files)


def _files_below(folder: Path) -> Iterator[str]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                yield (Path(where) / name).relative_to(folder).as_posix()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
