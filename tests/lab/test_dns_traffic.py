"""Requests of a scenario's traffic that look names up by asking the cluster's DNS pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import yaml
from lab_clusters import MY_NGINX, SERVICES, deployment, pod, scale, service

from netsim.control.corefile import cluster_dns_objects
from netsim.control.lookup import WORK
from netsim.dataplane.requests import OUTCOMES, REQUEST
from netsim.errors import ScenarioError
from netsim.scenario.load import loads
from netsim.simulation import Simulation
from netsim.units import MS, S

WEB = {"name": "web", "from": "pod/client", "to": "http://my-nginx", "rate": "40/s", "start": "10s"}


def made(*traffic: dict[str, Any], objects: Sequence[dict[str, Any]] = (), **cluster: Any) -> Simulation:
    """The tutorial's cluster with DNS in pods, and traffic from its tenth second on."""
    scenario = {
        "apiVersion": "netsim/v1",
        "kind": "Scenario",
        "metadata": {"name": "names"},
        "duration": "60s",
        "cluster": {
            "addresses": {"services": SERVICES},
            "nodes": [{"name": "control-plane", "role": "control-plane"}, {"name": "worker", "count": 2}],
            "dns": {},
            **cluster,
        },
        "traffic": [{**WEB, **one} for one in traffic],
    }
    own = [deployment("my-nginx"), service("my-nginx", clusterIP=MY_NGINX), pod("client"), *objects]
    return Simulation(loads(yaml.safe_dump_all([scenario, *own], sort_keys=False)))


def outcomes(simulation: Simulation, source: str, after: int, before: int = 60 * S) -> set[str]:
    """What became of the requests that a source sent in [after, before)."""
    rows = _rows(simulation, source)
    rows = rows[(rows["sent"] >= after) & (rows["sent"] < before)]
    assert len(rows)
    return {OUTCOMES[outcome] for outcome in rows["outcome"]}


def connecting(simulation: Simulation, source: str) -> float:
    """How long its requests took to connect, on average, in milliseconds."""
    rows = _rows(simulation, source)
    return float(rows["connect"].mean() / MS)


def _rows(simulation: Simulation, source: str) -> Any:
    table = np.array(simulation.engine.rows, dtype=REQUEST)
    return table[table["source"] == [one.name for one in simulation.sources].index(source)]


def without_dns_from(simulation: Simulation, start: int, end: int) -> Simulation:
    """Nobody serves DNS in between; run to the end."""
    simulation.run(start)
    scale(simulation, "coredns", 0, "kube-system")
    simulation.run(end)
    scale(simulation, "coredns", 2, "kube-system")
    simulation.run()
    return simulation


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
    share = np.bincount(_rows(simulation, "web")["pod"])
    share = share[share > 0]
    assert len(share) == 2
    assert share.min() > 0.35 * share.sum()


def test_a_name_that_ceases_to_exist_fails_at_once() -> None:
    headless = service("bare", [{"port": 80, "name": "http"}], "my-nginx", clusterIP="None")
    simulation = made({"to": "http://bare"}, objects=[headless])
    simulation.run(20 * S)
    scale(simulation, "my-nginx", 0)
    simulation.run(30 * S)
    late = _rows(simulation, "web")
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
    during = _rows(simulation, "web")
    during = during[(during["sent"] > 20 * S) & (during["sent"] < 38 * S)]
    failed = during[during["outcome"] == OUTCOMES.index("dns-failure")]
    assert len(failed)
    assert failed["latency"].min() == 1 * S  # its connect timeout
    waited = _rows(simulation, "patient")
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
    assert _rows(alone, "web").tobytes() == _rows(crowd, "web").tobytes()
