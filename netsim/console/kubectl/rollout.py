"""rollout: how far a Deployment has come, what it has been, back to that, and once more.

Source: kubectl pkg/polymorphichelpers (rollout_status.go, history.go, rollback.go, objectrestarter.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.api.objects import Object, labels_of, name_of
from netsim.api.tables.layout import PAGE, align
from netsim.api.times import rfc3339
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import say
from netsim.console.kubectl.verb import DRY_RUN, OUTPUT, SELECTOR, Target, Verb, targets, time_limit
from netsim.console.output import Failure, Output
from netsim.units import MINUTE

if TYPE_CHECKING:
    from netsim.console.session import Lab

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
HASH = "pod-template-hash"


def status(lab: Lab, call: Call, output: Output) -> None:
    """`rollout status`: follow it to its end."""
    one = _deployment(lab, call)
    said = ""

    def done() -> bool:
        nonlocal said
        text, over = progress(lab.api.get(one.kind, one.namespace, one.name))
        if text != said:
            said = text
            output.line(text)
        return over

    if not call["watch"]:
        done()
    elif not lab.clock.until(done, time_limit(lab, call, 10 * MINUTE)):
        raise Failure("error: timed out waiting for the condition")


def progress(deployment: Object) -> tuple[str, bool]:
    """What is still to come of a rollout, and whether it is over."""
    name, found = name_of(deployment), deployment.get("status", {})
    if deployment["metadata"].get("generation", 0) > found.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...", False
    wanted = deployment["spec"].get("replicas", 1)
    updated, total = found.get("updatedReplicas", 0), found.get("replicas", 0)
    available = found.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if total > updated:
        return f"{waiting}{total - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def history(lab: Lab, call: Call, output: Output) -> None:
    """`rollout history`."""
    one = _deployment(lab, call)
    deployment = lab.api.get(one.kind, one.namespace, one.name)
    sets = revisions(lab, deployment)
    shown = f"deployment.apps/{one.name} "
    if call["revision"]:
        if call["revision"] not in sets:
            raise Failure("error: unable to find the specified revision")
        output.line(f"{shown}with revision #{call['revision']}")
        output.out(_template(sets[call["revision"]]["spec"]["template"]))
        return
    output.line(shown)
    rows = [["REVISION", "CHANGE-CAUSE"]]
    rows += [[str(n), (rs["metadata"].get("annotations") or {}).get(CAUSE, "<none>")] for n, rs in sorted(sets.items())]
    output.out("".join(f"{line}\n" for line in align(rows, **PAGE)) + "\n")


def _template(template: Object) -> str:
    lines = ["Pod Template:"]
    pairs = sorted((template["metadata"].get("labels") or {}).items())
    for number, (key, value) in enumerate(pairs):
        lines.append(f"  {'Labels:' if not number else '       '}\t{key}={value}")
    lines.append("  Containers:")
    for container in template["spec"]["containers"]:
        ports = ", ".join(f"{p['containerPort']}/{p.get('protocol', 'TCP')}" for p in container.get("ports") or ())
        lines.append(f"   {container['name']}:")
        lines += [f"    Image:\t{container.get('image', '')}", f"    Port:\t{ports or '<none>'}"]
    return "".join(f"{line}\n" for line in lines)


def revisions(lab: Lab, deployment: Object) -> dict[int, Object]:
    """The ReplicaSets of a Deployment by their revision."""
    sets = lab.store.find("ReplicaSet", "owner", deployment["metadata"]["uid"])
    return {_revision(rs): rs for rs in sets}


def _revision(replica_set: Object) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def undo(lab: Lab, call: Call, output: Output) -> None:
    """`rollout undo`: the template of the revision before, or of a given one."""
    one = _deployment(lab, call)
    deployment = lab.api.get(one.kind, one.namespace, one.name)
    sets = revisions(lab, deployment)
    to = call["to-revision"] or 0
    newest = max(sets, default=0)
    if to == 0:
        earlier = [number for number in sets if number != newest]
        if not earlier:
            raise Failure(f'error: no rollout history found for deployment "{one.name}"')
        to = max(earlier)
    if to not in sets:
        raise Failure(f"error: unable to find specified revision {to} in history")
    if to == newest:
        output.line(f"deployment.apps/{one.name} skipped rollback (current template already matches revision {to})")
        return
    template = sets[to]["spec"]["template"]
    labels = {key: value for key, value in labels_of(template).items() if key != HASH}
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    spec = {**deployment["spec"], "template": template}
    say(lab, call, lab.api.update({**deployment, "spec": spec}, deployment), "rolled back", output)
    _renumber(lab, sets[to], newest + 1)


def _renumber(lab: Lab, replica_set: Object, number: int) -> None:
    """A ReplicaSet that is taken up again gets the next number, as the Deployment controller gives it."""
    current = lab.simulation.cluster.current(replica_set)
    if current is not None:
        notes = {**(current["metadata"].get("annotations") or {}), REVISION: str(number)}
        lab.store.update({**current, "metadata": {**current["metadata"], "annotations": notes}})


def restart(lab: Lab, call: Call, output: Output) -> None:
    """`rollout restart`: new pods from the same template."""
    for one in targets(lab, call):
        notes = {"metadata": {"annotations": {RESTARTED: rfc3339(lab.now)}}}
        new = lab.api.patch(one.kind, one.namespace, one.name, {"spec": {"template": notes}})
        say(lab, call, new, "restarted", output)


def pause(lab: Lab, call: Call, output: Output) -> None:
    """`rollout pause`: changes to the template are kept for later."""
    _hold(lab, call, True, output)


def resume(lab: Lab, call: Call, output: Output) -> None:
    """`rollout resume`: what was kept for later is rolled out."""
    _hold(lab, call, False, output)


def _hold(lab: Lab, call: Call, paused: bool, output: Output) -> None:
    one = _deployment(lab, call)
    old = lab.api.get(one.kind, one.namespace, one.name)
    if bool(old["spec"].get("paused")) == paused:
        raise Failure(f'error: deployments.apps "{one.name}" is {"already" if paused else "not"} paused')
    new = lab.api.patch(one.kind, one.namespace, one.name, {"spec": {"paused": paused or None}}, "merge")
    say(lab, call, new, "paused" if paused else "resumed", output)


def _deployment(lab: Lab, call: Call) -> Target:
    if not call.words:
        raise Failure("error: required resource not specified")
    one = targets(lab, call)[0]
    if one.kind.name != "Deployment":
        raise Failure(f"error: no status viewer has been implemented for {one.kind.name}")
    return one


_SAYING = (DRY_RUN, OUTPUT, SELECTOR)

VERBS = {
    "rollout status": Verb(
        "Follow a rollout to its end",
        status,
        (Flag("watch", "bool", "w", True), Flag("timeout")),
        "rollout status TYPE/NAME",
    ),
    "rollout history": Verb(
        "List the revisions of a Deployment", history, (Flag("revision", "int"),), "rollout history TYPE/NAME"
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
