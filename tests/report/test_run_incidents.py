"""What became of each fault: noticed by whom, repaired when, at what cost, and where the seconds went."""

from __future__ import annotations

import itertools

import pytest

from netsim.dataplane.requests import OK, TIMEOUT, UNFINISHED
from netsim.report.incident_tables import window
from netsim.report.incident_text import bar, heading
from netsim.report.run import Run
from netsim.report.spells import over
from netsim.report.stages import STAGES
from netsim.report.terminal import plain, report
from netsim.units import MS, S

NOTICED, EVICTED = 108_412 * MS, 413_421 * MS


@pytest.fixture
def incident(run):
    (found,) = run.strokes
    return found


def test_an_incident_has_every_moment_of_a_node_failure(incident):
    assert (incident.fault, incident.action, incident.victims) == ("worker-dies", "node-power-loss", ("node/worker-2",))
    assert (incident.injected, incident.healed) == (60 * S, 420 * S)
    assert (incident.noticed, incident.noticed_by) == (NOTICED, "node lifecycle")
    assert incident.endpoints_gone == NOTICED + 9 * MS
    assert (incident.rules_first, incident.rules_last) == (NOTICED + 400 * MS, NOTICED + 900 * MS)
    assert incident.rules_nodes == ("control-plane", "worker-3")
    assert incident.tainted == 113_420 * MS
    assert incident.evicted == EVICTED
    assert incident.created == EVICTED + 6 * MS
    assert incident.scheduled == EVICTED + 30 * MS
    assert incident.ready == incident.repaired == EVICTED + 2100 * MS
    assert incident.in_rules == EVICTED + 2800 * MS


def test_its_four_times_are_those_of_the_literature(incident):
    assert incident.reaction == NOTICED - 60 * S
    assert incident.repair == incident.ready - NOTICED
    assert incident.outage == 109_310 * MS - 60 * S
    assert incident.outage == incident.reaction + incident.recovery


def test_the_stages_lie_end_to_end_and_each_names_whom_one_waited_for(incident):
    stages = incident.stages
    assert stages[0].begin == 60 * S
    assert all(one.end == next.begin for one, next in itertools.pairwise(stages))
    assert sum(stage.took for stage in stages) == incident.in_rules - 60 * S
    longest = max(stages, key=lambda stage: stage.took)
    assert (longest.component, longest.what) == ("taint eviction", "pods told to go")
    assert longest.took == EVICTED - 113_420 * MS
    assert {stage.what for stage in stages} <= {what for _, _, what in STAGES}


def test_losses_are_counted_by_source_and_outcome(run, incident):
    for loss in incident.losses:
        rows = run.requests_of(loss.source)
        mine = rows[rows["sent"] + rows["latency"] > 60 * S]
        failed = mine[(mine["outcome"] != OK) & (mine["outcome"] != UNFINISHED)]
        assert loss.lost == sum(number for _, number in loss.outcomes)
        assert loss.lost == len(failed)
        assert (loss.first, loss.last) == (int(failed["sent"].min()), int(failed["sent"].max()))
        assert 0.9 < loss.availability < 1


def test_who_replaced_and_repaired_is_said(run, incident):
    assert (incident.created_by, incident.repaired_by, incident.left) == ("ReplicaSet", "kubelet", ())
    (told,) = run.summary()["incidents"]
    assert (told["createdBy"], told["left"]) == ("ReplicaSet", [])


def test_requests_that_were_never_answered_again_leave_the_outage_open(remake):
    made = remake(5.0, outages=())
    rows = made.requests
    rows["outcome"][(rows["sent"] >= 60 * S) & (rows["outcome"] != UNFINISHED)] = TIMEOUT
    (incident,) = Run(made).strokes
    assert incident.cut_off < 61 * S
    assert incident.outage is None


