"""What a cluster's DNS answers: the records of the Kubernetes DNS specification 1.1.0, as CoreDNS reads it.

A Service with a virtual address has its address whether anybody serves it or not. A headless one has its ready
endpoints, one name for each, and is unknown without any. An ExternalName is another name for something else.
Named ports have SRV records, addresses have PTR records, and `10-244-1-5.default.pod` is 10.244.1.5 without
anybody looking (`pods insecure`).

Where CoreDNS does more than the specification asks, so does this: endpoint names and reverse names exist for
Services with a virtual address too, and SRV without a port gives all of them.

Sources: kubernetes/dns `docs/specification.md`; coredns `plugin/kubernetes` (kubernetes.go, parse.go, reverse.go),
`plugin/backend_lookup.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from netsim.api.objects import SERVICE_NAME, Key, Object, key_of, labels_of
from netsim.units import S

VERSION = "1.1.0"
TTL = 30 * S  # kubeadm's and the addon's Corefile; CoreDNS' own default is 5 s
TYPES = ("A", "AAAA", "SRV", "PTR", "CNAME", "TXT", "SOA", "NS")

Code = Literal["NOERROR", "NXDOMAIN", "SERVFAIL"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: an absolute name, without its last dot, and a type."""

    name: str
    type: str = "A"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer."""

    name: str
    type: str
    data: str  # an address, a name without its last dot, or `priority weight port target`
    ttl: int = TTL

    def __str__(self) -> str:
        """The record as a zone file has it.

        >>> print(Record("web.default.svc.cluster.local", "A", "10.0.0.7"))
        web.default.svc.cluster.local. 30 IN A 10.0.0.7
        """
        data = f"{self.data}." if self.type in ("PTR", "CNAME", "SRV", "NS") else self.data
        data = f'"{data}"' if self.type == "TXT" else data
        return f"{self.name}. {self.ttl // S} IN {self.type} {data}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says. Without records, `ttl` says how long the absence may be believed (the SOA's minimum)."""

    code: Code = "NOERROR"
    records: tuple[Record, ...] = ()
    ttl: int = TTL
    authoritative: bool = True

    @property
    def found(self) -> bool:
        """Whether there is anything of the type that was asked for."""
        return bool(self.records)

    def data(self, kind: str) -> tuple[str, ...]:
        """What the records of one type say."""
        return tuple(record.data for record in self.records if record.type == kind)


NXDOMAIN = Answer("NXDOMAIN")


