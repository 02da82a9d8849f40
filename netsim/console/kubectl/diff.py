"""diff: what `apply` would change, line by line, in the manner of `diff -u -N`.

kubectl writes what is there and what would be there to two folders and lets `diff` compare them. Here the folders
are called LIVE and MERGED, without the random part of their names and the times of their files, so the same
question has the same answer. The exit code is 1 where anything differs. Source: kubectl pkg/cmd/diff.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from netsim.api.objects import Object
from netsim.api.times import with_times
from netsim.console.api import NoKind, StatusError
from netsim.console.flags import Call
from netsim.console.kubectl.apply import planned
from netsim.console.kubectl.create import LAST_APPLIED, refusal
from netsim.console.kubectl.files import each_written
from netsim.console.kubectl.verb import FILES, SELECTOR, Verb
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

MASK = "***"
UNWRITTEN = ("generation", "resourceVersion", "uid")


def diff(lab: Lab, call: Call, output: Output) -> None:
    """`diff -f`."""

    def compare(obj: Object, source: str) -> None:
        try:
            live, merged = planned(lab, call, obj)
        except (StatusError, NoKind) as error:
            raise Failure(refusal(error, "applying patch to", source), 2) from None
        text = difference(live, merged)
        if text:
            output.out(text)
            output.code = max(output.code, 1)

    each_written(lab, call, output, "diff", compare)


def difference(live: Object | None, merged: Object) -> str:
    """How an object would change, as `diff -u -N` prints it; nothing if it would not."""
    name = _file(merged)
    live, merged = _masked(live, merged)
    lines = list(unified_diff(_lines(live), _lines(merged), f"LIVE/{name}", f"MERGED/{name}"))
    return "".join([f"diff -u -N LIVE/{name} MERGED/{name}\n", *lines]) if lines else ""


def _file(obj: Object) -> str:
    """The file that kubectl writes an object to: `apps.v1.Deployment.default.web`."""
    metadata = obj["metadata"]
    version = obj["apiVersion"].replace("/", ".")
    return f"{version}.{obj['kind']}.{metadata.get('namespace', '')}.{metadata['name']}"


def _lines(obj: Object | None) -> list[str]:
    from netsim.api.yamltext import to_yaml

    return to_yaml(with_times(_shown(obj))).splitlines(keepends=True) if obj is not None else []


def _shown(obj: Object) -> Object:
    """The object without what is known only once it is written."""
    metadata = {name: value for name, value in obj["metadata"].items() if name not in UNWRITTEN}
    notes = {name: text for name, text in (metadata.pop("annotations", None) or {}).items() if name != LAST_APPLIED}
    return {**obj, "metadata": {**metadata, "annotations": notes} if notes else metadata}


def _masked(live: Object | None, merged: Object) -> tuple[Object | None, Object]:
    """A Secret's values are not shown, only which of them differ."""
    if merged["kind"] != "Secret":
        return live, merged
    old, new = (live or {}).get("data") or {}, merged.get("data") or {}
    changed = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    hidden = {**merged, "data": {key: f"{MASK} (after)" if key in changed else MASK for key in new}}
    if live is None:
        return None, hidden
    return {**live, "data": {key: f"{MASK} (before)" if key in changed else MASK for key in old}}, hidden


VERBS = {"diff": Verb("Show what `apply` would change", diff, (FILES, SELECTOR), "diff -f FILENAME")}
