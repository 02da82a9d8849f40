"""cordon, uncordon, drain: a node that takes no new pods, and one that is emptied before work on it. (For taint
see `taints.py`.)

What `drain` must be allowed to take away is asked first: pods of DaemonSets, which come back at once; pods
that nobody would make again; pods whose data in an `emptyDir` is lost with them. The evictions themselves
are those of `netsim.control.eviction`, which asks the disruption budgets; one that is refused is tried again.
Source: kubectl pkg/cmd/drain, pkg/drain (filters.go, drain.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from netsim.api.objects import Object, controller_of, is_finished, key_of
from netsim.console.api import seconds
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.taints import TAINT_USAGE, taint
from netsim.console.kubectl.verb import DRY_RUN, SELECTOR, Verb, dry, kind, targets, time_limit
from netsim.console.output import Failure, Output
from netsim.control.eviction import RETRY, evict
from netsim.units import MINUTE, format_duration

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


# drain --------------------------------------------------------------------------------------------------


def drain(lab: Lab, call: Call, output: Output) -> None:
    """Empty these nodes, one after the other."""
    nodes = _nodes(lab, call)
    for name in nodes:
        _mark(lab, call, name, True, output)
    for position, name in enumerate(nodes):
        pods = lab.store.find("Pod", "node", name)
        problem = refused(pods, call.flags)
        if problem:
            output.warn(f'error: unable to drain node "{name}" due to error: {problem}, continuing command...')
            pending = "".join(f" {one}\n" for one in nodes[position:])
            raise Failure(f"There are pending nodes to be drained:\n{pending}{problem}")
        if warnings := warned(pods):
            output.warn(f"Warning: {warnings}")
        if call["dry-run"] == "none":
            _empty(lab, call, name, output)
        output.line(f"node/{name} drained{dry(call)}")


def _is_daemon(pod: Object) -> bool:
    owner = controller_of(pod)
    return owner is not None and owner["kind"] == "DaemonSet"


def _is_alone(pod: Object) -> bool:
    return controller_of(pod) is None and not is_finished(pod)


def _has_data(pod: Object) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    return any("emptyDir" in one for one in volumes) and not is_finished(pod) and not _is_daemon(pod)


REFUSED: Mapping[str, tuple[Callable[[Object], bool], str]] = MappingProxyType(
    {
        "ignore-daemonsets": (_is_daemon, "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"),
        "delete-emptydir-data": (
            _has_data, "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
        ),
        "force": (_is_alone, "cannot delete Pods that declare no controller (use --force to override)"),
    }
)  # fmt: skip
"""What is not taken away unless a flag allows it."""

WARNED = (
    (_is_daemon, "ignoring DaemonSet-managed Pods"),
    (_has_data, "deleting Pods with local storage"),
    (_is_alone, "deleting Pods that declare no controller"),
)


def refused(pods: list[Object], flags: Mapping[str, bool]) -> str:
    """Why these pods may not be taken away, in kubectl's words; nothing if they may."""
    held = [
        f"{words}: {_listed(pods, test)}"
        for flag, (test, words) in REFUSED.items()
        if not flags[flag] and any(map(test, pods))
    ]
    return held[0] if len(held) == 1 else f"[{', '.join(held)}]" if held else ""


def warned(pods: list[Object]) -> str:
    """What is worth a warning, though it was allowed."""
    return "; ".join(f"{words}: {_listed(pods, test)}" for test, words in WARNED if any(map(test, pods)))


def _listed(pods: list[Object], test: Callable[[Object], bool]) -> str:
    return ", ".join("/".join(key_of(pod)) for pod in sorted(pods, key=key_of) if test(pod))


def _empty(lab: Lab, call: Call, node: str, output: Output) -> None:
    """Evict the node's pods, again where it was refused, and wait until they are gone."""
    pods = sorted((pod for pod in lab.store.find("Pod", "node", node) if not _is_daemon(pod)), key=key_of)
    due: dict[int, int | None] = dict.fromkeys(range(len(pods)), 0)  # when to ask next; None: it has been granted

    def emptied() -> bool:
        for number, time in list(due.items()):
            if lab.simulation.cluster.current(pods[number]) is None:
                output.line(f"pod/{pods[number]['metadata']['name']} evicted")
                del due[number]
            elif time is not None and lab.now >= time:
                due[number] = _asked(lab, pods[number], seconds(call["grace-period"]), output)
        return not due

    limit = time_limit(lab, call, 10 * MINUTE)
    if not lab.clock.until(emptied, limit):
        late = f"global timeout reached: {format_duration(limit)}"
        output.warn(f'error: unable to drain node "{node}" due to error: {late}, continuing command...')
        raise Failure(f"There are pending nodes to be drained:\n {node}\n{late}")


def _asked(lab: Lab, pod: Object, grace: int | None, output: Output) -> int | None:
    """Ask for an eviction; when to ask again, or None if it was granted."""
    namespace, name = key_of(pod)
    output.line(f"evicting pod {namespace}/{name}")
    said = evict(lab.simulation.cluster, pod, grace)
    if said is None:
        return None
    output.warn(f'error when evicting pods/"{name}" -n "{namespace}" (will retry after 5s): {said}')
    return lab.now + RETRY


_NODES = (SELECTOR, DRY_RUN)
_DRAIN = (
    *_NODES, Flag("ignore-daemonsets", "bool"), Flag("delete-emptydir-data", "bool"), Flag("force", "bool"),
    Flag("timeout", "duration"), Flag("grace-period", "int", default=-1),
)  # fmt: skip

_TAINT = (SELECTOR, DRY_RUN, Flag("all", "bool"), Flag("overwrite", "bool"))

VERBS = {
    "cordon": Verb("Let no more pods be scheduled onto a node", cordon, _NODES, "cordon NODE"),
    "uncordon": Verb("Let pods be scheduled onto a node again", uncordon, _NODES, "uncordon NODE"),
    "taint": Verb("Mark nodes so that only pods that tolerate it are let there", taint, _TAINT, TAINT_USAGE),
    "drain": Verb("Empty a node before work on it", drain, _DRAIN, "drain NODE"),
}
