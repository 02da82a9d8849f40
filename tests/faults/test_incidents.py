"""The incident report of whole runs: who noticed what, for each way things break."""

from __future__ import annotations

import itertools

import pytest

from netsim.report.checks import MEASURES
from netsim.report.run import Run
from netsim.report.terminal import report
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
        ({"action": "node-delete", **HIT}, "PodGC", 40, 60.1),
        ({"action": "node-taint", "key": "example.com/broken", **HIT}, "taint eviction", 0, 0.01),
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


def test_pods_of_a_deleted_node_are_collected_before_their_owner_replaces_them(world, a):
    (incident,) = told(world, {"action": "node-delete", **HIT}, objects=[a.deployment(), a.service()])
    assert (incident.stages[0].component, incident.stages[0].what) == ("PodGC", "noticed")
    assert incident.noticed < min(incident.endpoints_gone, incident.created)
    assert incident.created < incident.ready == incident.repaired
    assert (incident.created_by, incident.tainted, incident.evicted) == ("ReplicaSet", None, None)


def test_when_collected_pods_are_replaced_can_be_checked(world, a):
    lost = world({"action": "node-delete", **HIT}, objects=[a.deployment(), a.service()]).run(140)
    run = Run(lost.simulation.record())
    (incident,) = run.strokes
    assert MEASURES["replaced"](run, "f0") == incident.created - incident.injected


def test_who_frees_the_pods_of_a_node_that_is_out_of_service_is_said(world, mixed):
    power, taint = {"action": "node-power-loss", **HIT}, {"action": "node-taint", "at": "7m", **HIT}
    (_, incident) = Run(world(power, taint, objects=mixed[:3]).run(520).simulation.record()).strokes
    assert (incident.noticed_by, incident.created_by) == ("PodGC", "StatefulSet")
    assert incident.reaction <= 20.1 * S
    assert incident.noticed < incident.created < incident.ready == incident.repaired
    assert incident.left == ()  # the ReplicaSet had replaced its pods long before


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


ROLLOUT = {"action": "rollout-restart", "target": "deployment/web"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"action": "kernel-hang", "duration": "10s", **HIT}, ROLLOUT),
        ({"action": "kernel-hang", "duration": "10s", **HIT}, {"action": "container-kill", "mode": "all", **WEB}),
        ({"action": "slow-pod", "duration": "10s", "mode": "all", **WEB}, ROLLOUT),
        ({"action": "slow-pod", "duration": "10s", "mode": "all", **WEB}, {"action": "node-reboot", **HIT}),
    ],
)
def test_what_is_over_is_not_taken_to_be_noticed_by_what_follows_another_stroke(world, first, then):
    one, other = Run(world(first, {**then, "at": "80s"}).run(140).simulation.record()).strokes
    assert (one.noticed, one.stages[:-1], one.created) == (None, (), None)
    assert other.noticed >= 80 * S


def test_a_rollout_does_not_end_the_time_of_a_node_that_is_still_dead(world):
    power = {"action": "node-power-loss", **HIT}
    one, other = Run(world(power, {**ROLLOUT, "at": "80s"}).run(200).simulation.record()).strokes
    assert other.noticed < 81 * S
    assert one.tainted > 100 * S


def test_a_node_that_still_boots_is_not_over(world):
    reboot, kill = {"action": "node-reboot", **HIT}, {"action": "container-kill", "mode": "all", **WEB, "at": "70s"}
    one, other = Run(world(reboot, kill).run(140).simulation.record()).strokes
    assert 30 * S <= one.repaired - one.injected < 40 * S
    assert other.noticed < 71 * S


def test_each_of_several_nodes_is_let_go_by_its_own_stroke(world):
    wear = {"action": "kubelet-stopped", "mtbf": "exponential(40s)", "duration": "25s", "mode": "all",
            "selector": {"nodes": ["a-2", "b-1", "b-2"]}}  # fmt: skip
    strokes = told(world, wear, until=400)
    over = [stroke for stroke in strokes if stroke.healed is not None]
    assert {stroke.healed - stroke.injected for stroke in over} == {25 * S}
    assert all(stroke.injected > 375 * S for stroke in strokes if stroke.healed is None)
    assert any(one.injected < other.injected < one.healed for one, other in itertools.pairwise(over))


