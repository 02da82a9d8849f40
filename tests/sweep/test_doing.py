"""Who does the runs: this process or others, workers that die, interruptions, and what is kept of it all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from netsim.errors import ScenarioError
from netsim.sweep import conduct as conducting
from netsim.sweep import processes as processing
from netsim.sweep.conduct import conduct
from netsim.sweep.plan import plan
from netsim.sweep.store import Store
from netsim.sweep.task import Lost

RATES = {"traffic.outside.rate": ["40/s", "80/s"]}
DEADLY = """\
import os, signal, netsim.sweep.task as task
real = task.perform
def perform(scenario, seed):
    if seed == 7 {also}:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(scenario, seed)
import netsim.sweep.here as here
here.perform = perform
"""


@pytest.fixture
def wanted(tiny):
    return plan(tiny, RATES, seeds=4)


@pytest.fixture
def counted(monkeypatch):
    """The seeds of the runs that are really done, by this process."""
    done = []
    real = conducting.here

    def here(tasks, deliver):
        done.extend(task.seed for task in tasks)
        real(tasks, deliver)

    monkeypatch.setattr(conducting, "here", here)
    return done


def test_a_run_that_is_finished_is_never_run_again(wanted, tmp_path, counted):
    first = conduct(wanted, jobs=1, store=Store(tmp_path))
    assert (len(counted), first.reused) == (8, 0)
    again = conduct(wanted, jobs=1, store=Store(tmp_path))
    assert (len(counted), again.reused) == (8, 8)
    assert again.results == first.results


def test_more_seeds_and_more_values_cost_only_what_is_new(tiny, wanted, tmp_path, counted):
    conduct(wanted, jobs=1, store=Store(tmp_path))
    counted.clear()
    wider = plan(tiny, {"traffic.outside.rate": ["40/s", "80/s", "120/s"]}, seeds=5)
    found = conduct(wider, jobs=1, store=Store(tmp_path))
    assert len(counted) == 7
    assert (found.reused, len(found.results)) == (8, 15)


def test_variants_that_are_the_same_share_their_runs(tiny, counted):
    found = conduct(plan(tiny, {"traffic.outside.rate": ["40/s", "2400/m"]}, seeds=2), jobs=1)
    assert len(counted) == 2
    assert len(found.results) == 4


def test_processes_leave_the_same_results_as_this_one(wanted):
    assert conduct(wanted, jobs=2).results == conduct(wanted, jobs=1).results


def test_a_worker_that_dies_takes_only_its_own_run_with_it(wanted, monkeypatch):
    monkeypatch.setattr(processing, "_START", processing._START.replace("\n", "\n" + DEADLY.format(also=""), 1))
    found = conduct(wanted, jobs=2)
    assert sorted(found.results) == [(v, s) for v in (0, 1) for s in (5, 6, 8)]
    assert [loss.task.seed for loss in found.lost] == [7, 7]
    assert "was ended by signal 9" in found.lost[0].reason
    assert not found.partial
    assert found.summary()["runs"]["lost"][0]["variant"] == 0


def test_a_run_whose_worker_dies_once_is_tried_again(wanted, monkeypatch, tmp_path):
    mark = tmp_path / "died"
    also = f"and not os.path.exists({str(mark)!r}) and open({str(mark)!r}, 'w')"
    monkeypatch.setattr(processing, "_START", processing._START.replace("\n", "\n" + DEADLY.format(also=also), 1))
    found = conduct(wanted, jobs=2)
    assert mark.exists()
    assert (len(found.results), found.lost) == (8, ())


def test_where_no_process_can_be_started_every_run_is_lost_and_nothing_hangs(wanted, monkeypatch):
    def none():
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(processing, "Worker", none)
    found = conduct(wanted, jobs=2)
    assert len(found.lost) == 8
    assert found.lost[0].reason == "no process could be started: Resource temporarily unavailable"


def test_a_mistake_in_one_run_loses_only_that(wanted, monkeypatch):
    from netsim.sweep import here
    from netsim.sweep.task import perform

    def sometimes(scenario, seed):
        if seed == 6:
            raise RuntimeError("out of luck")
        return perform(scenario, seed)

    monkeypatch.setattr(here, "perform", sometimes)
    found = conduct(wanted, jobs=1)
    assert [(loss.task.seed, loss.reason) for loss in found.lost] == [(6, "RuntimeError: out of luck")] * 2
    assert len(found.results) == 6
    assert not found.passed or all(claim.runs == 3 for claim in found.claims())


def test_interrupted_it_keeps_what_is_done_and_goes_on_from_there(wanted, tmp_path):
    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    found = conduct(wanted, jobs=1, store=Store(tmp_path), progress=stop)
    assert found.partial
    assert len(found.results) == len(list(tmp_path.iterdir())) == 3
    rest = conduct(wanted, jobs=1, store=Store(tmp_path))
    assert (rest.reused, len(rest.results), rest.partial) == (3, 8, False)


def test_interrupted_processes_end_and_what_they_had_done_is_kept(wanted, tmp_path):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    found = conduct(plan(wanted.scenario, RATES, seeds=200), jobs=2, store=Store(tmp_path), progress=stop)
    assert found.partial
    assert 2 <= len(found.results) < 400
    assert len(list(tmp_path.iterdir())) == len(found.results)


def test_progress_begins_with_what_is_finished_and_ends_with_all(wanted, tmp_path):
    conduct(plan(wanted.scenario, RATES, seeds=1), jobs=1, store=Store(tmp_path))
    told = []
    conduct(wanted, jobs=1, store=Store(tmp_path), progress=lambda *count: told.append(count))
    assert told == [(done, 8) for done in range(2, 9)]


def test_the_result_of_other_code_is_refused(wanted, monkeypatch):
    monkeypatch.setattr(conducting, "here", lambda tasks, deliver: deliver(tasks[0], '{"format": "older"}'))
    with pytest.raises(ScenarioError, match="another netsim than this one"):
        conduct(wanted, jobs=1)


def test_a_worker_says_what_went_wrong_and_lives_on(wanted):
    worker = processing.Worker()
    try:
        broken = worker.ask(processing.Task("{}", 1))
        assert isinstance(broken, Lost)
        assert "ScenarioError" in broken.reason
        task = next(iter(wanted.tasks().values()))
        assert isinstance(worker.ask(task), str)
        worker.process.kill()
        assert worker.ask(task) is None
        assert worker.last_words() == "its process was ended by signal 9"
    finally:
        worker.end()


def test_a_worker_whose_sweep_is_gone_ends():
    worker = processing.Worker()
    worker.process.stdin.close()
    assert worker.process.wait(timeout=20) == 0
    worker.end()


@pytest.fixture
def children_hear_ctrl_c():
    """In a process that a shell put in the background SIGINT is ignored, and would be in its children, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("children_hear_ctrl_c")
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_the_command_with_130_and_keeps_what_is_done(tiny_file, tmp_path):
    command = [sys.executable, "-m", "netsim", "sweep", str(tiny_file), "--vary", "traffic.outside.rate=40/s,80/s",
               "--seeds", "2000", "-j", "2", "--out", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stopped = threading.Timer(60, process.kill)
    stopped.start()
    runs = tmp_path / "tiny" / "sweep" / "runs"
    while process.poll() is None and not (runs.is_dir() and len(list(runs.iterdir())) >= 4):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    stopped.cancel()
    assert process.returncode == 130, err
    assert "finished" in out.decode()
    assert "partial" in err.decode()
    kept = len([file for file in runs.iterdir() if file.suffix == ".json"])
    assert kept >= 4
    assert f"{kept:,} runs of 4,000 finished" in out.decode()
