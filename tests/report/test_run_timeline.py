"""The story that is told of the changes."""

from __future__ import annotations

from netsim.dataplane.history import KINDS, Change
from netsim.report import timeline as module
from netsim.report.timeline import timeline
from netsim.units import MS, S

NODES = ("a", "b", "c")


def told(*changes: Change) -> list[str]:
    return [entry.text for entry in timeline(changes)]


def ready(*pods: str) -> list[Change]:
    made = [Change(0, "pod-created", f"pod/default/{pod}") for pod in pods]
    return made + [Change(n * S, "pod-ready", f"pod/default/{pod}", "a") for n, pod in enumerate(pods, 1)]


def crash(time: int, node: str) -> Change:
    return Change(time, "power-off", f"node/{node}", node)


def test_starting_up_is_told_by_when_it_was_done():
    entries = timeline([*ready("x", "y"), Change(3 * S, "programmed", "node/a", "a", revision=1)])
    assert [(entry.time, entry.text) for entry in entries] == [
        (2 * S, "all 2 pods ready"),
        (3 * S, "rules up to date on 1 node"),
    ]


def test_pods_that_are_not_ready_when_the_fault_strikes_are_counted():
    assert told(*ready("x", "y")[:3], crash(9 * S, "a"))[0] == "1 of 2 pods ready"


def test_a_new_pod_of_the_same_name_is_told_ready_again():
    new = [Change(n * S, kind, "pod/default/db-0", "a") for n, kind in
           ((11, "pod-deleted"), (12, "pod-created"), (14, "pod-not-ready"), (16, "pod-ready"))]  # fmt: skip
    assert told(*ready("db-0"), Change(10 * S, "pod-terminating", "pod/default/db-0", "a"), *new) == [
        "1 pod ready",
        "pod db-0 terminating",
        "pod db-0 deleted",
        "replacement pod db-0 created",
        "pod db-0 ready",
    ]


def test_times_count_from_the_last_thing_that_was_done_to_the_cluster():
    entries = timeline(
        [
            *ready("x"),
            Change(2 * S, "node-ready", "node/a", "a"),
            crash(10 * S, "a"),
            Change(50 * S, "node-not-ready", "node/a", "a"),
            Change(90 * S, "power-on", "node/a", "a"),
            Change(95 * S, "node-ready", "node/a", "a"),
        ]
    )
    assert [entry.since for entry in entries] == [None, 0, 40 * S, 0, 5 * S]


def test_the_fault_that_struck_is_named():
    assert timeline([crash(7 * S, "a")], {7 * S: "blackout"})[0].text == "a loses power (blackout)"


def test_changes_of_a_kind_within_a_second_are_one_line():
    pods = [f"p{n}" for n in range(5)]
    gone = [
        Change(20 * S + n * 300 * MS, "pod-terminating", f"pod/default/{pod}", "a")
        for n, pod in enumerate(pods)
    ]
    entries = timeline([*ready(*pods), *gone])
    assert entries[-1].text == "5 pods terminating: p0, p1, p2 and 2 more"
    assert (entries[-1].time, entries[-1].until) == (20 * S, 20 * S + 1200 * MS)


def test_changes_of_a_kind_a_second_apart_are_two_lines():
    first, second = (Change(t, "pod-terminating", f"pod/default/{t}", "a") for t in (20 * S, 21 * S + 1))
    assert len(timeline([first, second])) == 2


def test_a_pod_created_while_another_goes_is_a_replacement():
    gone = Change(20 * S, "pod-terminating", "pod/default/x", "a")
    made = Change(21 * S, "pod-created", "pod/default/y")
    assert told(gone, made)[-1] == "replacement pod y created"
    assert told(crash(5 * S, "a"), made)[-1] == "pod y created"


def rules(*marks: tuple[str, int, int]) -> list[Change]:
    return [
        Change(time, "programmed", f"node/{node}", node, revision=revision) for node, time, revision in marks
    ]


def endpoint(time: int, kind: str, revision: int = 0) -> Change:
    return Change(time, kind, "endpoint/default/web/x", "a", revision=revision)


START = [endpoint(1 * S, "endpoint-ready", 1), *rules(*[(node, 2 * S, 1) for node in NODES])]


def test_rules_are_told_when_the_first_and_the_last_node_act_on_an_endpoint_change():
    entries = timeline(
        [
            *START,
            endpoint(20 * S, "endpoint-not-ready", 3),
            *rules(("b", 21 * S, 3), ("a", 22 * S, 2), ("c", 23 * S, 4), ("a", 24 * S, 3)),
        ]
    )
    line = next(entry for entry in entries if entry.text.startswith("rules changed"))
    assert line.text == "rules changed on 3 nodes, first b, last a"
    assert (line.time, line.until) == (21 * S, 24 * S)


def test_a_node_without_power_is_not_waited_for():
    after = rules(("b", 61 * S, 2), ("c", 62 * S, 2), ("a", 500 * S, 2))
    changes = [*START, crash(10 * S, "a"), endpoint(60 * S, "endpoint-not-ready", 2), *after]
    assert told(*changes)[-1] == "rules changed on 2 nodes, first b, last c"


def test_where_no_revision_is_given_the_next_newer_one_counts():
    stale, news = rules(("b", 20 * S + 1, 1)), rules(("b", 22 * S, 2), ("a", 23 * S, 2), ("c", 23 * S, 2))
    entries = timeline([*START, endpoint(20 * S, "endpoint-not-ready"), *stale, *news])
    assert entries[-1].time == 22 * S


def test_a_node_that_was_away_is_said_to_have_caught_up():
    back = [Change(90 * S, "power-on", "node/a", "a"), Change(95 * S, "booted", "node/a", "a")]
    lines = told(*START, crash(10 * S, "a"), *back, *rules(("a", 97 * S, 5)))
    assert lines[-1] == "rules changed on a: it is up to date again"


def test_a_new_pod_that_is_not_ready_is_no_news():
    news = Change(20 * S, "pod-not-ready", "pod/default/new", "a")
    assert told(*ready("x"), crash(10 * S, "b"), news) == ["1 pod ready", "b loses power"]


def test_the_namespace_is_said_where_it_is_not_the_default():
    gone = Change(20 * S, "pod-terminating", "pod/shop/cart", "a")
    assert told(gone) == ["pod shop/cart terminating"]


def test_taints_are_told_apart():
    taints = [Change(20 * S, "taint-added", "node/a", "a", f"node.kubernetes.io/unreachable:{effect}")
              for effect in ("NoSchedule", "NoExecute")]  # fmt: skip
    assert told(crash(1 * S, "a"), *taints)[1:] == [
        "a tainted unreachable:NoSchedule",
        "a tainted unreachable:NoExecute",
    ]


def test_every_kind_of_change_is_either_told_or_left_out_on_purpose():
    assert set(KINDS) == set(module._PHRASES) | set(module._SILENT)


def test_the_whole_story_of_a_node_failure(run):
    kinds = [entry.kind for entry in run.timeline]
    assert kinds == [
        "pod-ready", "programmed", "lb-address",
        "power-off", "node-not-ready", "pod-not-ready", "taint-added", "endpoint-not-ready", "programmed",
        "taint-added", "pod-terminating", "pod-created", "pod-scheduled", "pod-started", "pod-ready",
        "endpoint-ready", "programmed",
        "power-on", "booted", "node-ready", "pod-deleted", "programmed", "taint-removed",
    ]  # fmt: skip
    assert [entry.time for entry in run.timeline] == sorted(entry.time for entry in run.timeline)


def test_a_run_in_which_nothing_happens_has_no_story():
    assert timeline([]) == ()
