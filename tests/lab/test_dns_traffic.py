"""Requests of a scenario's traffic that look names up by asking the cluster's DNS pods."""

from __future__ import annotations

import numpy as np
import pytest
from lab_clusters import SERVICES, scale, service
from lab_traffic import connecting, made, outcomes, rows, without_dns_from

from netsim.control.corefile import cluster_dns_objects
from netsim.control.lookup import WORK
from netsim.dataplane.requests import OUTCOMES
from netsim.errors import ScenarioError
from netsim.units import MS, S

# names are looked up by packets ---------------------------------------------------------------------------------


def test_the_lookup_is_part_of_the_time_to_connect() -> None:
    simulation = made({}, {"name": "known", "to": "svc/my-nginx:80"})
    simulation.run(30 * S)
    lookup = connecting(simulation, "web") - connecting(simulation, "known")
    assert WORK / MS < lookup < 1
    assert outcomes(simulation, "web", 0) == {"ok"}


def test_a_name_with_all_its_labels_costs_four_times_as_much() -> None:
    # three names along the search path are asked for in vain first: ndots is five, the name has four dots
    whole = "http://my-nginx.default.svc.cluster.local"
    others = {"whole": whole, "dot": f"{whole}.", "known": "svc/my-nginx:80"}
    simulation = made({}, *({"name": name, "to": target} for name, target in others.items()))
    simulation.run(30 * S)
    base = connecting(simulation, "known")
    one, four, dot = (connecting(simulation, name) - base for name in ("web", "whole", "dot"))
    assert four == pytest.approx(4 * one, rel=0.2)
    assert dot == pytest.approx(one, rel=0.2)


def test_dns_has_the_tenth_address_and_nobody_else_can_take_it() -> None:
    simulation = made({})
    simulation.run(1 * S)
    kube_dns = simulation.store.get("Service", "kube-system", "kube-dns")
    assert kube_dns is not None
    assert kube_dns["spec"]["clusterIP"] == "10.0.0.10"


def test_a_manifest_of_ones_own_does_the_same_as_the_setting() -> None:
    simulation = made({}, objects=cluster_dns_objects(SERVICES), dns=None)
    simulation.run(20 * S)
    scale(simulation, "coredns", 0, "kube-system")
    simulation.run(25 * S)
    assert outcomes(simulation, "web", 10 * S, 20 * S) == {"ok"}
    assert outcomes(simulation, "web", 21 * S) == {"dns-failure"}


def test_without_dns_in_pods_names_are_found_all_the_same() -> None:
    simulation = made({}, dns=None)
    simulation.run(20 * S)
    assert outcomes(simulation, "web", 10 * S) == {"ok"}
    assert simulation.forwarding.resolution is None


def test_a_headless_service_spreads_clients_over_its_pods() -> None:
    headless = service("bare", [{"port": 80, "name": "http"}], "my-nginx", clusterIP="None")
    simulation = made({"to": "http://bare"}, objects=[headless])
    simulation.run(30 * S)
    share = np.bincount(rows(simulation, "web")["pod"])
    share = share[share > 0]
    assert len(share) == 2
    assert share.min() > 0.35 * share.sum()


def test_a_name_that_ceases_to_exist_fails_at_once() -> None:
    headless = service("bare", [{"port": 80, "name": "http"}], "my-nginx", clusterIP="None")
    simulation = made({"to": "http://bare"}, objects=[headless])
    simulation.run(20 * S)
    scale(simulation, "my-nginx", 0)
    simulation.run(30 * S)
    late = rows(simulation, "web")
    late = late[late["sent"] > 25 * S]
    assert {OUTCOMES[o] for o in late["outcome"]} == {"dns-failure"}
    assert late["latency"].max() < 5 * MS


def test_nodes_do_not_ask_the_clusters_dns_and_check_says_so() -> None:
    whole = "http://my-nginx.default.svc.cluster.local"
    with pytest.raises(ScenarioError, match="only known to the cluster's DNS, which nobody but pods asks"):
        made({"from": "node/worker-1", "to": whole})
    made({"from": "node/worker-1", "to": whole}, dns=None)  # servers that nothing can break answer everybody


def test_faults_and_traffic_may_be_about_dns_itself() -> None:
    simulation = made({"to": "svc/kube-dns.kube-system:53", "protocol": "UDP"})
    simulation.run(20 * S)
    assert outcomes(simulation, "web", 10 * S) == {"ok"}


# when DNS is gone -----------------------------------------------------------------------------------------------


