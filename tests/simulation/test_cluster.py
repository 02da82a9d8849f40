"""What a healthy cluster does: placing, addresses, endpoints, rules."""

from __future__ import annotations

from collections import Counter

import pytest

from netsim.api.objects import pod_ready
from netsim.errors import ScenarioError
from netsim.units import S


@pytest.mark.parametrize("seed", range(8))
def test_j25_three_replicas_on_three_empty_nodes_spread_one_each(world, a, seed):
    run = world(a.deployment(replicas=3), a.service(), seed=seed).run(10)
    assert Counter(p["spec"]["nodeName"] for p in run.pods()) == {"node-1": 1, "node-2": 1, "node-3": 1}


def test_no_pod_lands_on_the_control_plane(world, a):
    run = world(a.deployment(replicas=12)).run(20)
    assert "master" not in {p["spec"]["nodeName"] for p in run.pods()}


@pytest.mark.parametrize("seed", range(6))
def test_j20_automatic_node_ports_and_cluster_ips_come_from_the_upper_bands(world, a, seed):
    services = [a.service(f"s{i}", type="NodePort") for i in range(20)]
    run = world(*services, seed=seed).run(5)
    found = [s for s in run.store.list("Service") if s["metadata"]["name"] != "kubernetes"]
    ports = [s["spec"]["ports"][0]["nodePort"] for s in found]
    addresses = [tuple(map(int, s["spec"]["clusterIP"].split("."))) for s in found]
    assert len(set(ports)) == 20
    assert all(30086 <= port <= 32767 for port in ports)
    assert all((10, 96, 1, 1) <= address <= (10, 111, 255, 254) for address in addresses)


