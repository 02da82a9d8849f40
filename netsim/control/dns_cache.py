"""A cache of answers, with time: CoreDNS', NodeLocal's, or one inside a client.

Kept is what was said, for as long as its TTL allows and the cache's own limit; what is not there is kept too
(negative answers, by the SOA's minimum). Out of the cache an answer has the TTL it has left.

Left out: eviction of entries for want of room (9984 of them), prefetching, serving what is stale.
Sources: RFC 2308; coredns `plugin/cache`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from netsim.control.dns_records import Answer, Question
from netsim.units import S


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and when it was heard."""

    answer: Answer
    since: int
    lasts: int


class Cache:
    """Answers by question."""

    def __init__(self, success: int = 30 * S, denial: int = 30 * S) -> None:
        self.success = success
        self.denial = denial
        self.hits = 0
        self.misses = 0
        self._kept: dict[Question, Kept] = {}

    def get(self, question: Question, now: int) -> Answer | None:
        """The answer, if there is one that may still be believed.

        >>> cache = Cache()
        >>> cache.put(Question("web"), Answer("NXDOMAIN"), 0)
        >>> cache.get(Question("web"), 29 * S).code, cache.get(Question("web"), 30 * S)
        ('NXDOMAIN', None)
        """
        kept = self._kept.get(question)
        if kept is None or now >= kept.since + kept.lasts:
            self.misses += 1
            return None
        self.hits += 1
        return _aged(kept, now)

    def put(self, question: Question, answer: Answer, now: int, limit: int | None = None) -> None:
        """Keep an answer, no longer than `limit`."""
        if answer.code == "SERVFAIL":
            return
        given = min((record.ttl for record in answer.records), default=answer.ttl)
        own = self.success if answer.found else self.denial
        lasts = min(given, own, given if limit is None else limit)
        if lasts > 0:
            self._kept[question] = Kept(answer, now, lasts)

    def clear(self) -> None:
        """Forget everything: whoever held it has ended."""
        self._kept.clear()


def _aged(kept: Kept, now: int) -> Answer:
    left = kept.since + kept.lasts - now
    records = tuple(replace(record, ttl=min(record.ttl, left)) for record in kept.answer.records)
    return replace(kept.answer, records=records, ttl=min(kept.answer.ttl, left))
