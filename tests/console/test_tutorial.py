"""The tutorial, from its first line to its last: each part prints what was recorded beside it, names and ages included.

The second line of a script is the command that plays it. `python tests/console/test_tutorial.py` plays all of them
(or those that are named) and records what they print; what differs is then seen in the diff of `scenarios/tutorial`.
"""

from __future__ import annotations

import io
import shlex
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from netsim.cli.main import ended

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = sorted((ROOT / "scenarios" / "tutorial").glob("*.netsim"), key=lambda script: script.stem)


def played(script: Path) -> str:
    """What the command in a script's second line prints."""
    program, *arguments = shlex.split(script.read_text("utf-8").splitlines()[1].removeprefix("#"))
    assert program == "netsim"
    assert arguments[-2:] == ["--script", script.relative_to(ROOT).as_posix()]
    printed, complained = io.StringIO(), io.StringIO()
    with chdir(ROOT), redirect_stdout(printed), redirect_stderr(complained):
        ended(arguments)
    assert complained.getvalue() == ""
    return printed.getvalue()


def record_of(script: Path) -> Path:
    return script.with_suffix(".txt")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_part_prints_what_was_recorded(script: Path) -> None:
    assert played(script) == record_of(script).read_text("utf-8")


def test_every_part_has_a_script() -> None:
    assert [script.stem for script in SCRIPTS] == [
        "01-contrast", "02-pods", "03-service", "04-environment", "05-dns", "06-tls", "07-exposing", "07-exposing-aws",
        "08-clusters",
    ]  # fmt: skip


def test_the_tutorials_own_addresses_come_out() -> None:
    text = "".join(record_of(script).read_text("utf-8") for script in SCRIPTS)
    for address in ("KUBERNETES_SERVICE_HOST=10.0.0.1\n", "kube-dns   ClusterIP   10.0.0.10 ", "[map[ip:10.244."):
        assert address in text


if __name__ == "__main__":
    for part in [Path(name).resolve() for name in sys.argv[1:]] or SCRIPTS:
        record_of(part).write_text(played(part), "utf-8")
