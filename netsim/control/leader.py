"""The control plane as a whole: whether the API server answers, and whether anybody leads.

Every node that has the role control-plane runs an API server, a member of etcd and the controllers. The API
answers while a majority of them lives. Of the controller managers (and schedulers) one leads, by a lease of
15 s in the API that it renews every 2 s; the others look every 2 s whether the lease has run out. A leader that
cannot renew for 10 s gives up and ends; what comes after it, be it only the same program started again, waits
until the old lease has run out by its own clock. So an API that was away for less than 10 s is not missed, and
after a longer absence nothing is repaired for another 16 to 18 s. When the leader's machine dies and the API
lives, it takes 13 to 17 s.

A cluster without such nodes has its control plane elsewhere, run by somebody else; only a fault takes it away.

Left out: a leader and an API server on the two sides of a partition; the scheduler's own lease (it is held to
move with the controllers'). Sources: `client-go/tools/leaderelection`, `component-base/config/v1alpha1`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from netsim.draws import uniform
from netsim.units import S

if TYPE_CHECKING:
    from netsim.control.cluster import Cluster

LEASE, RENEW_DEADLINE, RETRY = 15 * S, 10 * S, 2 * S


def takeover(alone: bool, first: float, second: float) -> int:
    """How long nobody leads: from the API's return (`alone`: all candidates are new), or from the leader's death.

    `first` and `second` are uniform draws: where in its period the candidate, and where the dead leader, was.

    >>> [takeover(True, u, 0) / S for u in (0, 1)], [takeover(False, u, v) / S for u, v in ((0, 1), (1, 0))]
    ([16.0, 18.0], [13.0, 17.0])
    """
    if alone:
        return int(first * RETRY) + -(-LEASE // RETRY) * RETRY
    return LEASE + int((first - second) * RETRY)


class ControlPlane:
    """Whether it can be asked, and whether it acts."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.members: tuple[str, ...] = ()  # nodes with the role control-plane
        self.answers = True  # the API server
        self.leader = ""  # the member whose controllers lead
        self.elected = True
        self.on_answers: list[Callable[[], None]] = []  # called when `answers` has changed
        self.on_elected: list[Callable[[], None]] = []  # called when a new leader takes over: it remembers nothing
        self._dead: set[str] = set()
        self._stopped = self._halted = False  # by a fault: everything; the controllers alone
        self._term = 0
        self._chance = cluster.draws.stream("leader-election")
        self._wake: Any = None

    # what others ask --------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Whether controllers act: somebody leads, and the API answers."""
        return self.elected and self.answers

    def led(self) -> Generator[Any, Any, None]:
        """Wait until controllers act."""
        while not self.leads:
            yield self._changed()

    def answered(self) -> Generator[Any, Any, None]:
        """Wait until the API server answers."""
        while not self.answers:
            yield self._changed()

    def alive(self) -> list[str]:
        """The members that live."""
        return [name for name in self.members if name not in self._dead]

    # what happens to it -----------------------------------------------------------------------------------

    def found(self, members: Sequence[str]) -> None:
        """These nodes run it; the first of them leads."""
        self.members = tuple(members)
        self.leader = members[0] if members else ""

    def member(self, node: str, *, alive: bool) -> None:
        """One of its nodes has died, or come back."""
        if node in self.members:
            (self._dead.discard if alive else self._dead.add)(node)
            self._reconsider()
            if node == self.leader and not alive and self.elected and self.answers:
                self._lose(alone=False)

    def stop(self, *, stopped: bool) -> None:
        """All of it stops, or may run again."""
        self._stopped = stopped
        self._reconsider()

    def halt_controllers(self, *, halted: bool) -> None:
        """Controllers and schedulers stop, everywhere; or may run again. The API goes on."""
        self._halted = halted
        if halted and self.elected:
            self._lose(alone=True)
        elif not halted and not self.elected and self.answers:
            self._elect(alone=True)

    # what it does -----------------------------------------------------------------------------------------

    def _reconsider(self) -> None:
        """Whether a majority lives."""
        majority = not self.members or len(self.alive()) > len(self.members) // 2
        answers = majority and not self._stopped
        if answers == self.answers:
            return
        cluster, self.answers = self.cluster, answers
        cluster.history.record(cluster.now, "api-up" if answers else "api-down", "control-plane")
        if not answers:
            self._term += 1
            cluster.after(RENEW_DEADLINE, self._give_up, self._term)
        elif not self.elected:
            self._elect(alone=True)
        elif self.leader in self._dead:
            self._lose(alone=True)
        for tell in self.on_answers:
            tell()
        self._stir()

    def _give_up(self, term: int) -> None:
        """The leader has not been able to renew its lease for too long: it ends."""
        if term == self._term and self.elected and not self.answers:
            self._lose(alone=True)

    def _lose(self, *, alone: bool) -> None:
        self.elected = False
        self.cluster.history.record(self.cluster.now, "leader-lost", "control-plane", self.leader)
        self._elect(alone=alone)

    def _elect(self, *, alone: bool) -> None:
        """Have somebody take over as soon as the old lease has run out."""
        self._term += 1
        if self._halted or not self.answers:
            return
        wait = takeover(alone, uniform(self._chance.next()), uniform(self._chance.next()))
        self.cluster.after(wait, self._take_over, self._term)

    def _take_over(self, term: int) -> None:
        if term != self._term or not self.answers or self._halted or (self.members and not self.alive()):
            return
        self.elected = True
        self.leader = next(iter(self.alive()), "")
        self.cluster.history.record(self.cluster.now, "leader-elected", "control-plane", self.leader)
        for tell in self.on_elected:
            tell()
        self._stir()

    def _changed(self) -> Any:
        """An event that comes when something has changed."""
        if self._wake is None:
            self._wake = self.cluster.env.event()
        return self._wake

    def _stir(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None:
            wake.succeed()
