"""`netsim run`: what goes where, and with which code it ends. A small recording replaces the simulation."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

import netsim
from netsim.cli.main import ended
from netsim.cli.run import _bar, _painter
from netsim.dataplane.history import Change
from netsim.dataplane.requests import REQUEST
from netsim.units import MS, S

SCENARIO = """\
apiVersion: netsim/v1
kind: Scenario
metadata: {name: small, title: A small one, question: Does it work?}
duration: 10s
cluster: {nodes: [{name: worker, count: 2}]}
traffic:
- {name: asker, from: outside, to: "10.0.0.7:80", rate: 5/s}
checks:
- {measure: success, of: asker, atLeast: %s}
"""


def recording(scenario, seed, until, progress, *, partial=False):
    rows = np.zeros(50, REQUEST)
    rows["sent"], rows["sequence"], rows["attempts"] = np.arange(50) * 200 * MS, np.arange(50), 1
    rows["latency"], rows["pod"], rows["ingress"] = 5 * MS, 0, 0
    rows["outcome"][10:20] = 2
    if progress:
        progress(5 * S, 25)
    return SimpleNamespace(
        scenario=scenario, seed=scenario.document.seed if seed is None else seed,
        ended=until or scenario.document.duration, partial=partial, requests=rows, sources=("asker",),
        pods=("default/web",), nodes=("worker-1", "worker-2"),
        changes=(Change(2 * S, "power-off", "node/worker-1", "worker-1"),), outages=(),
        ignored=("Pod spec.hostPID",), engine="plain",
    )  # fmt: skip


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A scenario that holds, in a folder of its own, and a simulation that is quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "netsim.simulation", SimpleNamespace(simulate=recording))
    (tmp_path / "small.yaml").write_text(SCENARIO % "70%")
    return "small.yaml"


def test_the_report_goes_to_standard_output_and_the_rest_to_standard_error(file, capsys):
    assert ended(["run", file]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("A small one\nDoes it work?\n")
    assert "✓ success of asker ≥ 70%" in captured.out
    assert "Results are in results/small/1" in captured.err.replace("\\", "/")
    assert "ignored: Pod spec.hostPID" in captured.err
    assert "Results" not in captured.out


def test_a_check_that_fails_ends_with_1(file, tmp_path, capsys):
    (tmp_path / "small.yaml").write_text(SCENARIO % "90%")
    assert ended(["run", file]) == 1
    assert "✗ success of asker ≥ 90%   80.00 %" in capsys.readouterr().out
    assert (tmp_path / "results" / "small" / "1" / "summary.json").exists()


def test_results_are_written_where_one_says_or_not_at_all(file, tmp_path):
    assert ended(["run", file, "--no-save"]) == 0
    assert not (tmp_path / "results").exists()
    assert ended(["run", file, "--out", "elsewhere", "--seed", "9"]) == 0
    place = tmp_path / "elsewhere" / "small" / "9"
    told = json.loads((place / "run.json").read_text())
    assert told["seed"] == 9
    assert set(told["seconds"]) == {"load", "simulate"}
    assert told["started"].endswith("Z")


def test_the_summary_can_be_had_as_json_and_as_yaml(file, capsys):
    assert ended(["run", file, "--no-save", "-o", "json"]) == 0
    as_json = json.loads(capsys.readouterr().out)
    assert ended(["run", file, "--no-save", "-o", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == as_json
    assert (as_json["requests"]["sent"], as_json["passed"]) == (50, True)


def test_the_table_of_requests_can_be_had_as_csv(file, capsysbinary):
    assert ended(["run", file, "--no-save", "-o", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode())))
    assert len(rows) == 50
    assert (rows[3]["sent"], rows[12]["outcome"]) == ("0.600000000", "timeout")


def test_wide_shows_the_histogram_line_by_line(file, capsys):
    assert ended(["run", file, "--no-save", "-o", "wide"]) == 0
    assert re.search(r"4\.70 ms to 5\.10 ms +█+ +40 +100 %", capsys.readouterr().out)


def test_quietly_only_checks_that_fail_are_printed(file, tmp_path, capsys):
    assert ended(["run", file, "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    (tmp_path / "small.yaml").write_text(SCENARIO % "90%")
    assert ended(["run", file, "-q"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("  ✗ success of asker ≥ 90%   80.00 %\n", "")


def test_a_run_can_be_stopped_at_a_time(file, capsys):
    assert ended(["run", file, "--no-save", "-o", "json", "--until", "2s"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["duration"] == 2.0
    assert ended(["run", file, "--until", "soon"]) == 2
    assert "'soon' is not a duration" in capsys.readouterr().err


def test_interrupted_what_there_is_is_written_and_marked(file, tmp_path, monkeypatch, capsys):
    def interrupted(*given):
        return recording(*given, partial=True)

    monkeypatch.setitem(sys.modules, "netsim.simulation", SimpleNamespace(simulate=interrupted))
    assert ended(["run", file]) == 130
    assert "(partial)" in capsys.readouterr().err
    place = tmp_path / "results" / "small" / "1"
    assert [json.loads((place / name).read_text())["partial"] for name in ("run.json", "summary.json")] == [
        True,
        True,
    ]


def test_a_file_that_is_not_there_ends_with_2(file, capsys):
    assert ended(["run", "smal.yaml"]) == 2
    captured = capsys.readouterr()
    assert "there is no file smal.yaml" in captured.err
    assert "Traceback" not in captured.err


def test_a_reader_that_leaves_does_not_keep_the_results_from_being_written(file, tmp_path, monkeypatch):
    def gone(*_):
        raise BrokenPipeError

    monkeypatch.setattr("netsim.cli.run._print", gone)
    assert ended(["run", file]) == 0
    assert (tmp_path / "results" / "small" / "1" / "requests.csv").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_there_is_colour_on_a_terminal_only_and_only_if_wanted(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert _painter()("no", "bad") == "no"
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert _painter()("no", "bad") == "\x1b[31m\x1b[1mno\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert _painter()("no", "bad") == "no"


def test_there_is_a_bar_on_a_terminal_only_and_only_after_a_while(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with _bar(10 * S, quiet=False) as progress:
        assert progress is None
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    with _bar(10 * S, quiet=True) as progress:
        assert progress is None
    with _bar(10 * S, quiet=False) as progress:
        progress(5 * S, 1000)
    assert "simulated" not in shown.getvalue()
    monkeypatch.setattr("netsim.cli.run.PATIENCE", 0.0)
    with _bar(10 * S, quiet=False) as progress:
        progress(5 * S, 1000)
    assert "0 of 10 s simulated" in shown.getvalue()


def test_a_run_imports_neither_pandas_nor_pyplot(file):
    code = "import sys\nfrom netsim.cli.main import ended\nassert ended(['run', 'small.yaml']) == 1\n"
    code += (
        "print([n for n in ('pandas', 'matplotlib.pyplot', 'numba') if n in sys.modules], file=sys.stderr)"
    )
    home = {**os.environ, "PYTHONPATH": str(Path(netsim.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=home)
    assert done.stderr.splitlines()[-1] == "[]"