def test_an_outage_hits_who_asks_and_spares_who_knows() -> None:
    simulation = without_dns_from(made({}, {"name": "known", "to": "svc/my-nginx:80"}), 20 * S, 40 * S)
    assert outcomes(simulation, "web", 10 * S, 20 * S) == {"ok"}
    assert outcomes(simulation, "web", 21 * S, 40 * S) == {"dns-failure"}
    assert outcomes(simulation, "web", 50 * S) == {"ok"}
    assert outcomes(simulation, "known", 10 * S) == {"ok"}


def test_a_client_that_caches_lives_through_the_time_to_live() -> None:
    simulation = without_dns_from(made({"nameCache": "30s"}), 20 * S, 50 * S)
    # what was heard at 10 s counts until 40 s
    assert outcomes(simulation, "web", 10 * S, 39 * S) == {"ok"}
    assert outcomes(simulation, "web", 41 * S, 50 * S) == {"dns-failure"}


def test_a_cache_on_the_node_does_the_same_for_all_its_pods() -> None:
    simulation = without_dns_from(made({}, dns={"nodeLocal": True}), 35 * S, 55 * S)
    assert outcomes(simulation, "web", 10 * S, 35 * S) == {"ok"}
    # the absence of AAAA is kept for five seconds only: until the node's rules know that nobody serves DNS, who asks
    # for both types waits for an answer to the second
    assert outcomes(simulation, "web", 37 * S, 39 * S) == {"ok"}
    assert outcomes(simulation, "web", 41 * S, 50 * S) == {"dns-failure"}


def test_a_cache_on_the_node_answers_sooner() -> None:
    near, far = made({}, dns={"nodeLocal": True}), made({})
    near.run(30 * S)
    far.run(30 * S)
    assert connecting(near, "web") < connecting(far, "web") - 0.1


def test_dns_pods_that_lose_power_keep_clients_waiting_until_they_give_up() -> None:
    patient = {"name": "patient", "connectTimeout": None, "timeout": None, "rate": "5/s"}
    simulation = made({}, patient)
    simulation.run(20 * S)
    nodes = {p["spec"]["nodeName"] for p in simulation.store.list("Pod", "kube-system")}
    mine = simulation.forwarding.servers["default/client"].machine
    assert mine not in nodes or len(nodes) == 2
    for node in sorted(nodes - {mine}):
        simulation.levers.power(node, on=False)
    simulation.run(40 * S)
    during = rows(simulation, "web")
    during = during[(during["sent"] > 20 * S) & (during["sent"] < 38 * S)]
    failed = during[during["outcome"] == OUTCOMES.index("dns-failure")]
    assert len(failed)
    assert failed["latency"].min() == 1 * S  # its connect timeout
    waited = rows(simulation, "patient")
    waited = waited[(waited["sent"] > 20 * S) & (waited["sent"] < 25 * S)]
    assert waited["latency"].max() >= 5 * S  # the resolver's own


def test_a_lost_name_server_counts_as_an_outage_of_those_who_must_ask() -> None:
    simulation = without_dns_from(made({}, {"name": "cached", "nameCache": "30s"}), 20 * S, 40 * S)
    found = {outage.source: outage for outage in simulation.record().outages if outage.began > 15 * S}
    assert set(found) == {"web"}
    lost = found["web"]
    assert 20 * S < lost.began < 22 * S
    assert lost.ended is not None
    assert 40 * S < lost.ended < 50 * S
    assert lost.share == 1.0
    assert lost.reason.startswith("DNS: ")


def test_a_trace_shows_where_the_question_ended() -> None:
    simulation = made({})
    simulation.run(20 * S)
    assert simulation.trace("pod/client", "http://my-nginx").outcome == "ok"
    scale(simulation, "coredns", 0, "kube-system")
    simulation.run(25 * S)
    told = simulation.trace("pod/client", "http://my-nginx")
    assert told.outcome == "dns-failure"
    assert told.reason.startswith("no answer from DNS: rejected: ")
    assert "10.0.0.10:53" in told.hops[0].packet
    assert simulation.trace("pod/client", "svc/my-nginx:80").outcome == "ok"  # nobody has to be asked for that


def test_silent_pods_are_as_bad_as_dead_ones() -> None:
    simulation = made({})
    simulation.run(20 * S)
    simulation.forwarding.silence_dns(silent=True)
    simulation.run(30 * S)
    assert outcomes(simulation, "web", 20 * S + 1, 28 * S) == {"dns-failure"}


def test_a_request_draws_the_same_dns_pod_whoever_else_asks() -> None:
    alone, crowd = made({}), made({}, {"name": "other", "to": "http://my-nginx.default"})
    for simulation in (alone, crowd):
        simulation.run(20 * S)
    assert rows(alone, "web").tobytes() == rows(crowd, "web").tobytes()
