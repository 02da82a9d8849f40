"""apply: what is in the files, laid over what is there; what was applied before and is no longer wanted goes.

What was applied last is kept with the object, in an annotation. Source: kubectl pkg/cmd/apply.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from netsim.api.defaults import defaulted
from netsim.api.objects import Object
from netsim.api.schema import Kind, Type
from netsim.console.api import NoKind, StatusError, as_stored
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.create import LAST_APPLIED, WRITING, create_one, refusal, say, with_last_applied
from netsim.console.kubectl.files import each_written
from netsim.console.kubectl.verb import FILES, Verb, namespace_of, written
from netsim.console.output import Failure, Output
from netsim.console.patching import ANY, applied

if TYPE_CHECKING:
    from netsim.console.session import Lab

MISSING = (
    "Warning: resource {resource} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is "
    "required by kubectl apply. kubectl apply should only be used on resources created declaratively by either "
    "kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically."
)


def apply(lab: Lab, call: Call, output: Output) -> None:
    """`apply -f`."""

    def write(obj: Object, source: str) -> None:
        try:
            _one(lab, call, obj, source, output)
        except (StatusError, NoKind) as error:
            raise Failure(refusal(error, _doing(lab, call, obj), source)) from None

    each_written(lab, call, output, "apply", write)


def _doing(lab: Lab, call: Call, obj: Object) -> str:
    try:
        return "creating" if _live(lab, call, obj) is None else "applying patch to"
    except NoKind:
        return "creating"


def _live(lab: Lab, call: Call, obj: Object) -> Object | None:
    one = written(lab, call, obj)
    return lab.store.get(one.kind.name, one.namespace, one.name)


def _one(lab: Lab, call: Call, obj: Object, source: str, output: Output) -> None:
    obj = _with_namespace(lab, call, obj)
    wanted = with_last_applied(obj)
    live = _live(lab, call, obj)
    if live is None:
        create_one(lab, call, wanted, output, source)
        return
    kind = lab.api.kind_of(obj)
    last = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if last is None:
        output.warn(MISSING.format(resource=f"{kind.plural}/{live['metadata']['name']}"))
    new = laid_over(live, wanted, last, kind)
    if call["dry-run"] == "none":
        stored = lab.api.update(new, live)
        done = "unchanged" if stored is live else "configured"
    else:
        stored, done = live, "unchanged" if new == live else "configured"
    say(lab, call, stored, done, output)


def planned(lab: Lab, call: Call, obj: Object) -> tuple[Object | None, Object]:
    """What is there, and what would be there if the object were applied; nothing is written."""
    obj = with_last_applied(_with_namespace(lab, call, obj))
    live = _live(lab, call, obj)
    if live is None:
        return None, lab.api.create(obj, namespace_of(lab, call), dry=True)
    last = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    return live, defaulted(lab.api.update(laid_over(live, obj, last, lab.api.kind_of(obj)), live, dry=True))


def laid_over(live: Object, wanted: Object, last: str | None, kind: Kind) -> Object:
    """What is there, with what is wanted laid over it and what is no longer wanted taken away."""
    before: Any = json.loads(last) if last else {}
    what = Type("#", kind.type) if kind.type else ANY
    result: Object = applied(as_stored(before), as_stored(wanted), live, what)
    return result


def _with_namespace(lab: Lab, call: Call, obj: Object) -> Object:
    """The object with the namespace that it will live in: `apply` notes it, too."""
    kind = lab.api.kind_of(obj)
    metadata = obj.get("metadata") or {}
    if not kind.namespaced or metadata.get("namespace"):
        return obj
    return {**obj, "metadata": {**metadata, "namespace": namespace_of(lab, call)}}


VERBS = {
    "apply": Verb(
        "Make objects as files say, or change them to that",
        apply,
        (FILES, *WRITING, Flag("server-side", "bool"), Flag("force-conflicts", "bool")),
        "apply -f FILENAME",
    )
}
