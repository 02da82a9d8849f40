"""Probes: how a kubelet finds out how a container's program is.

Each probe of a running container has its own worker. It probes at once and then every period; nothing counts
before the container has run for the initial delay. It takes `failureThreshold` failures in a row to lose and
`successThreshold` successes to win. Until the startup probe has succeeded the others do not begin; then
readiness is asked at once. Before the first answer a container is not ready, and lives.

What a probe hits is the program: where nothing listens the node refuses at once, a program that is slow beyond
the timeout fails an HTTP probe but not a TCP probe, for which the kernel answers. A probe takes as long as the
program serves a request, but does not queue behind the requests of others, and costs the program nothing. A
command in the container (`exec`) succeeds as long as its container runs.

Source: kubernetes `pkg/kubelet/prober` (prober_manager.go, worker.go, prober.go), defaults in
`pkg/apis/core/v1/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object
from netsim.control.cluster import Cluster
from netsim.control.containers import Container
from netsim.dataplane.server import Server
from netsim.units import S

KINDS: dict[str, bool | None] = {"startup": None, "liveness": True, "readiness": False}
"""The kinds of probe, and what counts before the first verdict."""

HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe's schedule and thresholds, in nanoseconds, and what it does."""

    initial_delay: int
    period: int
    successes: int
    failures: int
    timeout: int = 1 * S
    handler: str = "httpGet"
    port: int | None = None
    grace: int | None = None  # instead of the pod's, when a failure kills the container


@dataclass(frozen=True, slots=True)
class Answer:
    """How one probe went, and how long it took."""

    success: bool
    takes: int = 0
    said: str = ""


@dataclass
class Verdict:
    """What a worker has seen in a row, and what counts: well, not well, or (None) not known yet."""

    ready: bool | None = False
    same: int = 0
    last: bool | None = None

    def see(self, success: bool, probe: Probe) -> bool | None:
        """Take in one result; whether the container counts as well now.

        >>> verdict, probe = Verdict(ready=True), Probe(0, S, successes=1, failures=3)
        >>> [verdict.see(ok, probe) for ok in (False, False, True, False, False, False)]
        [True, True, True, True, True, False]
        """
        self.same = self.same + 1 if success == self.last else 1
        self.last = success
        if self.same >= (probe.successes if success else probe.failures):
            self.ready = success
        return self.ready


def probe_of(container: Object, kind: str) -> Probe | None:
    """A container's probe of one kind.

    >>> probe_of({"readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 5}}, "readiness").port
    80
    """
    given = container.get(f"{kind}Probe")
    if not given:
        return None
    handler = next((name for name in HANDLERS if given.get(name) is not None), "exec")
    grace = given.get("terminationGracePeriodSeconds")
    return Probe(
        initial_delay=int(given.get("initialDelaySeconds", 0)) * S,
        period=int(given.get("periodSeconds", 10)) * S,
        successes=int(given.get("successThreshold", 1)),
        failures=int(given.get("failureThreshold", 3)),
        timeout=int(given.get("timeoutSeconds", 1)) * S,
        handler=handler,
        port=_port(container, given.get(handler) or {}),
        grace=None if grace is None else int(grace) * S,
    )


def _port(container: Object, action: Object) -> int | None:
    """The number of a probe's port, which may be the name of one of the container's."""
    port = action.get("port")
    if isinstance(port, str):
        ports = container.get("ports") or ()
        return next((int(p["containerPort"]) for p in ports if p.get("name") == port), None)
    return port


def ask(probe: Probe, server: Server | None, bits: int, *, broken: bool = False) -> Answer:
    """Probe a program once. `broken` says that it answers, but that it is not well."""
    if broken:
        return Answer(False, 0, "HTTP probe failed with statuscode: 503" if probe.handler == "httpGet" else "")
    if probe.handler == "exec" or server is None:
        return Answer(True)
    there = not server.ports or (probe.port, "TCP") in server.ports
    if not (server.accepting and there):
        return Answer(False, 0, f"dial tcp {server.addresses[0]}:{probe.port}: connect: connection refused")
    if probe.handler == "tcpSocket":
        return Answer(True)
    takes = int(server.serving.service_time.draw(bits) * server.slowness)
    if takes > probe.timeout:
        return Answer(False, probe.timeout, "context deadline exceeded")
    return Answer(True, takes)


def work(
    cluster: Cluster,
    container: Container,
    probe: Probe,
    look: Callable[[], Answer | None],
    tell: Callable[[bool], None],
    *,
    ready: bool | None,
    delay: int = 0,
) -> Generator[Any, Any, None]:
    """Probe again and again, and tell whenever the verdict changes. `look` gives None if it could not ask.

    A tick that comes while a probe is still waiting for its answer is made up for at once.
    """
    if delay:
        yield cluster.env.timeout(delay)
    verdict, said, began = Verdict(ready), ready, cluster.now
    while True:
        tick = (cluster.now - began) // probe.period
        if (cluster.now - (container.began or 0)) // S * S >= probe.initial_delay:
            answer = look()
            if answer is not None:
                if answer.takes:
                    yield cluster.env.timeout(answer.takes)
                well = verdict.see(answer.success, probe)
                if well is not None and well != said:
                    said = well
                    tell(well)
        late = (cluster.now - began) // probe.period > tick
        yield cluster.env.timeout(0 if late else began + (tick + 1) * probe.period - cluster.now)