def test_a_cluster_without_dns_costs_those_who_look_names_up(world, a):
    sources = [a.traffic(), a.traffic("by-name", to="http://web"), a.traffic("to-node", to="node/b-1:30080")]
    scale = {"action": "scale", "target": "deployment/coredns.kube-system", "replicas": 0, "duration": "30s"}
    port = {"port": 80, "nodePort": 30080}
    objects = [a.deployment(), a.service(type="NodePort", ports=[port])]
    (incident,) = told(world, scale, until=120, objects=objects, sources=sources, dns={"replicas": 2})
    lost = {loss.source: loss.lost for loss in incident.losses}
    assert lost["by-name"] > 500
    assert lost.get("inside", 0) == lost.get("to-node", 0) == 0
    assert 30 < incident.outage / S < 35


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


# replacements -------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(a):
    """A Deployment, a StatefulSet and a DaemonSet that have pods on every worker."""
    web = a.deployment(replicas=8)
    meta, spec = {"metadata": {"labels": {"app": "db"}}}, web["spec"]["template"]["spec"]
    own = {"apiVersion": "apps/v1", "metadata": {"name": "db"}}
    selector = {"matchLabels": {"app": "db"}}
    stateful = {**own, "kind": "StatefulSet", "spec": {
        "replicas": 4, "serviceName": "db", "podManagementPolicy": "Parallel", "selector": selector,
        "template": {**meta, "spec": spec}}}  # fmt: skip
    agent = {"metadata": {"labels": {"app": "agent"}}, "spec": spec}
    daemon = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
              "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": agent}}  # fmt: skip
    return [web, a.service(), stateful, daemon]


def test_a_stateful_pod_that_cannot_be_replaced_does_not_hide_that_the_others_were(world, mixed):
    run = Run(world({"action": "node-power-loss", **HIT}, objects=mixed).run(480).simulation.record())
    (incident,) = run.strokes
    assert "never replaced: db-" in report(run)
    assert (incident.created_by, incident.noticed_by) == ("ReplicaSet", "node lifecycle")
    assert incident.evicted < incident.created < incident.scheduled < incident.ready < incident.in_rules
    assert incident.repaired == incident.ready
    assert {(left.pod.rpartition("-")[0], left.kind, left.created) for left in incident.left} == {
        ("pod/default/db", "StatefulSet", None)
    }


def test_what_comes_back_only_with_its_node_is_told_apart(world, mixed):
    power = {"action": "node-power-loss", "duration": "7m", **HIT}
    (incident,) = told(world, power, until=590, objects=mixed)
    assert incident.repaired < incident.healed
    assert all(left.created > incident.healed for left in incident.left)
    assert incident.left == incident.replaced_late
    assert incident.never_replaced == ()


def test_the_table_names_the_pods_that_are_not_part_of_the_repair(world, mixed):
    power = {"action": "node-power-loss", "selector": {"nodes": ["b-1"]}}
    frames = {
        column: Run(world({**power, **duration}, objects=mixed).run(590).simulation.record()).incidents
        for column, duration in (("never_replaced", {}), ("replaced_late", {"duration": "7m"}))
    }
    for column, frame in frames.items():
        (other,) = {"never_replaced", "replaced_late"} - {column}
        assert frame[column].str.fullmatch(r"pod/default/db-\d( pod/default/db-\d)*").all()
        assert (frame[other] == "").all()
        assert (frame["not_evicted"] == "").all()


def test_the_daemon_sets_own_pod_does_not_count_as_the_deployments(world, mixed):
    (incident,) = told(world, {"action": "node-delete", "duration": "4m", **HIT}, until=400, objects=mixed)
    assert incident.created_by in ("ReplicaSet", "StatefulSet")
    assert incident.repaired < incident.healed
    assert [left.kind for left in incident.left] == ["DaemonSet"]


