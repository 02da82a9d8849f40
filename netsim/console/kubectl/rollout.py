"""rollout: how far a Deployment, StatefulSet or DaemonSet has come, what it has been, back to that, and once more.

Source: kubectl pkg/cmd/rollout; pkg/polymorphichelpers (objectpauser.go, objectresumer.go, objectrestarter.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.api.tables.layout import PAGE, align
from netsim.api.times import rfc3339
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import say
from netsim.console.kubectl.revisions import gone_back, revisions, to_go_back_to
from netsim.console.kubectl.rollout_status import PROGRESS
from netsim.console.kubectl.verb import (
    DRY_RUN,
    OUTPUT,
    SELECTOR,
    Target,
    Verb,
    changed,
    is_dry,
    shown,
    targets,
    time_limit,
)
from netsim.console.output import Failure, Output
from netsim.units import MINUTE

if TYPE_CHECKING:
    from netsim.console.session import Lab

RESTARTED = "kubectl.kubernetes.io/restartedAt"
PATIENCE = 15 * MINUTE  # kubectl itself would wait for ever
PAUSED = "cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"


def status(lab: Lab, call: Call, output: Output) -> None:
    """`rollout status`: follow it to its end."""
    for one in _workloads(lab, call, "no status viewer has been implemented for {}"):
        _follow(lab, call, one, output)


def _follow(lab: Lab, call: Call, one: Target, output: Output) -> None:
    said = ""

    def done() -> bool:
        nonlocal said
        text, over = PROGRESS[one.kind.name](lab.api.get(one.kind, one.namespace, one.name))
        if text != said:
            said = text
            output.line(text)
        return over

    if not call["watch"]:
        done()
    elif not lab.clock.until(done, time_limit(lab, call, PATIENCE)):
        raise Failure("error: timed out waiting for the condition")


def history(lab: Lab, call: Call, output: Output) -> None:
    """`rollout history`."""
    number = call["revision"] or 0
    if number < 0:
        raise Failure(f"error: revision must be a positive integer: {number}")
    for one in _workloads(lab, call, 'no history viewer has been implemented for "{}"'):
        workload = lab.api.get(one.kind, one.namespace, one.name)
        kept = revisions(lab, workload)
        if number and number not in kept:
            raise Failure("error: unable to find the specified revision")
        if number:
            output.out(f"{shown(workload)} with revision #{number}\n{kept[number].page}\n")
            continue
        rows = [["REVISION", "CHANGE-CAUSE"], *([str(number), revision.cause] for number, revision in kept.items())]
        output.out(f"{shown(workload)} \n" + "".join(f"{line}\n" for line in align(rows, **PAGE)) + "\n")


def undo(lab: Lab, call: Call, output: Output) -> None:
    """`rollout undo`: the template of the revision before, or of a given one."""
    number = call["to-revision"] or 0
    for one in _workloads(lab, call, 'no rollbacker has been implemented for "{}"'):
        old = lab.api.get(one.kind, one.namespace, one.name)
        new = gone_back(old, to_go_back_to(old, revisions(lab, old), number))
        if new["spec"]["template"] == old["spec"]["template"]:
            say(lab, call, old, f"skipped rollback (current template already matches revision {number})", output)
        elif old["spec"].get("paused"):
            raise Failure(f"error: {PAUSED}")
        else:
            say(lab, call, lab.api.update(new, old, dry=is_dry(call)), "rolled back", output)


def restart(lab: Lab, call: Call, output: Output) -> None:
    """`rollout restart`: new pods from the same template."""
    for one in _named(lab, call):
        old = lab.api.get(one.kind, one.namespace, one.name)
        if one.kind.name not in PROGRESS:
            raise Failure(f'error: {one.kind.resource} "{one.name}" restarting is not supported')
        if old["spec"].get("paused"):
            why = "can't restart paused deployment (run rollout resume first)"
            raise Failure(f'error: {one.kind.resource} "{one.name}" {why}')
        notes = {"metadata": {"annotations": {RESTARTED: rfc3339(lab.now)}}}
        new = changed(lab, call, one, {"spec": {"template": notes}})
        say(lab, call, new, "restarted", output)


def pause(lab: Lab, call: Call, output: Output) -> None:
    """`rollout pause`: changes to the template are kept for later."""
    _hold(lab, call, True, output)


def resume(lab: Lab, call: Call, output: Output) -> None:
    """`rollout resume`: what was kept for later is rolled out."""
    _hold(lab, call, False, output)


def _hold(lab: Lab, call: Call, paused: bool, output: Output) -> None:
    for one in _named(lab, call):
        old = lab.api.get(one.kind, one.namespace, one.name)
        what = f'{one.kind.resource} "{one.name}"'
        if one.kind.name != "Deployment":
            raise Failure(f"error: {what} {'pausing' if paused else 'resuming'} is not supported")
        if bool(old["spec"].get("paused")) == paused:
            raise Failure(f"error: {what} is {'already' if paused else 'not'} paused")
        new = changed(lab, call, one, {"spec": {"paused": paused or None}}, "merge")
        say(lab, call, new, "paused" if paused else "resumed", output)


def _workloads(lab: Lab, call: Call, otherwise: str) -> list[Target]:
    """What the words mean, if it is of a kind that is rolled out; `otherwise` is what to say if not."""
    found = _named(lab, call)
    for one in found:
        if one.kind.name not in PROGRESS:
            group_kind = f"{one.kind.name}.{one.kind.group}" if one.kind.group else one.kind.name
            raise Failure(f"error: {otherwise.format(group_kind)}")
    return found


def _named(lab: Lab, call: Call) -> list[Target]:
    """The objects that the words name; all of a kind, if they name a kind alone."""
    if not call.words:
        raise Failure("error: required resource not specified")
    return targets(lab, call, every=len(call.words) == 1 and "/" not in call.words[0])


_SAYING = (DRY_RUN, OUTPUT, SELECTOR)

VERBS = {
    "rollout status": Verb(
        "Follow a rollout to its end",
        status,
        (Flag("watch", "bool", "w", True), Flag("timeout", "duration")),
        "rollout status TYPE/NAME",
    ),
    "rollout history": Verb(
        "List the revisions of a workload", history, (Flag("revision", "int"),), "rollout history TYPE/NAME"
    ),
    "rollout undo": Verb(
        "Go back to an earlier revision", undo, (Flag("to-revision", "int"), *_SAYING), "rollout undo TYPE/NAME"
    ),
    "rollout pause": Verb("Keep changes of a template for later", pause, _SAYING, "rollout pause TYPE/NAME"),
    "rollout resume": Verb("Roll out what was kept for later", resume, _SAYING, "rollout resume TYPE/NAME"),
    "rollout restart": Verb(
        "Replace all pods by new ones of the same template", restart, _SAYING, "rollout restart TYPE/NAME"
    ),
}
