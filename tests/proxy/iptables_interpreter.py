"""A small reader of `iptables-save` text that walks a packet through it. It knows nothing of netsim.

A packet's way through the kernel: nat PREROUTING (or OUTPUT, if a process of the node sent it), then filter
INPUT or FORWARD (or OUTPUT, and INPUT again over loopback), then nat POSTROUTING. Where a rule rolls dice,
the walk goes on both ways. `result` gathers every end with its chance.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import ip_address, ip_network


@dataclass(frozen=True)
class Ends:
    """Where a packet may end: verdict, translated destination, masqueraded; and with which chance."""

    chances: dict[tuple[str, str, bool], Fraction]


class Interpreter:
    def __init__(self, text: str, node_addresses: set[str]) -> None:
        self.tables: dict[str, dict[str, list[list[str]]]] = {}
        self.node = node_addresses
        table = ""
        for line in text.splitlines():
            if line.startswith("*"):
                table = line[1:]
                self.tables.setdefault(table, {})
            elif line.startswith(":"):
                self.tables[table].setdefault(line[1:].split()[0], [])
            elif line.startswith("-A "):
                words = shlex.split(line)
                self.tables[table][words[1]].append(words[2:])

    def is_local(self, address: str) -> bool:
        return address in self.node or ip_address(address).is_loopback

    def result(
        self, source: str, destination: str, port: int, protocol: str, from_node: bool
    ) -> dict[tuple[str, str, bool], Fraction]:
        ends: dict[tuple[str, str, bool], Fraction] = {}
        facts = (source, destination, port, protocol.lower())
        for (target, marked), chance in self.walk(
            "nat", "OUTPUT" if from_node else "PREROUTING", facts, False
        ):
            if target.startswith("DNAT "):
                masqueraded = self.postrouting(facts, marked)
                end = ("DNAT", target[5:], masqueraded)
            else:
                end = (self.filter(facts, from_node, marked), "", False)
            ends[end] = ends.get(end, Fraction(0)) + chance
        return ends

    def postrouting(self, facts: tuple[str, str, int, str], marked: bool) -> bool:
        (found,) = self.walk("nat", "POSTROUTING", facts, marked)
        return found[0][0] == "MASQUERADE"

    def filter(self, facts: tuple[str, str, int, str], from_node: bool, marked: bool) -> str:
        hooks = ["OUTPUT"] if from_node else []
        if self.is_local(facts[1]):
            hooks.append("INPUT")
        elif not from_node:
            hooks.append("FORWARD")
        for hook in hooks:
            (found,) = self.walk("filter", hook, facts, marked)
            if found[0][0] in ("ACCEPT", "DROP", "REJECT"):
                return found[0][0]
        return "NO_MATCH"

    def walk(
        self, table: str, chain: str, facts: tuple[str, str, int, str], marked: bool
    ) -> list[tuple[tuple[str, bool], Fraction]]:
        """Every way through a chain: what ended it ("" if nothing did), the mark, and the chance."""
        return self._rules(table, self.tables[table][chain], facts, marked)

    def _rules(
        self, table: str, rules: list[list[str]], facts: tuple[str, str, int, str], marked: bool
    ) -> list[tuple[tuple[str, bool], Fraction]]:
        for place, words in enumerate(rules):
            chance, target = self._match(words, facts, marked)
            if chance == 0:
                continue
            rest = rules[place + 1 :]
            ways: list[tuple[tuple[str, bool], Fraction]] = []
            for (end, mark), share in self._jump(table, target, facts, marked):
                if end == "":
                    for (later, final), more in self._rules(table, rest, facts, mark):
                        ways.append(((later, final), chance * share * more))
                else:
                    ways.append((("" if end == "RETURN" else end, mark), chance * share))
            if chance < 1:
                for found, more in self._rules(table, rest, facts, marked):
                    ways.append((found, (1 - chance) * more))
            return ways
        return [(("", marked), Fraction(1))]

    def _jump(
        self, table: str, target: str, facts: tuple[str, str, int, str], marked: bool
    ) -> list[tuple[tuple[str, bool], Fraction]]:
        if target in self.tables[table]:
            ways = self.walk(table, target, facts, marked)
            return [((end, mark), share) for (end, mark), share in ways]
        if target.startswith("MARK "):
            return [(("", target == "MARK 0x4000/0x4000"), Fraction(1))]
        return [((target, marked), Fraction(1))]

    def _match(
        self, words: list[str], facts: tuple[str, str, int, str], marked: bool
    ) -> tuple[Fraction, str]:
        """The chance that a rule matches, and its target."""
        source, destination, port, protocol = facts
        chance, target = Fraction(1), ""
        position = 0
        while position < len(words):
            negated = words[position] == "!"
            position += negated
            word = words[position]
            value = words[position + 1] if position + 1 < len(words) else ""
            holds = True
            step = 2
            if word == "-s":
                holds = ip_address(source) in ip_network(value)
            elif word == "-d":
                holds = ip_address(destination) in ip_network(value)
            elif word == "-p":
                holds = protocol == value
            elif word == "--dport":
                holds = port == int(value)
            elif word == "--src-type":
                assert value == "LOCAL"
                holds = self.is_local(source)
            elif word == "--dst-type":
                assert value == "LOCAL"
                holds = self.is_local(destination)
            elif word == "--ctstate":
                holds = "NEW" in value.split(",")
            elif word == "--mark":
                assert value == "0x4000/0x4000"
                holds = marked
            elif word == "--probability":
                chance = Fraction(value)
            elif word == "--rcheck":
                holds, step = False, 1  # nobody came before
            elif word in ("--set", "--reap", "--rsource", "--random-fully"):
                step = 1
            elif word == "-j":
                target = value
            elif word == "--to-destination":
                target = f"DNAT {value}"
            elif word == "--set-xmark":
                target = f"MARK {value}"
            else:
                assert word in ("-m", "--comment", "--mode", "--name", "--mask", "--seconds", "--reject-with")
            if holds == negated:
                return Fraction(0), ""
            position += step
        return chance, target
