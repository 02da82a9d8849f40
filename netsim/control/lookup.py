"""Looking up a name: the resolver of a pod, the packets it sends, the servers that answer, the caches between.

A resolver asks for A and AAAA at once, name after name along its search path, until one exists. Each query is
a UDP packet to the nameserver's address, translated to a DNS pod by the rules of the client's node; a server
that is silent costs five seconds, and all are asked twice (glibc). Nothing is cached in the resolver itself;
CoreDNS may (each pod its own, by its Corefile), NodeLocal does (one a node), and a client that keeps answers
brings a `Cache` of its own.

`lookup` is a story, as the engine's are: it yields how long it has to wait before it can go on. Who moves a clock
lets that time pass (`traffic_names.py`); a tool at a prompt adds it up (`netsim/lab/dns.py`).

Left out: TCP when an answer is too long, rotation among nameservers, the conntrack race between A and AAAA,
CNAMEs across more than eight names, queues in DNS pods; a query is answered by the state in which it was sent.
Sources: glibc `resolv/res_send.c`, resolv.conf(5); coredns plugins cache, forward, loadbalance; KEP-1024.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

from netsim.api.objects import Object
from netsim.control.corefile import NAMESPACE
from netsim.control.dns_cache import Cache
from netsim.control.dns_records import Answer, Question, Record
from netsim.control.nameservers import BOTH, HOST, Nameservers
from netsim.control.pod_dns import Resolver
from netsim.dataplane.errand import send, socket
from netsim.dataplane.forwarding import Place
from netsim.dataplane.route import Chance
from netsim.units import US, S

WORK = 60 * US  # of two cores, for 33,669 answers a second (CoreDNS scaling document): a core's time for one
LOCAL_ADDRESS = "169.254.20.10"  # where NodeLocal listens, beside the cluster DNS's own address
LOCAL_SUCCESS, LOCAL_DENIAL = 30 * S, 5 * S
SILENT = "the DNS pods do not answer"
FOREVER = 1 << 62  # nobody will answer; whoever waits has a patience


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a running pod, a node, or somebody outside; and how names are looked up there."""

    origin: str  # pod/NAME.NAMESPACE, node/NAME, outside
    place: Place
    resolver: Resolver
    pod: Object | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One query and what came of it."""

    question: Question
    server: str  # the address that was asked
    answer: Answer | None  # None: nobody answered
    elapsed: int
    by: str  # who answered: a pod, `NodeLocal on NODE`, or why nobody did
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A whole lookup: every query in the order in which they were sent, and what the caller is told."""

    name: str
    asked: tuple[Asked, ...]
    answer: Answer | None  # the one that counts; None: no server answered
    elapsed: int
    server: str  # of the last query

    @property
    def queries(self) -> int:
        """How many queries were sent, A and AAAA counted separately; what the client knows itself is not asked."""
        return sum(bool(one.server) for one in self.asked)

    @property
    def records(self) -> tuple[Record, ...]:
        """What was found, of all types that were asked for."""
        return self.answer.records if self.answer else ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses, IPv4 before IPv6."""
        return tuple(r.data for kind in BOTH for r in self.records if r.type == kind)

    @property
    def failed(self) -> bool:
        """Whether nobody could be asked, which is not the same as a name that does not exist."""
        return self.answer is None or self.answer.code == "SERVFAIL"


# one query ----------------------------------------------------------------------------------------------------


def ask(names: Nameservers, asker: Asker, server: str, question: Question, chance: Chance) -> Asked:
    """Send one query to one nameserver, once."""
    pod = names.local(asker.place.machine) if _is_local(names, asker.place, server) else None
    if pod is not None:
        return _ask_local(names, asker, pod, server, question, chance)
    if server == names.address and names.in_pods:
        return _ask_pods(names, asker.place, server, question, chance, "UDP")
    if server == names.address and names.cluster.forwarding.dns_silent:
        return Asked(question, server, None, FOREVER, f"timeout: {SILENT}")
    if server == names.address:
        answer = names.answer(question, asker.place)
        return Asked(question, server, answer, names.lookup_time, "the cluster's DNS")
    if server in HOST.nameservers:
        return Asked(question, server, names.elsewhere(question, asker.place), names.lookup_time, "outside")
    return _ask_stranger(names, asker.place, server, question, chance)


def _is_local(names: Nameservers, place: Place, server: str) -> bool:
    """NodeLocal takes its own address, and the Service's too unless IPVS has bound that."""
    if place.kind == "outside" or not names.in_pods:
        return False
    mode = names.cluster.forwarding.kernels[place.machine].rules.config.mode
    return server == LOCAL_ADDRESS or (mode != "ipvs" and server == names.address)


def must_ask(names: Nameservers, pod: Object | None, place: Place) -> str | None:
    """The cluster's nameserver, for a client there who cannot do without it: nothing nearer may know."""
    server = next(iter(names.resolver(pod).nameservers), None)
    if server != names.address or not names.in_pods:
        return None
    return None if _is_local(names, place, server) and names.local(place.machine) else server


