"""resolv.conf of pods, and how names are looked up with it."""

from __future__ import annotations

from typing import Any

import pytest
from control_builders import pod

from netsim.control.pod_dns import Resolver, dns_source, fitted, resolver_of

HOST = Resolver(("192.168.0.1",), ("example.net",), ("timeout:2",))
PLAIN = Resolver(("8.8.8.8",))
DNS = ("10.96.0.10",)


def resolver(host: Resolver = PLAIN, **spec: Any) -> Resolver:
    return resolver_of(pod("p", **spec), host, DNS)[0]


def test_a_pod_asks_the_clusters_dns_under_its_namespace_first() -> None:
    assert resolver(HOST).text() == (
        "search default.svc.cluster.local svc.cluster.local cluster.local example.net\n"
        "nameserver 10.96.0.10\n"
        "options ndots:5\n"
    )


@pytest.mark.parametrize(
    ("policy", "host_network", "source"),
    [
        ("ClusterFirst", False, "cluster"),
        ("ClusterFirst", True, "host"),
        ("ClusterFirstWithHostNet", True, "cluster"),
        ("Default", False, "host"),
        ("None", False, "none"),
        ("Other", False, None),
    ],
)
def test_the_policy_decides_who_is_asked(policy: str, host_network: bool, source: str | None) -> None:
    assert dns_source(pod("p", dnsPolicy=policy, hostNetwork=host_network)) == source


def test_without_a_cluster_dns_the_nodes_settings_serve() -> None:
    assert resolver_of(pod("p"), HOST, ())[0] == HOST


def test_a_pods_own_settings_are_added_and_its_options_win() -> None:
    config = {
        "nameservers": ["1.1.1.1", "10.96.0.10"],
        "searches": ["a.b"],
        "options": [{"name": "ndots", "value": "2"}],
    }
    found = resolver(dnsConfig=config)
    assert found.nameservers == ("10.96.0.10", "1.1.1.1")
    assert found.searches[-1] == "a.b"
    assert found.options == ("ndots:2",)


def test_none_means_only_what_the_pod_says() -> None:
    config = {"nameservers": ["1.1.1.1"]}
    assert resolver(HOST, dnsPolicy="None", dnsConfig=config) == Resolver(("1.1.1.1",))


def test_too_much_is_cut_with_a_warning() -> None:
    many = Resolver(("a", "b", "c", "d"), tuple(f"domain-{i}" for i in range(40)))
    found, warnings = fitted(many)
    assert (len(found.nameservers), len(found.searches)) == (3, 32)
    assert warnings[0].endswith("the applied nameserver line is: a b c")
    assert warnings[1].startswith("Search Line limits were exceeded, some search paths have been omitted")
    assert fitted(found) == (found, ())


def test_search_lines_are_cut_to_2048_characters_and_domains_to_253() -> None:
    long = fitted(Resolver((), tuple("x" * 200 + str(i) for i in range(10, 30))))[0]
    assert len(" ".join(long.searches)) <= 2048 < len(" ".join((*long.searches, "x" * 202)))
    assert fitted(Resolver((), ("a", "x" * 254, "b")))[0].searches == ("a", "b")


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("svc", 2),
        ("svc.otherns", 4),
        ("svc.ns.svc", 6),
        ("svc.ns.svc.cluster.local", 8),
        ("svc.ns.svc.cluster.local.", 2),
        ("www.example.com", 8),
    ],
)
def test_how_many_queries_a_name_costs(name: str, queries: int) -> None:
    """Each candidate is asked for as A and AAAA until one exists; a cluster's names are all in `zone`."""
    zone = {"svc.default.svc.cluster.local", "svc.otherns.svc.cluster.local", "svc.ns.svc.cluster.local"}
    zone.add("www.example.com")
    asked = 0
    for candidate in resolver().candidates(name):
        asked += 2
        if candidate in zone:
            break
    assert asked == queries


def test_a_host_search_domain_costs_foreign_names_two_more_queries() -> None:
    assert len(resolver(HOST).candidates("www.example.com")) == 5
