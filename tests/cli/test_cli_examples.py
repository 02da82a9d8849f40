"""`netsim examples`: the scenarios at hand."""

from __future__ import annotations

import json

import pytest

from netsim.cli.main import ended

SCENARIO = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: %s, title: The title of %s, question: What of it?}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    return tmp_path / "scenarios"


def test_every_scenario_is_listed_with_its_title_and_question(folder, capsys):
    for name in ("b", "a"):
        (folder / f"{name}.yaml").write_text(SCENARIO % (name, name))
    assert ended(["examples"]) == 0
    assert capsys.readouterr().out == (
        "scenarios/a.yaml\n    The title of a\n    What of it?\n"
        "scenarios/b.yaml\n    The title of b\n    What of it?\n"
    )


def test_what_is_no_scenario_is_passed_over(folder, capsys):
    (folder / "a.yaml").write_text(SCENARIO % ("a", "a"))
    (folder / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    (folder / "broken.yaml").write_text("a: [")
    (folder / "list.yml").write_text("- 1\n")
    (folder / "empty.yaml").write_text("")
    (folder / "notes.txt").write_text("kind: Scenario")
    assert ended(["examples", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"file": "scenarios/a.yaml", "title": "The title of a", "question": "What of it?"}
    ]


def test_a_scenario_without_title_is_listed_all_the_same(folder, capsys):
    (folder / "a.yaml").write_text("kind: Scenario\n")
    ended(["examples"])
    assert capsys.readouterr().out == "scenarios/a.yaml\n"


def test_where_there_are_none_it_says_where_it_looked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert ended(["examples"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "no scenarios here; netsim looks in ./scenarios\n")
