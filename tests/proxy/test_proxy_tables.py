"""Versions are shared, a change costs what changed, and every revision stays as it was."""

from __future__ import annotations

import sys
from time import process_time

from proxy_builders import OUTSIDE, POD, ask, service, slice_of, targets

from netsim.proxy.config import ProxyConfig
from netsim.proxy.node import NodeInfo, NodeRules
from netsim.proxy.tables import Tables


def test_only_what_a_proxy_cares_about_makes_a_revision() -> None:
    tables = Tables(ProxyConfig())
    assert tables.revision == 1
    assert tables.set_slice(slice_of("web", "10.244.1.2")) is None  # nobody has such a Service yet
    assert tables.set_service(service()) == 2
    assert (
        tables.set_service({**service(), "metadata": {**service()["metadata"], "labels": {"a": "b"}}}) is None
    )
    assert tables.set_slice(slice_of("web", "10.244.1.2")) is None
    assert tables.set_slice(slice_of("web", "10.244.1.3")) == 3
    assert tables.delete_slice("default", "web-1") == 4
    assert tables.delete_slice("default", "web-1") is None
    assert tables.delete_service("default", "web") == 5
    assert tables.delete_service("default", "web") is None


def test_a_node_sees_the_revision_it_has_programmed_and_no_other() -> None:
    tables = Tables(ProxyConfig(), ["10.244.0.0/16"])
    revisions = [tables.set_service(service())]
    revisions += [tables.set_slice(slice_of("web", f"10.244.1.{i}")) for i in range(2, 6)]
    old, new = (NodeRules(tables, NodeInfo(name, ("192.168.0.1",))) for name in ("node-1", "node-2"))
    new.program(revisions[-1] or 0)
    for number, revision in enumerate(revisions):
        old.program(revision or 0)
        assert targets(ask(old, POD, "10.96.0.20")) == ([f"10.244.1.{number + 1}"] if number else [])
        assert targets(ask(new, POD, "10.96.0.20")) == ["10.244.1.5"]


def test_before_anything_is_programmed_every_packet_passes() -> None:
    tables = Tables(ProxyConfig(mode="nftables"), (), ["10.96.0.0/12"])
    rules = NodeRules(tables, NodeInfo("node-1", ("192.168.0.1",)))
    assert ask(rules, POD, "10.96.0.20").action == "NO_MATCH"
    assert rules.render() == ""
    rules.program(tables.revision)  # no Service yet, but rules: unallocated addresses are dropped
    assert ask(rules, POD, "10.96.0.20").action == "DROP"
    rules.program(0)  # the node booted
    assert ask(rules, POD, "10.96.0.20").action == "NO_MATCH"


def test_deleting_a_service_frees_its_addresses() -> None:
    tables = Tables(ProxyConfig(), ["10.244.0.0/16"])
    tables.set_service(service("one", externalIPs=["198.51.100.1"]))
    tables.set_slice(slice_of("one", "10.244.1.2"))
    tables.set_service(service("two", "10.96.0.21", externalIPs=["198.51.100.1"]))
    tables.set_slice(slice_of("two", "10.244.1.3"))
    rules = NodeRules(tables, NodeInfo("node-1", ("192.168.0.1",)))
    rules.program(tables.revision)
    assert targets(ask(rules, OUTSIDE, "198.51.100.1")) == ["10.244.1.2"]
    rules.program(tables.delete_service("default", "one") or 0)
    assert targets(ask(rules, OUTSIDE, "198.51.100.1")) == ["10.244.1.3"]
    assert ask(rules, POD, "10.96.0.20").action == "NO_MATCH"


def test_a_slice_that_moves_to_another_service_leaves_the_first() -> None:
    tables = Tables(ProxyConfig())
    tables.set_service(service("one"))
    tables.set_service(service("two", "10.96.0.21"))
    tables.set_slice(slice_of("one", "10.244.1.2"))
    moved = slice_of("two", "10.244.1.2")
    moved["metadata"]["name"] = "one-1"
    tables.set_slice(moved)
    found = {v.service_port.service: len(v.endpoints) for v in tables.versions(tables.revision, 4)}
    assert found == {"one": 0, "two": 1}


def test_changes_tell_what_a_sync_has_to_write() -> None:
    tables = Tables(ProxyConfig())
    tables.set_service(service("one"))
    tables.set_service(service("dns", "10.96.0.10", protocol="UDP"))
    before = tables.revision
    tables.set_slice(slice_of("one", "10.244.1.2", "10.244.1.3"))
    tables.set_slice(slice_of("one", "10.244.1.2"))
    changes = tables.changes(before, tables.revision)
    assert (changes.service_ports, changes.endpoints, changes.udp) == (1, 2, False)
    tables.set_slice(slice_of("dns", "10.244.1.2", protocol="UDP"))
    assert tables.changes(before, tables.revision).udp
    assert tables.changes(tables.revision, tables.revision).service_ports == 0
    count = tables.count(tables.revision)
    assert (count.service_ports, count.endpoints) == (2, 2)
    assert tables.count(before).endpoints == 0


def test_five_thousand_nodes_hold_one_list() -> None:
    tables = Tables(ProxyConfig(), ["10.244.0.0/16"])
    tables.set_service(service())
    tables.set_slice(slice_of("web", *(f"10.244.{i // 200}.{i % 200 + 2}" for i in range(1000))))
    nodes = [NodeRules(tables, NodeInfo(f"node-{i}", (f"172.16.{i // 250}.{i % 250}",))) for i in range(5000)]
    began = process_time()
    lists = set()
    for node in nodes:
        node.program(tables.revision)
        lists.add(id(node.lookup(POD, "10.96.0.20", 80).endpoints))
    assert len(lists) == 1
    assert process_time() - began < 5  # about 0.1 s; a copy for each node would take a minute


def test_a_change_costs_what_changed() -> None:
    tables = Tables(ProxyConfig(), ["10.244.0.0/16"])
    for i in range(3000):
        tables.set_service(service(f"svc-{i}", f"10.96.{i // 250}.{i % 250}"))
        tables.set_slice(slice_of(f"svc-{i}", "10.244.1.2"))
    rules = NodeRules(tables, NodeInfo("node-1", ("192.168.0.1",)))
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    tables.set_slice(slice_of("svc-7", "10.244.1.3"))
    rules.program(tables.revision)
    rules.lookup(POD, "10.96.0.7", 80)
    sys.setprofile(None)
    assert calls < 300
    assert targets(rules.lookup(POD, "10.96.0.7", 80)) == ["10.244.1.3"]