def _ask_local(
    names: Nameservers, asker: Asker, pod: Object, server: str, question: Question, chance: Chance
) -> Asked:
    """A node's own cache answers, or asks the DNS pods over TCP; its rules stay behind when it has crashed."""
    node, state = asker.place.machine, names.cluster.forwarding
    life = state.servers.get(f"{NAMESPACE}/{pod['metadata']['name']}")
    if life is None or not life.accepting:
        return Asked(question, server, None, _patience(asker), f"timeout: NodeLocal on {node} does not run")
    there = WORK // 2 + 2 * (state.travel(asker.place, state.node_places[node]) or 0)
    cache = names.cache_of(life, LOCAL_SUCCESS, LOCAL_DENIAL)
    kept = cache.get(question, names.now)
    if kept is not None:
        return Asked(question, server, kept, there, f"NodeLocal on {node}", cached=True)
    upstream = _ask_pods(names, state.node_places[node], names.address, question, chance, "TCP")
    if upstream.answer is None:
        return replace(upstream, server=server, elapsed=min(upstream.elapsed, _patience(asker)))
    cache.put(question, upstream.answer, names.now)
    return replace(upstream, server=server, elapsed=there + upstream.elapsed, by=f"NodeLocal on {node}")


def _ask_pods(
    names: Nameservers, place: Place, server: str, question: Question, chance: Chance, protocol: str
) -> Asked:
    """A packet to the Service, and what the DNS pod that gets it says."""
    state = names.cluster.forwarding
    reached = send(state, place, socket(state, place, server, 53, protocol, chance), chance)
    if state.dns_silent:
        return Asked(question, server, None, FOREVER, f"timeout: {SILENT}")
    if not reached.answered or reached.server is None:
        return Asked(question, server, None, reached.elapsed or FOREVER, f"{reached.outcome}: {reached.reason}")
    pod = reached.server
    answer, cached = names.served(pod, question, place, chance)
    trips = 2 if protocol == "TCP" else 1
    if reached.connection is not None and protocol == "TCP":
        reached.connection.close(state)
    return Asked(question, server, answer, trips * reached.elapsed + int(WORK * pod.slowness), pod.name, cached)


def _ask_stranger(names: Nameservers, place: Place, server: str, question: Question, chance: Chance) -> Asked:
    """A nameserver that nobody knows to be one: there is silence, or a refusal."""
    state = names.cluster.forwarding
    reached = send(state, place, socket(state, place, server, 53, "UDP", chance), chance)
    outcome = "timeout" if reached.answered else reached.outcome
    elapsed = FOREVER if outcome == "timeout" else reached.elapsed
    return Asked(question, server, None, elapsed, f"{outcome}: {reached.reason}")


def _patience(asker: Asker) -> int:
    return asker.resolver.timeout() * S


# a lookup -----------------------------------------------------------------------------------------------------


def lookup(
    names: Nameservers, asker: Asker, name: str, chance: Chance, kinds: tuple[str, ...] = BOTH,
    cache: Cache | None = None,
) -> Generator[int, None, Lookup]:  # fmt: skip
    """Look a name up as a program there would, along the search path; yields how long to wait, step by step.

    The types in `kinds` are asked for side by side, as getaddrinfo does; if one is answered and another is not,
    what was answered counts in the end. `cache` is one that the client itself keeps.
    """
    asked: list[Asked] = []
    elapsed, answer = 0, None
    for candidate in asker.resolver.candidates(name):
        heard: dict[str, Answer] = {}
        for tries in _rounds(names, asker, candidate, chance, kinds, cache, heard):
            asked += tries
            waited = max(one.elapsed for one in tries)
            elapsed += waited
            yield waited
        complete = len(heard) == len(kinds) or any(part.records for part in heard.values())
        answer = _together(heard.values()) if complete else None
        if answer is None or answer.records:
            break
    return Lookup(name, tuple(asked), answer, elapsed, asked[-1].server if asked else "")


def _rounds(
    names: Nameservers, asker: Asker, name: str, chance: Chance, kinds: tuple[str, ...], cache: Cache | None,
    heard: dict[str, Answer],
) -> Generator[list[Asked], None, None]:  # fmt: skip
    """Ask for one absolute name: each nameserver in turn, and all of them again, until every type is answered.

    An answer counts when it has arrived, after the wait that each round stands for.
    """
    for kind in kinds:
        kept = cache.get(Question(name, kind), names.now) if cache is not None else None
        if kept is not None:
            heard[kind] = kept
            yield [Asked(Question(name, kind), "", kept, 0, "the client's own cache", cached=True)]
    for server in asker.resolver.nameservers * asker.resolver.attempts():
        left = [Question(name, kind) for kind in kinds if kind not in heard]
        if not left:
            return
        tries = [_in_time(ask(names, asker, server, question, chance), asker) for question in left]
        yield tries
        for one in tries:
            if one.answer is not None and one.answer.code != "SERVFAIL":
                heard[one.question.type] = one.answer
                if cache is not None:
                    cache.put(one.question, one.answer, names.now)


def _in_time(asked: Asked, asker: Asker) -> Asked:
    """A query as the resolver sees it: what takes longer than its patience has not been answered."""
    limit = _patience(asker)
    if asked.elapsed <= limit:
        return asked
    return replace(asked, answer=None, elapsed=limit, by=asked.by if asked.answer is None else "timeout: too late")


def _together(answers: Iterable[Answer]) -> Answer:
    """The answers to the types that were asked for, as one: a name exists if any of them says so."""
    given = list(answers)
    records = tuple(dict.fromkeys(record for answer in given for record in answer.records))
    codes = [answer.code for answer in given]
    code = "NOERROR" if "NOERROR" in codes else codes[0]
    return replace(given[0], code=code, records=records)
