"""Looking up a name: the resolver of a pod, the packets it sends, the DNS pods that answer, the caches between.

A resolver asks for A and AAAA at once, name after name along its search path, until one exists. Each query is
a UDP packet to the nameserver's address, translated to a DNS pod by the rules of the client's node; a server
that is silent costs five seconds, and all are asked twice (glibc). Nothing is cached in the resolver itself;
CoreDNS may (each pod its own, by its Corefile), NodeLocal does (one a node), and a client that keeps answers
brings a `Cache` of its own.

A cluster without a `kube-dns` Service has DNS all the same, from servers that nothing can break.

Left out: TCP when an answer is too long, rotation among nameservers, the conntrack race between A and AAAA,
CNAMEs across more than eight names, NodeLocal's own ways to fail.
Sources: glibc `resolv/res_send.c`, resolv.conf(5); coredns plugins cache, forward, loadbalance; KEP-1024.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from netsim.control.dns_records import NXDOMAIN, Answer, Question, Record
from netsim.dataplane.forwarding import Place
from netsim.dataplane.route import Chance
from netsim.lab.corefile import NODE_LOCAL, SERVICE
from netsim.lab.dns_cache import Cache
from netsim.lab.names import BOTH, HOST, Names, names_of
from netsim.lab.path import Client, send, socket
from netsim.simulation import Simulation
from netsim.traffic import Origin
from netsim.units import US, S

TIMEOUT, ATTEMPTS = 5 * S, 2  # glibc: RES_TIMEOUT, RES_DFLRETRY
WORK = 60 * US  # of two cores, for 33,669 answers a second (CoreDNS scaling document): a core's time for one
LOCAL_ADDRESS = "169.254.20.10"  # where NodeLocal listens, beside the cluster DNS's own address
LOCAL_SUCCESS, LOCAL_DENIAL = 30 * S, 5 * S


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
        """How many queries were sent, A and AAAA counted separately."""
        return len(self.asked)

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


def ask(names: Names, client: Client, server: str, question: Question) -> Asked:
    """Send one query to one nameserver, once."""
    local = client.node is not None and names.has(NODE_LOCAL) and _local_answers(names, server)
    if local:
        return _ask_local(names, client, server, question)
    if server == names.address and names.has(SERVICE):
        return _ask_pods(names, client.place, server, question, "UDP")
    if server in (names.address, *HOST.nameservers):
        elsewhere = "the cluster's DNS" if server == names.address else "outside"
        answer = names.answer(question, client.place)
        if server in HOST.nameservers and names.zone.answer(question):
            answer = replace(NXDOMAIN, authoritative=False)
        return Asked(question, server, answer, names.simulation.document.cluster.name_lookup, elsewhere)
    return _ask_stranger(names, client, server, question)


def _local_answers(names: Names, server: str) -> bool:
    """NodeLocal takes its own address, and the Service's too unless IPVS has bound that."""
    taken = names.simulation.document.cluster.proxy.mode != "ipvs"
    return server == LOCAL_ADDRESS or (taken and server == names.address)


def _ask_local(names: Names, client: Client, server: str, question: Question) -> Asked:
    """A node's own cache answers, or asks the DNS pods over TCP."""
    now, node = names.simulation.now, client.place.machine
    cache = names.nodes.setdefault(node, Cache(LOCAL_SUCCESS, LOCAL_DENIAL))
    there = 2 * names.simulation.document.cluster.links.pod + WORK // 2
    kept = cache.get(question, now)
    if kept is not None:
        return Asked(question, server, kept, there, f"NodeLocal on {node}", cached=True)
    place = names.simulation.forwarding.node_places[node]
    upstream = _ask_pods(names, place, names.address, question, "TCP")
    if upstream.answer is None:
        return replace(upstream, server=server, elapsed=upstream.elapsed)
    cache.put(question, upstream.answer, now)
    return replace(upstream, server=server, elapsed=there + upstream.elapsed, by=f"NodeLocal on {node}")


