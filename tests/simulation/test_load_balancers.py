"""Load balancers of every profile: pending, then there; whom they send to; how long until they turn away."""

from __future__ import annotations

import pytest

from netsim.control.cloud_nodes import AUTOSCALER, EXCLUDE
from netsim.control.load_balancers import PROFILES, LoadBalancer, turning_away
from netsim.control.metallb import in_order
from netsim.dataplane.requests import RESET, TIMEOUT
from netsim.units import S

PROBING = [name for name, profile in PROFILES.items() if profile.watches == "probes"]
LOST = "node-2"
KEPT = ("node-1", "node-3")


@pytest.fixture
def balanced(world, a):
    """Two pods that stay on node-1 and node-3 (unless told otherwise), behind a balancer of a profile."""

    def build(profile, *, on=KEPT, loss=None, back=None, seed=1, nodes=3, spec=None, **more):
        pods = [
            a.pod(f"web-{i}", nodeName=node, containers=[{"name": "c", "image": "x", "ports": [{"containerPort": 80}]}])
            for i, node in enumerate(on)
        ]
        for pod in pods:
            pod["metadata"]["labels"] = {"app": "web"}
        faults = [] if loss is None else [a.power_loss(f"{loss}s", selector={"nodes": [LOST]}, duration=back)]
        cluster = {"loadBalancer": profile, **more.pop("cluster", {})}
        service = a.service(type="LoadBalancer", **(spec or {}))
        return world(*pods, service, faults=faults, seed=seed, nodes=nodes, cluster=cluster, duration="30m", **more)

    return build


def balancer(run):
    (found,) = run.simulation.forwarding.balancers.values()
    return found


def settled(profile):
    """When a balancer of a profile has made up its mind about every node, in seconds."""
    known = PROFILES[profile]
    answers = max(known.healthy or 0, known.unhealthy or 0)
    return max(10, (known.provisioning + answers * (known.interval or 0)) / S + 1)


def turned_away(run, after):
    return run.first("lb-node-out", "web", after=after)


@pytest.mark.parametrize("profile", PROFILES)
def test_external_ip_is_pending_then_there_and_every_worker_is_sent_to(balanced, profile):
    run = balanced(profile)
    ready = PROFILES[profile].provisioning / S
    run.run(ready - 0.01)
    assert not run.store.get("Service", "default", "web").get("status", {}).get("loadBalancer")
    run.run(settled(profile))
    (ingress,) = run.store.get("Service", "default", "web")["status"]["loadBalancer"]["ingress"]
    given = PROFILES[profile].gives
    assert set(ingress) == ({"hostname"} if given == "hostname" else {"ip", "ipMode"})
    assert run.first("lb-address") == pytest.approx(ready, abs=0.1)
    found = set(balancer(run).targets)
    assert found <= {"node-1", "node-2", "node-3"}  # never the control plane
    assert len(found) == (1 if profile == "metallb-l2" else 3)
    assert run.simulation.trace("outside", "lb/web:80").outcome == "ok"


@pytest.mark.parametrize("profile", PROBING)
@pytest.mark.parametrize("seed", range(3))
def test_a_probing_balancer_turns_away_after_its_missing_answers(balanced, profile, seed):
    loss = int(settled(profile)) + 5
    least, most = (bound / S for bound in turning_away(PROFILES[profile]))
    run = balanced(profile, loss=loss, seed=seed).run(loss + most + 1)
    assert least <= turned_away(run, loss) - loss <= most
    assert balancer(run).targets == KEPT
    assert [change.node for change in run.changes("lb-node-out")] == [LOST]


