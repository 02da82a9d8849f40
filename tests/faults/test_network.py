"""Faults of the network: who can still talk to whom, and what the control plane makes of it."""

from __future__ import annotations

import pytest

from netsim.dataplane.reach import reach
from netsim.units import MS, S

HIT = {"selector": {"nodes": ["b-1"]}}


def web_on(node, a):
    """A Deployment that runs on one node only."""
    return a.deployment(
        replicas=1,
        template={
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": node},
                "containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}],
            },
        },
    )


@pytest.mark.parametrize("direction", ["to", "from", "both"])
def test_a_partition_is_felt_both_ways_whatever_way_it_goes(world, a, direction):
    cut = {"action": "network-partition", "direction": direction, "duration": "40s", **HIT}
    run = world(cut, objects=[web_on("b-1", a), a.service()]).run(130)
    assert set(run.outcomes(62, 98)) == {"timeout"}
    assert set(run.outcomes(101, 128)) <= {"ok", "unfinished"}


@pytest.mark.parametrize("direction", ["to", "from", "both"])
def test_probes_through_the_forwarding_state_see_it_too(world, a, direction):
    cut = {"action": "network-partition", "direction": direction, "duration": "40s", **HIT}
    run = world(cut, objects=[web_on("b-1", a), a.service()]).run(70)
    found = reach(run.forwarding, run.simulation.sources[0])
    assert found.share == 0
    assert found.reasons[0].startswith("silence")
    run.run(105)
    assert reach(run.forwarding, run.simulation.sources[0]).share == 1
    (outage,) = run.simulation.record().outages
    assert (outage.began, outage.ended) == (60 * S, 100 * S)


def test_a_partition_from_some_leaves_the_others_alone(world, a):
    cut = {"action": "network-partition", "target": {"selector": {"nodes": ["a-1"]}, "outside": False}, **HIT}
    sources = [a.traffic(), a.traffic("other", **{"from": "node/a-2"})]
    run = world(cut, objects=[web_on("b-1", a), a.service()], sources=sources).run(150)
    rows = run.simulation.record().requests
    late = rows[(rows["sent"] > 61 * S) & (rows["sent"] < 140 * S)]
    assert set(late["outcome"][late["source"] == 1]) == {0}
    assert 0 not in set(late["outcome"][late["source"] == 0])
    assert not run.changes("node-not-ready", "b-1")


@pytest.mark.parametrize("direction", ["to", "from", "both"])
def test_a_node_that_cannot_talk_to_the_api_both_ways_is_not_ready_after_the_grace(world, direction):
    cut = {"action": "network-partition", "direction": direction, "duration": "2m", **HIT}
    run = world(cut).run(250)
    assert 100 <= run.first("node-not-ready", "b-1") <= 115.5
    assert 180 < run.first("node-ready", "b-1", after=60) <= 190.5


def test_a_node_that_is_cut_off_keeps_the_rules_it_had(world):
    cut = {"action": "network-partition", "duration": "60s", "target": {"cloud": False, "outside": False}, **HIT}
    run = world(cut, {"action": "scale", "target": "deployment/web", "replicas": 2, "at": "70s"}).run(200)
    assert not run.changes("programmed", "b-1", after=60, until=120)
    assert run.changes("programmed", "a-1", after=70, until=75)
    assert run.changes("programmed", "b-1", after=120, until=125)


def test_an_isolated_zone_still_serves_itself(world, a):
    cut = {"action": "network-partition", "duration": "30s", "selector": {"zones": ["zone-b"]}}
    sources = [a.traffic("inside-b", **{"from": "node/b-2"})]
    run = world(cut, objects=[web_on("b-1", a), a.service()], sources=sources).run(100)
    assert set(run.outcomes(16)) <= {"ok", "unfinished"}


def test_a_link_that_is_down_leaves_the_node_without_a_route(world, a):
    sources = [a.traffic("on-b", **{"from": "node/b-1"})]
    objects = [web_on("a-1", a), a.service()]
    run = world({"action": "link-down", "duration": "30s", **HIT}, objects=objects, sources=sources).run(120)
    assert set(run.outcomes(61, 89)) == {"net-unreachable"}
    assert set(run.outcomes(91)) <= {"ok", "unfinished"}


def test_a_flapping_link_loses_what_falls_into_its_gaps(world, a):
    flapping = {"action": "link-flapping", "down": "2s", "up": "8s", "duration": "60s", **HIT}
    run = world(flapping, objects=[web_on("b-1", a), a.service()]).run(200)
    assert [c.time / S for c in run.changes("link-down")] == [60, 70, 80, 90, 100, 110]
    assert [c.time / S for c in run.changes("link-up")] == [62, 72, 82, 92, 102, 112]
    lost = run.outcomes(60, 120)
    assert 0.1 < lost["timeout"] / sum(lost.values()) < 0.3
    assert set(run.outcomes(121)) <= {"ok", "unfinished"}


