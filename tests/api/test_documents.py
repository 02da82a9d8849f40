"""Reading YAML and JSON: what values become, where they stand, and what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netsim.api import documents, yaml_reader
from netsim.api.documents import Document, read_documents
from netsim.errors import Problem, ScenarioError


def value(text: str) -> Any:
    (document,) = read_documents(text, "a.yaml")
    return document.value


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        read_documents(text, "a.yaml")
    return caught.value.problems


def only(text: str) -> Problem:
    (problem,) = problems(text)
    return problem


def at(problem: Problem) -> tuple[int, int]:
    assert problem.place is not None
    return problem.place.line, problem.place.column


@pytest.fixture(params=["libyaml", "pure Python"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure Python":
        pure = yaml_reader.loader(pure=True)
        monkeypatch.setattr(yaml_reader, "loader", lambda: pure)


both_parsers = pytest.mark.usefixtures("_either_parser")

SCALARS = [
    # text          value
    ("no", "no"),
    ("on", "on"),
    ("yes", "yes"),
    ("y", "y"),
    ("22:22", "22:22"),
    ("1:30:00", "1:30:00"),
    ("2024-01-01", "2024-01-01"),
    ("1_000", "1_000"),
    ("=", "="),
    ("", None),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("nUll", "nUll"),
    ("true", True),
    ("False", False),
    ("tRue", "tRue"),
    ("7", 7),
    ("-7", -7),
    ("+7", 7),
    ("010", 10),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b1", "0b1"),
    ("-0x1", "-0x1"),
    ("1.5", 1.5),
    (".5", 0.5),
    ("1.", 1.0),
    ("1e3", 1000.0),
    ("1e", "1e"),
    (".", "."),
    ("-", [None]),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("1.2.3", "1.2.3"),
    ("100m", "100m"),
    ('"7"', "7"),
    ("'true'", "true"),
    ("!!str 7", "7"),
    ('!!int "7"', 7),
    ("|\n  a\n  b\n", "a\nb\n"),
]


@both_parsers
@pytest.mark.parametrize(("text", "expected"), SCALARS)
def test_values_follow_the_core_schema(text: str, expected: Any) -> None:
    found = value(f"a:\n  {text}")["a"] if text != "-" else value("- ")
    assert found == expected
    assert type(found) is type(expected)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(value("a: .NaN")["a"])


@both_parsers
def test_empty_documents_are_left_out() -> None:
    read = read_documents("# nothing\n---\na: 1\n---\n---\nb: 2\n...\n", "a.yaml")
    assert [(document.value, document.line) for document in read] == [({"a": 1}, 3), ({"b": 2}, 6)]
    assert read_documents("", "a.yaml") == ()


def test_a_byte_order_mark_is_skipped() -> None:
    (document,) = read_documents("\ufeffa: 1", "a.yaml")
    assert document.value == {"a": 1}
    assert str(document.place(("a",))) == "a.yaml:1:4"


@both_parsers
def test_aliases_unfold() -> None:
    assert value("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


MISTAKES = [
    # text                              line column  message begins with
    ("a: 1\nb: 2\na: 3\n", 3, 1, 'key "a" is already set in this map'),
    ('{"a": 1, "a": 2}', 1, 10, 'key "a" is already set in this map'),
    ("x:\n  1: a\n", 2, 3, "a key must be text, found 1"),
    ("true: a\n", 1, 1, "a key must be text, found true"),
    ("? [a, b]\n: c\n", 1, 3, "a key must be text, found a list"),
    ("a: {{ .Values.x }}\n", 1, 5, "a key must be text, found a map"),
    ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys (<<) are not part of YAML 1.2"),
    ("a: !secret b\n", 1, 4, "the tag !secret is not known here"),
    ("a: !!python/object:os.system {}\n", 1, 4, "the tag !!python/object:os.system is not known here"),
    ("a: !!binary aGk=\n", 1, 4, "the tag !!binary is not known here"),
    ("a: !!int seven\n", 1, 4, "'seven' is not of the type !!int"),
    (f"a: {'9' * 500}\n", 1, 4, "'9999999999999999999999999999999999999999' is not of the type !!int"),
    ("a: 'b\nc: d\n", 1, 4, "this quote is never closed"),
    ("a: b: c\n", 1, 5, "a colon that starts a value cannot stand here"),
    ("a:\n\t- b\n", 2, 1, "a tab cannot be used for indentation"),
    ("a: [1, 2\nb: 3\n", 1, 4, "this list has no end: a comma or ] is missing"),
    ("a: {b: c\n", 1, 4, "this map has no end: a comma or } is missing"),
    ('{"a": [1, 2}', 1, 7, "this list has no end: a comma or ] is missing"),
    ("a: *x\n", 1, 4, "no anchor of this name was set before"),
    ("a: &x 1\nb: &x 2\n", 2, 4, "this anchor is set a second time"),
    ("a: x\n b: y\n", 2, 3, "a colon that starts a value cannot stand here"),
    ("- a\nb: c\n", 2, 1, "this does not belong to the list above it"),
    ("a: 'b' c\n", 1, 8, "this does not fit the lines above it"),
    ("a: @b\n", 1, 4, "text cannot begin with @"),
    ("a: `b`\n", 1, 4, "text cannot begin with `"),
    ("a: %b\n", 1, 4, "text cannot begin with %"),
    ("x: - y\n", 1, 4, "a list cannot begin here"),
    ("a: 1\n---\nb: [}\n", 3, 5, "a value is missing here, or a bracket is not closed"),
    ("a: b\x01\n", 1, 5, "the character U+0001 cannot be in a YAML file"),
    ("x: &\n", 1, 5, "not YAML: "),
]


@both_parsers
@pytest.mark.parametrize(("text", "line", "column", "message"), MISTAKES)
def test_a_mistake_is_told_in_words_with_its_place(text: str, line: int, column: int, message: str) -> None:
    problem = only(text)
    assert problem.message.startswith(message)
    assert at(problem) == (line, column)
    assert problem.place is not None
    assert problem.place.file == "a.yaml"


def test_an_unknown_escape_is_told() -> None:
    assert only('a: "\\q"\n').message == "not an escape that double quotes know"


def test_half_a_surrogate_pair_is_refused_in_yaml_and_in_json() -> None:
    assert only("a: b\ud800").message == "half of a surrogate pair is not a character"
    assert problems('{"a": "\\ud800"}')
    assert value('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_key_that_is_given_twice_names_both_places() -> None:
    problem = only("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert at(problem) == (4, 3)
    assert problem.hint == "first at a.yaml:3:3"


def test_mistakes_that_do_not_stop_the_parser_are_told_together() -> None:
    found = problems("a: 1\na: 2\n---\n1: b\nc: !x y\n")
    assert [at(problem) for problem in found] == [(2, 1), (4, 1), (5, 4)]


def test_a_template_is_pointed_at_helm() -> None:
    assert "helm template" in only("image: {{ .Values.image }}\n").hint


def test_the_shown_line_keeps_its_columns_and_loses_its_control_characters() -> None:
    problem = only("\ta: \x1b[31mred\n")
    assert problem.place is not None
    assert problem.place.text == " a: \ufffd[31mred"


def test_of_a_very_long_line_the_piece_around_the_place_is_shown() -> None:
    problem = only("a: [" + "x, " * 500 + "}\n")
    assert problem.place is not None
    assert problem.place.column == 1505
    _, line, caret = str(problem).splitlines()
    assert line == "  |  " + "x, " * 13 + "}"
    assert line[caret.index("^")] == "}"


def test_the_place_of_deep_nesting_in_one_line_can_be_seen() -> None:
    _, line, caret = str(only("a: " + "[" * 2000)).splitlines()
    assert line[caret.index("^")] == "["


def test_keys_that_are_given_twice_count_with_their_first_value_for_whom_takes_note() -> None:
    twice: list[Problem] = []
    (document,) = read_documents("{a: 1, b: {c: 2, c: 3}, a: 4}", "f.yaml", twice)
    assert document.value == {"a": 1, "b": {"c": 2}}
    assert [problem.message for problem in twice] == [f'key "{name}" is already set in this map' for name in "ca"]
    assert document.place(("a",)).column == 5


# what could hurt ----------------------------------------------------------------------------------------


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        below = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{below}]")
    return "\n".join(lines)


@both_parsers
def test_aliases_that_unfold_without_measure_are_refused() -> None:
    assert only(bomb(9)).message == "aliases unfold into far more values than are written"
    assert len(value(bomb(4))) == 4


@both_parsers
def test_an_alias_of_what_it_is_in_is_refused() -> None:
    assert "contains it" in only("a: &a [1, *a]\n").message
    assert "contains it" in only("a: &a {b: {c: *a}}\n").message


@both_parsers
@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_deep_nesting_is_refused_before_it_can_hurt(opening: str) -> None:
    problem = only(opening * 100_000)
    assert problem.message == "nested deeper than 100 levels"
    assert problem.place is not None


def test_depth_that_aliases_add_up_to_is_refused() -> None:
    lines = ["a0: &a0 " + "[" * 60 + "]" * 60, "a1: &a1 " + "[" * 60 + "*a0" + "]" * 60]
    assert "nested deeper than 100 levels" in only("\n".join(lines)).message


def test_deep_json_is_refused() -> None:
    assert only('{"a":' * 200 + "1" + "}" * 200).message == "nested deeper than 100 levels"
    assert only("[" * 200_000).message == "nested deeper than 100 levels"


def test_ninety_levels_are_fine() -> None:
    assert value("[" * 90 + "]" * 90)
    assert value(json.dumps(json.loads("[" * 90 + "]" * 90)))


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_SIZE", 1 << 20)
    assert only("a: " + "x" * (1 << 20)).message == "the file is larger than 1 MiB"
    assert value("a: " + "x" * 1000)


# JSON -------------------------------------------------------------------------------------------------


@both_parsers
def test_json_is_read_whatever_its_indentation() -> None:
    text = json.dumps({"a": {"b": [1, "no", None]}, "c": '\u00e9/"\\'}, indent="\t")
    (document,) = read_documents(text, "a.json")
    assert document.value == json.loads(text)
    assert str(document.place(("a", "b", 1))) == "a.json:5:4"
    assert str(document.place(("c",), key=True)) == "a.json:9:2"


def test_json_values_may_follow_each_other() -> None:
    first, second, third = read_documents('{"a": 1}{"a":\n  2}\n\n[3]\n', "a.json")
    assert [first.value, second.value, third.value] == [{"a": 1}, {"a": 2}, [3]]
    assert [str(one.place(("a",))) for one in (first, second)] == ["a.json:1:7", "a.json:2:3"]
    assert str(second.place()) == "a.json:1:9"
    assert str(third.place((0,))) == "a.json:4:2"


def test_flow_yaml_that_is_not_quite_json_is_read_as_yaml() -> None:
    assert value("{a: no, b: [1, 2,],}") == {"a": "no", "b": [1, 2]}
    assert value('{"a": 1} # a comment') == {"a": 1}


NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text()
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
calmly = settings(
    derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)


@calmly
@given(DATA)
def test_json_comes_back_as_it_was(data: Any) -> None:
    assert value(json.dumps([data])) == [data]


@calmly
@given(DATA)
def test_yaml_that_another_program_wrote_comes_back_as_it_was(data: Any) -> None:
    assert value(yaml.safe_dump([data], default_style='"', allow_unicode=True)) == [data]


# places -----------------------------------------------------------------------------------------------

DEPLOYMENT = """\
# a comment
kind: Deployment
spec:
  replicas: 2
  containers:
  - name: a
    ports: [{containerPort: 80},
            {containerPort: 81}]
  -
    name: b
