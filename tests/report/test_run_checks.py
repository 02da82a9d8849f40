"""Measures and checks: what each number is, and when a claim holds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from netsim.dataplane.history import Change
from netsim.report.checks import MEASURES, judge
from netsim.report.run import Run
from netsim.scenario import measures
from netsim.scenario.model import Check
from netsim.units import MS, S


def measure(run: Run, name: str, of: str = ""):
    return MEASURES[name](run, of)


def test_every_measure_a_scenario_may_name_can_be_taken():
    assert set(MEASURES) == set(measures.MEASURES)


@pytest.mark.parametrize(
    ("name", "of", "value"),
    [
        ("detected", "worker-dies", 48_412 * MS),
        ("endpoints-removed", "worker-dies", 48_421 * MS),
        ("programmed", "worker-dies", 49_312 * MS),
        ("replaced", "worker-dies", 353_427 * MS),
        ("outage", "inside", 49_310 * MS),
        ("outage", "node-port", 0),
        ("availability", "inside", 1 - 49.31 / 480),
        ("availability", "node-port", 1.0),
        ("requests", "inside", 2400),
        ("refused", "inside", 2),
        ("resets", "", 0),
    ],
)
def test_a_measure_is_what_the_recording_says(run, name, of, value):
    assert measure(run, name, of) == pytest.approx(value)


def test_measures_of_requests_are_the_statistics(run):
    told = run.statistics("inside")
    assert measure(run, "failed", "inside") == told.failed == measure(run, "timeouts", "inside") + 2
    assert measure(run, "success", "inside") == told.ok / (told.ok + told.failed)
    assert measure(run, "p99", "inside") == told.percentiles[99]
    assert (measure(run, "mean", "inside"), measure(run, "max", "inside")) == (told.mean, told.most)
    assert measure(run, "lost", "inside") == measure(run, "timeouts", "inside")


def test_without_a_name_a_measure_is_of_all_together(run):
    assert measure(run, "requests") == len(run.rows)
    assert measure(run, "detected") == measure(run, "detected", "worker-dies")
    assert measure(run, "outage") == 49_310 * MS


def test_a_rate_counts_what_went_well_while_the_source_was_active(run):
    told = run.statistics("load-balancer")
    assert measure(run, "rate", "load-balancer") == pytest.approx(told.ok / 430)


def test_availability_counts_overlapping_outages_once(remake):
    spans = [(10, 30), (20, 40), (100, None)]
    outages = tuple(
        SimpleNamespace(
            source="inside", target="", began=a * S, detected=None, ended=b and b * S, share=1.0, reason=""
        )
        for a, b in spans
    )
    run = Run(remake(5.0, outages=outages))
    assert measure(run, "availability", "inside") == pytest.approx(1 - (30 + 380) / 480)
    assert measure(run, "outage", "inside") == 380 * S


def test_a_fault_is_healed_when_the_last_request_it_cost_was_sent(run):
    lost = run.requests[(run.requests.outcome == "timeout")].sent.max()
    assert measure(run, "healed", "worker-dies") / S == pytest.approx(lost - 60)


def test_a_fault_is_never_healed_while_a_source_still_cannot_reach_its_target(remake):
    outage = SimpleNamespace(
        source="inside", target="", began=60 * S, detected=None, ended=None, share=1.0, reason=""
    )
    assert measure(Run(remake(5.0, outages=(outage,))), "healed", "worker-dies") is None


def test_what_never_happened_has_no_value(remake, recording):
    quiet = [c for c in recording.changes if c.kind in ("power-off", "power-on", "node-ready")]
    run = Run(remake(5.0, changes=tuple(quiet)))
    for name in ("detected", "endpoints-removed", "programmed", "replaced"):
        assert measure(run, name, "worker-dies") is None


def test_another_node_that_fails_by_itself_is_not_put_down_to_the_fault(remake, recording):
    other = Change(61 * S, "node-not-ready", "node/worker-1", "worker-1")
    changes = sorted((*recording.changes, other), key=lambda change: change.time)
    assert measure(Run(remake(5.0, changes=tuple(changes))), "detected", "worker-dies") == 48_412 * MS


BOUNDS = [
    # measure    of            at least  at most  holds
    ("detected", "worker-dies", "40s", "55s", True),
    ("detected", "worker-dies", "48412ms", "48412ms", True),
    ("detected", "worker-dies", "49s", None, False),
    ("detected", "worker-dies", None, "48s", False),
    ("success", "inside", "50%", None, True),
    ("success", "inside", 0.999, None, False),
    ("requests", "inside", 2400, 2400, True),
    ("refused", "", None, 0, False),
    ("rate", "inside", "1/s", "5/s", True),
]


@pytest.mark.parametrize(("name", "of", "least", "most", "holds"), BOUNDS)
def test_a_check_holds_within_its_bounds(run, name, of, least, most, holds):
    check = Check(measure=name, of=of, at_least=least, at_most=most)
    assert judge(run, check).passed is holds


def test_a_measure_without_a_value_meets_no_bound(remake):
    run = Run(remake(5.0, requests=remake(5.0).requests[:0]))
    for bounds in ({"at_least": "0s"}, {"at_most": "9h"}):
        finding = judge(run, Check(measure="p99", of="inside", **bounds))
        assert not finding.passed
        assert finding.found == "no requests"
    finding = judge(Run(remake(5.0, changes=())), Check(measure="detected", of="worker-dies", at_most="9h"))
    assert (finding.passed, finding.found) == (False, "never")


@pytest.mark.parametrize(("name", "bound"), [("outage", {"at_most": "1s"}), ("availability", {"at_least": "0%"})])
def test_a_source_whose_pod_never_ran_has_no_outage_and_no_availability(remake, name, bound):
    none = remake(5.0, requests=remake(5.0).requests[:0], outages=(), absent={"inside": "it never ran"})
    finding = judge(Run(none), Check(measure=name, of="inside", **bound))
    assert (finding.passed, finding.found) == (False, "no requests")


def test_a_finding_says_the_claim_and_what_was_found(run):
    finding = judge(run, Check(measure="detected", of="worker-dies", at_least="40s", at_most="55s"))
    assert (finding.claim, finding.found) == ("detected of worker-dies ≥ 40s and ≤ 55s", "48.4 s")
    assert finding.data() == {
        "measure": "detected", "of": "worker-dies", "unit": "duration",
        "at_least": 40.0, "at_most": 55.0, "value": 48.412, "passed": True,
    }  # fmt: skip


def test_a_run_passes_if_all_its_checks_do(run, remake):
    assert not run.passed
    assert [finding.passed for finding in run.checks()] == [True, True, False, True]
    document = run.scenario.document.model_copy(update={"checks": run.scenario.document.checks[:1]})
    scenario = type(run.scenario)(document)
    assert Run(remake(5.0, scenario=scenario)).passed
