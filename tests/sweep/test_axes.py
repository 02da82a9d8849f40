"""What `--vary path=a,b,c` means."""

from __future__ import annotations

import pytest

from netsim.errors import ScenarioError
from netsim.sweep.axes import axes, parsed

VALUES = [
    # as written                               its values
    ("rate=50/s,500/s",                        ["50/s", "500/s"]),
    ("t=exponential(5ms),uniform(1ms,9ms)",    ["exponential(5ms)", "uniform(1ms,9ms)"]),
    ("nodes=[worker-1,worker-2],[worker-3]",   ["[worker-1,worker-2]", "[worker-3]"]),
    ("labels={a: b, c: d}",                    ["{a: b, c: d}"]),
    ("name='a,b',c",                           ["'a,b'", "c"]),
    ("to=http://my-nginx:80/?a=b",             ["http://my-nginx:80/?a=b"]),
    ("on= true , false ",                      ["true", "false"]),
    ("x=",                                     [""]),
    ("x=it's,fine",                            ["it's", "fine"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "values"), VALUES)
def test_commas_part_values_unless_they_stand_in_brackets_or_quotes(text, values):
    axis = parsed(text)
    assert axis.path == text.partition("=")[0]
    assert [choice.text for choice in axis.choices] == values


MEANINGS = [
    ("3", (3, "3")),
    ("1.32", (1.32, "1.32")),
    ("true", (True, "true")),
    ("null", (None,)),
    ("50/s", ("50/s",)),
    ("'3'", ("3",)),
    ("[a, 2]", (["a", 2],)),
    ("{", ("{",)),
]


@pytest.mark.parametrize(("text", "meanings"), MEANINGS)
def test_a_value_is_what_yaml_makes_of_it_or_else_text(text, meanings):
    assert parsed(f"x={text}").choices[0].meanings == meanings


def test_a_place_points_at_each_value():
    places = [choice.place for choice in parsed("a.b=1s, 10s").choices]
    assert [(place.file, place.column) for place in places] == [("--vary", 5), ("--vary", 9)]


WRONG = [
    ("nothing", "does not say what to vary"),
    ("=1,2", "does not say what to vary"),
    ("a=1,2,1", "a is 1 twice"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_says_nothing_is_refused(text, message):
    with pytest.raises(ScenarioError, match=message):
        parsed(text)


def test_python_gives_values_as_they_are():
    (axis,) = axes({"traffic.0.rate": ["50/s", 3, None, [1, "a"]]})
    assert [choice.text for choice in axis.choices] == ["50/s", "3", "null", '[1, "a"]']
    assert [choice.meanings for choice in axis.choices] == [("50/s",), (3,), (None,), ([1, "a"],)]


PYTHON_MISTAKES = [
    ({"a": "1s"}, "a list of values is wanted"),
    ({"a": 5}, "a list of values is wanted"),
    ({"a": []}, "a has no values"),
    ({"a": [object()]}, "is nothing that a scenario can hold"),
    ({"a": [float("nan")]}, "is nothing that a scenario can hold"),
]


@pytest.mark.parametrize(("vary", "message"), PYTHON_MISTAKES)
def test_python_mistakes_are_said_in_words(vary, message):
    with pytest.raises(ScenarioError, match=message):
        axes(vary)


def test_a_path_is_varied_once():
    with pytest.raises(ScenarioError, match="a is varied twice"):
        axes([parsed("a=1"), parsed("a=2")])
