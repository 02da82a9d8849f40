"""The command itself: its help, its speed, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest

from netsim.cli import main as module
from netsim.cli.main import VERBS, ended


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_command_of_its_own_module(verb):
    command = import_module(f"netsim.cli.{verb}").command
    assert isinstance(command, click.Command)
    assert command.help


def test_help_lists_every_verb_with_what_it_does(capsys):
    assert ended(["--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for verb, text in VERBS.items():
        assert f"{verb} {text}" in out


def test_help_imports_click_and_nothing_heavy():
    code = (
        "import sys\nfrom netsim.cli.main import ended\nended(['--help'])\n"
        "heavy = ('numpy', 'pydantic', 'yaml', 'simpy', 'networkx', 'pandas', 'matplotlib', 'numba')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_help_costs_less_than_015_seconds_of_processor_time():
    code = (
        "import time\nfrom netsim.cli.main import ended\nended(['--help'])\n"
        "import sys; print(time.process_time(), file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in "123"
    ]
    assert min(float(run.stderr) for run in runs) < 0.15


def test_no_verb_at_all_shows_the_help(capsys):
    assert ended([]) == 2
    assert "Verbs:" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rum"], "there is no verb 'rum'; did you mean run?"),
        (["some/scenario.yaml"], "did you mean: netsim run some/scenario.yaml"),
        (["xyzzy"], "there are run, check, schema"),
        (["version", "--wrong"], "No such option"),
        (["run"], "Missing argument 'FILE'"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_would_do(words, told, capsys):
    assert ended(words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def broken(error: BaseException):
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.fixture
def failing(monkeypatch):
    """Make the verb `version` fail in a given way."""

    def fail(error: BaseException) -> None:
        found = broken(error)
        monkeypatch.setattr(module.Verbs, "get_command", lambda self, ctx, name: found)

    return fail


def test_a_scenario_that_is_wrong_ends_with_2_without_a_traceback(failing, capsys):
    from netsim.errors import ScenarioError

    failing(ScenarioError("x.yaml:3:1: no such field"))
    assert ended(["version"]) == 2
    assert capsys.readouterr().err == "x.yaml:3:1: no such field\n"


@pytest.mark.parametrize("kind", ["ModelError", "KeyError"])
def test_a_mistake_of_ours_ends_with_3_and_asks_for_a_report(failing, capsys, monkeypatch, kind):
    from netsim.errors import ModelError

    monkeypatch.delenv("NETSIM_DEBUG", raising=False)
    failing({"ModelError": ModelError("two pods share an address"), "KeyError": KeyError("pods")}[kind])
    assert ended(["version"]) == 3
    told = capsys.readouterr().err
    assert f"a mistake of netsim's own: {kind}" in told
    assert "report it" in told
    assert "Traceback" not in told


def test_where_it_happened_is_shown_when_asked_for(failing, capsys, monkeypatch):
    monkeypatch.setenv("NETSIM_DEBUG", "1")
    failing(KeyError("pods"))
    assert ended(["version"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_the_option_asks_for_it_too(failing, capsys, monkeypatch):
    monkeypatch.setenv("NETSIM_DEBUG", "")
    failing(KeyError("pods"))
    assert ended(["--debug", "version"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_it_ends_with_130(failing, capsys):
    failing(KeyboardInterrupt())
    assert ended(["version"]) == 130
    assert "Traceback" not in capsys.readouterr().err


# a process that a shell has put in the background begins with SIGINT ignored, and so do its children
HEARS_CTRL_C = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def test_an_odd_error_after_ctrl_c_counts_as_interrupted():
    """A library that turns KeyboardInterrupt into an error of its own, as those written in Rust do."""
    code = (
        f"{HEARS_CTRL_C}"
        "import os, click\nfrom netsim.cli import main\n"
        "def odd():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        signal.pause()\n"
        "    except KeyboardInterrupt:\n"
        "        raise ValueError('a schema that makes no sense') from None\n"
        "main.Verbs.get_command = lambda self, ctx, name: click.Command('odd', callback=odd)\n"
        "main.main(['version'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (130, "interrupted\n", "")


@pytest.mark.parametrize("module_name", ["click", "netsim.cli.main"])
def test_ctrl_c_before_the_command_line_is_there_ends_with_130(module_name):
    code = (
        f"{HEARS_CTRL_C}"
        "import os, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module_name!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            signal.pause()\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from netsim.__main__ import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_reader_that_leaves_is_no_mistake():
    code = (
        "import sys, click\nfrom netsim.cli import main\n"
        "def many(self, ctx, name):\n"
        "    return click.Command('many', callback=lambda: [click.echo('x' * 1000) for _ in range(10_000)])\n"
        "main.Verbs.get_command = many\nmain.main(['version'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, b"")


def test_version_says_what_netsim_stands_on(capsys):
    import json
    import platform

    assert ended(["version"]) == 0
    assert capsys.readouterr().out.startswith("netsim ")
    assert ended(["version", "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["python"] == platform.python_version()
    assert {"netsim", "numpy", "simpy", "pydantic"} <= set(found)
