"""The state of nodes and pods through a run, and where the labels of the figure go."""

from __future__ import annotations

from netsim.dataplane.history import Change
from netsim.report.labels import ROWS, labels
from netsim.report.lanes import Lane, Span, chosen, lanes
from netsim.report.timeline import Entry
from netsim.units import MS, S


def states(lane: Lane) -> list[tuple[float, str]]:
    return [(span.begin / S, span.state) for span in lane.spans]


def lane(run, name: str) -> Lane:
    every = lanes(run.recording.changes, run.recording.nodes, run.ended)
    return next(each for each in every if each.name.endswith(name))


def test_a_node_is_dead_unnoticed_then_dead_then_back(run):
    assert states(lane(run, "worker-2")) == [
        (0, "ready"), (60, "unnoticed"), (108.412, "off"), (450, "not ready"), (450.2, "ready"),
    ]  # fmt: skip


def test_a_node_that_is_rebooted_is_down_until_it_has_booted_and_struck_no_longer():
    def change(time: int, kind: str, fault: str = "") -> Change:
        return Change(time * S, kind, "node/a", "a", fault)

    reboot = [change(10, "fault", "reboot"), change(10, "power-off", "reboot"), change(10, "power-on", "reboot")]
    others = [change(5, "fault", "loss"), change(60, "healed", "loss")]
    (quiet,) = lanes([*reboot, change(40, "booted")], ["a"], 90 * S)
    assert states(quiet) == [(0, "ready"), (10, "unnoticed"), (40, "ready")]
    (both,) = lanes([others[0], *reboot, change(40, "booted"), others[1]], ["a"], 90 * S)
    assert states(both) == [(0, "ready"), (5, "struck"), (10, "unnoticed"), (40, "struck"), (60, "ready")]


def test_an_endpoint_is_stale_from_the_death_of_its_pod_until_it_leaves_the_slice(run):
    found = states(lane(run, "q9zt7"))
    assert [state for _, state in found] == ["starting", "ready", "serving", "stale", "out", "terminating"]
    assert (60.0, "stale") in found
    assert (108.421, "out") in found
    assert (413.421, "terminating") in found
    assert lane(run, "q9zt7").spans[-1].end == 450_900 * MS


def test_a_pod_that_is_no_endpoint_has_no_lane(run):
    names = [each.name for each in lanes(run.recording.changes, run.recording.nodes, run.ended)]
    assert "default/client" not in names
    assert names[:4] == list(run.recording.nodes)


def test_lanes_have_no_gaps_and_end_with_the_run(run):
    for each in lanes(run.recording.changes, run.recording.nodes, run.ended):
        assert all(a.end == b.begin for a, b in zip(each.spans, each.spans[1:], strict=False))
        if each.kind == "node":
            assert (each.spans[0].begin, each.spans[-1].end) == (0, run.ended)


def test_a_node_is_marked_wherever_it_changed_its_rules(run):
    assert lane(run, "worker-1").marks == (3_200 * MS + 1, 109_062 * MS, 415_921 * MS)


def test_a_pod_that_comes_back_under_its_old_name_starts_anew():
    pod, slot = "pod/default/db-0", "endpoint/default/db/db-0"
    story = [
        ("pod-created", pod), ("pod-listening", pod), ("endpoint-ready", slot),
        ("endpoint-not-ready", slot), ("pod-terminating", pod), ("pod-deleted", pod),
        ("pod-created", pod), ("pod-listening", pod), ("endpoint-ready", slot),
    ]  # fmt: skip
    changes = [Change(time * S, kind, subject) for time, (kind, subject) in enumerate(story)]
    (found,) = lanes(changes, (), 12 * S)
    assert states(found) == [
        (0, "starting"), (2, "serving"), (3, "out"), (4, "terminating"), (6, "starting"), (8, "serving"),
    ]  # fmt: skip


def test_where_not_all_lanes_fit_those_in_which_something_broke_do():
    every = [Lane(f"n{i}", "node", (Span(0, 1, "off" if i in (40, 70) else "ready"),)) for i in range(90)]
    kept = chosen(every, 10)
    assert [each.name for each in kept] == [f"n{i}" for i in (*range(8), 40, 70)]
    assert chosen(every[:5], 10) == tuple(every[:5])


def entry(time: int, kind: str) -> Entry:
    return Entry(time * S, "", tone="fault" if kind == "power-off" else "plain", kind=kind)


def test_moments_that_nearly_coincide_share_a_label():
    found = labels([entry(60, "power-off"), entry(100, "node-not-ready"), entry(101, "programmed")], 480 * S)
    assert [(label.time / S, label.text) for label in found] == [
        (60, "power lost"),
        (100, "NotReady, rules changed"),
    ]


def test_labels_that_would_collide_are_in_different_rows():
    found = labels(
        [entry(60, "power-off"), entry(70, "node-not-ready"), entry(80, "pod-terminating")], 480 * S
    )
    assert [label.row for label in found] == [0, 1, 2]
    assert max(label.row for label in found) < ROWS


def test_a_label_at_the_end_stands_left_of_its_line():
    late = [entry(475, kind) for kind in ("pod-terminating", "endpoint-ready", "programmed")]
    found = labels([entry(60, "power-off"), *late], 480 * S)
    assert [label.right for label in found] == [True, False]


def test_what_happens_before_the_first_fault_has_no_label():
    assert labels([entry(3, "programmed")], 480 * S) == []
