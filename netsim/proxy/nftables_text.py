"""Rules of nftables as values, and their text as `nft list ruleset` prints it (and `nft -f` reads it)."""

from __future__ import annotations

from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import Literal

from netsim.proxy.addresses import AnyNetwork
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.services import ServicePort

MARK = 0x4000
NAME_LIMIT = 240  # the kernel's 256 without the longest prefix
DYNAMIC_SET_SIZE = 65535  # what a dynamic set holds when nobody says a size

MapKind = Literal["services", "node-ports"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what must be true of a packet, then a verdict, a statement or a look-up in a verdict map."""

    verdict: str = ""  # "jump CHAIN", "goto CHAIN", "drop", "reject", "return"
    comment: str = ""
    new: bool = False  # ct state new
    unmarked: bool = False
    daddr_local: bool = False  # fib daddr type local
    daddr: str = ""  # an address, "@set"
    daddr_ranges: tuple[AnyNetwork, ...] = ()
    daddr_not: str = ""
    protocol: str = ""
    port: int = 0
    saddr_local: bool = False  # fib saddr type local
    saddr: str = ""  # an address, a range, "@set"
    saddr_not: tuple[str, ...] = ()
    vmap: str = ""  # the verdict map to ask
    by: MapKind = "services"  # what the map is asked about
    numgen: tuple[str, ...] = ()  # chains, one of which is taken at random
    mark: str = ""  # "or" sets the bit, "xor" clears it
    update: str = ""  # the set that remembers the source address
    masquerade: bool = False
    to: Endpoint | None = None  # dnat

    def text(self, family: int = 4) -> str:
        """The rule as nft prints it.

        >>> Rule("jump mark-for-masquerade", daddr="10.96.0.1", protocol="tcp", port=80,
        ...      saddr_not=("10.244.0.0/16",)).text()
        'ip daddr 10.96.0.1 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade'
        """
        ip = "ip" if family == 4 else "ip6"
        words = [
            "ct state new" if self.new else "",
            f"meta mark & {MARK:#010x} == 0x00000000" if self.unmarked else "",
            "fib daddr type local" if self.daddr_local else "",
            f"{ip} daddr {self.daddr}" if self.daddr else "",
            f"{ip} daddr {_set(str(r) for r in self.daddr_ranges)}" if self.daddr_ranges else "",
            f"{ip} daddr != {self.daddr_not}" if self.daddr_not else "",
            f"{self.protocol} dport {self.port}" if self.port else "",
            "fib saddr type local" if self.saddr_local else "",
            f"{ip} saddr {self.saddr}" if self.saddr else "",
            f"{ip} saddr != {_set(self.saddr_not)}" if self.saddr_not else "",
            self._statement(ip),
            self.verdict,
            f'comment "{self.comment}"' if self.comment else "",
        ]
        return " ".join(word for word in words if word)

    def _statement(self, ip: str) -> str:
        if self.vmap:
            subject = f"{ip} daddr . " if self.by == "services" else ""
            return f"{subject}meta l4proto . th dport vmap @{self.vmap}"
        if self.numgen:
            choices = ", ".join(f"{place} : goto {chain}" for place, chain in enumerate(self.numgen))
            return f"numgen random mod {len(self.numgen)} vmap {{ {choices} }}"
        if self.mark:
            return f"meta mark set meta mark {'|' if self.mark == 'or' else '^'} {MARK:#010x}"
        if self.update:
            return f"update @{self.update} {{ {ip} saddr }}"
        if self.masquerade:
            return "masquerade fully-random"
        if self.to:
            return f"meta l4proto {self.protocol} dnat to {self.to.address}"
        return ""


@dataclass(slots=True)
class BaseChain:
    """How a chain hangs on a hook of the kernel."""

    kind: str
    hook: str
    priority: str

    def __str__(self) -> str:
        return f"type {self.kind} hook {self.hook} priority {self.priority}; policy accept;"


@dataclass(slots=True)
class Set:
    """A named set of addresses."""

    comment: str = ""
    timeout: int = 0  # seconds; a dynamic set then
    elements: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Map:
    """A named verdict map; a key is a tuple of texts, an element a verdict and a comment."""

    kind: MapKind
    comment: str
    elements: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Ruleset:
    """The table `kube-proxy` of one address family."""

    family: int
    sets: dict[str, Set] = field(default_factory=dict)
    maps: dict[str, Map] = field(default_factory=dict)
    bases: dict[str, BaseChain] = field(default_factory=dict)
    chains: dict[str, list[Rule]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def add(self, chain: str, *rules: Rule) -> None:
        """Append rules to a chain, which exists from then on."""
        self.chains.setdefault(chain, []).extend(rules)

    def text(self) -> str:
        """The table as nft prints it."""
        blocks = [
            *(self._set_text(name) for name in sorted(self.sets)),
            *(self._map_text(name) for name in sorted(self.maps)),
            *(
                self._chain_text(name)
                for name in (*self.bases, *sorted(self.chains.keys() - self.bases.keys()))
            ),
        ]
        table = f"table {'ip' if self.family == 4 else 'ip6'} kube-proxy {{"
        body = ['\tcomment "rules for kube-proxy"', "\n\n".join(blocks)]
        return "\n".join([table, *body, "}"]) + "\n"

    def _set_text(self, name: str) -> str:
        values = self.sets[name]
        lines = [f"\tset {name} {{", f"\t\ttype {self._address_type}"]
        if values.timeout:
            lines += [f"\t\tsize {DYNAMIC_SET_SIZE}", "\t\tflags dynamic,timeout"]
            lines.append(f"\t\ttimeout {_timeout(values.timeout)}")
        lines += [f'\t\tcomment "{values.comment}"'] if values.comment else []
        lines += _elements(sorted(values.elements, key=_order))
        return "\n".join([*lines, "\t}"])

    def _map_text(self, name: str) -> str:
        found = self.maps[name]
        key = "inet_proto . inet_service"
        key = f"{self._address_type} . {key}" if found.kind == "services" else key
        lines = [f"\tmap {name} {{", f"\t\ttype {key} : verdict", f'\t\tcomment "{found.comment}"']
        lines += _elements([
            " . ".join(place) + (f' comment "{comment}"' if comment else "") + f" : {verdict}"
            for place, (verdict, comment) in sorted(found.elements.items(), key=lambda e: _order(*e[0]))
        ])  # fmt: skip
        return "\n".join([*lines, "\t}"])

    def _chain_text(self, name: str) -> str:
        lines = [f"\tchain {name} {{"]
        lines += [f'\t\tcomment "{self.comments[name]}"'] if name in self.comments else []
        lines += [f"\t\t{self.bases[name]}"] if name in self.bases else []
        lines += [f"\t\t{rule.text(self.family)}" for rule in self.chains[name]]
        return "\n".join([*lines, "\t}"])

    @property
    def _address_type(self) -> str:
        return "ipv4_addr" if self.family == 4 else "ipv6_addr"


def chain_name(prefix: str, port: ServicePort, endpoint: Endpoint | None = None) -> str:
    """A private chain's name: a prefix, 8 characters of a hash, and what it is for.

    >>> web = ServicePort("ns1", "svc1", "p80", "TCP", "172.30.0.41", 80)
    >>> chain_name("service-", web), chain_name("endpoint-", web, Endpoint("10.180.0.1", 80))
    ('service-ULMVA6XW-ns1/svc1/tcp/p80', 'endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80')
    """
    text = f"{port.namespace}/{port.service}/{port.protocol.lower()}/{port.name}"
    if endpoint:
        text += f"__{endpoint.ip.replace(':', '.')}/{endpoint.port}"
    name = f"{b32encode(sha256(text.encode()).digest()).decode()[:8]}-{text}"
    return prefix + (name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 3] + "...")


def _set(texts: object) -> str:
    """One value, or several in braces."""
    assert not isinstance(texts, str)
    values = list(texts)  # type: ignore[call-overload]
    return values[0] if len(values) == 1 else "{ " + ", ".join(values) + " }"


def _order(*key: str) -> tuple[tuple[int, int, str], ...]:
    """Addresses and ports by number, the rest by name."""
    return tuple(_rank(part) for part in key)


def _rank(part: str) -> tuple[int, int, str]:
    if part.isdigit():
        return 0, int(part), ""
    return (1, int(ip_address(part)), "") if set(part) & {".", ":"} else (2, 0, part)


def _elements(texts: list[str]) -> list[str]:
    return [f"\t\telements = {{ {(',' + chr(10) + chr(9) * 3 + '     ').join(texts)} }}"] if texts else []


def _timeout(seconds: int) -> str:
    """Seconds as nft writes them.

    >>> _timeout(10800), _timeout(90), _timeout(86400)
    ('3h', '1m30s', '1d')
    """
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text
