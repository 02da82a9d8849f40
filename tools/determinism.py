"""Same scenario and seed, same bytes: compares the results that different Pythons write.

    python tools/determinism.py python3.12 python3.13
    python tools/determinism.py --scenario scenarios/fast-profile.yaml python3.13

For each interpreter a fresh virtual environment gets netsim as it stands here; each runs the scenarios, and every
file of their result folders is compared with those that this interpreter writes. `run.json` is left out: it says
when, where and with which versions a run was made. Ends with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAYS_WHERE_IT_CAME_FROM = "run.json"


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of what is in it, provenance left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SAYS_WHERE_IT_CAME_FROM
    }


def run(python: str | Path, scenario: Path, folder: Path, hash_seed: str = "random") -> dict[str, str]:
    """The digests of what an interpreter's netsim writes for a scenario."""
    command = [str(python), "-m", "netsim", "run", str(scenario), "--out", str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "NO_COLOR": "1", "COLUMNS": "80"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if ended.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stderr}")
    return digests(folder)


def environment(python: str, folder: Path) -> Path:
    """A virtual environment of that interpreter with netsim in it: the path of its Python."""
    subprocess.run([python, "-m", "venv", folder], check=True)
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([inside, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(ROOT)], check=True)
    return inside


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The files that only one of two folders has, or that differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def compare(pythons: Sequence[str], scenarios: Sequence[Path]) -> int:
    """How many files differ between this interpreter's results and those of the others; prints which."""
    wrong = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        here = {path: run(sys.executable, path, folder / "here" / path.stem) for path in scenarios}
        for at, python in enumerate(pythons):
            inside = environment(python, folder / f"environment-{at}")
            for path in scenarios:
                found = differences(here[path], run(inside, path, folder / str(at) / path.stem))
                wrong += len(found)
                print(f"{python}  {path.name}  {', '.join(found) or f'{len(here[path])} files, all the same'}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", type=Path, action="append", help="a scenario to run (default: the main one)")
    parser.add_argument("python", nargs="+", help="an interpreter to compare with this one")
    asked = parser.parse_args()
    return 1 if compare(asked.python, asked.scenario or [ROOT / "scenarios" / "node-failure.yaml"]) else 0


if __name__ == "__main__":
    sys.exit(main())
