"""A load balancer's health checks: it asks each of its nodes, again and again, and believes a run of answers.

A node is sent to once it has answered well `healthy` times in a row, and no longer once it has failed to
`unhealthy` times. A node without power answers nothing, so each question costs its time-out; a port that
nobody listens on, or a 503, is an answer at once. What is asked differs (`load_balancers.py`), and so does
what is found out: a node port leads through the node's own rules to any pod of the Service, also to one on
another node that has just died; kube-proxy's healthz says nothing of pods.

Left out: the many probers of a real balancer, each with an opinion of its own.
Sources: as `load_balancers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.control.cloud_nodes import only_local
from netsim.control.cluster import Cluster
from netsim.control.load_balancers import Profile
from netsim.control.proxy_health import stays
from netsim.dataplane.forwarding import Forwarding, Place
from netsim.dataplane.onlooker import onlooking
from netsim.dataplane.route import Delivered, Hop, Onward, Pins, Silence, arrive
from netsim.draws import Stream, uniform
from netsim.proxy.packet import Packet
from netsim.topology.graph import CLOUD

PROBE_PORT = 40_000

SendTo = Callable[[Iterable[str]], None]


@dataclass(frozen=True, slots=True)
class Belief:
    """What a balancer thinks of a node."""

    well: bool | None = None  # None: it has not made up its mind yet
    last: bool = True  # the latest answer
    same: int = 0  # how many answers in a row were like it


def judged(belief: Belief, answer: bool, profile: Profile) -> Belief:
    """What is thought of a node after one more answer."""
    same = belief.same + 1 if answer == belief.last else 1
    wanted = profile.healthy if answer else profile.unhealthy
    return Belief(answer if same >= (wanted or 1) else belief.well, answer, same)


def trusted(beliefs: Mapping[str, Belief], profile: Profile) -> list[str]:
    """The nodes to send to. When all have failed, some balancers send to all: the checks may be wrong.

    >>> from netsim.control.load_balancers import PROFILES
    >>> trusted({"a": Belief(False), "b": Belief(True)}, PROFILES["gcp"])
    ['b']
    >>> nobody = {"a": Belief(False), "b": Belief(False)}
    >>> trusted(nobody, PROFILES["gcp"]), trusted(nobody, PROFILES["azure"])
    (['a', 'b'], [])
    """
    well = [node for node, belief in beliefs.items() if belief.well]
    if not well and profile.last_resort == "all" and all(b.well is False for b in beliefs.values()):
        return list(beliefs)
    return well


class HealthChecks:
    """The checks of one balancer."""

    def __init__(
        self, cluster: Cluster, profile: Profile, service: tuple[str, str], address: str, send_to: SendTo
    ) -> None:
        self.cluster = cluster
        self.profile = profile
        self.service = service
        self.home = Place("balancer", CLOUD, address)
        self.beliefs: dict[str, Belief] = {}
        self._send_to = send_to
        self._rounds: dict[str, int] = {}  # of each node: how often it has been registered

    def register(self, nodes: Iterable[str]) -> None:
        """The nodes behind the balancer are these from now on."""
        wanted = list(nodes)
        gone = [node for node in self.beliefs if node not in wanted]
        fresh = [node for node in wanted if node not in self.beliefs]
        for node in gone:
            del self.beliefs[node]
        for node in fresh:
            self.beliefs[node] = Belief()
            self._rounds[node] = self._rounds.get(node, 0) + 1
            self.cluster.env.process(self._ask_for_ever(node, self._rounds[node]))
        if gone:
            self._send_to(trusted(self.beliefs, self.profile))

    def stop(self) -> None:
        """Nobody asks any more."""
        self.beliefs.clear()

    def _ask_for_ever(self, node: str, turn: int) -> Generator[Any, Any, None]:
        env, profile = self.cluster.env, self.profile
        chance = self.cluster.draws.stream("load-balancer", f"{'/'.join(self.service)} {node} {turn}")
        interval, patience = profile.interval or 0, profile.timeout or 0
        yield env.timeout(int(uniform(chance.next()) * interval))
        while node in self.beliefs and self._rounds[node] == turn:
            answer = self.ask(node, chance)
            cost = patience if answer is None else 0
            yield env.timeout(cost)
            if node in self.beliefs and self._rounds[node] == turn:
                self._hear(node, bool(answer))
            yield env.timeout(interval - cost)

    def _hear(self, node: str, answer: bool) -> None:
        before = self.beliefs[node]
        self.beliefs[node] = judged(before, answer, self.profile)
        if self.beliefs[node].well != before.well:
            self._send_to(trusted(self.beliefs, self.profile))

    def ask(self, node: str, chance: Stream) -> bool | None:
        """Ask a node how it is: well, not well, or (None) no answer."""
        service = self.cluster.store.get("Service", *self.service)
        if service is None:
            return None
        local = only_local(service)
        probe = self.profile.local if local else self.profile.cluster
        if probe == "node-port":
            ports = [p["nodePort"] for p in service["spec"]["ports"] if p.get("nodePort")]
            end = knock(self.cluster.forwarding, self.home, node, ports[0], chance) if ports else Silence("no port")
            return None if isinstance(end, Silence) else isinstance(end, Delivered)
        return self._ask_proxy(node, local=probe == "health-check-node-port")

    def _ask_proxy(self, node: str, *, local: bool) -> bool | None:
        """Ask a node's kube-proxy, on port 10256 or on the Service's health check node port."""
        cluster, forwarding = self.cluster, self.cluster.forwarding
        if not answers(forwarding, self.home, node):
            return None
        proxy = cluster.proxies.get(node)
        if proxy is None or not proxy.running:
            return False
        if local:
            return proxy.well(cluster.now) and forwarding.kernels[node].rules.local_ready(*self.service) > 0
        obj = cluster.store.get("Node", "", node)
        return proxy.well(cluster.now) and obj is not None and stays(obj)


def answers(state: Forwarding, home: Place, node: str) -> bool:
    """Whether packets get to a node, and back."""
    place = state.node_places[node]
    ways = state.travel(home, place), state.travel(place, home)
    return state.reachable(node) and None not in ways


def knock(state: Forwarding, home: Place, node: str, port: int, chance: Stream) -> Hop:
    """Where a connection to a port of a node ends; the node's rules may lead it to any pod."""
    if not answers(state, home, node):
        return Silence(f"{node} does not answer")
    view, pins = onlooking(state), Pins()
    place = view.node_places[node]
    packet, translated = Packet(home.address, PROBE_PORT, place.address, port), False
    while isinstance(hop := arrive(view, place, packet, pins, lambda _: chance.next(), translated=translated), Onward):
        place, packet, translated = hop.place, hop.packet, hop.endpoint is not None
    return hop
