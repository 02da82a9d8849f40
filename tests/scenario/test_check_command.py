"""`netsim check` and `netsim schema`: what they print, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netsim.cli.check import command as check
from netsim.cli.schema import command as schema
from netsim.scenario.load import load, loads
from netsim.scenario.schema import scenario_schema

RIGHT = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: right}
cluster: {nodes: [{name: worker, count: 2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: nginx, tty: true}]}
"""
WRONG = RIGHT.replace("name: worker", "nmae: worker").replace("kind: Pod", "kind: Pdo")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right.yaml").write_text(RIGHT)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    return tmp_path


def test_a_right_file_is_told_in_one_line_and_what_is_ignored(files: Path) -> None:
    result = CliRunner().invoke(check, ["right.yaml"])
    assert result.exit_code == 0
    first, *rest = result.output.splitlines()
    assert first == (
        "right.yaml: ok: 2m, Kubernetes 1.32, 2 nodes, 1 object, 0 traffic sources, 0 faults, 0 checks"
    )
    assert len(rest) == 1
    assert rest[0].startswith("  ")
    assert "tty" in rest[0]


def test_every_mistake_is_printed_with_its_line_and_a_caret(files: Path) -> None:
    result = CliRunner().invoke(check, ["wrong.yaml"])
    assert result.exit_code == 2
    assert result.stderr == ""
    assert result.stdout.startswith(
        'wrong.yaml:4:19: missing field "cluster.nodes[0].name"\n'
        "  | cluster: {nodes: [{nmae: worker, count: 2}]}\n"
        "  |                   ^\n\n"
        'wrong.yaml:4:20: unknown field "cluster.nodes[0].nmae"\n'
        "  | cluster: {nodes: [{nmae: worker, count: 2}]}\n"
        "  |                    ^\n"
        "  = did you mean name?\n\n"
        'wrong.yaml:7:7: no matches for kind "Pdo"'
    )
    assert result.stdout.endswith("\n3 mistakes\n")


def test_all_files_are_looked_at(files: Path) -> None:
    result = CliRunner().invoke(check, ["wrong.yaml", "right.yaml", "none.yaml"])
    assert result.exit_code == 2
    assert "right.yaml: ok" in result.stdout
    assert "there is no file none.yaml" in result.stdout
    assert result.stdout.endswith("\n4 mistakes\n")


def test_mistakes_are_also_to_be_had_as_data(files: Path) -> None:
    result = CliRunner().invoke(check, ["-o", "json", "wrong.yaml", "right.yaml"])
    assert result.exit_code == 2
    wrong, right = json.loads(result.stdout)
    assert (wrong["file"], wrong["ok"], right["ok"], right["mistakes"]) == ("wrong.yaml", False, True, [])
    assert wrong["mistakes"][1] == {
        "message": 'unknown field "cluster.nodes[0].nmae"',
        "file": "wrong.yaml",
        "line": 4,
        "column": 20,
        "text": "cluster: {nodes: [{nmae: worker, count: 2}]}",
        "hint": "did you mean name?",
    }
    assert CliRunner().invoke(check, ["-o", "json", "right.yaml"]).exit_code == 0


DOUBTFUL = """\
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: wbe}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: named, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8081, name: b}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {disk: ssd, kubernetes.io/os: linux}
      containers: [{name: main, image: nginx, ports: [{name: web, containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: lost}
spec: {nodeName: worker-3, containers: [{name: main, image: nginx}]}
"""


def test_what_is_allowed_and_hardly_meant_is_said_and_is_no_mistake(files: Path) -> None:
    text = DOUBTFUL.replace("{port: 80, targetPort: http}", "{port: 80, targetPort: http, name: a}")
    (files / "right.yaml").write_text(RIGHT.replace(", tty: true", "") + text)
    said = [
        "Service web selects no pod: none has the label app: wbe",
        'Service shop/named has no endpoints at port 80: no pod of it has a port called "http"',
        "Deployment shop/web fits no node: none has the labels disk: ssd, kubernetes.io/os: linux",
        'Pod lost names a node that is not there: "worker-3" (nodes: worker-1, worker-2)',
    ]
    result = CliRunner().invoke(check, ["right.yaml"])
    assert result.exit_code == 0
    assert result.output.splitlines()[1:] == [f"  {line}" for line in said]
    (told,) = json.loads(CliRunner().invoke(check, ["-o", "json", "right.yaml"]).stdout)
    assert (told["ok"], told["doubts"], told["ignored"]) == (True, said, [])


def test_print_gives_a_file_that_loads_back_to_the_same(files: Path) -> None:
    result = CliRunner().invoke(check, ["--print", "right.yaml"])
    assert result.exit_code == 0
    assert loads(result.stdout) == load("right.yaml")


def test_print_keeps_mistakes_out_of_the_data(files: Path) -> None:
    result = CliRunner().invoke(check, ["--print", "wrong.yaml"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'unknown field "cluster.nodes[0].nmae"' in result.stderr
    assert CliRunner().invoke(check, ["--print", "wrong.yaml", "right.yaml"]).exit_code == 2


def test_the_schema_is_printed_as_json() -> None:
    result = CliRunner().invoke(schema, [])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(scenario_schema()))
