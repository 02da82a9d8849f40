"""`netsim run`: what goes where, and with which code it ends. A small recording replaces the simulation."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
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
from netsim.simulation import Recording
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


def recording(scenario, seed, until, progress, take=None, engine="auto", *, partial=False):
    rows = np.zeros(50, REQUEST)
    rows["sent"], rows["sequence"], rows["attempts"] = np.arange(50) * 200 * MS, np.arange(50), 1
    rows["latency"], rows["pod"], rows["ingress"] = 5 * MS, 0, 0
    rows["outcome"][10:20] = 2
    if progress:
        progress(5 * S, 25)
    found = Recording(
        scenario=scenario, seed=scenario.document.seed if seed is None else seed,
        ended=until or scenario.document.duration, partial=partial, requests=rows, sources=("asker",),
        pods=("default/web",), nodes=("worker-1", "worker-2"), instants=(),
        changes=(Change(2 * S, "power-off", "node/worker-1", "worker-1"),), outages=(),
        ignored=("Pod spec.hostPID",), engine="plain", engine_why="it is small",
    )  # fmt: skip
    if take is None:
        return found
    for begin in range(0, 50, 20):
        take(replace(found, requests=rows[begin : begin + 20]))
    return replace(found, requests=rows[:0])


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


def test_what_is_hardly_meant_is_said_beside_the_report(file, tmp_path, capsys):
    spec = "{selector: {a: b}, ports: [{port: 80}]}"
    service = f"---\n{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {spec}}}\n"
    (tmp_path / "small.yaml").write_text(SCENARIO % "70%" + service)
    assert ended(["run", file, "--no-save"]) == 0
    assert "doubtful: Service web selects no pod: none has the label a: b\n" in capsys.readouterr().err
    assert ended(["run", file, "--no-save", "-q"]) == 0
    assert "doubtful" not in capsys.readouterr().err


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


def read(place):
    """Every file of a folder, but for its provenance."""
    found = {path.name: path.read_bytes() for path in place.iterdir()}
    assert found.pop("run.json")
    return found


def test_whatever_becomes_of_the_requests_all_else_is_the_same(file, tmp_path):
    for which in ("all", "sample:7", "none"):
        assert ended(["run", file, "-q", "--requests", which, "--out", which.partition(":")[0]]) == 0
    whole, sample, none = (read(tmp_path / name / "small" / "1") for name in ("all", "sample", "none"))
    assert len(whole.pop("requests.csv").splitlines()) == 51
    assert len(sample.pop("requests.csv").splitlines()) == 8
    assert "requests.csv" not in none
    described = [json.loads(found.pop("schema.json"))["resources"] for found in (whole, sample, none)]
    assert "A sample of 7 of 50" in described[1][0]["description"]
    assert [table["name"] for table in described[2]] == [table["name"] for table in described[0][1:]]
    assert whole == sample == none


def test_the_sample_is_of_rows_that_the_whole_table_has(file, tmp_path):
    ended(["run", file, "-q"])
    ended(["run", file, "-q", "--requests", "sample:7", "--out", "fewer"])
    whole, sample = (
        (tmp_path / folder / "small" / "1" / "requests.csv").read_text().splitlines() for folder in ("results", "fewer")
    )
    assert [line for line in whole if line in sample] == sample


def test_the_requests_can_be_written_as_parquet(file, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    assert ended(["run", file, "-q", "--format", "parquet", "--out", "parquet"]) == 0
    assert ended(["run", file, "-q"]) == 0
    parquet = pandas.read_parquet(tmp_path / "parquet" / "small" / "1" / "requests.parquet")
    text = pandas.read_csv(tmp_path / "results" / "small" / "1" / "requests.csv")
    pandas.testing.assert_frame_equal(parquet, text, check_dtype=False)
    schema = json.loads((tmp_path / "parquet" / "small" / "1" / "schema.json").read_text())
    assert schema["resources"][0]["path"] == "requests.parquet"


def test_without_pyarrow_parquet_is_refused_before_the_run(file, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert ended(["run", file, "--format", "parquet"]) == 2
    captured = capsys.readouterr()
    assert "Parquet needs pyarrow" in captured.err
    assert "pip install 'netsim-k8s[parquet]'" in captured.err
    assert captured.out == ""
    assert not (tmp_path / "results" / "small" / "1").exists()


@pytest.mark.parametrize("wrong", ["some", "sample", "sample:0", "sample:-1", "sample:1.5", ""])
def test_what_cannot_be_kept_is_said(file, wrong, capsys):
    assert ended(["run", file, "--requests", wrong]) == 2
    assert "write all, none or sample:1000" in capsys.readouterr().err


def test_a_table_that_is_not_kept_cannot_be_printed(file, capsys):
    assert ended(["run", file, "--requests", "none", "-o", "csv"]) == 2
    assert "-o csv prints the table of requests" in capsys.readouterr().err


def test_a_disk_that_is_full_ends_with_2_and_leaves_the_older_results(file, tmp_path, monkeypatch, capsys):
    assert ended(["run", file]) == 0
    before = read(tmp_path / "results" / "small" / "1")

    def full(self, part):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("netsim.report.writing.CsvWriter.take", full)
    assert ended(["run", file]) == 2
    assert "cannot write the requests" in capsys.readouterr().err
    assert read(tmp_path / "results" / "small" / "1") == before
    assert [path.name for path in (tmp_path / "results" / "small").iterdir()] == ["1"]


def test_a_folder_that_is_not_ours_is_refused_before_the_run(file, tmp_path, monkeypatch, capsys):
    place = tmp_path / "results" / "small" / "1"
    place.mkdir(parents=True)
    (place / "thesis.txt").write_text("mine")
    monkeypatch.setitem(sys.modules, "netsim.simulation", None)
    assert ended(["run", file]) == 2
    assert "was not written by netsim" in capsys.readouterr().err


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
    def interrupted(*given, **more):
        return recording(*given, **more, partial=True)

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
        progress(1 * S, 1000)
        assert "1 of 10 s simulated, ? left" in shown.getvalue()
        time.sleep(0.15)  # tqdm writes no more often than every 0.1 s
        progress(6 * S, 123_456)
    assert re.search(r"6 of 10 s simulated, 123,456 requests, 00:0\d left", shown.getvalue())


def test_a_run_imports_neither_pandas_nor_pyplot(file):
    code = "import sys\nfrom netsim.cli.main import ended\nassert ended(['run', 'small.yaml']) == 1\n"
    code += (
        "print([n for n in ('pandas', 'matplotlib.pyplot', 'numba') if n in sys.modules], file=sys.stderr)"
    )
    home = {**os.environ, "PYTHONPATH": str(Path(netsim.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=home)
    assert done.stderr.splitlines()[-1] == "[]"
