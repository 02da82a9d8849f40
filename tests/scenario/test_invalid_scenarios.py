"""Every file in `tests/invalid` is wrong, and says in its first lines how netsim must say so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netsim.errors import ScenarioError
from netsim.scenario.load import load

INVALID = Path(__file__).parent.parent / "invalid"
FILES = sorted(file.name for file in INVALID.glob("*.yaml"))
EXPECT = re.compile(r"# expect: (?P<line>\d+):(?P<column>\d+): (?P<message>.*)")


def expectations(file: Path) -> list[tuple[int, int, str, str | None]]:
    """What the comments at the top promise: line, column, message, and the hint where one is given."""
    expected: list[tuple[int, int, str, str | None]] = []
    for line in file.read_text("utf-8").splitlines():
        if match := EXPECT.fullmatch(line):
            expected.append((int(match["line"]), int(match["column"]), match["message"], None))
        elif line.startswith("# hint: "):
            expected[-1] = (*expected[-1][:3], line.removeprefix("# hint: "))
        else:
            break
    return expected


@pytest.mark.parametrize("name", FILES)
def test_a_broken_scenario_says_all_that_is_wrong_and_where(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(INVALID)
    expected = expectations(Path(name))
    assert expected, "the first line must give the message"
    with pytest.raises(ScenarioError) as raised:
        load(name)
    found = []
    for problem, (*_, hint) in zip(raised.value.problems, expected, strict=False):
        assert problem.place is not None
        assert problem.place.file == name
        said = None if hint is None else problem.hint
        found.append((problem.place.line, problem.place.column, problem.message, said))
    assert found == expected
    assert len(raised.value.problems) == len(expected)


def test_there_are_many_kinds_of_mistakes() -> None:
    assert len(FILES) >= 20
    first_lines = [(INVALID / name).read_text("utf-8").partition("\n")[0] for name in FILES]
    assert all(EXPECT.fullmatch(line) for line in first_lines)


@pytest.mark.parametrize("name", FILES)
def test_the_line_that_is_shown_is_the_line_of_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(INVALID)
    lines = Path(name).read_text("utf-8").split("\n")
    with pytest.raises(ScenarioError) as raised:
        load(name)
    for problem in raised.value.problems:
        assert problem.place is not None
        assert problem.place.text in ("", lines[problem.place.line - 1].replace("\t", " "))
