"""Eight mistakes that a renderer of rules could make, as edits of the text it wrote.

Each is a function from a node's rules to wrong ones; the comparison with the kernel must catch every one. An
edit that changes nothing on any node would prove nothing, so that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Edit = Callable[[str], str]


def _lines(text: str, keep: Callable[[str], bool]) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if keep(line))


def _without(*patterns: str) -> Edit:
    """Leave out every line that matches."""
    return lambda text: _lines(text, lambda line: not any(re.search(p, line) for p in patterns))


def _instead(pattern: str, replacement: str) -> Edit:
    return lambda text: re.sub(pattern, replacement, text)


def _in_chains(chain: str, edit: Edit) -> Edit:
    """Edit only the nft chains whose names begin so."""
    block = re.compile(rf"\tchain {chain}[^\n]* \{{\n.*?\n\t\}}", re.DOTALL)
    return lambda text: block.sub(lambda found: edit(found[0]), text)


def _equal_probabilities(text: str) -> str:
    """Each rule of a chain gets the first one's 1/n, instead of one in those that are left."""
    first: dict[str, str] = {}

    def same(found: re.Match[str]) -> str:
        return f"{found[1]}{first.setdefault(found[2], found[3])}"

    return re.sub(r"(-A (\S+) .*--probability )(\S+)", same, text)


def _one_slot_too_many(text: str) -> str:
    """The last endpoint stands twice in the map."""

    def longer(found: re.Match[str]) -> str:
        count, choices = int(found[1]), found[2]
        last = choices.rpartition(" : ")[2]
        return f"numgen random mod {count + 1} vmap {{ {choices}, {count} : {last} }}"

    return re.sub(r"numgen random mod (\d+) vmap \{ (.*?) \}", longer, text)


WRONG: dict[str, dict[str, Edit]] = {
    "iptables": {
        "equal probabilities": _equal_probabilities,
        "no hairpin masquerade": _without(r"-A KUBE-SEP-\S+ -s .* -j KUBE-MARK-MASQ$"),
        "no external masquerade": _without(r"-A KUBE-EXT-.*masquerade traffic for"),
        "no REJECT": _without("-j REJECT"),
        "REJECT is DROP": _instead(r"-j REJECT --reject-with \S+", "-j DROP"),
        "no affinity check": _without("--rcheck"),
        "policy Local ignored": _instead(r"(-A KUBE-EXT-\S+ -j )KUBE-SVL-", r"\1KUBE-SVC-"),
        "no node masquerade": _without(r"-A KUBE-SVC-\S+ ! -s .* -j KUBE-MARK-MASQ$"),
    },
    "nftables": {
        "equal probabilities": _one_slot_too_many,
        "no hairpin masquerade": _in_chains("endpoint-", _without("jump mark-for-masquerade")),
        "no external masquerade": _in_chains("external-", _without("^\t\tjump mark-for-masquerade")),
        "no REJECT": _without(r"^\t\treject$", r" reject comment "),
        "REJECT is DROP": _instead(r"(\t\t| )reject(\n| comment)", r"\1drop\2"),
        "no affinity check": _without("saddr @affinity-"),
        "policy Local ignored": _in_chains("external-", _instead("goto local-", "goto service-")),
        "no node masquerade": _in_chains("service-", _without("saddr != .* jump mark-for-masquerade")),
    },
}


def spoil(mode: str, mistake: str, texts: dict[str, str]) -> dict[str, str]:
    """Every node's rules, with a mistake in them."""
    wrong = {node: WRONG[mode][mistake](text) for node, text in texts.items()}
    assert wrong != texts, f"{mistake}: the edit found nothing"
    return wrong
