"""How a pod looks up names: the resolv.conf that its kubelet writes, and what the resolver makes of it.

The pod's policy chooses between the cluster's DNS, the node's and none; its own dnsConfig is added; then
everything is cut to what resolvers can bear. Names with fewer dots than `ndots` are first tried under each
search domain.

Source: kubernetes `pkg/kubelet/network/dns/dns.go`; resolv.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from netsim.api.objects import Object

MAX_NAMESERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_LENGTH = 2048  # of all search domains with the spaces between them
MAX_DOMAIN_LENGTH = 253
CLUSTER_OPTIONS = ("ndots:5",)

_OMITTED = "limits were exceeded, some {} have been omitted, the applied {} line is: "
TOO_MANY_NAMESERVERS = "Nameserver " + _OMITTED.format("nameservers", "nameserver")
TOO_LONG_SEARCH = "Search Line " + _OMITTED.format("search paths", "search")

Option = tuple[str, str]  # name, value or ""


@dataclass(frozen=True, slots=True)
class Resolver:
    """What a resolv.conf says."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def text(self) -> str:
        """The file.

        >>> print(Resolver(("10.96.0.10",), ("svc.cluster.local",), ("ndots:5",)).text(), end="")
        search svc.cluster.local
        nameserver 10.96.0.10
        options ndots:5
        """
        lines = [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"nameserver {address}" for address in self.nameservers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)

    def ndots(self) -> int:
        """How many dots make a name be tried as it stands first."""
        return self._number("ndots", 1)

    def timeout(self) -> int:
        """How many seconds one nameserver is waited for (glibc's RES_TIMEOUT unless told)."""
        return self._number("timeout", 5)

    def attempts(self) -> int:
        """How often all nameservers are asked (glibc's RES_DFLRETRY unless told)."""
        return self._number("attempts", 2)

    def _number(self, option: str, default: int) -> int:
        values = [text.partition(":")[2] for text in self.options if text.startswith(f"{option}:")]
        return int(values[-1]) if values and values[-1].isdigit() else default

    def candidates(self, name: str) -> tuple[str, ...]:
        """The names that are asked for one after the other until one exists, without their last dot.

        >>> Resolver(searches=("a", "b"), options=("ndots:2",)).candidates("web.default")
        ('web.default.a', 'web.default.b', 'web.default')
        """
        if name.endswith("."):
            return (name[:-1],)
        expanded = tuple(f"{name}.{domain}".rstrip(".") for domain in self.searches)
        return (name, *expanded) if name.count(".") >= self.ndots() else (*expanded, name)


def dns_source(pod: Object) -> str | None:
    """Where a pod's settings come from: `cluster`, `host` or `none`; None for a policy that does not exist.

    A pod in the node's own network asks the node's servers, unless its policy says otherwise.
    """
    policy = pod["spec"].get("dnsPolicy", "ClusterFirst")
    if policy == "ClusterFirst":
        return "host" if pod["spec"].get("hostNetwork") else "cluster"
    return {"None": "none", "ClusterFirstWithHostNet": "cluster", "Default": "host"}.get(policy)


def resolver_of(
    pod: Object, host: Resolver, cluster_dns: tuple[str, ...], domain: str = "cluster.local"
) -> tuple[Resolver, tuple[str, ...]]:
    """A pod's resolv.conf on a node whose own is `host`, and the warnings that go with it.

    Without a cluster DNS the node's settings serve instead.
    """
    source = dns_source(pod) or "cluster"
    if source == "none":
        base = Resolver()
    elif source == "cluster" and cluster_dns:
        namespace = pod["metadata"].get("namespace", "default")
        searches = _once((*cluster_searches(namespace, domain), *host.searches))
        base = Resolver(cluster_dns, searches, CLUSTER_OPTIONS)
    else:
        base = host
    return fitted(_extended(base, pod["spec"].get("dnsConfig") or {}))


def cluster_searches(namespace: str, domain: str) -> tuple[str, ...]:
    """The search domains of a cluster, nearest first.

    >>> cluster_searches("default", "cluster.local")
    ('default.svc.cluster.local', 'svc.cluster.local', 'cluster.local')
    """
    return (f"{namespace}.svc.{domain}", f"svc.{domain}", domain) if domain else ()


def _extended(base: Resolver, config: Object) -> Resolver:
    """The settings with the pod's own added."""
    return Resolver(
        _once((*base.nameservers, *(config.get("nameservers") or ()))),
        _once((*base.searches, *(config.get("searches") or ()))),
        merged_options(base.options, config.get("options") or ()),
    )


def merged_options(existing: Iterable[str], own: Iterable[Object]) -> tuple[str, ...]:
    """Options, of which the pod's own win.

    >>> merged_options(("ndots:5", "debug"), [{"name": "ndots", "value": "2"}, {"name": "edns0"}])
    ('ndots:2', 'debug', 'edns0')
    """
    options = dict(_option(text) for text in existing)
    options |= {option["name"]: option.get("value") or "" for option in own}
    return tuple(f"{name}:{value}" if value else name for name, value in options.items())


def _option(text: str) -> Option:
    name, _, value = text.partition(":")
    return name, value


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def fitted(resolver: Resolver) -> tuple[Resolver, tuple[str, ...]]:
    """What resolvers can bear of it, and the warnings for what was cut."""
    servers, searches = resolver.nameservers[:MAX_NAMESERVERS], _fitting(resolver.searches)
    warnings = []
    if servers != resolver.nameservers:
        warnings.append(TOO_MANY_NAMESERVERS + " ".join(servers))
    if searches != resolver.searches:
        warnings.append(TOO_LONG_SEARCH + " ".join(searches))
    return replace(resolver, nameservers=servers, searches=searches), tuple(warnings)


def _fitting(searches: tuple[str, ...]) -> tuple[str, ...]:
    kept = [domain for domain in searches[:MAX_SEARCHES] if len(domain) <= MAX_DOMAIN_LENGTH]
    while len(" ".join(kept)) > MAX_SEARCH_LENGTH:
        kept.pop()
    return tuple(kept)
