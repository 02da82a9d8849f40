"""Lookups through the cluster: how many queries, who answers, what caches do, and what an outage does."""

from __future__ import annotations

import pytest
from lab_clusters import MY_NGINX, READY, address_of, pod, scale, service, simulation

from netsim.control.corefile import node_local_objects
from netsim.control.dns_cache import Cache
from netsim.control.lookup import LOCAL_DENIAL, LOCAL_SUCCESS, WORK
from netsim.lab.dns import lookup
from netsim.lab.names import names_of
from netsim.simulation import Simulation
from netsim.units import MS, S

CLIENT = "pod/client"


@pytest.fixture(scope="module")
def quiet() -> Simulation:
    return simulation(
        service("bare", clusterIP="None"),
        service("empty", run="nobody"),
        service("void", run="nobody", clusterIP="None"),
    )


QUERIES = [
    ("my-nginx", 2),
    ("my-nginx.default", 4),
    ("my-nginx.default.svc", 6),
    ("my-nginx.default.svc.cluster.local", 8),
    ("my-nginx.default.svc.cluster.local.", 2),
    ("www.example.com", 8),
]


@pytest.mark.parametrize(("name", "queries"), QUERIES)
def test_the_search_path_costs_two_queries_a_name(quiet: Simulation, name: str, queries: int) -> None:
    assert lookup(quiet, CLIENT, name).queries == queries


def test_the_longer_the_search_the_longer_the_wait(quiet: Simulation) -> None:
    # CoreDNS scaling document: names of the outside cost as many times more as queries are sent for them
    one, four = (lookup(quiet, CLIENT, name) for name in ("my-nginx", "www.example.com"))
    assert {asked.elapsed for asked in one.asked} <= {asked.elapsed for asked in four.asked}
    assert 3 < four.elapsed / one.elapsed < 5


def test_a_dns_pod_answers_over_the_network(quiet: Simulation) -> None:
    found = lookup(quiet, CLIENT, "my-nginx")
    assert found.addresses == (MY_NGINX,)
    for asked in found.asked:
        assert asked.server == "10.0.0.10"
        assert asked.by.startswith("kube-system/coredns-")
        assert asked.elapsed > WORK


def test_both_dns_pods_get_their_share(quiet: Simulation) -> None:
    assert len({lookup(quiet, CLIENT, "my-nginx.").asked[0].by for _ in range(20)}) == 2


def test_a_service_without_endpoints_has_an_address_and_a_headless_one_no_name(quiet: Simulation) -> None:
    assert len(lookup(quiet, CLIENT, "empty").addresses) == 1
    absent = lookup(quiet, CLIENT, "void")
    assert not absent.addresses
    assert {asked.answer.code for asked in absent.asked if asked.answer} == {"NXDOMAIN"}
    assert len(lookup(quiet, CLIENT, "bare").addresses) == 2


def test_addresses_of_a_headless_service_come_in_any_order(quiet: Simulation) -> None:
    assert len({lookup(quiet, CLIENT, "bare").addresses for _ in range(20)}) == 2


def test_a_node_asks_elsewhere_and_does_not_know_the_clusters_names(quiet: Simulation) -> None:
    assert lookup(quiet, "node/worker-1", "my-nginx.default.svc.cluster.local").addresses == ()


def test_a_name_is_there_one_watch_latency_after_its_service() -> None:
    made = simulation()
    names_of(made)  # the servers listen from here on
    made.built.admission.create({**service("late"), "metadata": {"name": "late", "namespace": "default"}})
    assert not lookup(made, CLIENT, "late").addresses
    made.run(READY + made.cluster.timings.watch - 1)
    assert not lookup(made, CLIENT, "late").addresses
    made.run(READY + made.cluster.timings.watch)
    assert lookup(made, CLIENT, "late").addresses


def test_dns_finds_a_service_that_the_environment_of_older_pods_lacks() -> None:
    from netsim.control.environment import service_variables

    made = simulation()
    client = made.store.get("Pod", "default", "client")
    assert client is not None
    before = service_variables(client, made.store.list("Service"))
    made.built.admission.create({**service("late"), "metadata": {"name": "late", "namespace": "default"}})
    made.run(READY + 10 * MS)
    assert "LATE_SERVICE_HOST" not in before
    assert lookup(made, CLIENT, "late").addresses


# outages ------------------------------------------------------------------------------------------------------


