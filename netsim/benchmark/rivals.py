"""The rivals: the same queues, as one would write them with SimPy or with NumPy alone.

`bare` is the textbook's: a process per request and a Resource per pod, no network, no failures. `patient` adds what
netsim's clients do: connecting and its time-out, a deadline, retries with back-off, kept connections, a machine that
dies with what it was doing. `floor` is no simulation: only the numbers that any would have to draw, and the sorting
of moments.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import simpy

Steps = Generator[Any, Any, Any]
WAY, CONNECT, DEADLINE, PAUSE, TRIES = 130e-6, 1.0, 2.0, 0.1, 3


def bare(requests: int, rate: float, pods: int, workers: int, mean: float) -> int:
    """An open queue: processes and Resources. Returns how many were answered."""
    env, random = simpy.Environment(), Random(1)
    resources = [simpy.Resource(env, workers) for _ in range(pods)]
    latencies: list[float] = []

    def request(pod: Any, service: float) -> Steps:
        sent = env.now
        with pod.request() as turn:
            yield turn
            yield env.timeout(service)
        latencies.append(env.now - sent)

    def arrivals() -> Steps:
        for _ in range(requests):
            yield env.timeout(random.expovariate(rate))
            env.process(request(resources[random.randrange(pods)], random.expovariate(1 / mean)))

    env.process(arrivals())
    env.run()
    return len(latencies)


@dataclass
class Patient:
    """A process per request, or per closed client, with netsim's semantics. `outcomes` counts what they saw."""

    pods: int
    workers: int
    mean: float
    nodes: int = 3
    outcomes: dict[str, int] = field(default_factory=lambda: {"ok": 0, "timeout": 0, "reset": 0})

    def __post_init__(self) -> None:
        self.env = simpy.Environment()
        self.random = Random(1)
        self.resources = [simpy.Resource(self.env, self.workers) for _ in range(self.pods)]
        self.known = list(range(self.pods))  # the endpoints that rules lead to
        self.dead: set[int] = set()  # pods
        self.died = [self.env.event() for _ in range(self.pods)]

    def open(self, rate: float, end: float) -> int:
        """Requests that arrive at a rate; how many there were."""
        self.env.process(self._arrivals(rate, end))
        self.env.run(until=end)
        return sum(self.outcomes.values())

    def closed(self, clients: int, think: float, end: float) -> int:
        """Clients that keep their connections; how many requests they have made."""
        for _ in range(clients):
            self.env.process(self._client(think))
        self.env.run(until=end)
        return sum(self.outcomes.values())

    def fail(self, at: float, noticed: float) -> None:
        """A third of the pods die with their machine; rules know it some time later."""
        self.env.process(self._failure(at, noticed))

    def _failure(self, at: float, noticed: float) -> Steps:
        yield self.env.timeout(at)
        self.dead = set(range(1, self.pods, self.nodes))
        for pod in self.dead:
            self.died[pod].succeed()
        yield self.env.timeout(noticed)
        self.known = [pod for pod in self.known if pod not in self.dead]

    def _arrivals(self, rate: float, end: float) -> Steps:
        while True:
            yield self.env.timeout(self.random.expovariate(rate))
            self.env.process(self._request(None))

    def _client(self, think: float) -> Steps:
        connection = None
        while True:
            connection = yield from self._request(connection)
            yield self.env.timeout(think)

    def _request(self, connection: int | None) -> Steps:
        outcome = "timeout"
        for attempt in range(TRIES):
            if attempt:
                pause = PAUSE * 2 ** (attempt - 1)
                yield self.env.timeout(pause * self.random.uniform(0.5, 1))
            deadline = self.env.now + DEADLINE
            if connection is None:
                connection = yield from self._connect()
                if connection is None:
                    continue
            outcome = yield from self._exchange(connection, deadline)
            if outcome == "ok":
                break
            connection = None
        self.outcomes[outcome] += 1
        return connection

    def _connect(self) -> Steps:
        pod = self.random.choice(self.known)
        yield self.env.timeout(WAY)
        if pod in self.dead:
            yield self.env.timeout(CONNECT - WAY)
            return None
        yield self.env.timeout(WAY)
        return pod

    def _exchange(self, pod: int, deadline: float) -> Steps:
        env = self.env
        yield env.timeout(WAY)
        if pod in self.dead:
            yield env.timeout(max(0.0, deadline - env.now))
            return "timeout"
        late = env.timeout(max(0.0, deadline - env.now))
        with self.resources[pod].request() as turn:
            yield turn | late | self.died[pod]
            if turn.triggered and not late.processed:
                yield env.timeout(self.random.expovariate(1 / self.mean)) | late | self.died[pod]
        if pod in self.dead and not late.processed:
            yield late
        if late.processed:
            return "timeout"
        yield env.timeout(WAY)
        return "ok"


def floor(requests: int, rate: float, pods: int, mean: float) -> int:
    """Draw arrivals, choices and service times with a counter-based generator, and put the moments in order."""
    random = np.random.Generator(np.random.Philox(1))
    sent = np.cumsum(random.exponential(1 / rate, requests))
    done = sent + random.exponential(mean, requests)
    chosen = random.integers(0, pods, requests)
    order = np.argsort(done, kind="stable")
    return len(chosen[order])
