"""The records of the DNS specification: one table of questions and answers, and the odd ones."""

from __future__ import annotations

from typing import Any

import pytest
from lab_clusters import service

from netsim.control.dns_records import Question, Record, Zone, reverse_name

DOMAIN = "cluster.local"


def slice_of(name: str, *endpoints: dict[str, Any], ports: tuple[int, ...] = (80,)) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}-x", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "http", "port": port, "protocol": "TCP"} for port in ports],
        "endpoints": list(endpoints),
    }


def endpoint(address: str, ready: bool = True, **more: Any) -> dict[str, Any]:
    return {"addresses": [address], "conditions": {"ready": ready}, **more}


def named(obj: dict[str, Any]) -> dict[str, Any]:
    return {**obj, "metadata": {"namespace": "default", **obj["metadata"]}}


ZONE = Zone.of(
    [
        named(service("web", clusterIP="10.0.0.7", clusterIPs=["10.0.0.7", "fd00::7"])),
        named(service("empty", clusterIP="10.0.0.8")),
        named(service("db", clusterIP="None")),
        named(service("gone", clusterIP="None")),
        named(service("alias", type="ExternalName", externalName="example.com")),
    ],
    [
        slice_of("web", endpoint("10.244.1.5")),
        slice_of(
            "db",
            endpoint("10.244.1.6"),
            endpoint("10.244.2.6", hostname="db-1"),
            endpoint("10.244.2.7", ready=False),
        ),
        slice_of("gone", endpoint("10.244.1.9", ready=False)),
    ],
    ["default", "kube-system"],
)

TABLE = [
    # name (below cluster.local)     type    answer, or why there is none
    ("web.default.svc", "A", {"10.0.0.7"}),
    ("WEB.default.svc", "A", {"10.0.0.7"}),
    ("web.default.svc", "AAAA", {"fd00::7"}),
    ("empty.default.svc", "A", {"10.0.0.8"}),
    ("empty.default.svc", "AAAA", "NOERROR"),
    ("db.default.svc", "A", {"10.244.1.6", "10.244.2.6"}),
    ("gone.default.svc", "A", "NXDOMAIN"),
    ("nobody.default.svc", "A", "NXDOMAIN"),
    ("web.elsewhere.svc", "A", "NXDOMAIN"),
    ("_http._tcp.web.default.svc", "SRV", {"0 100 80 web.default.svc.cluster.local"}),
    ("_http._udp.web.default.svc", "SRV", "NXDOMAIN"),
    ("_other._tcp.web.default.svc", "SRV", "NXDOMAIN"),
    (
        "_http._tcp.db.default.svc",
        "SRV",
        {"0 50 80 10-244-1-6.db.default.svc.cluster.local", "0 50 80 db-1.db.default.svc.cluster.local"},
    ),
    ("10-244-1-6.db.default.svc", "A", {"10.244.1.6"}),
    ("db-1.db.default.svc", "A", {"10.244.2.6"}),
    ("10-244-2-6.db.default.svc", "A", "NXDOMAIN"),
    ("db-2.db.default.svc", "A", "NXDOMAIN"),
    ("alias.default.svc", "A", {"example.com"}),
    ("alias.default.svc", "CNAME", {"example.com"}),
    ("10-244-1-5.default.pod", "A", {"10.244.1.5"}),
    ("10-9-9-9.default.pod", "A", {"10.9.9.9"}),
    ("10-9-9-9.elsewhere.pod", "A", "NXDOMAIN"),
    ("10-9-9-999.default.pod", "A", "NXDOMAIN"),
    ("fd00--5.default.pod", "AAAA", {"fd00::5"}),
    ("dns-version", "TXT", {"1.1.0"}),
    ("default.svc", "A", "NOERROR"),
    ("svc", "A", "NOERROR"),
    ("elsewhere", "A", "NXDOMAIN"),
    ("a.b.c.web.default.svc", "A", "NXDOMAIN"),
]


@pytest.mark.parametrize(("name", "kind", "expected"), TABLE)
def test_the_specification_row_by_row(name: str, kind: str, expected: Any) -> None:
    answer = ZONE.answer(Question(f"{name}.{DOMAIN}", kind))
    assert answer is not None
    if isinstance(expected, set):
        assert {record.data for record in answer.records} == expected
    else:
        assert (answer.code, answer.records) == (expected, ())


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("10.0.0.7", ("web.default.svc.cluster.local",)),
        ("10.244.2.6", ("db-1.db.default.svc.cluster.local",)),
        ("10.244.1.5", ("10-244-1-5.web.default.svc.cluster.local",)),  # CoreDNS does, the specification does not ask
    ],
)
def test_addresses_have_names(address: str, names: tuple[str, ...]) -> None:
    answer = ZONE.answer(Question(reverse_name(address), "PTR"))
    assert answer is not None
    assert answer.data("PTR") == names


ELSEWHERE = ["example.com", "cluster.local.example.com", reverse_name("8.8.8.8"), reverse_name("10.244.2.7")]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_the_zone_does_not_hold_is_asked_for_elsewhere(name: str) -> None:
    assert ZONE.answer(Question(name, "PTR")) is None


def test_an_absence_may_be_believed_for_as_long_as_an_answer() -> None:
    present, absent = (ZONE.answer(Question(f"{name}.default.svc.{DOMAIN}")) for name in ("web", "nobody"))
    assert present is not None
    assert absent is not None
    assert (present.records[0].ttl, absent.ttl) == (30_000_000_000, 30_000_000_000)


def test_endpoints_that_are_not_ready_are_published_on_request() -> None:
    # the EndpointSlice controller marks them ready where the Service says publishNotReadyAddresses
    zone = Zone.of(
        [named(service("db", clusterIP="None", publishNotReadyAddresses=True))],
        [slice_of("db", endpoint("10.244.1.6", ready=True))],
        ["default"],
    )
    answer = zone.answer(Question(f"db.default.svc.{DOMAIN}"))
    assert answer is not None
    assert answer.records == (Record(f"db.default.svc.{DOMAIN}", "A", "10.244.1.6"),)
