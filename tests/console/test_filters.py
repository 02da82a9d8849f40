"""What stands behind a pipe."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.console.filters import FILTERS
from netsim.console.output import Failure, Output

TEXT = "one\ntwo\nthree\nfour\nFive\n"


def filtered(line: str, given_text: str = TEXT) -> tuple[str, int]:
    name, *words = line.split()
    output = Output()
    FILTERS[name](words, given_text, output)
    return output.stdout, output.code


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("grep o", ["one", "two", "four"]),
        ("grep -v o", ["three", "Five"]),
        ("grep -i f", ["four", "Five"]),
        ("grep -c o", ["3"]),
        ("grep -o t.", ["tw", "th"]),
        ("grep -E ^(one|two)$", ["one", "two"]),
        ("grep one\\|two", ["one", "two"]),
        ("grep -w on", []),
        ("grep -F .", []),
        ("grep -A1 two", ["two", "three"]),
        ("grep -B 1 two", ["one", "two"]),
        ("grep three -C 1", ["two", "three", "four"]),
        ("grep -A 0 -e e$", ["one", "three", "Five"]),
        ("head -n 2", ["one", "two"]),
        ("head -1", ["one"]),
        ("tail -n 1", ["Five"]),
        ("tail -n +4", ["four", "Five"]),
        ("tail -0", []),
        ("wc -l", ["5"]),
        ("sort", ["Five", "four", "one", "three", "two"]),
        ("sort -r", ["two", "three", "one", "four", "Five"]),
    ],
)
def test_a_filter_gives_these_lines(line: str, lines: list[str]) -> None:
    assert filtered(line)[0].splitlines() == lines


def test_lines_that_are_left_out_between_two_finds_are_marked() -> None:
    assert filtered("grep -A1 -E one|four")[0] == "one\ntwo\n--\nfour\nFive\n"


def test_sorting_by_number_and_each_line_once() -> None:
    assert filtered("sort -nu", "10\n9\n10\n-1\n")[0] == "-1\n9\n10\n"


def test_grep_says_by_its_code_whether_it_found_anything() -> None:
    assert filtered("grep nothing") == ("", 1)
    assert filtered("grep -q one") == ("", 0)


@given(st.text(st.characters(blacklist_categories=["Cs"])), st.integers(0, 20))
def test_base64_and_back_is_the_same_text(text: str, width: int) -> None:
    encoded = filtered(f"base64 -w {width}", text)[0]
    assert encoded.replace("\n", "") == b64encode(text.encode()).decode()
    assert filtered("base64 -d", encoded)[0] == text


@pytest.mark.parametrize(
    "line", ["grep", "grep [", "grep -z x", "head -n x", "tail -n +x", "base64 -d", "base64 -w x", "sort -k1"]
)
def test_a_wrong_option_or_pattern_is_refused(line: str) -> None:
    with pytest.raises(Failure):
        filtered(line, "not base64!")
