"""Verbs that change objects that are there: scale, patch, edit, label, annotate, set image, replace.

`edit` has no editor here: what would be typed into it is given as a patch.
Source: kubectl pkg/cmd (scale, patch, label, annotate, set), polymorphichelpers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from netsim.api.documents import read_documents
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import WRITING, say
from netsim.console.kubectl.files import objects_in
from netsim.console.kubectl.verb import (
    ALL_NAMESPACES,
    DRY_RUN,
    FILES,
    OUTPUT,
    SELECTOR,
    Target,
    Verb,
    changed,
    each,
    is_dry,
    pairs,
    targets,
    written,
)
from netsim.console.output import Failure, Output
from netsim.errors import ScenarioError

if TYPE_CHECKING:
    from netsim.console.session import Lab

# scale ----------------------------------------------------------------------------------------------------


def scale(lab: Lab, call: Call, output: Output) -> None:
    """`scale`: how many replicas."""
    if call["replicas"] is None:
        raise Failure("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if call["replicas"] < 0:
        raise Failure("error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")

    def one(found: Target) -> None:
        old = lab.api.get(found.kind, found.namespace, found.name)
        if found.kind.name not in ("Deployment", "ReplicaSet", "StatefulSet"):
            raise Failure("Error from server (NotFound): the server could not find the requested resource")
        has = old["spec"].get("replicas", 1)
        if call["current-replicas"] is not None and has != call["current-replicas"]:
            raise Failure(f"error: Expected replicas to be {call['current-replicas']}, was {has}")
        new = changed(lab, call, found, {"spec": {"replicas": call["replicas"]}}, "merge")
        say(lab, call, new, "scaled", output)

    each(targets(lab, call, every=call["all"]), one, output)


# patch and edit -------------------------------------------------------------------------------------------


def patch(lab: Lab, call: Call, output: Output) -> None:
    """`patch -p`, and `edit --patch`."""
    text = call["patch"]
    if call["patch-file"]:
        held = lab.read(call["patch-file"])
        if held is None:
            raise Failure(f"error: unable to read patch file: open {call['patch-file']}: no such file or directory")
        text = held.decode("utf-8", "replace")
    if not text:
        raise Failure("error: must specify --patch or --patch-file containing the contents of the patch")
    if call["type"] not in ("strategic", "merge", "json"):
        raise Failure('error: --type must be one of [json merge strategic], not "' + call["type"] + '"')
    value = _read(text)
    word = "edited" if "edit" in call.flags else "patched"

    def one(found: Target) -> None:
        old = lab.api.get(found.kind, found.namespace, found.name)
        new = changed(lab, call, found, value, call["type"])
        if word == "edited" and new is old:
            output.warn("Edit cancelled, no changes made.")
            return
        say(lab, call, new, f"{word} (no change)" if new is old else word, output)

    each(targets(lab, call), one, output)


def _read(text: str) -> Any:
    try:
        documents = read_documents(text, "patch")
    except ScenarioError as error:
        raise Failure(f"error: unable to parse {text!r}: {error.problems[0].message}") from None
    return documents[0].value if documents else {}


def edit(lab: Lab, call: Call, output: Output) -> None:
    """`edit`: by a patch."""
    if not call["patch"] and not call["patch-file"]:
        raise Failure(
            "error: this prompt has no editor; say what is to change: kubectl edit svc/x --patch '{\"spec\": ...}'"
        )
    call.flags["edit"] = True
    patch(lab, call, output)


# label, annotate ------------------------------------------------------------------------------------------


def _marks(part: str, done: str) -> Any:
    """The verb that changes labels or annotations."""

    def run(lab: Lab, call: Call, output: Output) -> None:
        words = [word for word in call.words if "=" not in word and not word.endswith("-")]
        wanted = pairs([word for word in call.words if "=" in word], part)
        gone = [word[:-1] for word in call.words if "=" not in word and word.endswith("-")]
        if not wanted and not gone:
            raise Failure(f"error: at least one {part[:-1]} update is required")

        def one(found: Target) -> None:
            old = lab.api.get(found.kind, found.namespace, found.name)
            has = old["metadata"].get(part) or {}
            clash = next((name for name, value in wanted.items() if has.get(name, value) != value), None)
            if clash is not None and not call["overwrite"]:
                raise Failure(f"error: '{clash}' already has a value ({has[clash]}), and --overwrite is false")
            for name in gone:
                if name not in has:
                    output.line(f'{part[:-1]} "{name}" not found.')
            change = {**wanted, **dict.fromkeys(gone)}
            new = changed(lab, call, found, {"metadata": {part: change}}, "merge")
            removed = part == "labels" and not wanted and any(name in has for name in gone)
            said = "unlabeled" if removed else done
            say(lab, call, new, f"not {done}" if new is old and part == "labels" else said, output)

        each(targets(lab, call, words, every=call["all"]), one, output)

    return run


# set image, replace ---------------------------------------------------------------------------------------


def set_image(lab: Lab, call: Call, output: Output) -> None:
    """`set image deployment/x CONTAINER=IMAGE`."""
    images = _images([word for word in call.words if "=" in word])
    for one in targets(lab, call, [word for word in call.words if "=" not in word]):
        old = lab.api.get(one.kind, one.namespace, one.name)
        template = old["spec"].get("template", old)
        known = [container["name"] for container in template["spec"]["containers"]]
        for name in images:
            if name != "*" and name not in known:
                raise Failure(f'error: unable to find container named "{name}"')
        chosen = {name: images.get(name, images.get("*")) for name in known}
        change = {"containers": [{"name": name, "image": image} for name, image in chosen.items() if image]}
        spec = {"template": {"spec": change}} if "template" in old["spec"] else change
        new = changed(lab, call, one, {"spec": spec})
        if new is not old:
            say(lab, call, new, "image updated", output)


def _images(words: list[str]) -> dict[str, str]:
    if not words:
        raise Failure("error: at least one image update is required")
    return dict(re.split("=", word, maxsplit=1) for word in words)


def replace(lab: Lab, call: Call, output: Output) -> None:
    """`replace -f`."""
    if not call["filename"]:
        raise Failure("error: must specify one of -f and -k")
    for obj, _ in objects_in(lab, call):
        one = written(lab, call, obj)
        old = lab.api.get(one.kind, one.namespace, one.name)
        say(lab, call, lab.api.update(obj, old, dry=is_dry(call)), "replaced", output)


_PATCH = (Flag("patch", short="p"), Flag("patch-file"), Flag("type", default="strategic"), FILES, DRY_RUN, OUTPUT)
_MARKS = (
    SELECTOR, ALL_NAMESPACES, Flag("overwrite", "bool"), Flag("all", "bool"), DRY_RUN, OUTPUT, FILES,
)  # fmt: skip

VERBS = {
    "scale": Verb(
        "Say how many replicas there are to be",
        scale,
        (
            FILES, SELECTOR, Flag("replicas", "int"), Flag("current-replicas", "int"), Flag("all", "bool"),
            DRY_RUN, OUTPUT,
        ),
        "scale --replicas=COUNT TYPE/NAME",
    ),
    "patch": Verb("Change fields of objects", patch, _PATCH, "patch TYPE/NAME -p PATCH"),
    "edit": Verb("Change an object, by a patch instead of an editor", edit, _PATCH, "edit TYPE/NAME --patch PATCH"),
    "label": Verb(
        "Set labels of objects, or take them away",
        _marks("labels", "labeled"),
        _MARKS,
        "label TYPE/NAME KEY=VALUE... KEY-...",
    ),
    "annotate": Verb(
        "Set annotations of objects, or take them away",
        _marks("annotations", "annotated"),
        _MARKS,
        "annotate TYPE/NAME KEY=VALUE... KEY-...",
    ),
    "set image": Verb(
        "Change the image of a container in a template",
        set_image,
        (DRY_RUN, OUTPUT),
        "set image TYPE/NAME CONTAINER=IMAGE...",
    ),
    "replace": Verb("Put what files hold in the place of objects", replace, (FILES, *WRITING), "replace -f FILENAME"),
}  # fmt: skip
