"""MetalLB: the cluster's own nodes answer for a Service's address, and watch each other.

*Layer 2*: one node at a time answers ARP for an address, so all its traffic comes in there. Nobody elects it:
every speaker sorts the nodes by a hash of node and address, and the first that is alive, and may, is it. Who
is alive the speakers learn by asking each other (memberlist, after SWIM): one question a second, to the
members in turn; who does not answer is suspected, and is dead once the suspicion has lasted. The more members
suspect it, the shorter that takes.
*BGP*: every node announces the address, and the router spreads connections over all of them. A silent
speaker's routes stay until its hold time is over.

Under policy Local only nodes with a ready pod answer; under Cluster all do, as long as there is one anywhere.

Left out: indirect probes and Lifeguard's health multiplier, speakers that only some of the others can hear,
hosts that ignore a gratuitous ARP, BFD, graceful restart. Sources: metallb `speaker/layer2_controller.go`,
`speaker/bgp_controller.go`; hashicorp/memberlist `suspicion.go`, `config.go` (LAN); RFC 4271.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netsim.api.objects import name_of
from netsim.api.store import Change
from netsim.control.cloud_nodes import excluded, only_local
from netsim.control.cluster import Cluster
from netsim.control.dns_records import service_of
from netsim.dataplane.forwarding import Forwarding
from netsim.draws import index, log, uniform
from netsim.topology.graph import CLOUD
from netsim.units import S

PROBE = 1 * S  # memberlist: a member is asked, and its answer waited for
SUSPICION, MOST = 4, 6  # how long a suspicion lasts: the multiplier of its least, and of its most by that
CONFIRMATIONS = SUSPICION - 2  # so many more suspects make it as short as it gets


# what is decided ------------------------------------------------------------------------------------------


def suspicion_time(members: int, confirmations: int) -> int:
    """How long a suspected member has to speak up, in nanoseconds; `confirmations`: who else suspects it.

    >>> [round(suspicion_time(5, c) / S, 1) for c in (0, 1, 2)], suspicion_time(3, 0) // S
    ([24.0, 11.4, 4.0], 4)
    """
    least = int(SUSPICION * max(1.0, log(float(max(members, 1))) / log(10.0)) * S)
    if members - 2 < CONFIRMATIONS:
        return least
    most = MOST * least
    share = log(confirmations + 1.0) / log(CONFIRMATIONS + 1.0)
    return max(least, int(most - share * (most - least)))


def in_order(nodes: Iterable[str], address: str) -> list[str]:
    """The nodes in the order in which they answer for an address."""
    return sorted(nodes, key=lambda node: hashlib.sha256(f"{node}#{address}".encode()).digest())


def able(nodes: Iterable[str], ready: Mapping[str, int], *, local: bool) -> list[str]:
    """The nodes that may answer for a Service, by how many of its ready endpoints each has.

    >>> able(["a", "b"], {"b": 2}, local=True), able(["a", "b"], {"b": 2}, local=False), able(["a"], {}, local=False)
    (['b'], ['a', 'b'], [])
    """
    if not ready:
        return []
    return [node for node in nodes if not local or ready.get(node)]


def speaks(state: Forwarding, node: str) -> bool:
    """Whether a node's speaker is there; after a boot it comes up with kube-proxy."""
    return state.reachable(node) and state.kernels[node].rules.revision > 0


# who is alive, by each other ----------------------------------------------------------------------------------


@dataclass
class Suspicion:
    """A member that has not answered."""

    since: int
    by: list[str] = field(default_factory=list)


class Memberlist:
    """The speakers, asking each other."""

    def __init__(self, cluster: Cluster, changed: Callable[[], None]) -> None:
        self.cluster = cluster
        self.alive: dict[str, bool] = {}
        self._suspects: dict[str, Suspicion] = {}
        self._turns: dict[str, list[str]] = {}  # whom each member asks next
        self._changed = changed
        self._chance = cluster.draws.stream("memberlist")
        cluster.env.process(self._run())

    def _run(self) -> Generator[Any, Any, None]:
        yield self.cluster.env.timeout(int(uniform(self._chance.next()) * PROBE))
        while True:
            self._join()
            silent = [(asker, asked) for asker, asked in self._questions() if not self._hears(asker, asked)]
            yield self.cluster.env.timeout(PROBE)
            for asker, asked in silent:
                self._suspect(asked, asker)

    def _join(self) -> None:
        """A speaker that some other one hears is alive, whatever was believed of it."""
        names = [name_of(node) for node in self.cluster.store.list("Node")]
        for name in names:
            if self.alive.get(name) and name not in self._suspects:
                continue
            others = [other for other in names if other != name]
            if any(self._hears(other, name) for other in others) or (not others and self._speaks(name)):
                self._suspects.pop(name, None)
                if not self.alive.get(name):
                    self.alive[name] = True
                    self._changed()
        for name in [name for name in self.alive if name not in names]:
            del self.alive[name]

    def _questions(self) -> list[tuple[str, str]]:
        """Who asks whom this second: each goes through the others in an order of its own."""
        members = [name for name, alive in self.alive.items() if alive]
        asking = [name for name in members if self._speaks(name)]
        turns = ((asker, self._next(asker, members)) for asker in asking)
        return [(asker, asked) for asker, asked in turns if asked]

    def _next(self, asker: str, members: list[str]) -> str:
        """Whom a member asks next; when it has asked everybody it begins anew, in another order."""
        turn = self._turns.setdefault(asker, [])
        while turn:
            if self.alive.get(asked := turn.pop()):
                return asked
        rest = [name for name in members if name != asker]
        turn += [rest.pop(index(self._chance.next(), len(rest))) for _ in range(len(rest))]
        return turn.pop() if turn else ""

    def _speaks(self, name: str) -> bool:
        return speaks(self.cluster.forwarding, name)

    def _hears(self, asker: str, asked: str) -> bool:
        state = self.cluster.forwarding
        if not (self._speaks(asker) and self._speaks(asked)):
            return False
        here, there = state.node_places[asker], state.node_places[asked]
        return None not in (state.travel(here, there), state.travel(there, here))

    def _suspect(self, name: str, by: str) -> None:
        if not self.alive.get(name):
            return
        suspicion = self._suspects.setdefault(name, Suspicion(self.cluster.now))
        if by not in suspicion.by:
            suspicion.by.append(by)
            members = sum(self.alive.values())
            lasts = suspicion_time(members, min(len(suspicion.by) - 1, CONFIRMATIONS))
            self.cluster.after(max(0, suspicion.since + lasts - self.cluster.now), self._bury, name, suspicion)

    def _bury(self, name: str, suspicion: Suspicion) -> None:
        """The suspicion has lasted (unless the member has spoken up, or was declared dead before)."""
        if self._suspects.get(name) is suspicion:
            del self._suspects[name]
            self.alive[name] = False
            self._changed()


