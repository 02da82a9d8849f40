"""What holds of names whatever the cluster looks like: there and back again, caches that never lie for longer."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lab_clusters import service

from netsim.control.dns_cache import Cache
from netsim.control.dns_records import Answer, Question, Record, Zone, reverse_name, reversed_address
from netsim.control.pod_dns import Resolver
from netsim.units import S

DOMAIN = "cluster.local"
LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
ADDRESSES = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str)
LAW = settings(derandomize=True, deadline=None, max_examples=60)
NAMED = st.dictionaries(st.tuples(LABELS, LABELS), ADDRESSES, min_size=1, max_size=8)


def zone_of(services: dict[tuple[str, str], str]) -> Zone:
    made: list[dict[str, Any]] = []
    for (namespace, name), address in services.items():
        one = service(name, clusterIP=address)
        made.append({**one, "metadata": {"name": name, "namespace": namespace}})
    return Zone.of(made, [], [namespace for namespace, _ in services])


@LAW
@given(NAMED)
def test_every_service_has_its_address_and_every_address_a_service(services: dict[tuple[str, str], str]) -> None:
    zone = zone_of(services)
    for (namespace, name), address in services.items():
        whole = f"{name}.{namespace}.svc.{DOMAIN}"
        kind, other = ("A", "AAAA") if ip_address(address).version == 4 else ("AAAA", "A")
        found, absent = zone.answer(Question(whole, kind)), zone.answer(Question(whole, other))
        back = zone.answer(Question(reverse_name(address), "PTR"))
        assert found is not None
        assert absent is not None
        assert back is not None
        assert found.data(kind) == (address,)
        assert (absent.code, absent.records) == ("NOERROR", ())
        (named,) = back.data("PTR")
        assert services[named.split(".")[1], named.split(".")[0]] == address


@LAW
@given(NAMED, LABELS, LABELS)
def test_a_name_exists_if_and_only_if_its_service_does(
    services: dict[tuple[str, str], str], namespace: str, name: str
) -> None:
    found = zone_of(services).answer(Question(f"{name}.{namespace}.svc.{DOMAIN}"))
    assert found is not None
    assert (found.code == "NOERROR") == ((namespace, name) in services)


@LAW
@given(ADDRESSES)
def test_reverse_names_can_be_read_back(address: str) -> None:
    assert reversed_address(reverse_name(address)) == address


@LAW
@given(
    ttl=st.integers(0, 3600), limit=st.integers(0, 3600), kept_at=st.integers(0, 100), age=st.integers(0, 4000),
    exists=st.booleans(),
)  # fmt: skip
def test_a_cache_keeps_no_longer_than_it_may_and_says_how_long_it_still_will(
    ttl: int, limit: int, kept_at: int, age: int, exists: bool
) -> None:
    records = (Record("a", "A", "10.0.0.1", ttl * S),) if exists else ()
    cache = Cache(success=3600 * S, denial=30 * S)
    cache.put(Question("a"), Answer("NOERROR" if exists else "NXDOMAIN", records, ttl * S), kept_at * S, limit * S)
    lasts = min(ttl, limit) if exists else min(ttl, limit, 30)
    found = cache.get(Question("a"), (kept_at + age) * S)
    assert (found is not None) == (age < lasts)
    if found is not None:
        assert all(record.ttl == (lasts - age) * S for record in found.records)


@LAW
@given(st.lists(LABELS, min_size=1, max_size=7), st.lists(LABELS, max_size=4, unique=True), st.integers(0, 7))
def test_a_resolver_tries_the_name_itself_once_and_each_search_domain_once(
    labels: list[str], searches: list[str], ndots: int
) -> None:
    name = ".".join(labels)
    tried = Resolver(searches=tuple(searches), options=(f"ndots:{ndots}",)).candidates(name)
    assert sorted(tried) == sorted([name, *(f"{name}.{domain}" for domain in searches)])
    assert tried[0 if name.count(".") >= ndots else -1] == name
    assert Resolver(searches=tuple(searches)).candidates(f"{name}.") == (name,)