@dataclass(frozen=True)
class Zone:
    """The cluster's domain as one DNS server knows it: what it has heard of Services, slices and namespaces."""

    domain: str = "cluster.local"
    services: Mapping[Key, Object] = field(default_factory=dict)
    slices: Mapping[Key, list[Object]] = field(default_factory=dict)  # by Service
    namespaces: frozenset[str] = frozenset()
    ttl: int = TTL

    @classmethod
    def of(
        cls, services: Iterable[Object], slices: Iterable[Object], namespaces: Iterable[str],
        domain: str = "cluster.local", ttl: int = TTL,
    ) -> Zone:  # fmt: skip
        """The zone of these objects."""
        grouped: dict[Key, list[Object]] = {}
        for piece in slices:
            grouped.setdefault(service_of(piece), []).append(piece)
        return cls(domain, {key_of(s): s for s in services}, grouped, frozenset(namespaces), ttl)

    def answer(self, question: Question) -> Answer | None:
        """The answer, or None for a name that lies outside of this zone and has to be asked for elsewhere."""
        name = question.name.lower()
        if (address := reversed_address(name)) is not None:
            return self._reverse(name, address, question.type)
        if name != self.domain and not name.endswith(f".{self.domain}"):
            return None
        labels = name[: -len(self.domain)].rstrip(".").split(".") if name != self.domain else []
        if labels == ["dns-version"]:
            version = (Record(name, "TXT", VERSION, self.ttl),) if question.type == "TXT" else ()
            return self._said(version)
        if not labels or labels in (["svc"], ["pod"]):
            return self._said()
        kind, rest = labels[-1], labels[-2::-1]  # the namespace first
        if kind not in ("svc", "pod") or rest[0] not in self.namespaces or len(rest) > 4:
            return self._unknown()
        if len(rest) == 1:
            return self._said()
        if kind == "pod":
            return self._pod(name, rest[1], question.type) if len(rest) == 2 else self._unknown()
        return self._service(name, (rest[0], rest[1]), rest[2:], question.type)

    def alias(self, name: str, namespace: str) -> str:
        """What the name of an ExternalName Service stands for, as a pod of that namespace finds it; else nothing."""
        paths = (f".{namespace}.svc.{self.domain}", f".svc.{self.domain}", f".{self.domain}") if namespace else ()
        for full in [name.rstrip("."), *(name + path for path in paths if not name.endswith("."))]:
            answer = self.answer(Question(full, "CNAME"))
            if answer is not None and answer.found:
                return answer.records[0].data
        return ""

    # names of Services ------------------------------------------------------------------------------------

    def _service(self, name: str, key: Key, more: list[str], kind: str) -> Answer:
        service = self.services.get(key)
        if service is None:
            return self._unknown()
        wanted = _Wanted.of(more)
        if service["spec"].get("type") == "ExternalName":
            return self._alias(name, service, kind) if not more else self._unknown()
        found = list(self._addresses(service, key, wanted))
        if not found:
            return self._unknown()
        if kind == "SRV":
            return self._said(self._srv(name, found))
        if kind not in ("A", "AAAA"):
            return self._said()
        addresses = dict.fromkeys(address for _, address, _ in found if _type_of(address) == kind)
        return self._said(tuple(Record(name, kind, address, self.ttl) for address in addresses))

    def _addresses(self, service: Object, key: Key, wanted: _Wanted) -> Iterator[tuple[str, str, int]]:
        """Name, address and port of all that a question could mean."""
        base = f"{key[1]}.{key[0]}.svc.{self.domain}"
        spec = service["spec"]
        if spec.get("clusterIP") != "None" and not wanted.endpoint:
            for port in spec.get("ports") or ():
                if wanted.takes(port):
                    yield from ((base, address, port["port"]) for address in _cluster_ips(spec))
            return
        for piece in self.slices.get(key, ()):
            for endpoint, address in ready_addresses(piece):
                host = endpoint_host(endpoint, address)
                if wanted.endpoint in ("", host):
                    every: Iterable[Object] = piece.get("ports") or ({},)
                    ports = [port for port in every if wanted.takes(port)]
                    yield from ((f"{host}.{base}", address, port.get("port") or 0) for port in ports)

    def _srv(self, name: str, found: list[tuple[str, str, int]]) -> tuple[Record, ...]:
        """Port and target of each; they share the weight of 100 evenly."""
        pairs = dict.fromkeys((port, target) for target, _, port in found)
        weight = 100 // len(pairs)
        return tuple(Record(name, "SRV", f"0 {weight} {port} {target}", self.ttl) for port, target in pairs)

    def _alias(self, name: str, service: Object, kind: str) -> Answer:
        if kind not in ("A", "AAAA", "CNAME"):
            return self._said()
        return self._said((Record(name, "CNAME", service["spec"]["externalName"].rstrip("."), self.ttl),))

    # names of addresses -----------------------------------------------------------------------------------

    def _pod(self, name: str, label: str, kind: str) -> Answer:
        """`pods insecure`: the address that the name spells, whether a pod has it or not."""
        plain = label.count("-") == 3 and "--" not in label
        address = label.replace("-", "." if plain else ":")
        try:
            ip_address(address)
        except ValueError:
            return self._unknown()
        return self._said((Record(name, kind, address, self.ttl),) if _type_of(address) == kind else ())

    def _reverse(self, name: str, address: str, kind: str) -> Answer | None:
        """Whose address it is: a Service's first, then those of all endpoints; others are asked for elsewhere."""
        found = list(self._names_of(address))
        if not found:
            return None
        return self._said(tuple(Record(name, "PTR", n, self.ttl) for n in found) if kind == "PTR" else ())

    def _names_of(self, address: str) -> Iterator[str]:
        for (namespace, name), service in self.services.items():
            if address in _cluster_ips(service["spec"]):
                yield f"{name}.{namespace}.svc.{self.domain}"
                return
        seen: dict[str, None] = {}
        for (namespace, name), pieces in self.slices.items():
            if (namespace, name) in self.services:
                for endpoint, own in (pair for piece in pieces for pair in ready_addresses(piece)):
                    if own == address:
                        seen[f"{endpoint_host(endpoint, own)}.{name}.{namespace}.svc.{self.domain}"] = None
        yield from seen

    # answers ----------------------------------------------------------------------------------------------

    def _said(self, records: tuple[Record, ...] = ()) -> Answer:
        return Answer(records=records, ttl=self.ttl)

    def _unknown(self) -> Answer:
        return Answer("NXDOMAIN", ttl=self.ttl)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the labels left of a Service's name ask for."""

    endpoint: str = ""
    port: str = ""
    protocol: str = ""

    @classmethod
    def of(cls, more: list[str]) -> _Wanted:
        """Of the labels, the one nearest to the Service first.

        >>> _Wanted.of(["_tcp", "_http"]), _Wanted.of(["web-0"]).endpoint
        (_Wanted(endpoint='', port='http', protocol='tcp'), 'web-0')
        """
        if len(more) == 2:
            return cls(port=more[1].removeprefix("_"), protocol=more[0].removeprefix("_"))
        return cls(endpoint=more[0]) if more else cls()

    def takes(self, port: Object) -> bool:
        """Whether a port is meant."""
        protocol = (port.get("protocol") or "TCP").lower()
        return self.port in ("", (port.get("name") or "").lower()) and self.protocol in ("", protocol)


