"""delete: objects by file, by name, or by label. (The clock waits behind it until they are gone, as kubectl does.)

Source: kubectl pkg/cmd/delete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.console.api import StatusError, seconds, told
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.files import objects_in
from netsim.console.kubectl.verb import (
    ALL_NAMESPACES,
    DRY_RUN,
    FILES,
    SELECTOR,
    Target,
    Verb,
    dry,
    each,
    is_dry,
    minor,
    targets,
    written,
)
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

AT_ONCE = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)

TELLS_WHERE = 34  # from this minor release on the answer names the namespace


def delete(lab: Lab, call: Call, output: Output) -> None:
    """`delete`."""
    grace = call["grace-period"]
    if grace == 0 and not call["force"]:
        grace = 1  # kubectl asks for a force before it means zero
    if call["now"]:
        grace = 1
    if call["force"]:
        output.warn(AT_ONCE)
        grace = 0 if grace is None else grace
    wanted = _wanted(lab, call, output)
    if not wanted and not output.code and not call["filename"]:
        output.line("No resources found")

    def one(target: Target) -> None:
        if is_dry(call):
            lab.api.get(target.kind, target.namespace, target.name)
        else:
            lab.api.delete(target.kind, target.namespace, target.name, seconds(grace))
        kind = f"{target.kind.singular}.{target.kind.group}" if target.kind.group else target.kind.singular
        place = f" from {target.namespace} namespace" if minor(lab) >= TELLS_WHERE and target.namespace else ""
        output.line(f'{kind} "{target.name}" {"force deleted" if call["force"] else "deleted"}{dry(call)}{place}')

    each(wanted, one, output)


def _wanted(lab: Lab, call: Call, output: Output) -> list[Target]:
    if call["filename"]:
        return _in_files(lab, call, output)
    if not call.words:
        raise Failure("error: You must provide one or more resources by argument or filename.")
    if len(call.words) == 1 and "/" not in call.words[0] and not call["selector"] and not call["all"]:
        raise Failure("error: resource(s) were provided, but no name was specified")
    return targets(lab, call, every=call["all"])


def _in_files(lab: Lab, call: Call, output: Output) -> list[Target]:
    found = []
    for obj, source in objects_in(lab, call):
        target = written(lab, call, obj)
        try:
            lab.api.get(target.kind, target.namespace, target.name)
        except StatusError as error:
            if not call["ignore-not-found"]:
                output.err(told(error.when("deleting", source)))
                output.code = 1
            continue
        found.append(target)
    return found


VERBS = {
    "delete": Verb(
        "Take objects away, by file, name or label",
        delete,
        (
            FILES, SELECTOR, ALL_NAMESPACES, Flag("grace-period", "int"), Flag("force", "bool"), Flag("now", "bool"),
            Flag("all", "bool"), Flag("wait", "bool", default=True), Flag("ignore-not-found", "bool"),
            Flag("cascade", default="background", alone="background"), Flag("timeout", "duration"), DRY_RUN,
        ),
        "delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    )
}  # fmt: skip
