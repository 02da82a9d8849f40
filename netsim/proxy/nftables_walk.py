"""A packet's walk through the chains and maps of nftables mode."""

from __future__ import annotations

from netsim.proxy.addresses import Ranges
from netsim.proxy.endpoints import Endpoint
from netsim.proxy.nftables_text import Rule, Ruleset
from netsim.proxy.packet import Query, Step

_FINAL = ("drop", "reject", "dnat", "masquerade")


def walk(
    ruleset: Ruleset, query: Query, endpoint: Endpoint | None, remembered: bool, *, leaves: bool
) -> tuple[Step, ...]:
    """Every rule that takes the packet somewhere, from the hook it enters by to where it leaves."""
    walker = _Walker(ruleset, query, endpoint, remembered)
    enters = "output" if query.from_node else "prerouting"
    if walker.run(f"filter-{enters}-pre-dnat") in _FINAL:
        return tuple(walker.steps)
    if walker.run(f"nat-{enters}") != "dnat":
        hooks = ["output"] if query.from_node else []
        hooks += ["input"] if query.to_node else [] if query.from_node else ["forward"]
        for hook in hooks:
            if walker.run(f"filter-{hook}") in _FINAL:
                return tuple(walker.steps)
    if leaves:
        walker.run("nat-postrouting")
    return tuple(walker.steps)


class _Walker:
    """A packet on its way. Where numgen rolls dice, the endpoint chosen decides."""

    def __init__(self, ruleset: Ruleset, query: Query, endpoint: Endpoint | None, remembered: bool) -> None:
        self.set, self.query, self.endpoint, self.remembered = ruleset, query, endpoint, remembered
        self.steps: list[Step] = []
        self.marked = False

    def run(self, chain: str) -> str | None:
        """What ends the walk of a chain: drop, reject, dnat, masquerade, "end" (after a goto), or None."""
        for rule in self.set.chains.get(chain, ()):
            if not self._matches(rule):
                continue
            verdict, effect = self._outcome(rule)
            if verdict is None:
                continue  # a map without an element for this packet
            place = len(self.steps)
            self.steps.append(Step(chain, rule.text(self.set.family), effect))
            kind, _, target = verdict.partition(" ")
            if kind in ("jump", "goto"):
                result = self.run(target)
                if result in _FINAL:
                    return result
                if kind == "goto":
                    return "end"
                if len(self.steps) == place + 1 and target != "mark-for-masquerade":
                    self.steps.pop()  # the chain it jumped to had nothing for this packet
            elif kind == "return":
                return None
            elif kind:
                return kind
        return None

    def _outcome(self, rule: Rule) -> tuple[str | None, str]:
        query = self.query
        if rule.vmap:
            key = (query.protocol.lower(), str(query.port))
            key = (query.destination, *key) if rule.by == "services" else key  # type: ignore[assignment]
            element = self.set.maps[rule.vmap].elements.get(key)
            return (element[0], f"{' . '.join(key)} : {element[0]}") if element else (None, "")
        if rule.numgen:
            return f"goto {self._chosen(rule)}", f"taken with probability 1/{len(rule.numgen)}"
        if rule.mark:
            self.marked = rule.mark == "or"
            return "", "mark 0x4000" if self.marked else "clear mark 0x4000"
        if rule.update:
            return "", "remembers the source address"
        if rule.masquerade:
            return "masquerade", "source becomes the address of the device it leaves by"
        if rule.to:
            return "dnat", f"destination becomes {rule.to.address}"
        return rule.verdict, ""

    def _chosen(self, rule: Rule) -> str:
        return next(filter(self._leads_to_choice, rule.numgen), rule.numgen[0])

    def _leads_to_choice(self, chain: str) -> bool:
        wanted = self.endpoint.address if self.endpoint else ""
        return any(rule.to is not None and rule.to.address == wanted for rule in self.set.chains[chain])

    def _matches(self, rule: Rule) -> bool:
        query = self.query
        if (rule.daddr_local and not query.to_node) or (rule.saddr_local and not query.from_local):
            return False
        if rule.unmarked and self.marked:
            return False
        if rule.port and (rule.port != query.port or rule.protocol != query.protocol.lower()):
            return False
        if rule.daddr and not self._address(query.destination, rule.daddr):
            return False
        if rule.daddr_not and query.destination in Ranges([rule.daddr_not]):
            return False
        if rule.daddr_ranges and query.destination not in Ranges(rule.daddr_ranges):
            return False
        if rule.saddr.startswith("@"):  # an affinity set, and the endpoint whose clients it holds
            return self.remembered and self._leads_to_choice(rule.verdict.partition(" ")[2])
        if rule.saddr and not self._address(query.source, rule.saddr):
            return False
        return not (rule.saddr_not and query.source in Ranges(rule.saddr_not))

    def _address(self, address: str, wanted: str) -> bool:
        if wanted.startswith("@"):
            return address in self.set.sets[wanted[1:]].elements
        return address in Ranges([wanted])
