"""The control plane's own failures, those of DNS and of load balancers; and who leads after them."""

from __future__ import annotations

import pytest

from netsim.control.leader import takeover
from netsim.units import S

WEB = {"selector": {"labelSelectors": {"app": "web"}}}
DOWN = {"action": "control-plane-down"}


def test_without_a_control_plane_traffic_goes_on(world):
    run = world({**DOWN, "duration": "2m"}).run(300)
    assert set(run.outcomes(16)) <= {"ok", "unfinished"}
    assert not run.changes("node-not-ready")


def test_without_a_control_plane_nothing_is_repaired_and_nothing_is_written(world):
    loss = {"action": "node-power-loss", "at": "65s", "selector": {"nodes": ["b-1"]}}
    run = world({**DOWN, "duration": "5m"}, loss).run(61)
    version = run.store.resource_version
    run.run(359)
    assert run.store.resource_version == version
    assert run.outcomes(70, 350)["timeout"] > 0


def test_after_its_return_the_next_leader_gives_every_node_the_whole_grace_anew(world):
    loss = {"action": "node-power-loss", "at": "65s", "selector": {"nodes": ["b-1"]}}
    run = world({**DOWN, "duration": "2m"}, loss).run(300)
    elected = run.first("leader-elected")
    assert 196 <= elected <= 198
    assert elected + 50 <= run.first("node-not-ready", "b-1") <= elected + 55.1


def test_an_api_that_is_away_for_less_than_ten_seconds_is_not_missed(world):
    run = world({**DOWN, "duration": "9s"}).run(100)
    assert not run.changes("leader-lost")


def test_a_leader_that_cannot_renew_for_ten_seconds_gives_up(world):
    run = world({**DOWN, "duration": "11s"}).run(100)
    assert run.first("leader-lost") == 70
    assert 87 <= run.first("leader-elected") <= 89


def test_without_controllers_the_api_still_takes_what_kubelets_say(world, a):
    failing = {"action": "readiness-failing", "at": "70s", "duration": "20s", **WEB}
    objects = [a.deployment(probe=True), a.service()]
    run = world({**DOWN, "part": "controllers", "duration": "60s"}, failing, objects=objects).run(110)
    assert run.changes("pod-not-ready", after=70, until=80)
    assert not run.changes("endpoint-not-ready", after=60, until=110)


def test_what_changed_while_nobody_led_is_done_as_soon_as_somebody_does(world):
    scaled = {"action": "scale", "target": "deployment/web", "replicas": 6, "at": "70s"}
    run = world({**DOWN, "part": "controllers", "duration": "60s"}, scaled).run(200)
    elected = run.first("leader-elected")
    assert 136 <= elected <= 138
    created = [c.time / S for c in run.changes("pod-created", after=60)]
    assert len(created) == 2
    assert all(elected < time < elected + 1 for time in created)


@pytest.mark.parametrize("seed", range(6))
def test_the_death_of_the_leaders_machine_costs_thirteen_to_seventeen_seconds(world, seed):
    loss = {"action": "node-power-loss", "selector": {"nodes": ["master-1"]}}
    run = world(loss, masters=3, seed=seed).run(90)
    assert run.first("leader-lost") == 60
    assert 73 <= run.first("leader-elected") <= 77
    assert run.changes("leader-elected")[0].node == "master-2"
    assert not run.changes("api-down")


def test_a_majority_of_the_control_plane_must_live(world):
    loss = {"action": "node-power-loss", "duration": "30s", "mode": "fixed", "value": 2, "selector": {"zones": ["m"]}}
    run = world(loss, masters=3).run(200)
    assert run.first("api-down") == 60
    assert run.first("api-up") == 120  # half a minute without power, half a minute to boot
    assert run.changes("leader-elected")


@pytest.mark.parametrize(("alone", "least", "most"), [(True, 16, 18), (False, 13, 17)])
def test_a_takeover_lies_within_the_bounds_of_lease_and_retry(alone, least, most):
    grid = [i / 10 for i in range(10)]
    found = [takeover(alone, first, second) / S for first in grid for second in grid]
    assert least <= min(found) <= max(found) < most


def test_silent_dns_is_missed_by_those_who_ask_it(world, a):
    sources = [a.traffic("by-name", to="http://web", timeout="30s"), a.traffic("by-address")]
    run = world({"action": "dns-down", "duration": "30s"}, sources=sources).run(150)
    rows = run.simulation.record().requests
    during = rows[(rows["sent"] >= 60 * S) & (rows["sent"] < 79 * S)]
    assert set(during["outcome"][during["source"] == 1]) == {0}
    assert 0 not in set(during["outcome"][during["source"] == 0])
    late = rows[(rows["sent"] >= 91 * S) & (rows["sent"] < 140 * S)]
    assert set(late["outcome"]) == {0}


def test_a_load_balancer_that_is_down_leaves_the_node_ports(world, a):
    objects = [a.deployment(), a.service(type="LoadBalancer")]
    sources = [
        a.traffic("balanced", **{"from": "outside", "to": "lb/web:80", "start": "50s"}),
        a.traffic("direct", **{"start": "50s"}),
    ]
    down = {"action": "load-balancer-down", "duration": "30s", "selector": {"services": ["web"]}}
    run = world(down, objects=objects, sources=sources).run(120)
    rows = run.simulation.record().requests
    during = rows[(rows["sent"] >= 61 * S) & (rows["sent"] < 89 * S)]
    assert 0 not in set(during["outcome"][during["source"] == 0])
    assert set(during["outcome"][during["source"] == 1]) == {0}
    after = rows[(rows["sent"] >= 91 * S) & (rows["sent"] < 115 * S)]
    assert set(after["outcome"]) == {0}


def test_the_api_servers_own_address_refuses_while_it_is_down(world, a):
    sources = [a.traffic("api", to="10.96.0.1:443")]
    run = world({**DOWN, "duration": "30s"}, sources=sources).run(120)
    assert set(run.outcomes(61, 89)) == {"refused"}
    assert set(run.outcomes(91)) <= {"ok", "unfinished"}


def test_a_cluster_whose_control_plane_is_elsewhere_can_lose_it_too(world):
    loss = {"action": "node-power-loss", "at": "70s", "selector": {"nodes": ["b-1"]}}
    run = world({**DOWN, "duration": "2m"}, loss, masters=0).run(260)
    assert run.first("api-down") == 60
    assert run.first("node-not-ready", "b-1") > 180 + 16 + 50
