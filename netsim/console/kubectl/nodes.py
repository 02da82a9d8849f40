"""cordon, uncordon, drain: a node that takes no new pods, and one that is emptied before work on it.

Source: kubectl pkg/drain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.console.flags import Call
from netsim.console.kubectl.verb import DRY_RUN, SELECTOR, Verb, dry, kind, targets
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab


def cordon(lab: Lab, call: Call, output: Output) -> None:
    """No new pods for these nodes."""
    for name in _nodes(lab, call):
        _mark(lab, call, name, True, output)


def uncordon(lab: Lab, call: Call, output: Output) -> None:
    """New pods again for these nodes."""
    for name in _nodes(lab, call):
        _mark(lab, call, name, False, output)


def _nodes(lab: Lab, call: Call) -> list[str]:
    if not call.words and not call["selector"]:
        raise Failure("error: USAGE: NODE [flags]")
    return [one.name for one in targets(lab, call, ["nodes", *(word.removeprefix("node/") for word in call.words)])]


def _mark(lab: Lab, call: Call, name: str, off: bool, output: Output) -> None:
    """Set `spec.unschedulable`, and say what that did."""
    of = kind("v1", "Node")
    old = lab.api.get(of, "", name)
    done = "cordoned" if off else "uncordoned"
    if bool(old["spec"].get("unschedulable")) == off:
        output.line(f"node/{name} already {done}{dry(call)}")
        return
    if call["dry-run"] == "none":
        lab.api.patch(of, "", name, {"spec": {"unschedulable": True if off else None}}, "merge")
    output.line(f"node/{name} {done}{dry(call)}")


_NODES = (SELECTOR, DRY_RUN)

VERBS = {
    "cordon": Verb("Mark node as unschedulable", cordon, _NODES, "cordon NODE"),
    "uncordon": Verb("Mark node as schedulable", uncordon, _NODES, "uncordon NODE"),
}
