"""Probes: how a kubelet finds out whether a pod's program is ready.

The worker starts when the container is known to run, and probes at once and then every period; nothing counts
before the initial delay. It takes `failureThreshold` failures in a row to lose readiness and
`successThreshold` successes to win it. Probing goes on while the pod terminates.

Left out: liveness and startup probes; what a probe costs the pod.
Source: kubernetes `pkg/kubelet/prober/worker.go`; defaults in `pkg/apis/core/v1/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from netsim.api.objects import Object
from netsim.control.cluster import Cluster
from netsim.units import S


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe's schedule and thresholds, in nanoseconds."""

    initial_delay: int
    period: int
    successes: int
    failures: int


@dataclass
class Verdict:
    """What a worker has seen in a row."""

    ready: bool = False
    same: int = 0
    last: bool | None = None

    def see(self, success: bool, probe: Probe) -> bool:
        """Take in one result; whether the pod counts as ready now.

        >>> verdict, probe = Verdict(ready=True), Probe(0, S, successes=1, failures=3)
        >>> [verdict.see(ok, probe) for ok in (False, False, True, False, False, False)]
        [True, True, True, True, True, False]
        """
        self.same = self.same + 1 if success == self.last else 1
        self.last = success
        if self.same >= (probe.successes if success else probe.failures):
            self.ready = success
        return self.ready


def readiness_probe(pod: Object) -> Probe | None:
    """The pod's readiness probe; the first container that has one speaks for the pod."""
    for container in pod["spec"]["containers"]:
        given = container.get("readinessProbe")
        if given:
            return Probe(
                int(given.get("initialDelaySeconds", 0)) * S,
                int(given.get("periodSeconds", 10)) * S,
                int(given.get("successThreshold", 1)),
                int(given.get("failureThreshold", 3)),
            )
    return None


def probe_readiness(
    cluster: Cluster, life: Any, probe: Probe, report: Callable[[Any, bool], None]
) -> Generator[Any, Any, None]:
    """Probe, and report each time the answer changes."""
    verdict, said, began = Verdict(), False, cluster.now
    while True:
        if cluster.now - began >= probe.initial_delay:
            ready = verdict.see(life.server is not None and life.server.accepting, probe)
            if ready != said:
                yield cluster.env.timeout(cluster.timings.write)
                report(life, ready)
                said = ready
        elapsed = cluster.now - began
        yield cluster.env.timeout(probe.period - elapsed % probe.period)
