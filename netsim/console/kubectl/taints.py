"""taint: marks on nodes that keep pods away which do not tolerate them, set and taken away.

`KEY=VALUE:EFFECT` sets a mark, `KEY:EFFECT-` takes one away, `KEY-` all with that key. What the words ask for is
compared with what a node has; a mark with the same key and effect is changed only with `--overwrite`.
Source: kubectl pkg/cmd/taint (taint.go, utils.go), pkg/util/taints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.api.names import label_value, qualified_name
from netsim.api.objects import Object
from netsim.console.flags import Call
from netsim.console.kubectl.verb import changed, dry, each, targets
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.kubectl.verb import Target
    from netsim.console.session import Lab

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
TAINT_USAGE = "taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N"


@dataclass(frozen=True, slots=True)
class Mark:
    """A taint as a word says it."""

    key: str
    value: str = ""
    effect: str = ""

    def __str__(self) -> str:
        equals = f"={self.value}" if self.value else ""
        return f"{self.key}{equals}:{self.effect}" if self.effect else f"{self.key}{equals}"

    @property
    def stored(self) -> Object:
        """As a node's spec has it."""
        return {name: text for name in ("effect", "key", "value") if (text := getattr(self, name))}

    def is_about(self, taint: Object) -> bool:
        """Whether a node's taint has this key and, if one is given, this effect."""
        return bool(taint["key"] == self.key and self.effect in ("", taint["effect"]))


def taint(lab: Lab, call: Call, output: Output) -> None:
    """`taint nodes NAME KEY=VALUE:EFFECT`."""
    names, words = _parted(call.words)
    if not names and not call["selector"] and not call["all"]:
        raise Failure("error: at least one resource name must be specified since 'all' parameter is not set")
    if not words:
        raise Failure("error: at least one taint update is required")
    wanted, unwanted = parsed(words)

    def one(target: Target) -> None:
        old = lab.api.get(target.kind, "", target.name)["spec"].get("taints") or []
        twice = [mark.key for mark in wanted if any(mark.is_about(held) for held in old)]
        if twice and not call["overwrite"]:
            taken = f"already has {','.join(twice)} taint(s) with same effect(s) and --overwrite is false"
            raise Failure(f"error: node {target.name} {taken}")
        new = reorganized(old, wanted, unwanted)
        changed(lab, call, target, {"spec": {"taints": new or None}}, "merge")
        output.line(f"node/{target.name} {_done(wanted, unwanted, call['overwrite'])}{dry(call)}")

    each(targets(lab, call, ["nodes", *names], every=not names), one, output)


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names of nodes, and what is said of their taints."""
    if not words or words[0] not in ("node", "nodes", "no"):
        got = words[0] if words else ""
        raise Failure(f"error: invalid resource type {got}, only node types are supported")
    marks = [word for word in words[1:] if "=" in word or ":" in word or word.endswith("-")]
    return [word for word in words[1:] if word not in marks], marks


def parsed(words: Sequence[str]) -> tuple[list[Mark], list[Mark]]:
    """The taints that words set, and those that they take away.

    >>> parsed(["a=1:NoSchedule", "b:NoExecute-"])
    ([Mark(key='a', value='1', effect='NoSchedule')], [Mark(key='b', value='', effect='NoExecute')])
    """
    wanted, unwanted = [], []
    for word in words:
        mark = _mark(word.removesuffix("-"))
        if word.endswith("-"):
            unwanted.append(mark)
        elif not mark.effect:
            raise Failure(f"error: invalid taint spec: {word}")
        else:
            wanted.append(mark)
    return wanted, unwanted


def _mark(word: str) -> Mark:
    front, colon, effect = word.partition(":")
    key, equals, value = front.partition("=")
    if (colon and not effect) or ":" in effect or "=" in value:
        raise Failure(f"error: invalid taint spec: {word}")
    wrong = [*qualified_name(key), *(label_value(value) if equals else ())]
    if wrong:
        raise Failure(f"error: invalid taint spec: {word}, {wrong[0]}")
    if effect and effect not in EFFECTS:
        raise Failure(f"error: invalid taint effect: {effect}, unsupported taint effect")
    return Mark(key, value, effect)


def reorganized(old: list[Object], wanted: list[Mark], unwanted: list[Mark]) -> list[Object]:
    """The taints of a node that had others; what is to be taken away but is not there is a mistake."""
    kept = [one for one in old if not any(mark.is_about(one) for mark in wanted)]
    new = [*(mark.stored for mark in wanted), *kept]
    for mark in unwanted:
        left = [one for one in new if not mark.is_about(one)]
        if len(left) == len(new):
            raise Failure(f'error: taint "{mark}" not found')
        new = left
    return new


def _done(wanted: list[Mark], unwanted: list[Mark], overwrite: bool) -> str:
    """What kubectl calls the change."""
    if (wanted and unwanted) or overwrite:
        return "modified"
    return "tainted" if wanted else "untainted"
