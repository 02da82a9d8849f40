"""The notebooks run from top to bottom, and show what they showed when they were saved.

Text that cells print and tables that they return are compared with what is in the file; pictures are not.
`python tests/test_notebooks.py` runs them anew and saves them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def executed(path: Path) -> Any:
    """The notebook with the outputs of a fresh kernel."""
    notebook = nbformat.read(path, as_version=4)
    beside = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=beside).execute()
    return notebook


def shown(notebook: Any) -> list[str]:
    """The texts that the cells of a notebook show, one for each cell."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return ["".join(_text(output) for output in cell.get("outputs", ())) for cell in cells]


def _text(output: Any) -> str:
    return output.get("text") or output.get("data", {}).get("text/plain", "")


def without_pictures(texts: list[str]) -> list[str]:
    return [text for text in texts if not text.startswith("<Figure")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_showed_when_it_was_saved(path: Path) -> None:
    saved = nbformat.read(path, as_version=4)
    assert any(shown(saved)), "saved without its outputs"
    assert without_pictures(shown(executed(path))) == without_pictures(shown(saved))


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or NOTEBOOKS:
        done = executed(path)
        for cell in done.cells:
            cell.metadata.pop("execution", None)
        nbformat.write(done, path)
