"""A scenario, read and understood: the document, the Kubernetes objects it brings, and what is ignored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netsim.scenario.model import ScenarioDocument


@dataclass(frozen=True)
class Scenario:
    """What `load` returns. Two scenarios are equal when their documents and objects are."""

    document: ScenarioDocument
    objects: tuple[dict[str, Any], ...] = ()  # Kubernetes objects as written, in file order
    ignored: tuple[str, ...] = field(
        default=(), compare=False
    )  # real fields and kinds that are not simulated
    path: Path | None = field(default=None, compare=False)  # the file it came from
    files: tuple[Path, ...] = field(default=(), compare=False)  # the manifest files it brought in
    written: Any = field(default=None, compare=False, repr=False)  # the document as its author wrote it, if read

    @property
    def name(self) -> str:
        """What the scenario is called."""
        return self.document.metadata.name
