"""Same scenario and seed, same bytes: in another process, under another hash seed, on another Python."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

from determinism import compare, differences, run

ROOT = Path(__file__).parent.parent
MAIN = ROOT / "scenarios" / "node-failure.yaml"
OTHERS = [f"python3.{minor}" for minor in (11, 12, 13, 14) if minor != sys.version_info.minor]


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first = run(sys.executable, MAIN, tmp_path / "first", hash_seed="1")
    again = run(sys.executable, MAIN, tmp_path / "again", hash_seed="4242")
    names = {Path(name).name for name in first}
    assert {"requests.csv", "changes.csv", "series.csv", "summary.json", "scenario.yaml", "figure.png"} <= names
    assert differences(first, again) == []


def test_a_difference_is_seen() -> None:
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]


@pytest.mark.long
@pytest.mark.parametrize("python", OTHERS)
def test_another_python_writes_the_same_bytes(python: str) -> None:
    if shutil.which(python) is None:
        pytest.skip(f"this machine lacks {python}")
    assert compare([python], sorted(ROOT.glob("scenarios/*.yaml"))) == 0
