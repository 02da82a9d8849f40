"""A SYN that nobody answers is sent again, and goes where the first one went, whatever the rules say by then."""

from __future__ import annotations

import pytest

from netsim.dataplane.compiled import CompiledEngine
from netsim.dataplane.plain import PlainEngine, syn_schedule
from netsim.dataplane.requests import OK, REFUSED, TIMEOUT
from netsim.dataplane.sources import Source
from netsim.draws import Draws
from netsim.traffic import Traffic
from netsim.units import S

VIP = "10.96.0.20"


def without_endpoints(bench):
    bench.publish([])


def without_the_service(bench):
    bench.tables.delete_service("default", "web")
    for node in bench.state.kernels:
        bench.state.program(node, bench.tables.revision)


CHANGES = [without_endpoints, without_the_service]


@pytest.fixture(params=["iptables", "nftables", "ebpf"])
def bench(lab, request):
    """The only server is on node-2, whose power is gone: nobody answers a SYN."""
    bench = lab(nodes=3, mode=request.param)
    bench.publish([bench.pod(1, "far", "node-2")])
    bench.state.power("node-2", on=False)
    return bench


def played(bench, engine, change, **fields):
    """One client asks, and a second after the outcome again; things change half a second after its first SYN."""
    entry = {"name": "t", "from": "pod/client", "to": f"{VIP}:80", "clients": 1, "think": "1s"}
    entry |= {"timeout": "20s", "connectTimeout": "10s", **fields}
    sources = [Source(0, Traffic.model_validate(entry), Draws(1), 60 * S)]
    moved = engine(bench.state, sources, list(bench.state.kernels), syn_schedule(6, 4), 0)
    moved.advance(S // 2)
    bench.state.time = S // 2
    change(bench)
    return moved.finish(60 * S)


@pytest.mark.parametrize("engine", [PlainEngine, CompiledEngine])
@pytest.mark.parametrize("change", CHANGES)
def test_a_half_open_connection_is_not_refused_when_its_endpoint_goes(bench, engine, change):
    """Its next one meets the rules anew."""
    table = played(bench, engine, change)
    assert (table[0]["outcome"], table[0]["latency"]) == (TIMEOUT, 10 * S)
    if change is without_endpoints:
        assert table[1]["outcome"] == REFUSED


@pytest.mark.parametrize("engine", [PlainEngine, CompiledEngine])
def test_nor_is_it_lost_when_the_endpoint_comes_back_to_life(bench, engine):
    """The retry finds the server, though the Service has no endpoints any more; masqueraded as the first SYN was."""

    def change(bench):
        without_endpoints(bench)
        bench.state.powered["node-2"] = True
        bench.state.kernels["node-2"].program(bench.tables.revision)
        server = bench.pod(1, "far", "node-2")
        assert server.accepting

    table = played(bench, engine, change, **{"from": "node/node-3", "to": "192.168.0.1:30080"})
    assert table[0]["outcome"] == OK
    assert S < table[0]["connect"] < 1.1 * S


def test_engines_agree(lab):
    tables = []
    for engine in (PlainEngine, CompiledEngine):
        bench = lab(nodes=3)
        bench.publish([bench.pod(1, "far", "node-2")])
        bench.state.power("node-2", on=False)
        tables.append(played(bench, engine, without_endpoints, clients=5))
    assert (tables[0] == tables[1]).all()
