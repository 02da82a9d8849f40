"""The name servers of a cluster: what they have heard, what they say, and what each of them has kept.

CoreDNS's pods answer from what they have heard of the cluster, each with a cache of its own, by its Corefile;
what lies outside of the cluster's domain they ask for elsewhere. NodeLocal's pods keep a cache for their node.
A cluster without a Service `kube-dns` has DNS all the same, from servers that nothing can break; once it has
had one, it stands and falls with it.

Left out: what the rest of the world's names would cost to ask for; what CoreDNS forwards is answered at once.
Sources: coredns plugins kubernetes, cache, forward, loadbalance; kubernetes `pkg/kubelet/network/dns`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from netsim.api.objects import Object, labels_of
from netsim.api.store import Change
from netsim.control.cluster import Cluster
from netsim.control.corefile import (
    CONFIG,
    NAMESPACE,
    NODE_LOCAL,
    NODE_LOCAL_LABELS,
    SERVICE,
    Settings,
    corefile_text,
    is_dns_service,
    settings,
)  # fmt: skip
from netsim.control.dns import Heard
from netsim.control.dns_cache import Cache
from netsim.control.dns_records import NXDOMAIN, Answer, Question, Record, Zone, reversed_address
from netsim.control.pod_dns import Resolver, resolver_of
from netsim.dataplane.forwarding import Place
from netsim.dataplane.route import Chance
from netsim.dataplane.server import Server
from netsim.draws import index
from netsim.units import S

BOTH = ("A", "AAAA")
HOST = Resolver(("192.0.2.53",))  # the resolv.conf of nodes and of outside: a server of the outside world
LONGEST_CHAIN = 8
LOCAL_LABEL = next(iter(NODE_LOCAL_LABELS.items()))


@dataclass
class Nameservers:
    """DNS of one cluster, and every cache in it that is not a client's own."""

    cluster: Cluster
    heard: Heard
    domain: str
    usual_address: str  # the nameserver in pods' resolv.conf while there is no Service kube-dns
    lookup_time: int  # what a lookup takes where nothing can break
    in_pods: bool = False  # names are looked up by asking pods
    outside: dict[str, tuple[str, ...]] = field(default_factory=dict)  # names of the rest of the world
    _caches: dict[str, tuple[Server, Cache]] = field(default_factory=dict)  # of each DNS pod, and of which life
    _zone: tuple[int, Zone] | None = None

    def __post_init__(self) -> None:
        self.cluster.store.watch("Service", self._service_changed)

    def _service_changed(self, change: Change) -> None:
        self.in_pods = self.in_pods or is_dns_service(change.object)

    @property
    def now(self) -> int:
        """The instant of whatever asks."""
        return self.cluster.forwarding.time

    # what the cluster says of them -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """The nameserver in pods' resolv.conf, whether anybody is there or not."""
        service = self._object("Service", SERVICE)
        return (service["spec"].get("clusterIP") if service else None) or self.usual_address

    @property
    def settings(self) -> Settings:
        """What the Corefile says: the one in the cluster, or kubeadm's of this version."""
        config = self._object("ConfigMap", CONFIG)
        text = (config or {}).get("data", {}).get("Corefile")
        return settings(text or corefile_text(self.cluster.version, self.domain))

    @property
    def zone(self) -> Zone:
        """The cluster's domain as the servers have heard of it."""
        if self._zone is None or self._zone[0] != self.heard.version:
            self._zone = self.heard.version, self.heard.zone(self.domain, self.settings.ttl)
        return self._zone[1]

    def local(self, node: str) -> Object | None:
        """The pod of NodeLocal on a node, as the API server has it."""
        if self._object("ConfigMap", NODE_LOCAL) is None:
            return None
        pods = self.cluster.store.find("Pod", "node", node)
        return next((pod for pod in pods if LOCAL_LABEL in labels_of(pod).items()), None)

    def _object(self, kind: str, name: str) -> Object | None:
        return self.cluster.store.get(kind, NAMESPACE, name)

    def resolver(self, pod: Object | None) -> Resolver:
        """The resolv.conf of a pod; None: that of a node."""
        return HOST if pod is None else resolver_of(pod, HOST, (self.address,), self.domain)[0]

    # answers ----------------------------------------------------------------------------------------------

    def answer(self, question: Question, client: Place) -> Answer:
        """What a server says that nothing is wrong with: from the zone, or from the rest of the world."""
        answer = self.zone.answer(question) or self.elsewhere(question, client)
        return self._followed(answer, question, client)

    def elsewhere(self, question: Question, client: Place) -> Answer:
        """What the rest of the world says: it knows its own names, machines' and load balancers'."""
        addresses = self.outside.get(question.name) or self._known(question.name, client)
        if not addresses or reversed_address(question.name):
            return replace(NXDOMAIN, authoritative=False)
        fitting = [a for a in addresses if (":" in a) == (question.type == "AAAA")] if question.type in BOTH else []
        return Answer(records=tuple(Record(question.name, question.type, a) for a in fitting), authoritative=False)

    def _known(self, name: str, client: Place) -> tuple[str, ...]:
        state = self.cluster.forwarding
        places = state.external_places if client.kind == "outside" else state.node_places
        if name in places:
            return (places[name].address,)
        return () if name.endswith(f".{self.domain}") else state.names.get(name, ())

    def _followed(self, answer: Answer, question: Question, client: Place) -> Answer:
        """A CNAME brings what it points to along."""
        for _ in range(LONGEST_CHAIN):
            last = answer.records[-1] if answer.records else None
            if last is None or last.type != "CNAME" or question.type not in BOTH:
                return answer
            asked = Question(last.data, question.type)
            further = self.zone.answer(asked) or self.elsewhere(asked, client)
            if not further.records:
                return answer
            answer = replace(answer, records=(*answer.records, *further.records))
        return answer

    def cache_of(self, server: Server, success: int = 30 * S, denial: int = 30 * S) -> Cache:
        """What a DNS pod has kept; a program that has ended has forgotten it."""
        life, cache = self._caches.get(server.name, (None, None))
        if life is not server or cache is None:
            cache = Cache(success, denial)
            self._caches[server.name] = server, cache
        return cache

    def served(self, server: Server, question: Question, client: Place, chance: Chance) -> tuple[Answer, bool]:
        """What a DNS pod says, and whether from its cache."""
        limit = self.settings.cached(question.name)
        cache = self.cache_of(server)
        kept = cache.get(question, self.now) if limit else None
        answer = kept or self.answer(question, client)
        if limit and kept is None:
            cache.put(question, answer, self.now, limit)
        return shuffled(answer, chance), kept is not None


def shuffled(answer: Answer, chance: Chance) -> Answer:
    """The addresses in another order each time (`loadbalance`); a CNAME stays ahead of them."""
    head = tuple(r for r in answer.records if r.type not in BOTH)
    rest = [r for r in answer.records if r.type in BOTH]
    for i in range(len(rest) - 1, 0, -1):
        j = index(chance("shuffle"), i + 1)
        rest[i], rest[j] = rest[j], rest[i]
    return replace(answer, records=(*head, *rest))
