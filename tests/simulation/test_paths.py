"""Where packets go through a whole cluster, and whom a pod sees (J10, J11, J12, J14), and when rules change (J15)."""

from __future__ import annotations

import pytest

PROGRAM = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}


@pytest.fixture
def shop(world, a):
    """A pod `web` on node-1 behind a Service, a client on node-2."""

    def build(*, webs=("node-1",), mode="iptables", spec=None, cluster=None, until=20, **more):
        pods = [a.pod(f"web-{i}", nodeName=node, containers=[PROGRAM]) for i, node in enumerate(webs)]
        for pod in pods:
            pod["metadata"]["labels"] = {"app": "web"}
        objects = (*pods, a.pod("client", nodeName="node-2"), a.service(**(spec or {})))
        cluster = {"proxy": {"mode": mode}, **(cluster or {})}
        return world(*objects, cluster=cluster, **more).run(until)

    return build


def seen_by_pod(run, source, target):
    """The source address in the packet that reaches the pod, and how the attempt ends."""
    trace = run.simulation.trace(source, target)
    return trace.outcome, trace.hops[-1].packet.split()[1].rpartition(":")[0]


def node_address(run, node):
    return run.simulation.forwarding.node_places[node].address


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_j10_no_endpoint_refuses_and_none_here_is_silent(shop, mode):
    nobody = shop(webs=(), mode=mode)
    assert nobody.simulation.trace("pod/client", "svc/web:80").outcome == "refused"
    elsewhere = shop(mode=mode, spec={"internalTrafficPolicy": "Local"})
    assert elsewhere.simulation.trace("pod/client", "svc/web:80").outcome == "timeout"
    assert elsewhere.simulation.trace("node/node-1", "svc/web:80").outcome == "ok"


def test_j10_ipvs_reaches_the_endpoint_on_another_node_whatever_the_policy_says(shop):
    run = shop(mode="ipvs", spec={"internalTrafficPolicy": "Local"})
    trace = run.simulation.trace("pod/client", "svc/web:80")
    assert (trace.outcome, trace.reason) == ("ok", "default/web-0 answers")
    assert shop(webs=(), mode="ipvs").simulation.trace("pod/client", "svc/web:80").outcome == "refused"


@pytest.fixture
def exposed(shop):
    """The same as a load balancer's Service, with a fixed node port."""

    def build(policy, **more):
        spec = {
            "type": "LoadBalancer",
            "externalTrafficPolicy": policy,
            "ports": [{"port": 80, "nodePort": 30080}],
        }
        return shop(spec=spec, until=90, **more)

    return build


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_j11_external_local_keeps_the_client_and_nodes_without_a_pod_drop(exposed, mode):
    run = exposed("Local", mode=mode)
    outside = run.simulation.forwarding.outside.address
    here, elsewhere = (f"{node_address(run, node)}:30080" for node in ("node-1", "node-2"))
    assert seen_by_pod(run, "outside", here) == ("ok", outside)
    assert run.simulation.trace("outside", elsewhere).outcome == "timeout"
    assert seen_by_pod(run, "outside", "lb/web:80") == ("ok", outside)


def test_j11_the_health_check_node_port_says_503_where_no_pod_is(exposed):
    run = exposed("Local")
    counts = {node: rules.local_ready("default", "web") for node, rules in run.simulation.node_rules.items()}
    assert counts == {"master": 0, "node-1": 1, "node-2": 0, "node-3": 0}
    assert run.store.get("Service", "default", "web")["spec"]["healthCheckNodePort"] >= 30086
    (balancer,) = run.simulation.forwarding.balancers.values()
    assert balancer.targets == ("node-1",)  # the only one that answers 200


@pytest.mark.parametrize("entry", ["node-1", "node-2"])
def test_j12_with_external_cluster_the_pod_sees_the_node_that_took_the_packet_in(exposed, entry):
    run = exposed("Cluster")
    outcome, seen = seen_by_pod(run, "outside", f"node/{entry}:30080")
    rules = run.simulation.node_rules[entry].node
    assert outcome == "ok"
    assert seen in {*rules.addresses, *rules.bridge_addresses, *rules.tunnel_addresses}
    assert seen != run.simulation.forwarding.outside.address


def test_j14_a_pod_that_hits_itself_through_its_service_sees_its_node(shop):
    run = shop()
    outcome, seen = seen_by_pod(run, "pod/web-0", "svc/web:80")
    assert outcome == "ok"
    assert seen in run.simulation.node_rules["node-1"].node.bridge_addresses
    assert seen_by_pod(run, "pod/client", "svc/web:80")[1].startswith("10.244.")


@pytest.mark.parametrize(("hairpin", "failing"), [(True, 0), (False, 1 / 3)])
def test_j14_without_hairpin_support_one_in_n_connections_of_a_pod_to_its_own_service_fails(
    record, a, hairpin, failing
):
    pods = [a.pod(f"web-{i}", nodeName=f"node-{i + 1}", containers=[PROGRAM]) for i in range(3)]
    for pod in pods:
        pod["metadata"]["labels"] = {"app": "web"}
    traffic = {
        "name": "own", "from": "pod/web-0", "to": "svc/web:80", "rate": "50/s", "start": "10s", "timeout": "900ms",
    }  # fmt: skip
    recording = record(*pods, a.service(), traffic=[traffic], duration="40s", cluster={"hairpin": hairpin})
    ended = [row for row in recording.requests if row["sent"] < 39e9]
    failed = sum(row["outcome"] != 0 for row in ended)
    assert failed / len(ended) == pytest.approx(failing, abs=4 * (failing / len(ended)) ** 0.5)


def services(run, a, *names):
    for name in names:
        obj = a.service(name)
        run.simulation.built.admission.create({**obj, "metadata": {"name": name, "namespace": "default"}})


def programmed(run, since):
    return [change.time / 1e9 for change in run.changes("programmed", "node-1", after=since)]


def test_j15_from_1_34_updates_wait_together_for_the_period_after_the_last_sync(shop, a):
    run = shop(cluster={"version": "1.34"}, until=30)
    for at, name in ((30, "one"), (30.3, "two"), (30.4, "three")):
        run.run(at)
        services(run, a, name)
    run.run(35)
    first, second = programmed(run, 30)
    assert first < 30.3
    assert second >= first + 1  # minSyncPeriod after the sync that ended last, both updates in it


def test_j15_before_1_34_two_syncs_may_follow_each_other_at_once(shop, a):
    run = shop(cluster={"version": "1.33"}, until=30)
    for at, name in ((30, "one"), (30.3, "two"), (30.5, "three"), (30.6, "four")):
        run.run(at)
        services(run, a, name)
    run.run(35)
    first, second, third = programmed(run, 30)
    assert first < 30.3
    assert second < 30.5  # the burst of two
    assert third >= 31  # the third has to wait for a token, and takes the fourth along


def test_a_source_whose_pod_never_ran_is_recorded_with_the_reason(record, a):
    traffic = [
        {"name": "there", "from": "pod/client", "to": "203.0.113.7:80", "rate": "1/s"},
        {"name": "nowhere", "from": "pod/lost", "to": "203.0.113.7:80", "rate": "1/s"},
    ]
    lost = a.pod("lost", nodeSelector={"kubernetes.io/hostname": "node-9"})
    done = record(a.pod(), lost, traffic=traffic, duration="20s")
    assert list(done.absent) == ["nowhere"]
    assert done.absent["nowhere"].startswith("pod default/lost never ran: 0/4 nodes are available: ")
    assert set(done.requests["source"]) == {0}