def test_without_dns_pods_queries_are_refused_at_once() -> None:
    made = simulation()
    scale(made, "coredns", 0, "kube-system")
    made.run(60 * S)
    found = lookup(made, CLIENT, "my-nginx")
    assert found.failed
    assert found.elapsed < 1 * S
    assert all(asked.by.startswith("refused") for asked in found.asked)


def test_dns_pods_on_dead_nodes_are_silent_for_five_seconds_twice() -> None:
    made = simulation()
    nodes = {p["spec"]["nodeName"] for p in made.store.list("Pod", "kube-system")}
    client = next(n for n in ("control-plane", "worker-1", "worker-2") if n not in nodes)
    for node in sorted(nodes):
        made.levers.power(node, on=False)
    made.run(READY + S)
    made.forwarding.time = made.now
    found = lookup(made, f"node/{client}", "my-nginx.default.svc.cluster.local.", server="10.0.0.10")
    assert found.failed
    assert found.elapsed == 2 * 5 * S
    assert found.queries == 4  # A and AAAA, each twice


def test_a_cluster_without_dns_pods_of_its_own_is_answered_all_the_same() -> None:
    made = simulation(dns=False)
    found = lookup(made, CLIENT, "my-nginx")
    assert found.addresses == (MY_NGINX,)
    assert found.elapsed == made.document.cluster.name_lookup


# caches -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "stale"), [("1.31", True), ("1.32", False)])
def test_coredns_kept_the_clusters_own_names_until_1_32(version: str, stale: bool) -> None:
    made = simulation(version=version)
    for _ in range(8):  # both pods have been asked, most likely
        lookup(made, CLIENT, "late")
    made.built.admission.create({**service("late"), "metadata": {"name": "late", "namespace": "default"}})
    made.run(READY + 1 * S)
    answers = [bool(lookup(made, CLIENT, "late").addresses) for _ in range(4)]
    assert answers == [not stale] * 4
    made.run(READY + 31 * S)
    assert lookup(made, CLIENT, "late").addresses


def test_a_node_with_its_own_cache_lives_through_an_outage_for_thirty_seconds() -> None:
    made = simulation(*node_local_objects())
    assert lookup(made, CLIENT, "my-nginx").addresses
    scale(made, "coredns", 0, "kube-system")
    made.run(READY + LOCAL_SUCCESS - 1)
    kept = lookup(made, CLIENT, "my-nginx", ("A",))
    assert kept.addresses == (MY_NGINX,)
    assert kept.asked[0].cached
    assert kept.asked[0].by.startswith("NodeLocal on worker-")
    made.run(READY + LOCAL_SUCCESS)
    assert lookup(made, CLIENT, "my-nginx", ("A",)).failed


def test_what_is_not_there_is_kept_for_five_seconds_on_a_node() -> None:
    made = simulation(*node_local_objects())
    assert not lookup(made, CLIENT, "late").addresses
    made.built.admission.create({**service("late"), "metadata": {"name": "late", "namespace": "default"}})
    made.run(READY + LOCAL_DENIAL - 1)
    assert not lookup(made, CLIENT, "late").addresses
    made.run(READY + LOCAL_DENIAL)
    assert lookup(made, CLIENT, "late").addresses


def test_an_answer_from_a_nodes_cache_costs_less() -> None:
    made = simulation(*node_local_objects())
    first, second = (lookup(made, CLIENT, "my-nginx") for _ in range(2))
    assert second.elapsed < first.elapsed / 2


def test_a_client_that_caches_does_not_notice_an_outage_that_one_without_does() -> None:
    made = simulation()
    cache = Cache()
    assert lookup(made, CLIENT, "my-nginx", ("A",), cache).addresses
    scale(made, "coredns", 0, "kube-system")
    made.run(READY + 29 * S)
    assert lookup(made, CLIENT, "my-nginx", ("A",), cache).addresses == (MY_NGINX,)
    assert lookup(made, CLIENT, "my-nginx", ("A",)).failed


def test_an_answer_out_of_a_cache_has_the_time_it_has_left() -> None:
    made = simulation()
    cache = Cache()
    lookup(made, CLIENT, "my-nginx", ("A",), cache)
    made.run(READY + 10 * S)
    kept = lookup(made, CLIENT, "my-nginx", ("A",), cache)
    assert [r.ttl for r in kept.records] == [20 * S]
    assert (kept.queries, kept.elapsed) == (0, 0)


