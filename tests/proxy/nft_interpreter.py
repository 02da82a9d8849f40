"""A small reader of `nft list ruleset` text that walks a packet through it. It knows nothing of netsim.

Base chains run hook by hook, by priority: prerouting (or output), then input or forward (or input again over
loopback), then postrouting. After a dnat the rest of the way sees the new destination. `numgen random` goes
every way.
"""

from __future__ import annotations

import re
from fractions import Fraction
from ipaddress import ip_address, ip_network

PRIORITIES = {"dstnat": -100, "srcnat": 100, "filter": 0}
State = tuple[str, int, bool, str]  # destination, port, marked, where it was translated to


class Interpreter:
    def __init__(self, text: str, node_addresses: set[str]) -> None:
        self.node = node_addresses
        self.families: dict[str, dict[str, dict[str, list[str]]]] = {}
        self.hooks: dict[str, dict[str, list[tuple[int, str]]]] = {}
        self.maps: dict[str, dict[str, dict[str, str]]] = {}
        for family, body in re.findall(r"^table (ip6?) kube-proxy \{\n(.*?)^\}", text, re.M | re.S):
            self._read(family, body)

    def _read(self, family: str, body: str) -> None:
        chains: dict[str, list[str]] = {}
        hooks: dict[str, list[tuple[int, str]]] = {}
        elements: dict[str, dict[str, str]] = {}
        for kind, name, inside in re.findall(r"^\t(set|map|chain) (\S+) \{\n(.*?)^\t\}", body, re.M | re.S):
            lines = [line.strip() for line in inside.splitlines()]
            if kind == "chain":
                for line in lines:
                    found = re.fullmatch(r"type \w+ hook (\w+) priority (.+); policy accept;", line)
                    if found:
                        hooks.setdefault(found[1], []).append((_priority(found[2]), name))
                chains[name] = [x for x in lines if not x.startswith(("type ", "comment "))]
            else:
                listed = re.search(r"elements = \{ (.*?) \}$", inside, re.M | re.S)
                entries = re.split(r",\s+", listed[1]) if listed else []
                elements[name] = dict(_element(entry) for entry in entries)
        self.families[family] = {"chains": chains}
        self.hooks[family] = {hook: sorted(found) for hook, found in hooks.items()}
        self.maps[family] = elements

    def is_local(self, address: str) -> bool:
        return address in self.node or ip_address(address).is_loopback

    def result(
        self, source: str, destination: str, port: int, protocol: str, from_node: bool
    ) -> dict[tuple[str, str, bool], Fraction]:
        self.source, self.protocol = source, protocol.lower()
        self.family = "ip6" if ":" in source else "ip"
        first = "output" if from_node else "prerouting"
        ends: dict[tuple[str, str, bool], Fraction] = {}
        ways: list[tuple[str, State, Fraction]] = [("", (destination, port, False, ""), Fraction(1))]
        ways = self._hook(first, ways)
        if self.is_local(destination) or not from_node:
            ways = self._hook(None, ways)  # input or forward, as the destination then is
        ways = self._hook("postrouting", ways)
        for verdict, (_, _, _, to), chance in ways:
            masqueraded = verdict == "masquerade"
            if verdict in ("drop", "reject"):
                end = (verdict.upper(), "", False)
            else:
                end = ("DNAT", to, masqueraded) if to else ("NO_MATCH", "", False)
            ends[end] = ends.get(end, Fraction(0)) + chance
        return ends

    def _hook(
        self, hook: str | None, ways: list[tuple[str, State, Fraction]]
    ) -> list[tuple[str, State, Fraction]]:
        done: list[tuple[str, State, Fraction]] = []
        for verdict, state, chance in ways:
            if verdict in ("drop", "reject"):
                done.append((verdict, state, chance))
                continue
            name = hook or ("input" if self.is_local(state[0]) else "forward")
            open_ways = [("", state, chance)]
            for _, chain in self.hooks[self.family].get(name, ()):
                following: list[tuple[str, State, Fraction]] = []
                for before, now, share in open_ways:
                    if before in ("drop", "reject"):
                        following.append((before, now, share))
                        continue
                    for end, then, more in self.chain(chain, now):
                        following.append((end or before, then, share * more))
                open_ways = following
            done += open_ways
        return done

    def chain(self, name: str, state: State) -> list[tuple[str, State, Fraction]]:
        return self._rules(self.families[self.family]["chains"][name], state)

    def _rules(self, rules: list[str], state: State) -> list[tuple[str, State, Fraction]]:
        for place, rule in enumerate(rules):
            matched = self._matches(rule, state)
            if matched is None:
                continue
            rest = rules[place + 1 :]
            ways: list[tuple[str, State, Fraction]] = []
            for verdict, then, chance in matched:
                kind, _, target = verdict.partition(" ")
                if kind == "jump":
                    for end, later, more in self.chain(target, then):
                        if end:
                            ways.append((end, later, chance * more))
                        else:
                            ways += [(e, s, chance * more * m) for e, s, m in self._rules(rest, later)]
                elif kind == "goto":
                    ways += [(e, s, chance * m) for e, s, m in self.chain(target, then)]
                elif kind == "continue":
                    ways += [(e, s, chance * m) for e, s, m in self._rules(rest, then)]
                else:
                    ways.append(("" if kind == "return" else kind, then, chance))
            return ways
        return [("", state, Fraction(1))]

    def _matches(self, rule: str, state: State) -> list[tuple[str, State, Fraction]] | None:
        """What a rule does to a packet, each way with its chance; None if it does not match."""
        destination, port, marked, to = state
        text = re.sub(r' comment "[^"]*"$', "", rule)
        while text:
            found = None
            for pattern, test in self._tests(destination, port, marked):
                found = re.match(pattern + r"(?: |$)", text)
                if found:
                    if not test(found):
                        return None
                    text = text[found.end() :]
                    break
            if not found:
                break
        if vmap := re.fullmatch(r"(.*) vmap @(\S+)", text):
            key = f"{self.protocol} . {port}"
            key = f"{destination} . {key}" if "daddr" in vmap[1] else key
            verdict = self.maps[self.family][vmap[2]].get(key)
            return None if verdict is None else [(verdict, state, Fraction(1))]
        if many := re.fullmatch(r"numgen random mod (\d+) vmap \{ (.*) \}", text):
            choices = [choice.partition(" : ")[2] for choice in many[2].split(", ")]
            assert len(choices) == int(many[1])
            return [(choice, state, Fraction(1, len(choices))) for choice in choices]
        if text.startswith("meta mark set meta mark | "):
            return [("continue", (destination, port, True, to), Fraction(1))]
        if text.startswith("meta mark set meta mark ^ "):
            return [("continue", (destination, port, False, to), Fraction(1))]
        if text.startswith("update @"):
            return [("continue", state, Fraction(1))]
        if dnat := re.fullmatch(r"meta l4proto (\w+) dnat to (\S+)", text):
            if dnat[1] != self.protocol:
                return None
            address, _, number = dnat[2].rpartition(":")
            return [("accept", (address.strip("[]"), int(number), marked, dnat[2]), Fraction(1))]
        if text.startswith("masquerade"):
            return [("masquerade", state, Fraction(1))]
        assert text.split()[0] in ("jump", "goto", "drop", "reject", "return"), rule
        return [(text, state, Fraction(1))]

    def _tests(self, destination: str, port: int, marked: bool):  # type: ignore[no-untyped-def]
        ip = self.family
        sets = self.maps[ip]
        return (
            (r"ct state new", lambda m: True),
            (r"meta mark & 0x00004000 == 0x00000000", lambda m: not marked),
            (r"fib daddr type local", lambda m: self.is_local(destination)),
            (r"fib saddr type local", lambda m: self.is_local(self.source)),
            (rf"{ip} daddr @(\S+)", lambda m: destination in sets[m[1]]),
            (rf"{ip} saddr @(\S+)", lambda m: self.source in sets[m[1]]),
            (rf"{ip} daddr != (\S+)", lambda m: not _inside(destination, m[1])),
            (rf"{ip} saddr != \{{ (.*?) \}}", lambda m: not _inside(self.source, m[1])),
            (rf"{ip} saddr != (\S+)", lambda m: not _inside(self.source, m[1])),
            (rf"{ip} daddr \{{ (.*?) \}}", lambda m: _inside(destination, m[1])),
            (rf"{ip} daddr ([0-9a-f]\S*)", lambda m: _inside(destination, m[1])),
            (rf"{ip} saddr ([0-9a-f]\S*)", lambda m: _inside(self.source, m[1])),
            (r"(tcp|udp|sctp) dport (\d+)", lambda m: m[1] == self.protocol and int(m[2]) == port),
        )


def _inside(address: str, texts: str) -> bool:
    return any(ip_address(address) in ip_network(text) for text in texts.split(", "))


def _element(entry: str) -> tuple[str, str]:
    key, _, verdict = re.sub(r' comment "[^"]*"', "", entry).partition(" : ")
    return key, verdict


def _priority(text: str) -> int:
    parts = text.split()
    base = PRIORITIES[parts[0]] if parts[0] in PRIORITIES else int(parts[0])
    if len(parts) == 3:
        base += int(parts[2]) if parts[1] == "+" else -int(parts[2])
    return base
