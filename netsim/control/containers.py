"""One container of a pod: what it is, and what its kubelet has noticed of it.

The two differ: a container ends at an instant, and the kubelet finds out when it next lists its containers.
How long a kubelet waits before it starts a container again depends on how often it had to: not at all the
first time, then 10 s, and twice as long each time up to five minutes; a container that has run for ten
minutes is forgiven everything.

Sources: kubernetes `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (doBackOff),
`client-go/util/flowcontrol/backoff.go`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netsim.api.objects import Object
from netsim.units import MINUTE, S

FIRST_BACKOFF, LONGEST_BACKOFF = 10 * S, 5 * MINUTE


class Backoff:
    """How long to wait after a container's end before it is started again.

    >>> backoff, waits = Backoff(), []
    >>> for _ in range(8):
    ...     waits.append(backoff.wait(ended=0) // S)
    ...     backoff.restarted(ended=0, now=0)
    >>> waits
    [0, 10, 20, 40, 80, 160, 300, 300]
    """

    def __init__(self) -> None:
        self.delay = 0
        self.last = 0  # when the container was last started again

    def wait(self, ended: int) -> int:
        """The delay that counts for a container that ended then."""
        return 0 if self._forgiven(ended) else self.delay

    def restarted(self, ended: int, now: int) -> None:
        """The container is started again; the next delay is twice as long."""
        longer = min(2 * self.delay, LONGEST_BACKOFF) if self.delay else FIRST_BACKOFF
        self.delay = FIRST_BACKOFF if self._forgiven(ended) else longer
        self.last = now

    def _forgiven(self, ended: int) -> bool:
        return ended - self.last > 2 * LONGEST_BACKOFF


@dataclass
class Container:
    """A container, as its kubelet keeps it. Its states have the shape they have in a pod's status."""

    spec: Object
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})  # as noticed
    last: Object = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    # what is, noticed or not
    running: bool = False
    began: int | None = None
    end: Object | None = None  # how it ended, once it has
    over: Any = None  # the SimPy event of the present run's end
    fails_after: int | None = None  # its process fails so long after each start; None: it does not
    backoff: Backoff = field(default_factory=Backoff)
    workers: dict[str, Any] = field(default_factory=dict)  # probe workers by kind

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    def start(self, now: int, over: Any) -> None:
        """It runs from now on."""
        self.restarts += self.end is not None
        self.running, self.began, self.end, self.over = True, now, None, over

    def stop(self, now: int, code: int, reason: str = "") -> None:
        """It runs no more."""
        reason = reason or ("Error" if code else "Completed")
        self.end = {"exitCode": code, "reason": reason, "startedAt": self.began, "finishedAt": now}
        self.running = False

    def notice(self) -> None:
        """The kubelet looks: the state it knows becomes the state that is."""
        ended = self.state.get("terminated")
        if self.running:
            self.last = {"terminated": ended} if ended else self.last
            self.state = {"running": {"startedAt": self.began}}
        elif self.end is not None and self.end is not ended:
            self.last = {"terminated": ended} if ended else self.last
            self.state, self.ready, self.started = {"terminated": self.end}, False, False

    def hold_back(self, reason: str, message: str) -> None:
        """It will be started again, but not yet."""
        ended = self.state.get("terminated")
        self.last = {"terminated": ended} if ended else self.last
        self.state = {"waiting": {"reason": reason, "message": message}}

    def status(self) -> Object:
        """Its entry in the pod's `containerStatuses`."""
        return {
            "name": self.name,
            "image": self.spec.get("image", ""),
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }


def restarts_after(policy: str, code: int) -> bool:
    """Whether a pod's restart policy has a container started again that ended with this code.

    >>> restarts_after("OnFailure", 0), restarts_after("OnFailure", 1), restarts_after("Never", 1)
    (False, True, False)
    """
    return policy == "Always" or (policy == "OnFailure" and code != 0)
