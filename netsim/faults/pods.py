"""Faults of pods and of the programs in them.

What ends is found by the kubelet, what is slow or silent by a probe, if there is one. Left out: memory and CPU that
run out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from netsim.api.objects import Object
from netsim.faults.model import Chosen, Steps
from netsim.faults.selectors import PodSelector
from netsim.fields import Duration, Name
from netsim.units import S

if TYPE_CHECKING:
    from netsim.control.holds import Release
    from netsim.control.levers import Levers


LOOK = S // 10  # how often a container that is down is looked at


class PodFault(Chosen):
    """A fault that hits pods."""

    selector: PodSelector = PodSelector()
    lasts: ClassVar[bool] = False

    def candidates(self, world: Levers) -> list[str]:
        """The pods that the selector selects."""
        return [f"pod/{name}" for name in self.selector.candidates(world)]

    def strike(self, world: Levers, victims: Sequence[str]) -> list[Release]:
        """Hit each of the pods."""
        releases: list[Release] = []
        for victim in victims:
            _, namespace, name = victim.split("/")
            pod = world.cluster.store.get("Pod", namespace, name)
            if pod is not None:
                releases += self.hit(world, pod)
        return releases

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Hit one pod; returns how to let go of it."""
        raise NotImplementedError


class PodKill(PodFault):
    """Pods are deleted, with their own grace or `gracePeriod` (0: by force, at once)."""

    action: Literal["pod-kill"]
    momentary: ClassVar[bool] = True
    undone: ClassVar[bool] = False
    grace_period: Duration | None = None
    says: ClassVar[tuple[str, str]] = ("{names} killed", "")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Delete it."""
        world.kill(pod, self.grace_period)
        return []


class ContainerKill(PodFault):
    """A container's process exits, and its kubelet starts it again: at once the first time, then ever later.

    With a `duration` it exits again, `crashAfter` after each start, as long as that lasts: the kubelet waits 10 s,
    20 s, 40 s, at most five minutes (CrashLoopBackOff). Meanwhile connections are refused.
    """

    action: Literal["container-kill"]
    momentary: ClassVar[bool] = True
    container: Name | None = None  # the pod's main one unless named
    exit_code: int = Field(default=1, ge=0, le=255)
    crash_after: Duration = Field(default=2 * S, gt=0)
    says: ClassVar[tuple[str, str]] = ("a container of {names} exits", "the containers of {names} exit no more")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Have it exit, once or again and again."""
        world.crash(pod, self.container, self.exit_code)
        if self.duration is None and self.mttr is None:
            return []
        state = {"crashes": True}
        world.cluster.env.process(self._crash_again(world, pod, state))
        return [lambda: state.update(crashes=False)]

    def _crash_again(self, world: Levers, pod: Object, state: dict[str, bool]) -> Steps:
        """Wait until it runs, let it run for a while, have it exit."""
        env, life = world.cluster.env, world.life_of(pod)
        main: Any = None if life is None else next((c for c in life.containers if c.name == self.container), life.main)
        while state["crashes"] and main is not None and world.life_of(pod) is life:
            left = main.began + self.crash_after - env.now if main.running else LOOK
            if left <= 0:
                world.crash(pod, self.container, self.exit_code)
            yield env.timeout(left if left > 0 else LOOK)


class SandboxKill(PodFault):
    """The process that holds a pod's sandbox (`pause`) is killed: the kubelet makes the whole pod anew.

    Its containers get their grace first, all of it if they ignore SIGTERM; the pod comes back with another address.
    """

    action: Literal["sandbox-kill"]
    momentary: ClassVar[bool] = True
    undone: ClassVar[bool] = False
    says: ClassVar[tuple[str, str]] = ("the sandbox of {names} is killed", "")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Kill it."""
        world.kill_sandbox(pod)
        return []


class ReadinessFailing(PodFault):
    """The readiness probes of pods fail, though their programs work. Pods without one do not notice."""

    action: Literal["readiness-failing"]
    says: ClassVar[tuple[str, str]] = ("readiness of {names} fails", "readiness of {names} no longer fails")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Have them fail."""
        return [world.fail_probes(pod, "readiness")]


class LivenessFailing(PodFault):
    """The liveness probes of pods fail: their kubelet kills the container, again and again."""

    action: Literal["liveness-failing"]
    says: ClassVar[tuple[str, str]] = ("liveness of {names} fails", "liveness of {names} no longer fails")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Have them fail."""
        return [world.fail_probes(pod, "liveness")]


class SlowPod(PodFault):
    """The programs of pods take `factor` times as long for every request, and for probes over HTTP."""

    action: Literal["slow-pod"]
    factor: float = Field(default=10.0, gt=0, le=1e6)
    says: ClassVar[tuple[str, str]] = ("{names} slow", "{names} no longer slow")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Slow it down."""
        return [world.slow(pod, self.factor)]


class ConnectionRefused(PodFault):
    """The programs of pods do not listen, as while a process starts again inside its container.

    New connections are refused; those that are open go on. Only a probe can notice.
    """

    action: Literal["connection-refused"]
    says: ClassVar[tuple[str, str]] = ("connections to {names} are refused", "connections to {names} are taken again")

    def hit(self, world: Levers, pod: Object) -> list[Release]:
        """Close its ports."""
        return [world.close_ports(pod)]