--- # the second
kind: Service
spec: {ports: &p [80]}
more: *p
"""

PLACES = [
    # document, path, the key's?                               line, column
    (0, (), False, 2, 1),
    (0, ("kind",), False, 2, 7),
    (0, ("kind",), True, 2, 1),
    (0, ("spec",), True, 3, 1),
    (0, ("spec", "replicas"), False, 4, 13),
    (0, ("spec", "replicas"), True, 4, 3),
    (0, ("spec", "containers", 0), False, 6, 5),
    (0, ("spec", "containers", 0, "ports", 1, "containerPort"), False, 8, 29),
    (0, ("spec", "containers", 0, "ports", 1), True, 8, 13),
    (0, ("spec", "containers", 1, "name"), False, 10, 11),
    (0, ("spec", "containers", 1, "image"), False, 10, 5),
    (0, ("spec", "containers", 2, "name"), False, 5, 3),
    (0, ("spec", "selector", "matchLabels"), False, 3, 1),
    (0, ("status",), True, 2, 1),
    (1, ("spec", "ports", 0), False, 13, 19),
    (1, ("more", 0), False, 13, 19),
    (1, ("spec",), True, 13, 1),
]


@both_parsers
@pytest.mark.parametrize(("number", "path", "key", "line", "column"), PLACES)
def test_every_value_and_key_has_its_place(
    number: int, path: tuple[str | int, ...], key: bool, line: int, column: int
) -> None:
    place = read_documents(DEPLOYMENT, "a.yaml")[number].place(path, key)
    assert (place.line, place.column) == (line, column)
    assert place.text == DEPLOYMENT.splitlines()[line - 1]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_places_count_lines_however_they_end(end: str) -> None:
    second = read_documents(DEPLOYMENT.replace("\n", end), "a.yaml")[1]
    place = second.place(("spec", "ports"))
    assert (place.line, place.column, place.text) == (13, 15, "spec: {ports: &p [80]}")


def test_a_document_without_its_text_still_has_a_place() -> None:
    assert str(Document({"a": 1}, "made.py", 7).place(("a",))) == "made.py:7:1"


def test_documents_with_the_same_data_are_equal() -> None:
    assert read_documents("a: 1", "x") == read_documents("{a: 1}", "x")
