"""Rules of iptables as values, and their text as `iptables-save` prints and `iptables-restore` reads it.

What is printed is what the kernel would give back, not what kube-proxy handed in: source, destination and protocol
come first, then the matches in the order they were given, and a chance is rounded to 31 bits. A test loads the
text into the kernel and compares what it prints.
"""

from __future__ import annotations

import re
from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256

from netsim.proxy.endpoints import Endpoint
from netsim.proxy.services import ServicePort

MARK = 0x4000
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what must be true of a packet, and what happens then. A negated match begins with "!"."""

    jump: str = ""  # a chain, ACCEPT, DROP, REJECT, RETURN, MARK, MASQUERADE, DNAT; "" does nothing
    comment: str = ""
    source: str = ""  # "10.0.0.0/8" or "!10.0.0.0/8"
    destination: str = ""
    protocol: str = ""
    port: int = 0  # destination port
    match_set: tuple[str, str] | None = None  # an ipset, and what is looked up in it: "dst,dst"
    unbridged: bool = False  # it did not come by a bridge's port
    src_type: str = ""  # LOCAL or !LOCAL
    dst_type: str = ""
    ctstate: str = ""
    ctstate_first: bool = False  # before the comment, as in the jumps from built-in chains
    unmarked: bool = False  # the masquerade mark is not set
    marked: bool = False
    probability: str = ""
    recent: tuple[str, str, int] | None = None  # operation, list, seconds
    mark: str = ""  # MARK: "or" sets the bit, "xor" clears it
    to: Endpoint | None = None  # DNAT

    def text(self, family: int = 4) -> str:
        """The rule without its chain, as iptables-save prints it.

        >>> Rule("KUBE-SVC-X", "a/b cluster IP", destination="10.96.0.1/32", protocol="tcp", port=80).text()
        '-d 10.96.0.1/32 -p tcp -m comment --comment "a/b cluster IP" -m tcp --dport 80 -j KUBE-SVC-X'
        """
        words = [_match("-s", self.source), _match("-d", self.destination)]
        if self.protocol:
            words.append(f"-p {self.protocol}")
        if self.ctstate_first:
            words.append(self._state())
        if self.comment:
            quoted = self.comment if _PLAIN.fullmatch(self.comment) else f'"{self.comment}"'
            words.append(f"-m comment --comment {quoted}")
        if self.match_set:
            words.append(f"-m set --match-set {' '.join(self.match_set)}")
        if self.unbridged:
            words.append("-m physdev ! --physdev-is-in")
        if self.src_type:
            words.append(f"-m addrtype {_match('--src-type', self.src_type)}")
        if self.dst_type:
            words.append(f"-m addrtype --dst-type {self.dst_type}")
        if self.ctstate and not self.ctstate_first:
            words.append(self._state())
        if self.unmarked or self.marked:
            words.append(f"-m mark{' !' if self.unmarked else ''} --mark {MARK:#x}/{MARK:#x}")
        if self.probability:
            words.append(f"-m statistic --mode random --probability {kept(self.probability)}")
        if self.recent:
            words.append(_recent(self.recent, family))
        if self.port or self.to:
            words.append(f"-m {self.protocol}" + (f" --dport {self.port}" if self.port else ""))
        words.append(self._target(family))
        return " ".join(word for word in words if word)

    def _state(self) -> str:
        negated, states = self.ctstate.startswith("!"), self.ctstate.lstrip("!")
        return f"-m conntrack{' !' if negated else ''} --ctstate {states}"

    def _target(self, family: int) -> str:
        if self.jump == "MARK":
            return f"-j MARK --set-xmark {MARK:#x}/{MARK if self.mark == 'or' else 0:#x}"
        if self.jump == "REJECT":
            return f"-j REJECT --reject-with {'icmp' if family == 4 else 'icmp6'}-port-unreachable"
        if self.jump == "MASQUERADE":
            return "-j MASQUERADE" + ("" if self.match_set else " --random-fully")  # IPVS's hairpins keep ports
        if self.jump == "DNAT":
            assert self.to is not None
            return f"-j DNAT --to-destination {self.to.address}"
        return f"-j {self.jump}" if self.jump else ""


@dataclass(slots=True)
class Ruleset:
    """The tables of one address family: chains of rules, in the order they are printed."""

    family: int
    tables: dict[str, dict[str, list[Rule]]] = field(
        default_factory=lambda: {"mangle": {}, "filter": {}, "nat": {}}
    )

    def add(self, table: str, chain: str, *rules: Rule) -> None:
        """Append rules to a chain, which exists from then on."""
        self.tables[table].setdefault(chain, []).extend(rules)

    def text(self) -> str:
        """The whole set as iptables-save prints it."""
        lines = []
        for table, chains in self.tables.items():
            built_in = BUILT_IN[table]
            own = sorted(chain for chain in chains if chain not in built_in)
            lines.append(f"*{table}")
            lines += [f":{chain} ACCEPT [0:0]" for chain in built_in]
            lines += [f":{chain} - [0:0]" for chain in own]
            for chain in (*built_in, *own):
                lines += [f"-A {chain} {rule.text(self.family)}".rstrip() for rule in chains.get(chain, ())]
            lines.append("COMMIT")
        return "\n".join(lines) + "\n"


BUILT_IN = {
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}


def chain_name(prefix: str, port: ServicePort, endpoint: Endpoint | None = None) -> str:
    """A private chain's name: a prefix and 16 characters of a hash.

    >>> from netsim.proxy.services import ServicePort
    >>> web = ServicePort("ns1", "svc1", "p80", "TCP", "10.20.30.41", 80)
    >>> chain_name("KUBE-SVC-", web), chain_name("KUBE-SEP-", web, Endpoint("10.180.0.1", 80))
    ('KUBE-SVC-XPGD46QRK7WJZT7O', 'KUBE-SEP-SXIVWICOYRO3J4NJ')
    """
    text = f"{port.label}{port.protocol.lower()}{endpoint.address if endpoint else ''}"
    return prefix + b32encode(sha256(text.encode()).digest()).decode()[:16]


def probability(remaining: int) -> str:
    """The chance of a balancing rule when `remaining` endpoints are left, as kube-proxy writes it.

    >>> probability(3), probability(100000)
    ('0.3333333333', '0.0000100000')
    """
    return f"{1 / remaining:.10f}"


def kept(chance: str) -> str:
    """A chance as the kernel keeps it, in units of 2^-31, and prints it.

    >>> kept("0.3333333333"), kept("0.5000000000")
    ('0.33333333349', '0.50000000000')
    """
    return f"{round(float(chance) * 2**31) / 2**31:.11f}"


def _match(option: str, value: str) -> str:
    if not value:
        return ""
    return f"! {option} {value[1:]}" if value.startswith("!") else f"{option} {value}"


def _recent(recent: tuple[str, str, int], family: int) -> str:
    operation, name, seconds = recent
    mask = "255.255.255.255" if family == 4 else "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    check = f"--rcheck --seconds {seconds} --reap" if operation == "rcheck" else "--set"
    return f"-m recent {check} --name {name} --mask {mask} --rsource"