def test_the_kubernetes_service_has_the_first_address_and_reaches_the_api_server(world, a):
    run = world(a.pod()).run(10)
    assert run.store.get("Service", "default", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
    trace = run.simulation.trace("pod/client", "svc/kubernetes:443")
    assert trace.outcome == "ok"
    assert "kube-apiserver" in trace.reason


def test_pods_get_addresses_from_their_nodes_range_in_order(world, a):
    run = world(a.deployment(replicas=6)).run(20)
    for pod in run.pods():
        node = run.store.get("Node", "", pod["spec"]["nodeName"])
        assert pod["status"]["podIP"].startswith(node["spec"]["podCIDR"].rpartition(".")[0] + ".")
    addresses = [p["status"]["podIP"] for p in run.pods()]
    assert len(set(addresses)) == 6


def test_endpoints_follow_the_selector(world, a):
    run = world(a.deployment(replicas=2), a.service()).run(10)
    assert sorted(run.ready_endpoints()) == sorted(p["metadata"]["name"] for p in run.pods())
    stray = run.pods()[0]
    metadata = {**stray["metadata"], "labels": {"app": "other"}}
    run.store.update({**stray, "metadata": metadata})
    run.run(20)
    assert stray["metadata"]["name"] not in run.ready_endpoints()


def test_the_virtual_address_stays_while_pods_come_and_go(world, a):
    run = world(a.deployment(replicas=2), a.service()).run(10)
    address = run.store.get("Service", "default", "web")["spec"]["clusterIP"]
    old = {p["metadata"]["name"] for p in run.pods()}
    for pod in run.pods():
        run.store.delete(pod)
    run.run(60)
    assert not old & set(run.ready_endpoints())
    assert len(run.ready_endpoints()) == 2
    assert run.store.get("Service", "default", "web")["spec"]["clusterIP"] == address


def test_every_node_ends_up_with_the_same_rules(world, a):
    run = world(a.deployment(replicas=3), a.service()).run(20)
    revisions = {rules.revision for rules in run.simulation.node_rules.values()}
    assert len(revisions) == 1


def test_a_readiness_probe_keeps_a_pod_out_until_it_listens(world, a):
    container = {"readinessProbe": {"tcpSocket": {"port": 80}, "initialDelaySeconds": 7, "periodSeconds": 2}}
    run = world(a.deployment(replicas=1, container=container), a.service()).run(40)
    started = run.first("pod-started", "web-")
    assert 7 <= run.first("pod-ready", "web-") - started < 9.2


def test_a_pod_that_fits_nowhere_waits_with_kube_schedulers_words(world, a):
    run = world(a.deployment(replicas=1, container={"resources": {"requests": {"cpu": "64"}}})).run(20)
    (pod,) = run.pods()
    condition = next(c for c in pod["status"]["conditions"] if c["type"] == "PodScheduled")
    assert condition["reason"] == "Unschedulable"
    assert condition["message"].startswith("0/4 nodes are available: 1 node(s) had untolerated taint")
    assert "3 Insufficient cpu" in condition["message"]


def test_a_deleted_pod_leaves_the_rules_before_it_is_gone(world, a):
    run = world(a.deployment(replicas=2), a.service()).run(20)
    victim = run.pods()[0]
    run.store.delete(victim)
    run.run(21)
    assert victim["metadata"]["name"] not in run.ready_endpoints()
    run.run(60)
    assert run.store.get("Pod", "default", victim["metadata"]["name"]) is None
    assert len(run.ready_endpoints()) == 2


def test_a_load_balancer_is_pending_then_has_an_address_and_nodes_but_no_control_plane(world, a):
    run = world(a.deployment(), a.service(type="LoadBalancer")).run(20)
    assert (
        not run.store.get("Service", "default", "web")
        .get("status", {})
        .get("loadBalancer", {})
        .get("ingress")
    )
    run.run(60)
    ingress = run.store.get("Service", "default", "web")["status"]["loadBalancer"]["ingress"]
    assert len(ingress) == 1
    (balancer,) = run.simulation.forwarding.balancers.values()
    assert balancer.address == ingress[0]["ip"]
    assert balancer.targets == ("node-1", "node-2", "node-3")


def test_the_balancers_health_check_takes_17_to_25_seconds_to_notice_a_dead_node(world, a):
    for seed in range(6):
        loss = a.power_loss("70s", selector={"nodes": ["node-2"]})
        run = world(a.deployment(), a.service(type="LoadBalancer"), faults=[loss], seed=seed).run(100)
        assert 17 <= run.first("lb-node-out") - 70 <= 25.1


def test_a_taken_node_port_is_refused_in_the_api_servers_words(world, a):
    ports = [{"port": 80, "nodePort": 30100}]
    services = [a.service(name, type="NodePort", ports=ports) for name in ("one", "two")]
    with pytest.raises(ScenarioError, match="provided port is already allocated"):
        world(*services).run(1)


@pytest.mark.parametrize(("replicas", "fewest", "most"), [(4, 3, 5), (10, 8, 13), (1, 1, 2)])
def test_j21_a_rolling_update_keeps_within_surge_and_unavailable(world, a, replicas, fewest, most):
    run = world(a.deployment(replicas=replicas), a.service(), nodes=4).run(30)
    counts = []

    def count(change):
        alive = [p for p in run.pods() if p["metadata"].get("deletionTimestamp") is None]
        counts.append((sum(map(pod_ready, alive)), len(alive)))

    run.store.watch("Pod", count)
    deployment = run.store.get("Deployment", "default", "web")
    template = deployment["spec"]["template"]
    containers = [{**template["spec"]["containers"][0], "image": "nginx:2"}]
    changed = {**template, "spec": {**template["spec"], "containers": containers}}
    run.store.update({**deployment, "spec": {**deployment["spec"], "template": changed}})
    run.run(200)
    assert {p["spec"]["containers"][0]["image"] for p in run.pods()} == {"nginx:2"}
    assert len(run.pods()) == replicas
    assert min(ready for ready, _ in counts) >= fewest
    assert max(alive for _, alive in counts) <= most


def test_changes_are_seen_in_order_and_never_in_the_future(world, a):
    run = world(a.deployment(), a.service()).run(30)
    times = [change.time for change in run.simulation.cluster.history]
    assert times == sorted(times)
    assert times[-1] <= 30 * S


@pytest.fixture
def zoned(world, a):
    """Two pods in zone a, one in zone b, none in zone c."""

    def build(version="1.34", **spec):
        nodes = [{"name": f"n-{zone}", "zone": zone} for zone in "abc"]
        pods = [
            a.pod(
                name,
                nodeName=f"n-{zone}",
                containers=[{"name": "c", "image": "x", "ports": [{"containerPort": 80}]}],
            )
            for name, zone in (("web-1", "a"), ("web-2", "a"), ("web-3", "b"))
        ]
        for pod in pods:
            pod["metadata"]["labels"] = {"app": "web"}
        cluster = {"nodes": nodes, "version": version}
        return world(*pods, a.service(**spec), cluster=cluster, control_plane=False).run(20)

    return build


def reached(run, node):
    """The pods that a node's rules lead to."""
    found = run.simulation.trace(f"node/{node}", "svc/web:80")
    rules = run.simulation.node_rules[node]
    address = run.store.get("Service", "default", "web")["spec"]["clusterIP"]
    assert found.outcome == "ok"
    return {e.node for e in rules.lookup("10.244.0.9", address, 80).endpoints}


@pytest.mark.parametrize("value", ["PreferClose", "PreferSameZone"])
def test_traffic_stays_in_its_zone_if_the_service_asks_for_it(zoned, value):
    run = zoned(trafficDistribution=value)
    assert reached(run, "n-a") == {"n-a"}
    assert reached(run, "n-b") == {"n-b"}


def test_j17_a_zone_without_endpoints_uses_all_of_them(zoned):
    assert reached(zoned(trafficDistribution="PreferClose"), "n-c") == {"n-a", "n-b"}


def test_without_a_wish_every_node_uses_every_endpoint(zoned):
    run = zoned()
    assert reached(run, "n-a") == reached(run, "n-b") == {"n-a", "n-b"}


@pytest.mark.parametrize("version", ["1.32", "1.33"])
@pytest.mark.parametrize("value", ["PreferSameZone", "PreferSameNode"])
def test_before_1_34_the_api_server_knows_prefer_close_alone(zoned, version, value):
    with pytest.raises(ScenarioError, match=f'Unsupported value: "{value}": supported values: "PreferClose"\\n'):
        zoned(version, trafficDistribution=value)