# who is alive, by the router ------------------------------------------------------------------------------------


class Sessions:
    """The router's BGP sessions with the speakers."""

    def __init__(self, cluster: Cluster, hold: int, changed: Callable[[], None]) -> None:
        self.cluster = cluster
        self.hold = hold
        self.alive: dict[str, bool] = {}
        self._heard: dict[str, int] = {}
        self._changed = changed
        for node in cluster.store.list("Node"):
            cluster.env.process(self._keep_alive(name_of(node)))
        cluster.hear("Node", self._node_changed)

    def _node_changed(self, change: Change) -> None:
        if change.type == "ADDED" and name_of(change.object) not in self._heard:
            self.cluster.env.process(self._keep_alive(name_of(change.object)))

    def _keep_alive(self, node: str) -> Generator[Any, Any, None]:
        """A speaker says that it lives three times in a hold time."""
        chance = self.cluster.draws.stream("bgp", node)
        self._heard[node] = 0
        self._alive(node)
        yield self.cluster.env.timeout(int(uniform(chance.next()) * (self.hold // 3)))
        while self.cluster.store.get("Node", "", node) is not None:
            if self._arrives(node):
                self._alive(node)
            yield self.cluster.env.timeout(self.hold // 3)

    def _alive(self, node: str) -> None:
        now = self._heard[node] = self.cluster.now
        self.cluster.after(self.hold, self._expire, node, now)
        if not self.alive.get(node):
            self.alive[node] = True
            self._changed()

    def _arrives(self, node: str) -> bool:
        state = self.cluster.forwarding
        return speaks(state, node) and state.topology.delay(node, CLOUD) is not None

    def _expire(self, node: str, heard: int) -> None:
        if self._heard[node] == heard and self.alive.get(node):
            self.alive[node] = False
            self._changed()


# who answers for an address ---------------------------------------------------------------------------------------


class Announcement:
    """One Service's address, and the nodes that answer for it."""

    def __init__(
        self,
        cluster: Cluster,
        service: tuple[str, str],
        address: str,
        send_to: Callable[[Iterable[str]], None],
        alive: Mapping[str, bool],
        *,
        one: bool,
    ) -> None:
        self.cluster = cluster
        self.service = service
        self.address = address
        self.alive = alive
        self.one = one  # layer 2: one node at a time
        self._send_to = send_to
        self._told: dict[str, bool] = {}  # whether each node announces it; a node out of reach takes nothing back
        self._over = False
        cluster.hear("EndpointSlice", self._slice_changed)

    def register(self, nodes: Iterable[str]) -> None:
        """Nodes came or went; speakers look at the nodes themselves."""
        self.decide()

    def stop(self) -> None:
        """The Service is gone."""
        self._over = True

    def decide(self) -> None:
        """Every speaker that can hears of the Service and its endpoints, and acts."""
        service = self.cluster.store.get("Service", *self.service)
        if service is None or self._over:
            return
        nodes = [name_of(n) for n in self.cluster.store.list("Node") if not excluded(n)]
        may = able(nodes, self._ready(), local=only_local(service))
        for node in nodes:
            if speaks(self.cluster.forwarding, node) or node not in self._told:
                self._told[node] = node in may
        willing = [node for node in nodes if self._told[node] and self.alive.get(node)]
        self._send_to(in_order(willing, self.address)[:1] if self.one else willing)

    def _ready(self) -> dict[str, int]:
        """How many ready endpoints each node has."""
        found: dict[str, int] = {}
        for piece in self.cluster.store.find("EndpointSlice", "service", self.service):
            for endpoint in piece.get("endpoints") or ():
                if endpoint.get("conditions", {}).get("ready") is not False and endpoint.get("nodeName"):
                    found[endpoint["nodeName"]] = found.get(endpoint["nodeName"], 0) + 1
        return found

    def _slice_changed(self, change: Change) -> None:
        if service_of(change.object) == self.service:
            self.decide()
