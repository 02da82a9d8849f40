"""The network: delays along the shortest path, and what a broken link does to them."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.topology.graph import CLOUD, CORE, OUTSIDE, build, switch_of
from netsim.topology.network import Links, Nodes

LINKS = Links()


@pytest.fixture
def network():
    return build((Nodes(name="a", count=2, zone="one"), Nodes(name="b", count=2, zone="two")), LINKS)


def test_delays_add_up_along_the_path(network):
    assert network.delay("a-1", "a-1") == 0
    assert network.delay("a-1", "a-2") == 2 * LINKS.node
    assert network.delay("a-1", "b-2") == 2 * LINKS.node + 2 * LINKS.zone
    assert network.delay(OUTSIDE, "a-1") == LINKS.outside + LINKS.zone + LINKS.node


def test_a_path_names_every_machine_and_switch(network):
    assert network.path("a-1", "b-1") == ["a-1", switch_of("one"), CORE, switch_of("two"), "b-1"]
    assert network.path("a-1", "a-1") == ["a-1"]


def test_a_zone_that_is_cut_off_still_has_its_own_paths(network):
    network.set_link(switch_of("one"), CORE, up=False)
    assert network.delay("a-1", "b-1") is None
    assert network.path("a-1", "b-1") == []
    assert network.delay("a-1", "a-2") == 2 * LINKS.node
    assert network.attached("a-1")
    network.set_link(switch_of("one"), CORE, up=True)
    assert network.delay("a-1", "b-1") == 2 * LINKS.node + 2 * LINKS.zone


def test_a_machine_without_its_link_has_no_path_at_all(network):
    network.set_link("a-1", switch_of("one"), up=False)
    assert not network.attached("a-1")
    assert network.delay("a-1", "a-2") is None
    assert network.delay("b-1", "a-1") is None


def test_machines_never_forward_for_others():
    network = build((Nodes(name="a"), Nodes(name="b")), LINKS)
    network.add_switch("island")
    network.connect("a", "island", 1)
    network.add_machine("c", zone="")
    network.connect("c", "island", 1)
    assert network.delay("a", "c") == 2
    assert network.delay("b", "c") is None


@given(st.data())
def test_every_delay_is_that_of_the_shortest_path_through_switches(data):
    groups = tuple(
        Nodes(name=f"g{i}", count=data.draw(st.integers(1, 3)), zone=f"z{data.draw(st.integers(0, 2))}")
        for i in range(3)
    )
    network = build(groups, LINKS)
    edges = list(network.graph.edges)
    for a, b in data.draw(st.lists(st.sampled_from(edges), max_size=3)):
        network.set_link(a, b, up=False)
    machines = network.machines()
    a, b = data.draw(st.sampled_from(machines)), data.draw(st.sampled_from(machines))
    switches = [n for n, kind in network.graph.nodes(data="kind") if kind == "switch"]
    graph = nx.Graph()
    graph.add_nodes_from([*switches, a, b])
    for u, v, edge in network.graph.edges(data=True):
        if edge["up"] and {u, v} <= {*switches, a, b}:
            graph.add_edge(u, v, weight=edge["latency"])
    expected = nx.shortest_path_length(graph, a, b, weight="weight") if nx.has_path(graph, a, b) else None
    assert network.delay(a, b) == expected
    assert CLOUD in machines
