"""A sweep on a Dask cluster: a real scheduler and two worker processes, one of which is killed in mid-sweep."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import netsim
from netsim.cli.main import ended
from netsim.errors import ScenarioError

pytest.importorskip("distributed")

PATH = "traffic.outside.rate"
RATES = {PATH: ["40/s", "80/s"]}
SEEDS = 12
QUIET = {"DASK_DISTRIBUTED__DASHBOARD__LINK": "", "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "100"}


class Cluster:
    """A scheduler of its own, and as many workers of one thread as are started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        self.address = self.said(self.processes[0], r"Scheduler at:\s+(tcp://\S+)")

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of Dask's programs; what it says goes to a file."""
        root = str(Path(netsim.__file__).parents[1])
        log = open(self.folder / f"{len(self.processes)}.log", "wb")  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
            stdout=log, stderr=subprocess.STDOUT, cwd=self.folder, env=os.environ | QUIET | {"PYTHONPATH": root},
        )  # fmt: skip
        log.close()
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it belongs to the cluster."""
        process = self.start("dask_worker", self.address, "--nworkers", "1", "--nthreads", "1", "--no-nanny",
                             "--no-dashboard", "--host", "127.0.0.1", "--death-timeout", "60")  # fmt: skip
        self.said(process, r"Registered to:")
        return process

    def said(self, process: subprocess.Popen[bytes], pattern: str) -> str:
        """Wait until a process says something."""
        log = self.folder / f"{self.processes.index(process)}.log"
        until = time.monotonic() + 60
        while (found := re.search(pattern, log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        return found[found.re.groups]

    def end(self) -> None:
        """End every process."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with one worker; each test adds another."""
    found = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        found.worker()
        yield found
    finally:
        found.end()


def test_a_worker_killed_in_mid_sweep_changes_nothing(tiny, cluster, tmp_path, files):
    local = tiny.sweep(RATES, seeds=SEEDS, jobs=1, folder=tmp_path / "local")
    victim = cluster.worker()
    seen = []

    def kill(done: int, total: int) -> None:
        seen.append(done)
        if done == total // 4:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    remote = tiny.sweep(RATES, seeds=SEEDS, engine="dask", scheduler=cluster.address,
                        folder=tmp_path / "remote", progress=kill)  # fmt: skip
    assert victim.returncode == -signal.SIGKILL
    assert seen[-1] == 2 * SEEDS
    assert (remote.reused, remote.lost, remote.partial) == (0, (), False)
    assert remote.results == local.results
    assert remote.pools == local.pools
    found = files(tmp_path / "remote")
    assert found == files(tmp_path / "local")
    assert found["series.csv"].count(b"\n") > 1


def test_the_command_does_the_same(tiny_file, cluster, tmp_path, files, capsys):
    cluster.worker()
    told = ["sweep", str(tiny_file), "--vary", f"{PATH}=40/s,80/s", "--seeds", "3", "-q"]
    assert ended([*told, "--out", str(tmp_path / "a"), "--engine", "dask", "--scheduler", cluster.address]) == 0
    assert ended([*told, "--out", str(tmp_path / "b"), "-j", "1"]) == 0
    assert files(tmp_path / "a" / "tiny" / "sweep") == files(tmp_path / "b" / "tiny" / "sweep")
    assert capsys.readouterr().out == ""


def test_interrupted_it_keeps_what_is_done_and_leaves_nothing_behind(tiny, cluster, tmp_path):
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    found = tiny.sweep(RATES, seeds=SEEDS, engine="dask", scheduler=cluster.address, folder=tmp_path, progress=stop)
    assert found.partial
    assert len(found.results) == len(list((tmp_path / "runs").iterdir())) == 5


def test_a_mistake_on_a_worker_loses_only_its_own_run(cluster):
    from netsim.sweep.cluster import cluster as do
    from netsim.sweep.task import Lost, Task

    answers = []
    do([Task("{}", 1), Task("{}\nnone", 2)], lambda task, answer: answers.append((task.seed, answer)), cluster.address)
    assert sorted(seed for seed, _ in answers) == [1, 2]
    assert all(isinstance(answer, Lost) for _, answer in answers)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_said(tiny, address, monkeypatch):
    monkeypatch.setattr("netsim.sweep.cluster.PATIENCE", 0.5)
    with pytest.raises(ScenarioError, match="no Dask scheduler answers at"):
        tiny.sweep(RATES, seeds=1, engine="dask", scheduler=address)


def test_a_cluster_without_an_address_is_refused(tiny):
    with pytest.raises(ScenarioError, match="a Dask cluster has a scheduler"):
        tiny.sweep(RATES, seeds=1, engine="dask")
