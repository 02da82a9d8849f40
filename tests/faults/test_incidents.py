"""The incident report of whole runs: who noticed what, for each way things break."""

from __future__ import annotations

import pytest

from netsim.report.run import Run
from netsim.units import S

HIT = {"selector": {"nodes": ["b-1"]}}
WEB = {"selector": {"labelSelectors": {"app": "web"}}}


def told(world, fault, until=240, **fields):
    run = world(fault, **fields).run(until)
    return Run(run.simulation.record()).strokes


@pytest.mark.parametrize(
    ("fault", "noticed_by", "earliest", "latest"),
    [
        ({"action": "node-power-loss", **HIT}, "node lifecycle", 40, 55),
        ({"action": "kernel-hang", **HIT}, "node lifecycle", 40, 55),
        ({"action": "kubelet-stopped", **HIT}, "node lifecycle", 40, 55),
        ({"action": "network-partition", **HIT}, "node lifecycle", 40, 55.5),
        ({"action": "container-runtime-dead", **HIT}, "kubelet", 30, 40.5),
        ({"action": "container-kill", **WEB}, "kubelet", 0, 1.2),
        ({"action": "readiness-failing", **WEB}, "kubelet", 2, 4.3),
        ({"action": "pod-kill", **WEB}, "ReplicaSet", 0, 0.02),
        ({"action": "control-plane-down", "part": "controllers"}, "", 0, 0),
    ],
)
def test_each_fault_is_noticed_by_the_component_that_would(world, a, fault, noticed_by, earliest, latest):
    (incident,) = told(world, fault, objects=[a.deployment(probe=True), a.service()])
    assert incident.noticed_by == noticed_by
    if noticed_by:
        assert earliest <= incident.reaction / S <= latest
    else:
        assert incident.reaction is None


def test_a_container_is_repaired_by_its_kubelet_and_nothing_is_created(world):
    (incident,) = told(world, {"action": "container-kill", **WEB})
    assert incident.created is None
    assert incident.repair / S < 3
    assert incident.stages[-1].what == "ready again"
    assert incident.outage / S < 4


def test_a_rollout_has_its_replacements_told(world):
    (incident,) = told(world, {"action": "rollout-restart", "target": "deployment/web"})
    assert incident.victims == ("deployment/default/web",)
    assert incident.created <= incident.scheduled <= incident.ready <= incident.in_rules


def test_what_follows_the_next_fault_is_put_down_to_that(world):
    first = {"action": "pod-kill", **WEB}
    second = {"action": "node-power-loss", "at": "100s", **HIT}
    one, other = (Run(world(first, second).run(240).simulation.record()).strokes)
    assert (one.until, other.until) == (100 * S, 240 * S)
    assert one.noticed < 100 * S < other.noticed
    assert sum(loss.lost for loss in other.losses) > sum(loss.lost for loss in one.losses)


def test_every_stroke_of_a_fault_that_strikes_again_is_an_incident(world):
    random = {"action": "node-reboot", "mtbf": "exponential(60s)", "duration": "1s", **HIT}
    strokes = told(world, random, until=590)
    assert len(strokes) > 3
    assert {stroke.victims for stroke in strokes} == {("node/b-1",)}


def test_a_balancer_that_turns_away_is_told_apart_from_kubernetes(world, a):
    objects = [a.deployment(), a.service(type="LoadBalancer")]
    (incident,) = told(world, {"action": "node-power-loss", **HIT}, objects=objects)
    assert 16 < (incident.turned_away - incident.injected) / S < 27
    assert incident.noticed > incident.turned_away


def test_a_rollout_costs_only_those_who_ask_for_what_is_rolled_out(world, a):
    objects = [a.deployment(), a.service(), a.deployment("other"), a.service("other")]
    sources = [a.traffic(), a.traffic("elsewhere", to="svc/other:80"), a.traffic("by-name", to="http://web")]
    restart = {"action": "rollout-restart", "target": "deployment/web"}
    (incident,) = told(world, restart, objects=objects, sources=sources)
    assert [loss.source for loss in incident.losses] == ["inside", "by-name"]
    (incident,) = told(world, {"action": "node-power-loss", **HIT}, objects=objects, sources=sources)
    assert [loss.source for loss in incident.losses] == ["inside", "elsewhere", "by-name"]
