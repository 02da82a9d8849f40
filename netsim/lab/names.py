"""DNS of one simulation: who asks, what its servers have heard, what they answer, and their caches.

Sources: coredns plugins kubernetes, forward, loadbalance; kubernetes `pkg/kubelet/network/dns`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from netsim.api.objects import Object
from netsim.control.dns import Heard
from netsim.control.dns_records import NXDOMAIN, Answer, Question, Record, Zone, reversed_address
from netsim.control.pod_dns import Resolver, resolver_of
from netsim.dataplane.forwarding import Place
from netsim.dataplane.sources import place_of
from netsim.draws import index
from netsim.errors import Problem, ScenarioError
from netsim.lab.corefile import CONFIG, NAMESPACE, SERVICE, Settings, corefile_text, dns_address, settings
from netsim.lab.dns_cache import Cache
from netsim.lab.path import Client
from netsim.simulation import Simulation
from netsim.traffic import Origin, parse_origin
from netsim.units import format_duration

BOTH = ("A", "AAAA")
HOST = Resolver(("192.0.2.53",))  # the resolv.conf of nodes and of outside: a server of the outside world
LONGEST_CHAIN = 8
CHANCES = ("port", "endpoint", "balancer", "shuffle", "service")


@dataclass
class Names:
    """DNS of one simulation: what its servers have heard, and every cache that is neither the client's."""

    simulation: Simulation
    outside: dict[str, tuple[str, ...]] = field(default_factory=dict)  # names of the rest of the world
    heard: Heard = field(init=False)
    pods: dict[str, Cache] = field(default_factory=dict)  # CoreDNS's, by pod and life
    nodes: dict[str, Cache] = field(default_factory=dict)  # NodeLocal's, by node
    _zone: tuple[int, Zone] | None = None

    def __post_init__(self) -> None:
        self.heard = Heard(self.simulation.cluster)
        draws = self.simulation.cluster.draws
        self._streams = {name: draws.stream("lab", name) for name in CHANCES}

    # the cluster's settings -------------------------------------------------------------------------------

    @property
    def domain(self) -> str:
        """The cluster's domain."""
        return self.simulation.document.cluster.domain

    @property
    def address(self) -> str:
        """The nameserver in pods' resolv.conf, whether anybody is there or not."""
        service = self._object("Service", SERVICE)
        own = service["spec"].get("clusterIP") if service else None
        return own or dns_address(self.simulation.document.cluster.addresses.services)

    @property
    def settings(self) -> Settings:
        """What the Corefile says: the one in the cluster, or kubeadm's of this version."""
        config = self._object("ConfigMap", CONFIG)
        text = (config or {}).get("data", {}).get("Corefile")
        return settings(text or corefile_text(self.simulation.document.cluster.version, self.domain))

    @property
    def zone(self) -> Zone:
        """The cluster's domain as the servers have heard of it."""
        if self._zone is None or self._zone[0] != self.heard.version:
            self._zone = self.heard.version, self.heard.zone(self.domain, self.settings.ttl)
        return self._zone[1]

    def has(self, name: str) -> bool:
        """Whether the cluster has that part: the Service kube-dns, or NodeLocal's configuration."""
        return self._object("Service" if name == SERVICE else "ConfigMap", name) is not None

    def _object(self, kind: str, name: str) -> Object | None:
        return self.simulation.store.get(kind, NAMESPACE, name)

    def chance(self, purpose: str) -> int:
        """64 bits for a purpose, from this lab's own streams."""
        return self._streams[purpose].next()

    # clients ----------------------------------------------------------------------------------------------

    def client(self, origin: str | Origin) -> Client:
        """Whoever sends: `pod/NAME.NAMESPACE`, `node/NAME` or `outside`. It must be running."""
        found = _origin(origin)
        place = place_of(self.simulation.forwarding, found) if self._known(found) else None
        text = _text(found)
        if place is None:
            raise ScenarioError(Problem(f"{text} does not run at {format_duration(self.simulation.now)}"))
        pod = self.simulation.store.get("Pod", found.namespace, found.name) if found.kind == "pod" else None
        return Client(text, place, self.resolver(pod), pod)

    def resolver(self, pod: Object | None) -> Resolver:
        """The resolv.conf of a pod; None: that of a node."""
        return HOST if pod is None else resolver_of(pod, HOST, (self.address,), self.domain)[0]

    def _known(self, origin: Origin) -> bool:
        return origin.kind != "node" or origin.name in self.simulation.forwarding.node_places

    # answers ----------------------------------------------------------------------------------------------

    def answer(self, question: Question, client: Place) -> Answer:
        """What a server says that nothing is wrong with: from the zone, or from the rest of the world."""
        answer = self.zone.answer(question) or self._elsewhere(question, client)
        return self._followed(answer, question, client)

    def _elsewhere(self, question: Question, client: Place) -> Answer:
        """The rest of the world: its own names, and those of the cluster's machines."""
        state = self.simulation.forwarding
        places = state.external_places if client.kind == "outside" else state.node_places
        own = (places[question.name].address,) if question.name in places else ()
        addresses = self.outside.get(question.name, own)
        if not addresses or reversed_address(question.name):
            return replace(NXDOMAIN, authoritative=False)
        fitting = [a for a in addresses if (":" in a) == (question.type == "AAAA")] if question.type in BOTH else []
        return Answer(records=tuple(Record(question.name, question.type, a) for a in fitting), authoritative=False)

    def _followed(self, answer: Answer, question: Question, client: Place) -> Answer:
        """A CNAME brings what it points to along."""
        for _ in range(LONGEST_CHAIN):
            last = answer.records[-1] if answer.records else None
            if last is None or last.type != "CNAME" or question.type not in BOTH:
                return answer
            asked = Question(last.data, question.type)
            further = self.zone.answer(asked) or self._elsewhere(asked, client)
            if not further.records:
                return answer
            answer = replace(answer, records=(*answer.records, *further.records))
        return answer

    def shuffled(self, answer: Answer) -> Answer:
        """The addresses in another order each time (`loadbalance`); a CNAME stays ahead of them."""
        head = tuple(r for r in answer.records if r.type not in BOTH)
        rest = [r for r in answer.records if r.type in BOTH]
        for i in range(len(rest) - 1, 0, -1):
            j = index(self.chance("shuffle"), i + 1)
            rest[i], rest[j] = rest[j], rest[i]
        return replace(answer, records=(*head, *rest))


_KEPT: WeakKeyDictionary[Simulation, Names] = WeakKeyDictionary()


def names_of(simulation: Simulation) -> Names:
    """The DNS of a simulation, the same for as long as it lives.

    What happened in the two milliseconds before it was first asked for counts as heard.
    """
    if simulation not in _KEPT:
        _KEPT[simulation] = Names(simulation)
    return _KEPT[simulation]


def _origin(origin: str | Origin) -> Origin:
    if isinstance(origin, Origin):
        return origin
    try:
        return parse_origin(origin)
    except ValueError as error:
        raise ScenarioError(Problem(str(error))) from None


def _text(origin: Origin) -> str:
    if origin.kind == "outside":
        return "outside"
    dot = f".{origin.namespace}" if origin.namespace else ""
    return f"{origin.kind}/{origin.name}{dot}"

