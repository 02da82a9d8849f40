"""What an unfinished line may go on with: commands, verbs, kinds, names, flags, files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from netsim.api.schema import by_name, kinds
from netsim.console.kubectl import VERBS
from netsim.console.kubectl.verb import COMMON
from netsim.console.machines import NODE_PROGRAMS
from netsim.console.programs import PROGRAMS, InContainer
from netsim.console.table import COMMANDS

if TYPE_CHECKING:
    from netsim.console.session import Lab

LISTED = ("pods", "services", "deployments", "replicasets", "nodes", "endpoints", "endpointslices", "events",
          "namespaces", "configmaps", "secrets")  # fmt: skip
"""The kinds that are offered where nothing has been typed; all are once there is a letter."""


def candidates(lab: Lab, line: str) -> list[str]:
    """The whole words that may stand in the place of the last one."""
    words = line.replace("|", ";").replace("&", ";").rpartition(";")[2].lstrip().split(" ")
    *before, last = [word for word in words if word] + ([""] if line.endswith(" ") or not line.strip() else [])
    return sorted({one for one in _offers(lab, before, last) if one.startswith(last)})


def _offers(lab: Lab, before: list[str], last: str) -> Iterable[str]:
    if lab.places:
        here = PROGRAMS if isinstance(lab.places[-1][0], InContainer) else NODE_PROGRAMS
        return (*here, "exit") if not before else ()
    if not before:
        return COMMANDS
    if before[0] == "kubectl":
        return _kubectl(lab, before[1:], last)
    if before[0] in ("ssh", "power"):
        states = ("off", "on") if before == ["power"] else lab.simulation.levers.node_names()
        return NODE_PROGRAMS if before[0] == "ssh" and len(before) > 1 else states
    return _files(lab)


def _kubectl(lab: Lab, before: list[str], last: str) -> Iterable[str]:
    if not before:
        return (name.partition(" ")[0] for name in VERBS)
    name = next((text for n in (3, 2, 1) if (text := " ".join(before[:n])) in VERBS), "")
    if last.startswith("-") and name:
        return (f"--{flag.name}" for flag in (*VERBS[name].flags, *COMMON))
    if before[-1] in ("-f", "--filename"):
        return _files(lab)
    if before[-1] in ("-n", "--namespace"):
        return (obj["metadata"]["name"] for obj in lab.store.list("Namespace"))
    rest = [word for word in before[len(name.split()) :] if not word.startswith("-")]
    deeper = [one.split()[len(before)] for one in VERBS if one.startswith(" ".join(before) + " ")]
    if deeper and not name:
        return deeper
    if "/" in last:
        kind = by_name(last.partition("/")[0])
        return (f"{last.partition('/')[0]}/{one}" for one in _names(lab, kind.name if kind else ""))
    if name in ("exec", "logs", "attach"):
        return _names(lab, "Pod")
    if name in ("cordon", "uncordon", "drain"):
        return _names(lab, "Node")
    if rest and (kind := by_name(rest[0])):
        return _names(lab, kind.name)
    return (*deeper, *((one.plural for one in kinds()) if last else LISTED))


def _names(lab: Lab, kind: str) -> Iterable[str]:
    listed, here = lab.store.list(kind) if kind else (), lab.context.namespace
    return (one["metadata"]["name"] for one in listed if one["metadata"].get("namespace", here) == here)


def _files(lab: Lab) -> Iterable[str]:
    return (one.name for one in sorted(lab.folder.iterdir())) if lab.folder.is_dir() else ()
