"""Finished runs on disk, a small file each, named by what decides its content: none is ever run again.

A file is written aside and moved into place, so there is either a whole one or none. One that cannot be
read, or is of another netsim, counts as none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from netsim.errors import ScenarioError
from netsim.sweep.task import Result, understood

if TYPE_CHECKING:
    from netsim.sweep.pool import Pool


class Store:
    """A folder of results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> tuple[Result, Pool] | None:
        """The result of that name, and its requests, if its run is finished."""
        try:
            text = (self.folder / f"{key}.json").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None
        found = understood(text)
        return found if found is not None and found[0].key == key else None

    def put(self, key: str, text: str) -> None:
        """Keep a result."""
        written(self.folder / f"{key}.json", text.encode())


def written(place: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(data)
            os.replace(aside, place)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise ScenarioError(f"cannot write {place}: {error.strerror}") from None
