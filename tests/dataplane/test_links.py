"""What links do to packets besides taking time: loss, jitter, and queues in front of slow interfaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from netsim.dataplane.requests import OK, TIMEOUT
from netsim.topology.graph import CORE, OUTSIDE, build
from netsim.topology.network import Bandwidths, Jitter, Links, Loss, Nodes
from netsim.topology.quality import WHOLE, Interface, Quality, joined
from netsim.units import MS, US, S

STEADY = {"arrivals": "constant", "rate": "50/s"}
PATIENT = {"timeout": None, "connectTimeout": None}


def far(lab, **links):
    """A client and a server on two nodes, joined by such links; 1 ms of service."""
    bench = lab(nodes=2, pods=2, service_time="1ms", workers=64, links=Links(**links))
    bench.publish(bench.servers[1:])
    return bench


def test_links_without_a_fault_are_perfect():
    topology = build((Nodes(name="a"), Nodes(name="b")), Links())
    assert topology.perfect
    assert topology.quality("a", "b") is None


def test_jitter_makes_each_packet_later_by_up_to_that_much_a_link(lab):
    calm = far(lab).engine(STEADY, end=60 * S).finish(60 * S)
    shaken = far(lab, jitter=Jitter(node=100 * US)).engine(STEADY, end=60 * S).finish(60 * S)
    extra = shaken["connect"] - calm["connect"]  # there over two links, and back
    assert extra.min() >= 0
    assert extra.max() <= 4 * 100 * US
    assert extra.mean() == pytest.approx(200 * US, rel=0.05)
    assert (shaken["latency"] - shaken["connect"]).max() <= (calm["latency"] - calm["connect"]).max() + 400 * US


def test_a_lost_syn_is_sent_again_after_a_second(lab):
    table = far(lab, loss=Loss(node=0.1)).engine({**STEADY, **PATIENT}, end=120 * S).finish(300 * S)
    assert set(table["outcome"]) == {OK}
    seconds = table["connect"] // S
    through = (1 - 0.1) ** 4  # SYN and answer, each over two links
    assert (seconds == 0).mean() == pytest.approx(through, abs=0.02)
    assert (seconds == 1).mean() == pytest.approx((1 - through) * through, abs=0.02)


def test_lost_data_is_sent_again_after_a_retransmission_timeout(lab):
    table = far(lab, loss=Loss(node=0.1)).engine({**STEADY, **PATIENT}, end=120 * S).finish(300 * S)
    waited = (table["latency"] - table["connect"] - 1 * MS) / (200 * MS)
    assert (waited < 0.9).mean() == pytest.approx((1 - 0.1) ** 4, abs=0.02)
    once = waited[(waited > 0.9) & (waited < 1.9)]
    assert once.min() == pytest.approx(1.0, abs=0.01)  # 200 ms and a round trip
    assert np.quantile(once, 0.9) == pytest.approx(1.0, abs=0.01)


def test_who_loses_everything_times_out(lab):
    bench = far(lab, loss=Loss(node=1.0))
    table = bench.engine({**STEADY, "connectTimeout": "300ms"}, end=5 * S).finish(6 * S)
    assert set(table["outcome"]) == {TIMEOUT}
    assert set(table["latency"]) == {300 * MS}


def test_a_slow_link_takes_as_long_as_the_bytes_need(lab):
    slow = Bandwidths(node=8_000_000)  # a byte a microsecond, on each of two links
    fast, late = (
        far(lab, bandwidth=bandwidth).engine({**STEADY, "response": "5kB"}, end=5 * S).finish(6 * S)
        for bandwidth in (Bandwidths(), slow)
    )
    headers, request, response = 74, 74 + 500, 74 + 5000
    extra = late["latency"] - fast["latency"]
    assert set(extra) == {2 * (2 * headers + request + response) * US}


def test_answers_queue_for_the_link_they_share(lab):
    bandwidth = Bandwidths(node=8_000_000)
    crowd = {"clients": 10, "think": "1h", "response": "10kB", **PATIENT}
    table = far(lab, bandwidth=bandwidth).engine(crowd, end=5 * S).finish(6 * S)
    table = table[table["outcome"] == OK]
    done = np.sort(table["sent"] + table["latency"])
    assert len(done) == 10
    assert (np.diff(done) >= 10_074 * US).all()  # the last link carries one after the other


def test_a_closed_loop_never_gets_more_than_the_link_carries(lab):
    bandwidth = Bandwidths(node=80_000_000)
    crowd = {"clients": 40, "response": "10kB", "keepAlive": {}, **PATIENT}
    table = far(lab, bandwidth=bandwidth).engine(crowd, end=10 * S).finish(10 * S)
    carried = (table["outcome"] == OK).sum() * 10_074 / 10
    assert carried == pytest.approx(10_000_000, rel=0.02)


@given(some.lists(some.tuples(some.integers(0, 10**6), some.integers(1, 10**5)), min_size=1, max_size=30))
def test_an_interface_serves_in_order_and_is_never_idle_while_somebody_waits(packets):
    road, free = Quality(interfaces=(Interface(0, 0, 1000),)), [0]
    finished = 0
    for now, size in sorted(packets):
        extra = road.cross(size, now, 0, free)
        assert now + extra == max(now, finished) + size  # a nanosecond a byte
        finished = now + extra


@given(some.lists(some.integers(0, WHOLE), min_size=1, max_size=6), some.integers(0, 10**9))
def test_roads_add_jitter_and_lose_what_any_leg_loses(losses, jitter):
    road = joined((1000, Quality(jitter=jitter, loss=loss)) for loss in losses)
    survive = np.prod([1 - loss / WHOLE for loss in losses])
    if road is not None:
        assert road.jitter == jitter * len(losses)
        assert 1 - road.loss / WHOLE == pytest.approx(survive, abs=1e-8)


def test_each_direction_of_a_link_has_its_own_interface():
    links = Links(bandwidth=Bandwidths(node=10**9, outside=10**8))
    topology = build((Nodes(name="a"),), links)
    forth, back = topology.quality(OUTSIDE, "a"), topology.quality("a", OUTSIDE)
    assert forth is not None
    assert back is not None
    assert not {i.number for i in forth.interfaces} & {i.number for i in back.interfaces}
    assert [i.byte for i in forth.interfaces] == [80_000, 8_000]
    assert forth.interfaces[1].offset == links.outside + links.zone
    assert topology.path(OUTSIDE, "a")[1] == CORE


def test_links_are_written_as_people_say_them():
    links = Links.model_validate(
        {"node": "20us", "jitter": {"node": "5us"}, "loss": {"outside": "0.1%"}, "bandwidth": {"node": "10Gbit/s"}}
    )
    assert links.between("node") == (20 * US, 5 * US, 0.0, 10_000_000_000)
    assert links.model_dump(mode="json")["bandwidth"] == {"node": "10Gbit/s", "zone": None, "outside": None}
    with pytest.raises(ValidationError, match="is not a bandwidth; write 10Gbit/s or 100Mbit/s"):
        Links.model_validate({"bandwidth": {"node": "fast"}})