@pytest.mark.parametrize(
    ("profile", "window"),
    [
        ("gcp", (17, 25)), ("aws-classic", (55, 65)), ("aws-nlb", (70, 100)), ("aws-lbc-nlb", (30, 40)),
        ("aws-alb", (20, 35)), ("azure", (5, 10)), ("metallb-bgp", (60, 90)),
    ],
)  # fmt: skip
def test_the_windows_are_those_of_the_providers_defaults(profile, window):
    assert tuple(bound // S for bound in turning_away(PROFILES[profile])) == window


@pytest.mark.parametrize("seed", range(4))
def test_a_router_keeps_a_silent_nodes_route_for_the_rest_of_its_hold_time(balanced, seed):
    run = balanced("metallb-bgp", loss=40, seed=seed).run(140)
    assert 60 <= turned_away(run, 40) - 40 <= 90
    assert balancer(run).targets == KEPT


def test_layer_2_sends_everything_through_one_node_and_fails_over_when_it_is_found_dead(balanced, a):
    run = balanced("metallb-l2", nodes=5, on=("node-1",)).run(10)
    (owner,) = balancer(run).targets
    address = balancer(run).address
    order = in_order([f"node-{i}" for i in range(1, 6)], address)
    assert owner == order[0]
    run.simulation.levers.power(owner, on=False)
    run.run(60)
    change = next(c for c in run.changes("lb-node-in", "web", after=10.001))
    # a question within so many seconds, its second of patience, and 4 to 24 s of suspicion
    assert 4 <= change.time / S - 10 <= 24 + 2
    assert balancer(run).targets == (order[1],)
    run.simulation.levers.power(owner, on=True)
    run.run(120)
    assert balancer(run).targets == (owner,)  # it moves back


def test_layer_2_under_policy_local_answers_only_where_a_ready_pod_is(balanced):
    run = balanced("metallb-l2", on=("node-3",), spec={"externalTrafficPolicy": "Local"}).run(20)
    assert balancer(run).targets == ("node-3",)
    run.store.delete(run.pods()[0])
    run.run(22)
    assert balancer(run).targets == ()


@pytest.mark.parametrize("profile", PROFILES)
def test_under_policy_local_only_nodes_with_a_ready_pod_are_sent_to(balanced, profile):
    run = balanced(profile, on=("node-3",), spec={"externalTrafficPolicy": "Local"}).run(settled(profile))
    assert balancer(run).targets == ("node-3",)
    trace = run.simulation.trace("outside", "lb/web:80")
    assert trace.outcome == "ok"


@pytest.mark.parametrize("profile", ["gcp", "aws-nlb", "azure"])
def test_a_terminating_pods_node_is_drained_by_its_health_check_port(balanced, profile):
    """healthCheckNodePort says 503 at once, which costs no time-out; the pod still serves meanwhile."""
    spec = {"externalTrafficPolicy": "Local"}
    run = balanced(profile, spec=spec).run(settled(profile))
    assert balancer(run).targets == KEPT
    known, begun = PROFILES[profile], settled(profile)
    victim = run.store.get("Pod", "default", "web-1")
    run.store.delete(victim)
    run.run(begun + (known.interval * known.unhealthy) / S + 2)
    out = turned_away(run, begun)
    assert (known.unhealthy - 1) * known.interval / S <= out - begun <= known.unhealthy * known.interval / S + 2
    assert balancer(run).targets == ("node-1",)


@pytest.mark.parametrize("profile", PROBING)
def test_when_no_node_is_well_some_balancers_send_to_all_of_them_and_some_to_none(balanced, profile):
    begun = settled(profile)
    run = balanced(profile).run(begun)
    assert len(balancer(run).targets) == 3
    for node in ("node-1", "node-2", "node-3"):
        run.simulation.levers.power(node, on=False)
    run.run(begun + turning_away(PROFILES[profile])[1] / S + 1)
    assert len(balancer(run).targets) == (3 if PROFILES[profile].last_resort == "all" else 0)


def test_an_unready_node_stays_behind_the_balancer_until_its_health_check_fails(balanced):
    run = balanced("aws-nlb", loss=280).run(335)
    assert run.first("node-not-ready", LOST) < 335
    assert LOST in balancer(run).targets  # NotReady for the cluster, well for the balancer


def test_the_exclusion_label_counts_at_once_the_autoscalers_taint_only_at_the_next_sync(balanced):
    run = balanced("aws-classic").run(120)
    node = run.store.get("Node", "", "node-1")
    labels = {**node["metadata"]["labels"], EXCLUDE: "true"}
    run.store.update({**node, "metadata": {**node["metadata"], "labels": labels}})
    run.run(120.1)
    assert "node-1" not in balancer(run).targets
    node = run.store.get("Node", "", "node-3")
    taint = {"key": AUTOSCALER, "effect": "NoSchedule"}
    run.store.update({**node, "spec": {**node["spec"], "taints": [taint]}})
    run.run(199)
    assert "node-3" in balancer(run).targets
    run.run(201)
    assert "node-3" not in balancer(run).targets  # the controller looks every 100 s


def test_healthz_drains_a_node_that_the_autoscaler_is_about_to_take(balanced):
    run = balanced("gcp").run(105)
    node = run.store.get("Node", "", "node-3")
    run.store.update({**node, "spec": {**node["spec"], "taints": [{"key": AUTOSCALER, "effect": "NoSchedule"}]}})
    run.run(130)
    assert 16 <= turned_away(run, 105) - 105 <= 24  # three answers of 503, none waited for
    assert balancer(run).targets == ("node-1", "node-2")


def test_a_check_of_the_traffic_port_follows_the_rules_to_a_dead_pod_on_another_node(balanced):
    """Half of what a living node is asked ends on the dead one: its checks fail for another's sake."""
    run = balanced("aws-lbc-nlb", on=("node-1", "node-2"), loss=200).run(300)
    out = {change.node for change in run.changes("lb-node-out", after=200)}
    assert LOST in out
    failing = balanced("aws-lbc-nlb", on=(LOST,), loss=200).run(239)
    assert failing.changes("lb-node-out", after=200)
    failing.run(245)
    assert len(balancer(failing).targets) == 3  # all have failed: it fails open


def test_a_balancer_that_sends_to_node_ports_hides_its_address_from_the_nodes(balanced):
    run = balanced("aws-nlb").run(settled("aws-nlb"))
    service = run.store.get("Service", "default", "web")
    hops = run.simulation.trace("outside", "lb/web:80").hops
    assert f":{service['spec']['ports'][0]['nodePort']}" in hops[2].packet
    name = service["status"]["loadBalancer"]["ingress"][0]["hostname"]
    assert name.endswith(".elb.amazonaws.com")
    assert run.simulation.forwarding.resolve(name, "default") == balancer(run).address


def test_a_node_that_is_back_is_sent_to_again_once_it_has_answered_well_often_enough(balanced):
    run = balanced("gcp", loss=60, back="60s").run(200)
    assert run.first("lb-node-in", "web", after=60) - run.first("booted", LOST) < 8 + 4
    assert len(balancer(run).targets) == 3


def test_a_service_that_wants_no_balancer_any_more_loses_it(balanced):
    run = balanced("gcp").run(60)
    service = run.store.get("Service", "default", "web")
    run.store.update({**service, "spec": {**service["spec"], "type": "ClusterIP"}})
    run.run(61)
    assert not run.simulation.forwarding.balancers
    assert run.store.get("Service", "default", "web")["status"]["loadBalancer"] == {}
    assert [e["reason"] for e in run.store.list("Event") if e["involvedObject"]["kind"] == "Service"][-1] == (
        "DeletedLoadBalancer"
    )


def test_addresses_run_out_and_the_controller_tries_again(world, a):
    cluster = {"addresses": {"loadBalancers": "198.51.100.0/30"}}
    services = [a.service(name, type="LoadBalancer") for name in ("one", "two")]
    run = world(*services, cluster=cluster).run(50)
    assert len(run.simulation.forwarding.balancers) == 1
    assert "SyncLoadBalancerFailed" in [e["reason"] for e in run.store.list("Event")]
    first = next(iter(run.simulation.forwarding.balancers.values())).service.split("/")
    run.store.delete(run.store.get("Service", *first))
    run.run(100)
    (left,) = run.simulation.forwarding.balancers.values()
    assert left.service.split("/") != first


def test_another_class_of_load_balancer_is_nobodys(world, a):
    run = world(a.service(type="LoadBalancer", loadBalancerClass="example.com/lb")).run(100)
    assert not run.simulation.forwarding.balancers


def test_a_scenario_may_change_a_profile(balanced):
    faster = {"profile": "aws-nlb", "provisioning": "10s", "interval": "10s", "healthy": 2, "unhealthy": 2}
    run = balanced(faster, loss=60).run(100)
    assert run.first("lb-address") == pytest.approx(10, abs=0.1)
    assert 20 <= turned_away(run, 60) - 60 <= 30
    assert LoadBalancer.model_validate(faster).resolved().timeout == PROFILES["aws-nlb"].timeout


def test_without_a_control_plane_no_balancer_is_made_but_those_there_are_go_on_judging(balanced, world, a):
    run = balanced("gcp").run(60)
    run.simulation.cluster.plane.stop(stopped=True)
    run.simulation.levers.power(LOST, on=False)
    run.run(90)
    assert balancer(run).targets == KEPT
    late = world(a.service(type="LoadBalancer")).run(10)
    late.simulation.cluster.plane.stop(stopped=True)
    late.run(80)
    assert not late.simulation.forwarding.balancers
    late.simulation.cluster.plane.stop(stopped=False)
    late.run(100)
    assert late.simulation.forwarding.balancers


@pytest.fixture
def kept_open(balanced):
    """Twenty clients outside that keep their connections through a balancer, whose nodes do not run the pods."""

    def build(profile, loss):
        lookers = {
            "name": "kept", "from": "outside", "to": "lb/web:80", "clients": 60, "think": "500ms",
            "keepAlive": {"connections": 1, "idle": "10m"}, "start": f"{loss - 5}s", "timeout": "300ms",
        }  # fmt: skip
        return balanced(profile, on=("node-3",), traffic=[lookers])

    return build


def outcomes(run, begin, end):
    """How requests sent in a time (seconds) ended: the share that was reset, and that timed out."""
    rows = run.simulation.record().requests
    rows = rows[(rows["sent"] >= begin * S) & (rows["sent"] < end * S)]
    return {name: float((rows["outcome"] == code).mean()) for name, code in (("reset", RESET), ("timeout", TIMEOUT))}


@pytest.mark.parametrize(("profile", "resets"), [("gcp", False), ("aws-lbc-nlb", True)])
def test_open_connections_of_a_node_that_is_turned_away_from_are_kept_or_reset(kept_open, profile, resets):
    begun = int(settled(profile)) + 20
    run = kept_open(profile, begun).run(begun)
    node = run.store.get("Node", "", "node-1")
    run.store.update({**node, "metadata": {**node["metadata"], "labels": {**node["metadata"]["labels"], EXCLUDE: ""}}})
    run.run(begun + 5)
    found = outcomes(run, begun + 0.1, begun + 1)
    assert found["timeout"] == 0
    assert (found["reset"] > 0.1) == resets


def test_a_router_that_loses_a_node_breaks_connections_of_the_others_too(kept_open):
    """node-1 goes: who was on node-2 with the upper half of its hashes is sent to node-3, which resets him."""
    run = kept_open("metallb-bgp", 40).run(40)
    run.simulation.levers.power("node-1", on=False)
    run.run(135)
    gone = turned_away(run, 40)
    assert outcomes(run, gone + 0.01, gone + 0.4)["reset"] > 0
    before, after = outcomes(run, 41, gone), outcomes(run, gone + 2, gone + 5)
    assert before["timeout"] > 0  # those on the dead node wait in vain
    assert before["reset"] == 0
    assert after == {"reset": 0, "timeout": 0}


def test_a_failover_of_layer_2_breaks_every_connection(kept_open):
    run = kept_open("metallb-l2", 40).run(40)
    (owner,) = balancer(run).targets
    assert owner != "node-3"  # not the pod's own node
    node = run.store.get("Node", "", owner)
    run.store.update({**node, "metadata": {**node["metadata"], "labels": {**node["metadata"]["labels"], EXCLUDE: ""}}})
    run.run(42)
    assert outcomes(run, 40.01, 40.3)["reset"] == 1


def test_a_node_whose_kube_proxy_has_stopped_refuses_the_check_and_is_turned_away_from(balanced):
    run = balanced("gcp").run(80)
    run.simulation.levers.keep_off("kube-proxy", LOST)
    run.run(110)
    assert 16 <= turned_away(run, 80) - 80 <= 24  # three refusals; none is waited for
    assert run.simulation.trace("outside", f"node/{LOST}:{node_port(run)}").outcome == "ok"  # its rules still work


def test_a_kube_proxy_that_cannot_finish_a_sync_says_503_after_two_sync_periods(balanced, a):
    run = balanced("gcp").run(80)
    run.simulation.levers.slow_proxy(LOST, 1e5)
    late = a.service("late")
    run.simulation.built.admission.create({**late, "metadata": {"name": "late", "namespace": "default"}})
    run.run(180)
    assert 60 + 16 <= turned_away(run, 80) - 80 <= 60 + 24.1


def node_port(run):
    return run.store.get("Service", "default", "web")["spec"]["ports"][0]["nodePort"]


def test_a_balancer_that_is_cut_off_from_a_node_turns_away_though_the_cluster_sees_no_harm(balanced):
    run = balanced("gcp").run(70)
    run.simulation.levers.network.cut([LOST], ["cloud"])
    run.run(110)
    assert 17 <= turned_away(run, 70) - 70 <= 25
    assert not run.changes("node-not-ready")
