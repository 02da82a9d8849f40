"""How requests of traffic look up the names they are for, where that means asking the cluster's DNS pods.

Each try of a request looks its target up anew, with chance of its own; a source with a `nameCache` keeps what it is
told, as one process would for all its clients.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

from netsim.api.objects import Object
from netsim.control.dns_cache import Cache
from netsim.control.lookup import Asker, lookup, must_ask
from netsim.control.nameservers import Nameservers
from netsim.dataplane.route import Chance
from netsim.dataplane.sources import Client, Source
from netsim.draws import Stream, stream_key


class TrafficNames:
    """What the forwarding state is given to look names up (`forwarding.Resolution`)."""

    def __init__(self, names: Nameservers) -> None:
        self.names = names
        self._caches: dict[int, Cache] = {}
        self._keys: dict[int, int] = {}

    def __call__(
        self, source: Source, client: Client, sequence: int, attempt: int
    ) -> Generator[int, None, str | None]:
        """Look up the name of a source's target; returns its address, or None."""
        place = source.place(self.names.cluster.forwarding)
        if place is None:
            return None
        pod = self._pod(source)
        asker = Asker(source.traffic.source, place, self.names.resolver(pod), pod)
        chance = self._chance(source, client, sequence, attempt)
        found = yield from lookup(self.names, asker, source.target.name, chance, cache=self._cache(source))
        return next(iter(found.addresses), None)

    def nameserver(self, source: Source) -> str | None:
        """Whom a source has to ask each time; None where a cache, its own or its node's, may know."""
        place = source.place(self.names.cluster.forwarding)
        if place is None or source.traffic.name_cache:
            return None
        return must_ask(self.names, self._pod(source), place)

    def _pod(self, source: Source) -> Object | None:
        return self.names.cluster.store.get("Pod", *source.pod.split("/")) if source.pod else None

    def _cache(self, source: Source) -> Cache | None:
        kept = source.traffic.name_cache
        if not kept:
            return None
        return self._caches.setdefault(source.index, Cache(kept, kept))

    def _chance(self, source: Source, client: Client, sequence: int, attempt: int) -> Chance:
        """Bits that belong to this try of this request alone, one draw after the other."""
        key = self._keys.get(source.index)
        if key is None:
            key = self._keys[source.index] = stream_key(self.names.cluster.draws.seed, "lookup", source.name)
        stream, numbers = Stream(key, client.index), count(1 + (attempt << 16))
        return lambda purpose: stream.bits(sequence, next(numbers))
