"""Which engine moves a run, and that the run says so."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from netsim.dataplane import engines
from netsim.dataplane.engines import choose, expected
from netsim.dataplane.sources import Source
from netsim.draws import Draws
from netsim.errors import ScenarioError
from netsim.traffic import Traffic
from netsim.units import S

numba = pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")


def sources(**traffic):
    entry = {"name": "t", "from": "pod/client", "to": "10.96.0.20:80", **traffic}
    return [Source(0, Traffic(**entry), Draws(1), 100 * S)]


def test_a_small_run_is_moved_plainly(lab):
    choice = choose("auto", lab().state, sources(rate="10/s"))
    assert (choice.name, choice.why) == ("plain", "about 1,000 requests do not repay the start of compiled code")


@numba
def test_a_large_run_is_compiled(lab):
    choice = choose("auto", lab().state, sources(clients=20_000, think="1s"))
    assert choice.name == "compiled"
    assert choice.why == "about 1,980,198 requests repay the start of compiled code"


def test_whoever_asks_for_the_plain_engine_gets_it(lab):
    assert choose("plain", lab().state, sources(rate="100k/s")).name == "plain"


@numba
@pytest.mark.parametrize("wish", ["auto", "compiled"])
def test_what_only_the_plain_engine_knows_is_moved_plainly_and_said(lab, wish):
    choice = choose(wish, lab().state, sources(rate="100k/s", protocol="UDP"))
    assert (choice.name, choice.why) == ("plain", "it has UDP traffic")
    watched = lab().state
    watched.track = True
    assert choose(wish, watched, sources(rate="100k/s")).why == "conntrack entries are to be seen"


def test_without_numba_large_runs_are_plain_and_the_compiled_engine_is_refused(lab, monkeypatch):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert choose("auto", lab().state, sources(rate="100k/s")).why == "numba is not installed"
    with pytest.raises(ScenarioError, match="the compiled engine needs numba"):
        choose("compiled", lab().state, sources(rate="1/s"))


def test_closed_clients_are_expected_to_ask_as_often_as_they_think():
    assert expected(sources(clients=10, think="990ms", start="50s")) == 500


def test_a_small_run_never_imports_numba():
    code = (
        "import sys, netsim; run = netsim.run('scenarios/fast-profile.yaml');"
        "print(run.recording.engine, 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "plain False\n"
