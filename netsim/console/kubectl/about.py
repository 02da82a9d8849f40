"""Verbs that tell of the cluster as a whole: version, cluster-info, api-resources, explain, events, top.

There is no metrics server, so `top` says what it says without one. Source: kubectl pkg/cmd (version, clusterinfo,
apiresources, explain, events, top).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netsim.api.objects import Object
from netsim.api.query import kind_of
from netsim.api.schema import Type, fields, kinds
from netsim.api.tables.ages import age
from netsim.api.tables.layout import TABLE, align
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.served import is_served
from netsim.console.kubectl.verb import ALL_NAMESPACES, OUTPUT, SELECTOR, Verb, minor, namespace_of
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

KUSTOMIZE = {31: "v5.4.2", 32: "v5.5.0", 33: "v5.6.0", 34: "v5.7.1", 35: "v5.7.1", 36: "v5.7.1"}
"""The Kustomize inside each kubectl."""


def version(lab: Lab, call: Call, output: Output) -> None:
    """Client and server."""
    own = lab.simulation.document.cluster.version
    output.line(f"Client Version: v{own}.0")
    output.line(f"Kustomize Version: {KUSTOMIZE[minor(lab)]}")
    output.line(f"Server Version: v{own}.0")


def cluster_info(lab: Lab, call: Call, output: Output) -> None:
    """Where the control plane and DNS are."""
    url = lab.context.url
    output.line(f"Kubernetes control plane is running at {url}")
    if lab.store.get("Service", "kube-system", "kube-dns"):
        output.line(f"CoreDNS is running at {url}/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy")
    output.line("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")


def api_resources(lab: Lab, call: Call, output: Output) -> None:
    """Every kind, with its short names."""
    seen: dict[str, list[str]] = {}
    served = (one for one in kinds() if is_served(one, minor(lab)))
    for one in sorted(served, key=lambda one: (one.group, one.plural)):
        if call["namespaced"] is True and "namespaced" in call.given and not one.namespaced:
            continue
        row = [one.plural, ",".join(one.short_names), one.api_version, str(one.namespaced).lower(), one.name]
        seen.setdefault(one.resource, row)
    if call["output"] == "name":
        for name in seen:
            output.line(name)
        return
    rows = [["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"], *seen.values()]
    output.out("".join(f"{line}\n" for line in align(rows, **TABLE)))


WORDS = {
    "s": "string", "i": "integer", "l": "integer", "n": "number", "b": "boolean", "y": "string", "x": "IntOrString",
    "q": "Quantity", "t": "Time", "*": "Any", "o": "Object",
}  # fmt: skip


def explain(lab: Lab, call: Call, output: Output) -> None:
    """The fields of a kind, or of a field of it, with their types."""
    if not call.words:
        raise Failure("error: You must specify the type of resource to explain. Use \"kubectl api-resources\" for a "
                      "complete list of supported resources.")  # fmt: skip
    word, *path = call.words[0].split(".")
    kind = kind_of(word)
    what = Type("#", kind.type)
    for name in path:
        found = fields(_object(what).name).get(name)
        if found is None:
            raise Failure(f'error: field "{name}" does not exist')
        what = found.type
    if kind.group:
        output.line(f"GROUP:      {kind.group}")
    output.line(f"KIND:       {kind.name}\nVERSION:    {kind.version}\n")
    if path:
        output.line(f"FIELD: {path[-1]} <{_called(what)}>\n")
    inside = fields(_object(what).name) if _object(what).code == "#" else {}
    if inside:
        output.line("FIELDS:")
    for name in sorted(inside):
        required = " -required-" if inside[name].required else ""
        output.line(f"  {name}\t<{_called(inside[name].type)}>{required}")


def _object(what: Type) -> Type:
    while what.code in "[{" and what.items is not None:
        what = what.items
    return what


def _called(what: Type) -> str:
    """A type as `kubectl explain` names it."""
    if what.code == "[" and what.items:
        return f"[]{_called(what.items)}"
    if what.code == "{" and what.items:
        return f"map[string]{_called(what.items)}"
    return what.name.rpartition(".")[2] if what.code == "#" else WORDS.get(what.code, "Object")


def events(lab: Lab, call: Call, output: Output) -> None:
    """Events in the order of time."""
    namespace = None if call["all-namespaces"] else namespace_of(lab, call)
    found = lab.store.list("Event", namespace)
    if call["for"]:
        kind, _, name = call["for"].partition("/")
        wanted = kind_of(kind).name, name
        found = [e for e in found if (e["involvedObject"]["kind"], e["involvedObject"]["name"]) == wanted]
    if call["types"]:
        found = [event for event in found if event["type"] in call["types"]]
    if not found:
        output.warn("No events found." if namespace is None else f"No events found in {namespace} namespace.")
        return
    rows = [["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]]
    rows += [_event(lab, event) for event in sorted(found, key=lambda event: event["lastTimestamp"])]
    if namespace is None:
        spaces = ["NAMESPACE", *(e["metadata"]["namespace"] for e in sorted(found, key=lambda e: e["lastTimestamp"]))]
        rows = [[space, *row] for space, row in zip(spaces, rows, strict=True)]
    output.out("".join(f"{line}\n" for line in align(rows, **TABLE)))


def _event(lab: Lab, event: Object) -> list[str]:
    about = event["involvedObject"]
    seen = age(event["lastTimestamp"], lab.now)
    if event.get("count", 1) > 1:
        seen += f" (x{event['count']} over {age(event['firstTimestamp'], lab.now)})"
    return [seen, event["type"], event["reason"], f"{about['kind']}/{about['name']}", event["message"].strip()]


MEASURED = (["pods"], ["pod"], ["po"], ["nodes"], ["node"], ["no"])


def top(lab: Lab, call: Call, output: Output) -> None:
    """`top`: what pods and nodes use is not measured."""
    if call.words[:1] not in MEASURED:
        raise Failure("error: kubectl top needs one of: pods, nodes")
    raise Failure("error: Metrics API not available")


VERBS = {
    "events": Verb(
        "List Events in the order of time",
        events,
        (ALL_NAMESPACES, Flag("for"), Flag("types", "list"), OUTPUT),
        "events [--for=TYPE/NAME]",
    ),
    "version": Verb("Say which release this is", version, (OUTPUT, Flag("client", "bool"))),
    "cluster-info": Verb("Say where the control plane and DNS are", cluster_info),
    "api-resources": Verb(
        "List all kinds, with their short names",
        api_resources,
        (OUTPUT, Flag("namespaced", "bool", default=True)),
    ),
    "explain": Verb(
        "List the fields of a kind, or of a field", explain, (Flag("recursive", "bool"),), "explain TYPE[.FIELD]"
    ),
    "top": Verb(
        "Say what pods and nodes use, where there is a metrics server",
        top,
        (SELECTOR, ALL_NAMESPACES),
        "top (pods | nodes) [NAME]",
    ),
}
