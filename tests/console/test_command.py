"""`netsim shell`: commands from the line, a script, standard input, or a terminal; and the code it ends with."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from netsim.cli.main import ended
from netsim.console.session import Lab


@pytest.fixture
def file(lab: Lab) -> str:
    """A scenario file."""
    return str(lab.folder / "lab.yaml")


class Terminal(io.StringIO):
    """Standard input that is typed."""

    def isatty(self) -> bool:
        return True


def test_commands_are_done_in_order_and_the_last_one_gives_the_code(file: str, capsys) -> None:
    assert ended(["shell", file, "-c", "kubectl get pods", "-c", "kubectl get svc -o name"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("service/kubernetes\n", "No resources found in default namespace.\n")
    assert ended(["shell", file, "-c", "foo"]) == 127
    assert ended(["shell", file, "-c", "foo", "-c", "exit", "-c", "never"]) == 127


def test_standard_input_is_read_where_nobody_types(file: str, capsys, monkeypatch) -> None:
    lines = "kubectl get nodes -o name | head -1\n# a comment\nexit\necho never\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    assert ended(["shell", file]) == 0
    assert capsys.readouterr().out == "node/lab-control-plane\n"


def test_a_line_goes_on_after_a_backslash_wherever_it_comes_from(file: str, capsys, monkeypatch) -> None:
    line = "kubectl get nodes \\\n  -o name | \\\n  head -1\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(line))
    assert ended(["shell", file]) == 0
    assert ended(["shell", file, "-c", line]) == 0
    typed, prompts = iter([*line.splitlines(), "exit"]), []
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: prompts.append(prompt) or next(typed))
    assert ended(["shell", file]) == 0
    assert prompts == ["$ ", "> ", "> ", "$ "]
    assert capsys.readouterr().out.count("node/lab-control-plane\n") == 3


def test_a_script_is_shown_line_by_line(file: str, capsys) -> None:
    script = Path(file).with_name("part.netsim")
    script.write_text("# first\necho a \\\n  b\nssh lab-worker-1\nhostname\nexit\nexit\necho never\n")
    assert ended(["shell", file, "--script", str(script)]) == 0
    assert capsys.readouterr().out == (
        "# first\n$ echo a \\\n  b\na b\n$ ssh lab-worker-1\n[root@lab-worker-1 ~]# hostname\nlab-worker-1\n"
        "[root@lab-worker-1 ~]# exit\nlogout\n$ exit\n"
    )


def test_at_a_terminal_one_is_welcomed_and_asked_until_one_leaves(file: str, capsys, monkeypatch) -> None:
    typed = iter(["echo a", KeyboardInterrupt, "foo", EOFError])

    def answer(prompt: str) -> str:
        assert prompt == "$ "
        said = next(typed)
        if isinstance(said, str):
            return said
        raise said

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", answer)
    assert ended(["shell", file]) == 127
    captured = capsys.readouterr()
    assert captured.out.startswith("lab\nThe clock stands still while you think")
    assert "\na\n" in captured.out
    assert captured.err == "bash: foo: command not found; `help` lists what there is\n"


def test_the_tabulator_completes_at_a_terminal(file: str, monkeypatch) -> None:
    readline = pytest.importorskip("readline")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: "exit")
    monkeypatch.setattr(readline, "get_line_buffer", lambda: "kubectl get no")
    monkeypatch.setattr(readline, "get_endidx", lambda: 14)
    ended(["shell", file])
    complete = readline.get_completer()
    assert [complete("no", 0), complete("no", 1)] == ["nodes ", None]


def test_another_seed_gives_other_names(file: str, capsys) -> None:
    line = "kubectl create deployment web --image=nginx; kubectl get pods -o name"
    for seed in ("1", "2", "1"):
        ended(["shell", file, "--seed", seed, "-c", line])
    outputs = capsys.readouterr().out.split("deployment.apps/web created\n")[1:]
    assert outputs[0] == outputs[2] != outputs[1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["shell"], "Missing argument"),
        (["shell", "nope.yaml"], "there is no file nope.yaml"),
        (["shell", "{file}", "--script", "nope.netsim"], "cannot read the script nope.netsim"),
        (["shell", "{file}", "{file}"], "clusters at one prompt need different names; these are called lab, lab"),
    ],
)
def test_what_cannot_be_opened_is_a_usage_error(file: str, capsys, arguments: list[str], complaint: str) -> None:
    assert ended([argument.format(file=file) for argument in arguments]) == 2
    assert complaint in capsys.readouterr().err