# NodeLocal's own pods -------------------------------------------------------------------------------------------


def node_of_client(made: Simulation) -> str:
    return made.forwarding.servers["default/client"].machine


def test_node_local_is_a_pod_on_every_nodes_own_network() -> None:
    made = simulation(*node_local_objects())
    pods = [p for p in made.store.list("Pod", "kube-system") if "node-local-dns" in p["metadata"]["name"]]
    assert sorted(p["spec"]["nodeName"] for p in pods) == ["control-plane", "worker-1", "worker-2"]
    assert all(p["status"]["podIP"] == p["status"]["hostIP"] for p in pods)


def test_when_it_crashes_its_nodes_pods_have_no_dns_until_it_runs_again() -> None:
    made = simulation(*node_local_objects(), pod("other"))
    node = node_of_client(made)
    local = next(p for p in made.store.find("Pod", "node", node) if "node-local-dns" in p["metadata"]["name"])
    made.levers.crash(local, None, 1)
    found = lookup(made, CLIENT, "my-nginx")
    assert found.failed
    assert {asked.by for asked in found.asked} == {f"timeout: NodeLocal on {node} does not run"}
    assert found.elapsed == 2 * 5 * S
    other = made.forwarding.servers["default/other"].machine
    assert lookup(made, "pod/other", "my-nginx").failed == (other == node)
    made.run(READY + 10 * S)
    again = lookup(made, CLIENT, "my-nginx", ("A",))
    assert again.addresses
    assert not again.asked[0].cached  # a new life has forgotten everything


def test_where_it_was_taken_away_pods_ask_the_service_again() -> None:
    made = simulation(*node_local_objects())
    assert lookup(made, CLIENT, "my-nginx").asked[0].by.startswith("NodeLocal on ")
    made.store.remove("DaemonSet", "kube-system", "node-local-dns")
    for one in list(made.store.list("Pod", "kube-system")):
        if "node-local-dns" in one["metadata"]["name"]:
            made.store.delete(one)
    made.run(READY + 40 * S)
    assert lookup(made, CLIENT, "my-nginx").asked[0].by.startswith("kube-system/coredns-")


# other kinds of pods --------------------------------------------------------------------------------------------


def test_an_alias_brings_along_what_it_points_to() -> None:
    elsewhere = {"type": "ExternalName", "externalName": "www.example.com"}
    made = simulation({**service("alias"), "spec": elsewhere})
    names_of(made).outside["www.example.com"] = ("192.0.2.80",)
    found = lookup(made, CLIENT, "alias", ("A",))
    assert [(r.type, r.data) for r in found.records] == [("CNAME", "www.example.com"), ("A", "192.0.2.80")]


def test_a_pod_with_fewer_dots_asks_less() -> None:
    options = {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}
    made = simulation(pod("terse", **options))
    assert lookup(made, "pod/terse", "my-nginx.default.svc.cluster.local").queries == 2


def test_a_pod_may_be_more_or_less_patient() -> None:
    options = [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]
    made = simulation(pod("hasty", dnsConfig={"options": options}))
    made.forwarding.silence_dns(silent=True)
    found = lookup(made, "pod/hasty", "my-nginx", ("A",))
    assert (found.queries, found.elapsed) == (3, 3 * S)
    assert lookup(made, CLIENT, "my-nginx", ("A",)).elapsed == 2 * 5 * S


def test_a_cluster_whose_dns_service_is_deleted_has_no_dns() -> None:
    made = simulation()
    made.store.remove("Service", "kube-system", "kube-dns")
    made.run(60 * S)
    found = lookup(made, CLIENT, "my-nginx")
    assert found.failed
    assert found.server == "10.0.0.10"  # pods are still told to ask there


def test_a_pod_on_its_nodes_network_asks_the_nodes_server_unless_told_otherwise() -> None:
    made = simulation(
        pod("plain", hostNetwork=True), pod("told", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
    )  # fmt: skip
    assert not lookup(made, "pod/plain", "my-nginx").addresses
    assert lookup(made, "pod/told", "my-nginx").addresses == (MY_NGINX,)


def test_looking_up_is_the_same_each_time_it_is_run() -> None:
    def told() -> list[str]:
        made = simulation()
        asked = [one.by for _ in range(5) for one in lookup(made, CLIENT, "my-nginx").asked]
        return [*asked, address_of(made, "client")]

    assert told() == told()