def service_of(endpoint_slice: Object) -> Key:
    """The Service an EndpointSlice belongs to: namespace and name."""
    return endpoint_slice["metadata"]["namespace"], labels_of(endpoint_slice).get(SERVICE_NAME, "")


def ready_addresses(piece: Object) -> Iterator[tuple[Object, str]]:
    """The endpoints of a slice that DNS speaks of, each with its address; a readiness not told counts as ready."""
    for endpoint in piece.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready") is not False:
            yield from ((endpoint, address) for address in endpoint["addresses"])


def endpoint_host(endpoint: Object, address: str) -> str:
    """The first label of an endpoint's own name.

    >>> endpoint_host({}, "10.244.1.5"), endpoint_host({"hostname": "web-0"}, "10.244.1.5")
    ('10-244-1-5', 'web-0')
    """
    return endpoint.get("hostname") or address.replace(".", "-").replace(":", "-")


def reverse_name(address: str) -> str:
    """The name under which an address is looked up.

    >>> reverse_name("10.0.0.10")
    '10.0.0.10.in-addr.arpa'
    """
    return ip_address(address).reverse_pointer


def reversed_address(name: str) -> str | None:
    """The address whose reverse name this is.

    >>> reversed_address("1.0.0.10.in-addr.arpa"), reversed_address("in-addr.arpa")
    ('10.0.0.1', None)
    """
    for suffix, joint, size in ((".in-addr.arpa", ".", 1), (".ip6.arpa", ":", 4)):
        if name.endswith(suffix):
            labels = name.removesuffix(suffix).split(".")[::-1]
            groups = ["".join(labels[i : i + size]) for i in range(0, len(labels), size)]
            try:
                return str(ip_address(joint.join(groups)))
            except ValueError:
                return None
    return None


def _cluster_ips(spec: Object) -> tuple[str, ...]:
    if spec.get("clusterIP") in (None, "", "None"):
        return ()
    return tuple(spec.get("clusterIPs") or (spec["clusterIP"],))


def _type_of(address: str) -> str:
    return "AAAA" if ":" in address else "A"