def _ask_pods(names: Names, place: Place, server: str, question: Question, protocol: str) -> Asked:
    """A packet to the Service, and what the DNS pod that gets it says."""
    state = names.simulation.forwarding
    chance: Chance = names.chance
    reached = send(state, place, socket(place, server, 53, protocol, chance), chance)
    if not reached.answered or reached.server is None:
        waited = TIMEOUT if reached.outcome == "timeout" else min(reached.elapsed, TIMEOUT)
        return Asked(question, server, None, waited, f"{reached.outcome}: {reached.reason}")
    answer, cached = _served(names, f"{reached.server.name}/{reached.server.addresses[0]}", question, place)
    trips = 2 if protocol == "TCP" else 1
    if reached.connection is not None and protocol == "TCP":
        reached.connection.close(state)
    return Asked(question, server, answer, trips * reached.elapsed + WORK, reached.server.name, cached)


def _served(names: Names, life: str, question: Question, place: Place) -> tuple[Answer, bool]:
    """What one life of a DNS pod says, from its cache or from what it has heard."""
    now, limit = names.simulation.now, names.settings.cached(question.name)
    cache = names.pods.setdefault(life, Cache())
    kept = cache.get(question, now) if limit else None
    answer = kept or names.answer(question, place)
    if limit and kept is None:
        cache.put(question, answer, now, limit)
    return names.shuffled(answer), kept is not None


def _ask_stranger(names: Names, client: Client, server: str, question: Question) -> Asked:
    """A nameserver that nobody knows to be one: there is silence, or a refusal."""
    chance: Chance = names.chance
    reached = send(names.simulation.forwarding, client.place, socket(client.place, server, 53, "UDP", chance), chance)
    outcome = "timeout" if reached.answered else reached.outcome
    waited = TIMEOUT if outcome == "timeout" else min(reached.elapsed, TIMEOUT)
    return Asked(question, server, None, waited, f"{outcome}: {reached.reason}")


# a lookup -----------------------------------------------------------------------------------------------------


def lookup(
    simulation: Simulation, origin: str | Origin, name: str, kinds: tuple[str, ...] = BOTH,
    cache: Cache | None = None, server: str | None = None,
) -> Lookup:  # fmt: skip
    """Look a name up as a program there would, along the search path.

    The types in `kinds` are asked for side by side, as getaddrinfo does. The clock stands still meanwhile:
    `elapsed` says what the lookup would have taken. `cache` is one that the client itself keeps; `server` is
    asked instead of those in its resolv.conf.
    """
    names = names_of(simulation)
    client = names.client(origin)
    if server is not None:
        client = replace(client, resolver=replace(client.resolver, nameservers=(server,)))
    asked: list[Asked] = []
    elapsed, answer = 0, None
    for candidate in client.resolver.candidates(name):
        round_ = list(_round(names, client, candidate, kinds, cache))
        asked += [one for tries in round_ for one in tries]
        elapsed += max((sum(one.elapsed for one in tries) for tries in round_), default=0)
        heard = [tries[-1].answer for tries in round_ if tries]
        answer = _together([a for a in heard if a is not None]) if None not in heard and heard else None
        if answer is None or answer.records:
            break
    return Lookup(name, tuple(asked), answer, elapsed, asked[-1].server if asked else "")


def _round(
    names: Names, client: Client, name: str, kinds: tuple[str, ...], cache: Cache | None
) -> Iterator[list[Asked]]:
    """All tries of each type for one absolute name."""
    now = names.simulation.now
    for kind in kinds:
        question = Question(name, kind)
        kept = cache.get(question, now) if cache else None
        if kept is not None:
            yield [Asked(question, "", kept, 0, "the client's own cache", cached=True)]
            continue
        tries = _tries(names, client, question)
        if cache and tries and (answer := tries[-1].answer) is not None:
            cache.put(question, answer, now)
        yield tries


def _tries(names: Names, client: Client, question: Question) -> list[Asked]:
    """Ask each nameserver in turn, and all of them again, until one answers."""
    tries: list[Asked] = []
    for _ in range(ATTEMPTS):
        for server in client.resolver.nameservers:
            tries.append(ask(names, client, server, question))
            answer = tries[-1].answer
            if answer is not None and answer.code != "SERVFAIL":
                return tries
    return tries


def _together(answers: list[Answer]) -> Answer:
    """The answers to the types that were asked for, as one: a name exists if any of them says so."""
    records = tuple(dict.fromkeys(record for answer in answers for record in answer.records))
    codes = [answer.code for answer in answers]
    code = "NOERROR" if "NOERROR" in codes else codes[0]
    return replace(answers[0], code=code, records=records)
