"""What is printed of a run."""

from __future__ import annotations

import re

import pytest

from netsim.report.run import Run
from netsim.report.statistics import Bin
from netsim.report.terminal import claims, report, spark


def test_every_part_is_there_in_order(run):
    text = report(run)
    assert text.startswith(
        "A worker dies under a Service\nWho notices, when, and what do clients see meanwhile?\n"
    )
    places = [text.index(f"\n\n{name}\n") for name in ("Timeline", "Traffic", "Reachability", "Checks")]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("wide", [False, True])
def test_no_line_is_wider_than_the_terminal(run, width, wide):
    room = max(width, 80)  # tables of numbers do not break
    assert max(len(line) for line in report(run, width, wide=wide).splitlines()) <= room


def test_the_timeline_has_both_clocks(run):
    assert re.search(r"^ +108\.412 s +\+48\.412 s  worker-2 is NotReady$", report(run), re.MULTILINE)


def test_the_last_node_to_change_its_rules_is_timed_from_the_fault(run):
    assert "rules changed on 3 nodes, first control-plane, last worker-3 at +49.312 s" in report(run, 120)


def test_each_source_has_its_numbers_and_its_failures(run):
    text = report(run)
    told = run.statistics("inside")
    assert re.search(rf"2,400 requests   5\.00/s   9\d\.\d\d % ok   {told.failed} failed", text)
    assert re.search(rf"errors +{told.failures[0].count} timeout, sent from 6\d\.\d+ s to 10\d\.\d+ s", text)


def test_reachability_says_when_it_began_was_detected_and_ended(run):
    assert re.search(r"inside +rules +60\.000 +\+48\.412 +109\.310 +49\.310 +50\.00 %", report(run))


def test_checks_say_whether_they_hold_and_what_was_found(run):
    lines = list(claims(run))
    assert lines[0] == "  ✓ detected of worker-dies ≥ 40s and ≤ 55s   48.4 s"
    assert lines[2].startswith("  ✗ p99 of node-port ≤ 10ms")
    assert all("✗" in line for line in claims(run, only_failed=True))
    assert len(list(claims(run, only_failed=True))) < len(lines)


def test_colour_changes_no_character(run):
    painted = report(run, paint=lambda text, role: f"<{role}>{text}</>")
    assert re.sub(r"</?[a-z]*>", "", painted) == report(run)
    assert "<bad>✗</>" in painted


def test_a_run_that_was_stopped_says_so(remake):
    assert "Stopped at 212 s of 480 s" in report(Run(remake(5.0, partial=True, ended=212 * 10**9)))


def test_a_run_without_losses_says_that_all_was_reachable(remake, recording):
    rows = recording.requests[recording.requests["outcome"] == 0]
    text = report(Run(remake(5.0, requests=rows, outages=())))
    assert "Every source could reach its target at all times." in text
    assert "errors" not in text


def test_a_source_whose_pod_never_ran_is_not_said_to_have_reached_its_target(remake, recording):
    why = "pod default/client never ran: 0/3 nodes are available: 3 Insufficient cpu."
    rows = recording.requests[(recording.requests["source"] != 0) & (recording.requests["outcome"] == 0)]
    text = report(Run(remake(5.0, requests=rows, outages=(), absent={"inside": why})), 120)
    assert f"inside sent nothing: {why}" in text
    assert "Every other source could reach its target at all times." in text
    all_of_them = dict.fromkeys(recording.sources, why)
    assert "could reach its target" not in report(Run(remake(5.0, requests=rows[:0], outages=(), absent=all_of_them)))


def test_a_run_without_traffic_has_no_section_about_it(remake, recording):
    document = recording.scenario.document.model_copy(update={"traffic": (), "checks": ()})
    scenario = type(recording.scenario)(document)
    none = remake(5.0, scenario=scenario, sources=(), requests=recording.requests[:0], outages=())
    text = report(Run(none))
    assert "Traffic" not in text
    assert "Reachability" not in text


def test_a_bin_with_anything_in_it_can_be_seen():
    assert spark([Bin(0, 1, 1_000_000), Bin(1, 2, 1), Bin(2, 3, 0)]).split()[2:3] == ["█▁"]


def test_what_a_scenario_says_is_shown_and_not_obeyed(remake, recording):
    document = recording.scenario.document
    metadata = document.metadata.model_copy(update={"title": "\x1b[2J gone", "question": "a\nb\x07?"})
    scenario = type(recording.scenario)(document.model_copy(update={"metadata": metadata}))
    text = report(Run(remake(5.0, scenario=scenario)))
    assert text.startswith("[2J gone\na b ?\n")
    assert text.replace("\n", "").isprintable()
