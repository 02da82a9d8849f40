"""kubectl's flags: every way to write them, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from netsim.console.flags import Flag, parse
from netsim.console.output import Failure

FLAGS = (
    Flag("output", short="o"), Flag("namespace", short="n"), Flag("replicas", "int"), Flag("stdin", "bool", "i"),
    Flag("tty", "bool", "t"), Flag("filename", "list", "f"), Flag("dry-run", default="none", alone="unchanged"),
    Flag("wait", "bool", default=True), Flag("from-literal", "array"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "flag", "value"),
    [
        (["-o", "wide"], "output", "wide"),
        (["-o=wide"], "output", "wide"),
        (["-owide"], "output", "wide"),
        (["--output", "wide"], "output", "wide"),
        (["--output=wide"], "output", "wide"),
        (["--output="], "output", ""),
        (["--replicas=0"], "replicas", 0),
        ([], "replicas", None),
        (["-it"], "tty", True),
        (["-it"], "stdin", True),
        (["--wait=false"], "wait", False),
        ([], "wait", True),
        (["-f", "a,b", "-f", "c"], "filename", ("a", "b", "c")),
        (["--from-literal=a=1,2"], "from-literal", ("a=1,2",)),
        ([], "dry-run", "none"),
        (["--dry-run"], "dry-run", "unchanged"),
        (["--dry-run=server"], "dry-run", "server"),
    ],
)
def test_a_flag_has_its_value(words: list[str], flag: str, value: object) -> None:
    call = parse(["pods", *words, "web"], FLAGS, "get")
    assert call[flag] == value
    assert call.words == ["pods", "web"]


def test_behind_two_dashes_everything_belongs_to_the_command() -> None:
    call = parse(["pod", "-i", "--", "curl", "-o", "--", "x"], FLAGS, "exec")
    assert call.command == ["curl", "-o", "--", "x"]
    assert parse(["pod"], FLAGS, "exec").command is None


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--colour"], "error: unknown flag: --colour"),
        (["-x"], "error: unknown shorthand flag: 'x' in -x"),
        (["-ix"], "error: unknown shorthand flag: 'x' in -ix"),
        (["-o"], "error: flag needs an argument: 'o' in -o"),
        (["--output"], "error: flag needs an argument: --output"),
        (
            ["--replicas=two"],
            'error: invalid argument "two" for "--replicas" flag: strconv.ParseInt: parsing "two": invalid syntax',
        ),
        (
            ["--wait=maybe"],
            'error: invalid argument "maybe" for "--wait" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
        ),
    ],
)
def test_a_wrong_flag_is_refused_in_kubectls_words(words: list[str], complaint: str) -> None:
    with pytest.raises(Failure) as caught:
        parse(words, FLAGS, "get")
    assert caught.value.text == f"{complaint}\nSee 'kubectl get --help' for usage.\n"