def test_a_late_link_is_late_both_ways_by_what_it_says(world, a):
    late = {"action": "network-delay", "latency": "50ms", "duration": "30s", **HIT}
    run = world(late, objects=[web_on("b-1", a), a.service()]).run(120)
    rows = run.simulation.record().requests
    rows = rows[rows["outcome"] == 0]
    usual, slow = (
        int(rows["connect"][(rows["sent"] > begin * S) & (rows["sent"] < end * S)].min())
        for begin, end in ((20, 59), (61, 89))
    )
    assert slow - usual == 100 * MS


def test_two_delays_add_up_and_go_one_by_one(world, a):
    late = {"action": "network-delay", "latency": "10ms", **HIT}
    run = world({**late, "duration": "30s"}, {**late, "at": "70s", "duration": "40s"}).run(65)
    topology = run.forwarding.topology
    base = topology.delay("b-1", "b-2") - 10 * MS
    seen = [(run.run(time), topology.delay("b-1", "b-2") - base)[1] for time in (75, 95, 115)]
    assert seen == [20 * MS, 10 * MS, 0]


def test_a_lossy_link_loses_its_share_and_no_more(world, a):
    lossy = {"action": "network-loss", "loss": "30%", "duration": "2m", **HIT}
    sources = [a.traffic(protocol="UDP", rate="50/s")]
    objects = [web_on("b-1", a), a.service(ports=[{"port": 80, "protocol": "UDP"}])]
    objects[0]["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = "UDP"
    run = world(lossy, objects=objects, sources=sources).run(240)
    found = run.outcomes(60, 180)
    assert found["timeout"] / sum(found.values()) == pytest.approx(1 - 0.7**2, abs=0.04)  # there and back
    assert set(run.outcomes(181)) <= {"ok", "unfinished"}


def test_jitter_makes_packets_late_by_up_to_what_it_says(world, a):
    late = {"action": "network-delay", "latency": "10ms", "jitter": "20ms", "duration": "60s", **HIT}
    run = world(late, objects=[web_on("b-1", a), a.service()]).run(130)
    rows = run.simulation.record().requests
    during = rows["connect"][(rows["sent"] > 61 * S) & (rows["sent"] < 119 * S) & (rows["outcome"] == 0)]
    usual = rows["connect"][rows["sent"] < 59 * S].min()
    assert usual + 20 * MS <= during.min() < usual + 30 * MS
    assert usual + 50 * MS < during.max() <= usual + 60 * MS


def test_a_narrow_link_makes_large_answers_late(world, a):
    narrow = {"action": "network-bandwidth", "rate": "1Mbit/s", "duration": "60s", **HIT}
    sources = [a.traffic(rate="2/s", response="10kB", timeout="5s")]
    run = world(narrow, objects=[web_on("b-1", a), a.service()], sources=sources).run(150)
    rows = run.simulation.record().requests
    median = [
        float(sorted(rows["latency"][(rows["sent"] > begin * S) & (rows["sent"] < end * S)])[len(rows) // 20])
        for begin, end in ((20, 60), (62, 118), (125, 149))
    ]
    assert median[1] > median[0] + 70 * MS
    assert median[2] < median[0] + 20 * MS


@pytest.mark.parametrize("direction", ["to", "from"])
def test_a_trace_says_which_way_packets_get_lost(world, a, direction):
    cut = {"action": "network-partition", "direction": direction, **HIT}
    run = world(cut, objects=[web_on("b-1", a), a.service()]).run(70)
    trace = run.simulation.trace("node/a-1", "svc/web:80")
    assert trace.outcome == "timeout"
    said = "the answers get lost between b-1 and a-1" if direction == "to" else "no path to b-1"
    assert trace.reason == said


def test_nobody_hears_the_events_of_a_node_that_is_cut_off(world, a):
    cut = {"action": "network-partition", "duration": "60s", **HIT}
    crash = {"action": "container-kill", "at": "70s", "duration": "30s", "crashAfter": "1s", **HIT}
    run = world(cut, crash, objects=[web_on("b-1", a), a.service()]).run(119)
    assert run.changes("pod-stopped", "web-", after=70)
    events = [e for e in run.store.list("Event") if e["source"].get("host") == "b-1"]
    assert events
    assert all(event["lastTimestamp"] < 60 * S for event in events)