@pytest.mark.parametrize(
    ("spells", "held", "end"),
    [
        ([], 0, 10),
        ([(12, 20), (45, 50)], 0, 50),  # too soon after the first
        ([(12, 20), (60, 70)], 0, 20),  # apart
        ([(12, 20), (60, 70)], 65, 70),  # but the fault could still be felt
        ([(12, 20), (15, 18)], 0, 20),
        ([(100, 110)], 0, 110),  # however late the first one comes
        ([(12, 20), (30, None)], 0, None),
        ([(12, 20), (60, None)], 0, 20),
    ],
)
def test_an_interruption_is_over_with_the_last_spell_that_belongs_to_it(spells, held, end):
    seconds = [(began * S, None if ended is None else ended * S) for began, ended in spells]
    assert over(seconds, 10 * S, held * S) == (None if end is None else end * S)


def test_a_source_that_never_comes_back_leaves_the_outage_open(remake):
    made = remake(5.0)
    for outage in made.outages:
        outage.ended = None
    (incident,) = Run(made).strokes
    assert incident.outage is None
    assert incident.recovery is None
    assert incident.reaction is not None


def test_the_table_has_a_row_for_each_incident_and_source(run):
    frame = run.incidents
    assert list(frame["source"]) == ["inside", "node-port", "load-balancer"]
    assert set(frame["fault"]) == {"worker-dies"}
    assert frame["reaction"].iloc[0] == pytest.approx(48.412)
    assert frame["lost"].sum() == sum(loss.lost for loss in run.strokes[0].losses)


def test_a_run_without_faults_has_no_incidents(remake):
    made = remake(5.0)
    document = made.scenario.document.model_copy(update={"faults": (), "checks": ()})
    made.scenario = type(made.scenario)(document)
    run = Run(made)
    assert run.strokes == ()
    assert len(run.incidents) == 0
    assert "Incidents" not in report(run)


def test_availability_is_said_of_the_run_and_of_every_window(run):
    told = run.summary()["availability"]
    assert [source["source"] for source in told] == ["inside", "node-port", "load-balancer"]
    for source in told:
        assert source["window"] == 10
        assert len(source["windows"]) == 48
        assert source["run"] == pytest.approx(run.statistics(source["source"]).success)
        assert all(part is None or 0 <= part <= 1 for part in source["windows"])
    assert told[0]["windows"][2] == 1
    assert told[0]["windows"][8] < 0.8
    frame = run.availability
    assert frame["ended"].sum() == sum(run.statistics(s).requests - run.statistics(s).unfinished
                                       for s in run.recording.sources)  # fmt: skip


def test_windows_are_round_and_never_many():
    for ended in (1, 59 * S, 61 * S, 3600 * S, 86_400 * S):
        length = window(ended)
        assert -(-ended // length) <= 60


def test_the_terminal_says_where_the_seconds_went(run):
    text = report(run, 80)
    part = text[text.index("Incidents") : text.index("Traffic")]
    assert "node-power-loss of worker-2, from 60.000 s to 420.000 s" in part
    assert "taint eviction  pods told to go" in part
    assert "300.001 s" in part
    assert "reaction 48.4 s, repair 307 s, recovery 898 ms, outage 49.3 s" in part
    assert all(len(line) <= 80 for line in part.splitlines())


@pytest.mark.parametrize("room", [8, 13, 24])
def test_bars_never_leave_their_column(room):
    for begin in range(0, 101, 5):
        for end in range(begin, 101, 5):
            drawn = bar(begin, end, 100, room)
            assert drawn.strip()
            assert len(drawn) <= room


def test_summary_json_holds_incidents_in_seconds(run):
    (told,) = run.summary()["incidents"]
    assert told["injected"] == 60
    assert told["noticedBy"] == "node lifecycle"
    assert told["outage"] == pytest.approx(49.31)
    assert told["stages"][0] == {"component": "node lifecycle", "what": "noticed", "begin": 60.0, "end": 108.412,
                                 "took": 48.412, "beside": False}  # fmt: skip
    assert {loss["source"] for loss in told["sources"]} == {"inside", "node-port", "load-balancer"}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_names_are_wrapped_and_said_once(width):
    what = f"node-power-loss of {'p' * 50}-0, {'p' * 50}-1, from 60.000 s to 420.000 s"
    lines = list(heading("f" * 63, what, width, plain))
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "f" * 63 + what.replace(" ", "")
