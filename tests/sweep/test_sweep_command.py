"""`netsim sweep` and `netsim compare`: what goes where, and with which code they end."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import time

import pytest

from netsim.cli.main import ended
from netsim.cli.sweep import _bar, _seeds

RATE = "traffic.outside.rate=40/s,80/s"


@pytest.fixture
def sweep(tiny_file, tmp_path, capsys):
    """Run the command on the small scenario: its exit code, what it printed, what it said aside."""

    def call(*arguments, seeds=2):
        given = ["sweep", str(tiny_file), "--seeds", str(seeds), "-j", "1", "--out", str(tmp_path), *arguments]
        code = ended(given)
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_it_prints_the_report_and_says_where_the_results_are(sweep, tmp_path):
    code, out, err = sweep("--vary", RATE)
    assert code == 0
    assert out.startswith("Two pods behind a Service\n")
    assert "2 variants × 2 seeds = 4 runs" in out
    assert f"Results are in {tmp_path / 'tiny' / 'sweep'}" in err
    assert (tmp_path / "tiny" / "sweep" / "figure.png").is_file()


def test_the_same_command_runs_nothing_again(sweep):
    sweep("--vary", RATE)
    _, _, err = sweep("--vary", RATE)
    assert "4 of 4 runs were finished already" in err
    _, _, err = sweep("--vary", RATE, seeds=3)
    assert "4 of 6 runs were finished already" in err


@pytest.mark.parametrize("name", ["../../esc", "a/b", "..", "", "/tmp", "con", "a b"])
def test_a_name_that_is_not_one_plain_folder_name_is_refused(sweep, tmp_path, name):
    code, out, err = sweep("--name", name)
    assert (code, out) == (2, "")
    assert f"--name: {name!r} is not one plain folder name" in err
    assert list(tmp_path.iterdir()) == []


def test_a_finished_sweep_of_another_scenario_with_the_same_name_is_kept(sweep, tiny_file, tmp_path, capsys):
    sweep()
    summary = tmp_path / "tiny" / "sweep" / "summary.json"
    kept = summary.read_bytes()
    other = tmp_path / "other.yaml"
    other.write_text(tiny_file.read_text().replace("Two pods behind", "Something else behind"))
    given = ["sweep", str(other), "--seeds", "2", "-j", "1", "--out", str(tmp_path)]
    assert ended(given) == 2
    told = capsys.readouterr().err
    assert "holds a finished sweep of another scenario called tiny" in told
    assert "name another folder with --out or --name" in told
    assert summary.read_bytes() == kept
    assert ended([*given, "--name", "other"]) == 0
    assert sweep("--vary", RATE)[0] == 0  # the same scenario goes on in its own folder


def test_json_is_the_summary_and_csv_the_tidy_table(sweep):
    _, out, _ = sweep("--vary", RATE, "-o", "json")
    assert json.loads(out)["seeds"] == [5, 6]
    _, out, _ = sweep("--vary", RATE, "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["traffic.outside.rate"] for row in rows} == {"40/s", "80/s"}


def test_quietly_without_saving_nothing_is_said_or_written(sweep, tmp_path):
    assert sweep("--vary", RATE, "-q", "--no-save") == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_fails_ends_with_one(sweep):
    code, out, _ = sweep("--vary", "faults.cut.selector.nodes=[worker-1]", "--vary", "faults.cut.at=6s")
    assert code == 1
    assert "✗ success of outside" in out


def test_a_lost_run_ends_with_three_and_says_why(sweep, monkeypatch):
    def broken(scenario, seed):
        raise RuntimeError("out of luck")

    monkeypatch.setattr("netsim.sweep.here.perform", broken)
    code, out, err = sweep()
    assert code == 3
    assert "seed 5: RuntimeError: out of luck" in out
    assert "goes on from here" in err


def test_interrupted_it_ends_with_130_and_says_how_far_it_came(sweep, monkeypatch):
    from netsim.sweep.task import perform

    def stopped(scenario, seed):
        if seed == 7:
            raise KeyboardInterrupt
        return perform(scenario, seed)

    monkeypatch.setattr("netsim.sweep.here.perform", stopped)
    code, out, err = sweep(seeds=4)
    assert code == 130
    assert "Interrupted: 2 runs of 4 finished." in out
    assert "(partial; the same command goes on from here)" in err
    monkeypatch.setattr("netsim.sweep.here.perform", perform)
    code, _, err = sweep(seeds=4)
    assert code == 0
    assert "2 of 4 runs were finished already" in err


WRONG = [
    (["--vary", "cluster.proxy.minSyncPerod=1s"], "did you mean minSyncPeriod?"),
    (["--vary", "serving.0.workers=two"], 'a whole number is wanted, found "two"'),
    (["--vary", "workers"], "does not say what to vary"),
    (["--baseline", "serving.0.workers=2"], "is not varied"),
    (["--measure", "p98"], "did you mean p99?"),
    (["--seeds", "0"], "from 1 to 1,000,000 seeds"),
    (["--seeds", "many"], "says neither how many nor which"),
    (["--seeds", "9..1"], "says neither how many nor which"),
    (["--engine", "dask"], "--engine dask needs --scheduler"),
    (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler is for --engine dask"),
    (["--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"], "-j is for this machine"),
    (["-j", "0"], "0 is not in the range"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_meant_ends_with_two_before_anything_runs(sweep, arguments, said, monkeypatch, tmp_path):
    monkeypatch.setattr("netsim.sweep.here.perform", None)
    code, out, err = sweep(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "meant"), [("30", 30), ("1..3", range(1, 4)), ("7,8", [7, 8]), ("7,", [7])])
def test_seeds_are_so_many_or_those_listed(text, meant):
    if text == "7,":
        with pytest.raises(Exception, match="neither how many nor which"):
            _seeds(text)
    else:
        assert _seeds(text) == meant


def test_away_from_a_terminal_there_is_no_bar(capsys):
    with _bar(False) as progress:
        assert progress is None
    assert capsys.readouterr().err == ""


def test_on_a_terminal_the_bar_counts_runs_and_what_was_finished_before_is_no_speed(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("netsim.cli.sweep.PATIENCE", 0)
    with _bar(False) as progress:
        progress(40, 100)
        assert "40 of 100 runs, ? left" in terminal.getvalue()
        time.sleep(0.15)  # tqdm writes no more often than every 0.1 s
        progress(70, 100)
    assert re.search(r"70 of 100 runs, 00:0\d left", terminal.getvalue())
    assert terminal.getvalue().endswith("\r")


# compare


@pytest.fixture
def swept(sweep, tmp_path):
    """Folders of two sweeps that differ, and of one that does not."""
    sweep("--name", "one", seeds=4)
    sweep("--name", "same", seeds=4)
    sweep("--name", "two", "--seeds", "100..103")
    return tmp_path / "tiny"


@pytest.fixture
def compare(swept, capsys):
    """Compare two of them."""

    def call(a, b, *options):
        code = ended(["compare", str(swept / a), str(swept / b), *options])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_what_does_not_differ_ends_with_zero_and_says_nothing(compare):
    assert compare("one", "same") == (0, "", "")
    code, out, _ = compare("one", "same", "--all")
    assert code == 0
    assert "requests" in out


def test_what_differs_ends_with_one_and_is_shown(compare):
    code, out, _ = compare("one", "two")
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()[:3]] == ["A", "B", "measure"]
    assert out.splitlines()[1].endswith("two")
    assert "mean" in out


def test_variants_that_only_one_sweep_has_are_named_in_a_line_each(sweep, compare):
    sweep("--name", "grid", "--vary", RATE)
    code, out, _ = compare("one", "grid")
    assert code == 1
    assert out.splitlines()[2:] == [
        "only in A: nothing varied",
        "only in B: traffic.outside.rate=40/s",
        "only in B: traffic.outside.rate=80/s",
    ]


def test_chance_is_no_difference_if_one_must_be_certain(compare):
    code, out, _ = compare("one", "two", "--certain")
    assert (code, out) == (0, "")


def test_the_exit_code_tells_without_a_word(compare):
    assert compare("one", "two", "-q") == (1, "", "")


def test_a_comparison_is_data_too(compare):
    code, out, _ = compare("one", "two", "-o", "json")
    assert code == 1
    assert json.loads(out)["differ"] is True
    code, out, _ = compare("one", "same", "-o", "csv", "--all")
    assert code == 0
    assert {row["difference"] for row in csv.DictReader(io.StringIO(out))} <= {"0.0", ""}


def test_what_is_not_there_ends_with_two(compare):
    code, out, err = compare("one", "three")
    assert (code, out) == (2, "")
    assert "there is no folder" in err
