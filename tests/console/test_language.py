"""The shell's language: words, quotes, variables, pipes, conditions."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.console import language
from netsim.console.output import Failure

VARIABLES = {"NAME": "web", "LIST": "a  b", "EMPTY": "", "?": "7"}


def words_of(line: str) -> list[str]:
    """The words of a line of one command."""
    statements = language.parse(line)
    (command,) = statements[0].commands
    return [
        text
        for word in command
        for text in language.expanded(word, lambda name: VARIABLES.get(name, ""), lambda inner: f"<{inner}>\n")
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get  pods\t-o wide", ["get", "pods", "-o", "wide"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("a'b'\"c\"d", ["abcd"]),
        ("''", [""]),
        ("'$NAME' \"$NAME\" $NAME ${NAME}s", ["$NAME", "web", "web", "webs"]),
        ("x$LIST\"$LIST\"", ["xa", "ba  b"]),
        ("a $EMPTY b \"$EMPTY\"", ["a", "b", ""]),
        ("code=$?", ["code=7"]),
        ("say $(kubectl get po) \"$(a b)\"", ["say", "<kubectl", "get", "po>", "<a b>"]),
        ("$(a $(b))", ["<a", "$(b)>"]),
        ("a \\$NAME \"\\$NAME\" \"\\\"\" $", ["a", "$NAME", "$NAME", '"', "$"]),
        ("get po # the pods", ["get", "po"]),
        ("a#b", ["a#b"]),
        ("get po \\\n  -o wide", ["get", "po", "-o", "wide"]),
        ("a\\\nb \"c\\\nd\" 'e\\\nf'", ["ab", "cd", "e\\\nf"]),
    ],
)  # fmt: skip
def test_a_command_is_words(line: str, words: list[str]) -> None:
    assert words_of(line) == words


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=0, max_size=8), min_size=1))
def test_what_is_quoted_comes_out_as_it_was(words: list[str]) -> None:
    assert words_of(shlex.join(words)) == words


def test_statements_are_parted_and_some_depend_on_the_one_before() -> None:
    statements = language.parse("a; b && c || d & e | f")
    assert [(s.condition, s.waits, len(s.commands)) for s in statements] == [
        ("", True, 1), ("", True, 1), ("&&", True, 1), ("||", False, 1), ("", True, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("a 'b", "unterminated quoted string"),
        ('a "b', "unterminated quoted string"),
        ("a $(b", "unterminated"),
        ("a > b", "redirection is not simulated"),
        ("| a", "syntax error near unexpected token `|'"),
        ("&& a", "syntax error near unexpected token `&&'"),
        ("a ${b", "bad substitution"),
    ],
)
def test_what_cannot_be_read_is_refused_as_bash_does(line: str, complaint: str) -> None:
    with pytest.raises(Failure, match=complaint.replace("|", "\\|")) as caught:
        words_of(line)
    assert caught.value.code == 2
    assert caught.value.text.startswith("bash: ")


@given(st.text(max_size=40))
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        statements = language.parse(line)
    except Failure:
        return
    assert all(statement.commands for statement in statements)


def test_an_assignment_is_a_name_and_a_value() -> None:
    ((word,),) = language.parse("POD=$NAME-1")[0].commands
    found = language.assignment(word)
    assert found is not None
    name, value = found
    assert name == "POD"
    assert language.expanded(value, {"NAME": "a b"}.__getitem__, str) == ["a b-1"]
    ((other,),) = language.parse("--namespace=x")[0].commands
    assert language.assignment(other) is None
