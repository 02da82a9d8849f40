"""One probe: what it says of a program, and when its word counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.control.prober import KINDS, Answer, Probe, Verdict, ask, probe_of
from netsim.dataplane.server import Server
from netsim.dataplane.serving import Serving
from netsim.draws import Distribution
from netsim.units import MS, S


def server(service_time: str = "5ms", *, listening: bool = True, slowness: float = 1.0) -> Server:
    serving = Serving(service_time=Distribution.parse(service_time))
    made = Server(0, "default/web", "node", ("10.0.0.1",), serving, [(80, "TCP"), (53, "UDP")])
    made.accepting, made.slowness = listening, slowness
    return made


def probe(handler: str, port: int | None = 80, timeout: int = 1 * S) -> Probe:
    return Probe(0, 10 * S, 1, 3, timeout, handler, port)


REFUSED = "dial tcp 10.0.0.1:80: connect: connection refused"
ASKED = [
    ("http, well", probe("httpGet"), server(), Answer(True, 5 * MS)),
    ("http, too slow", probe("httpGet"), server(slowness=300), Answer(False, 1 * S, "context deadline exceeded")),
    ("http, slow but patient", probe("httpGet", timeout=2 * S), server(slowness=300), Answer(True, 1500 * MS)),
    ("http, not listening yet", probe("httpGet"), server(listening=False), Answer(False, 0, REFUSED)),
    ("tcp, well", probe("tcpSocket"), server(), Answer(True)),
    ("tcp, the kernel answers for a slow program", probe("tcpSocket"), server(slowness=1e6), Answer(True)),
    ("tcp, not listening", probe("tcpSocket"), server(listening=False), Answer(False, 0, REFUSED)),
    ("tcp, another port", probe("tcpSocket", 81), server(), Answer(False, 0, REFUSED.replace("80", "81"))),
    ("tcp, a port of UDP", probe("tcpSocket", 53), server(), Answer(False, 0, REFUSED.replace("80", "53"))),
    ("grpc, well", probe("grpc"), server(), Answer(True, 5 * MS)),
    ("exec, the program is slow", probe("exec", None), server(slowness=1e6), Answer(True)),
    ("a container that serves nobody", probe("httpGet", 8080), None, Answer(True)),
]


@pytest.mark.parametrize(("asks", "whom", "answer"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_what_a_probe_hears(asks: Probe, whom: Server | None, answer: Answer) -> None:
    assert ask(asks, whom, bits=1) == answer


def test_a_program_that_is_not_well_says_so() -> None:
    assert ask(probe("httpGet"), server(), 1, broken=True).said == "HTTP probe failed with statuscode: 503"
    assert not ask(probe("exec", None), server(), 1, broken=True).success


def test_a_probe_is_read_with_kubernetes_defaults() -> None:
    container: dict[str, Any] = {
        "ports": [{"name": "web", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"port": "web"}},
        "livenessProbe": {
            "tcpSocket": {"port": 80}, "initialDelaySeconds": 3, "periodSeconds": 5, "failureThreshold": 2,
            "timeoutSeconds": 4, "terminationGracePeriodSeconds": 7,
        },
    }  # fmt: skip
    assert probe_of(container, "readiness") == Probe(0, 10 * S, 1, 3, 1 * S, "httpGet", 8080)
    assert probe_of(container, "liveness") == Probe(3 * S, 5 * S, 1, 2, 4 * S, "tcpSocket", 80, 7 * S)
    assert probe_of(container, "startup") is None


@pytest.mark.parametrize(
    ("kind", "results", "verdicts"),
    [
        ("readiness", "+", [True]),
        ("readiness", "---+", [False, False, False, True]),
        ("readiness", "+--+---", [True, True, True, True, True, True, False]),
        ("liveness", "--+--+", [True] * 6),
        ("liveness", "---", [True, True, False]),
        ("startup", "--+", [None, None, True]),
        ("startup", "---", [None, None, False]),
    ],
)
def test_what_counts(kind: str, results: str, verdicts: list[bool | None]) -> None:
    verdict = Verdict(ready=KINDS[kind])
    assert [verdict.see(result == "+", probe("httpGet")) for result in results] == verdicts


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_a_verdict_is_the_last_run_that_was_long_enough(results: list[bool], successes: int, failures: int) -> None:
    rule = Probe(0, S, successes, failures)
    verdict = Verdict(ready=False)
    for number, result in enumerate(results):
        said = verdict.see(result, rule)
        same = len(results[: number + 1]) - max(
            (i + 1 for i, other in enumerate(results[: number + 1]) if other != result), default=0
        )
        if same >= (successes if result else failures):
            assert said == result
