"""The rules of DESIGN.md section 3, read off the source: who may import whom, and where each library is at home."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "netsim"

# from the ground up: a room uses those before it
ROOMS = (
    "errors", "units", "fields", "draws", "api", "topology", "proxy", "traffic", "dataplane", "control", "faults",
    "scenario", "build", "simulation", "report", "front", "sweep", "lab", "console", "benchmark", "cli",
)  # fmt: skip

# the front door opens rooms that stand above it only when it is asked to
OPENS_LATE = {("front", "sweep"), ("front", "console")}

HOMES = {
    "simpy": {"control", "faults", "build", "simulation", "benchmark"},
    "networkx": {"topology"},
    "numba": {"dataplane"},
    "yaml": {"api", "scenario", "console", "report", "sweep", "lab"},
    "pandas": {"report", "sweep"},
    "matplotlib": {"report", "sweep"},
    "pyarrow": {"report", "sweep"},
    "distributed": {"sweep"},
    "cryptography": {"lab", "console"},
    "click": {"cli"},
    "tqdm": {"cli"},
    "pydantic": {"fields", "draws", "topology", "traffic", "faults", "scenario", "control", "dataplane", "proxy"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, those that only a type checker reads left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from at_run_time(child)


def imports(path: Path) -> Iterator[str]:
    for node in at_run_time(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_imports_only_from_rooms_below_it(path: Path) -> None:
    here = room_of(path)
    if here in ("__init__", "__main__"):
        return
    above = ROOMS[ROOMS.index(here) + 1 :]
    used = {name.split(".")[1] for name in imports(path) if name.startswith("netsim.")}
    assert not {room for room in used if room in above and (here, room) not in OPENS_LATE}


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_library_is_used_where_it_is_at_home(path: Path) -> None:
    strangers = {
        library
        for library in (name.split(".")[0] for name in imports(path))
        if library in HOMES and room_of(path) not in HOMES[library]
    }
    assert not strangers


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_has_one_idea_and_says_it_first(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in ("utils", "helpers", "common", "misc")
    assert text.count("\n") <= 450
    assert path.name == "__init__.py" or ast.get_docstring(ast.parse(text))


def test_every_room_is_in_the_design() -> None:
    design = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
    rooms = {room_of(path) for path in MODULES} - {"__init__", "__main__"}
    assert rooms <= set(ROOMS)
    for room in rooms:
        assert f"  {room}/" in design or f"  {room}.py" in design, f"{room} is not in DESIGN.md"


@pytest.mark.parametrize("what", ["netsim", "netsim.cli.main"])
def test_nothing_heavy_is_imported_before_it_is_needed(what: str) -> None:
    heavy = "{'simpy', 'numpy', 'networkx', 'pandas', 'matplotlib', 'pydantic', 'yaml', 'numba', 'distributed'}"
    code = f"import sys, {what}; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_small_run_never_imports_numba_or_a_plotting_library_it_does_not_need() -> None:
    code = (
        "import sys, netsim;"
        "netsim.load('scenarios/no-endpoints-refuse-or-drop.yaml').run(until='25s');"
        "print(sorted({'numba', 'matplotlib', 'distributed', 'cryptography'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout == "[]\n", ran.stderr