@pytest.mark.parametrize(("app", "kind"), [("web", "ReplicaSet"), ("db", "StatefulSet"), ("agent", "DaemonSet")])
def test_whoever_makes_the_new_pod_is_called_by_its_kind(world, mixed, app, kind):
    (incident,) = told(world, {"action": "pod-kill", "selector": {"labelSelectors": {"app": app}}}, objects=mixed)
    assert incident.created_by == kind
    assert kind in {stage.component for stage in incident.stages}
    assert incident.repaired == incident.ready
    assert incident.left == ()


# what counts as being back ------------------------------------------------------------------------------


def test_requests_that_fail_are_an_outage_though_every_rule_is_right(world):
    loss = {"action": "network-loss", "duration": "60s", "loss": 0.4, "selector": {"nodes": ["b-1"]}}
    (incident,) = told(world, loss)
    assert 40 < incident.outage / S <= 61
    assert incident.noticed is None


def test_a_container_that_goes_on_crashing_is_not_back_before_its_fault_ends(world):
    (incident,) = told(world, {"action": "container-kill", "duration": "3m", **WEB}, until=580)
    assert incident.repaired > incident.healed == 240 * S
    assert 60 < incident.outage / S < 190  # the crashes lie ever further apart: 10, 20, 40, 80 seconds
    (endless,) = told(world, {"action": "container-kill", "duration": "9m", **WEB}, until=400)
    assert endless.repaired is None


def test_a_change_that_is_undone_is_repaired_with_its_endpoints(world):
    wrong = {"selector": {"app": "nobody"}}
    patch = {"action": "patch", "target": "service/web", "patch": {"spec": wrong}, "duration": "30s"}
    (incident,) = told(world, patch)
    assert 0 <= incident.repaired - incident.healed < S
    last = incident.stages[-1]
    assert (last.component, last.what) == ("EndpointSlice", "ready again")


def test_controllers_that_lead_again_repair_what_deposed_them_and_nothing_else(world):
    down = {"action": "control-plane-down", "part": "controllers", "duration": "60s"}
    power = {"action": "node-power-loss", "at": "80s", **HIT}
    one, other = Run(world(down, power).run(300).simulation.record()).strokes
    assert one.repaired == one.led > one.healed
    assert other.led == one.led
    assert other.repaired is None


def test_a_kubelet_notices_a_dead_sandbox_at_its_next_look(world):
    (incident,) = told(world, {"action": "sandbox-kill", **WEB})
    assert incident.noticed_by == "kubelet"
    assert incident.reaction / S <= 1
    assert incident.noticed < incident.endpoints_gone


def test_a_balancer_turns_away_beside_the_stages_and_takes_no_seconds_from_them(world, a):
    objects = [a.deployment(), a.service(type="LoadBalancer")]
    (incident,) = told(world, {"action": "node-power-loss", **HIT}, objects=objects)
    stages = {stage.what: stage for stage in incident.stages}
    aside = stages.pop("balancers turned away")
    assert (aside.begin, aside.end, aside.beside) == (incident.injected, incident.turned_away, True)
    assert aside.end < stages["noticed"].end
    assert stages["noticed"].took == incident.noticed - incident.injected
    assert all(one.end == next.begin for one, next in itertools.pairwise(stages.values()))
    assert [stage.end for stage in incident.stages] == sorted(stage.end for stage in incident.stages)


def test_a_request_that_was_under_way_is_lost_to_the_fault_that_struck_meanwhile(world, a):
    run = world({"action": "node-power-loss", **HIT}, sources=[a.traffic(rate="400/s")]).run(100)
    record = Run(run.simulation.record())
    (incident,) = record.strokes
    (loss,) = incident.losses
    assert loss.lost == record.statistics("inside").failed
    assert loss.first < incident.injected
