"""get and describe: what the store holds, in kubectl's tables and formats.

A question is parsed into a `Query`, answered by `netsim.api.query` and printed by `netsim.api.printing`;
`netsim get` takes the same steps. With `-w` the rows of what changes follow as it changes, until the cluster
has come to rest (or as long as `timeout` says). Source: kubectl pkg/cmd/get, pkg/cmd/describe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netsim.api import selectors
from netsim.api.describe import describe
from netsim.api.jsonpath import JsonPathError, find
from netsim.api.objects import Object, labels_of, name_of
from netsim.api.printing import Group, Options, check_options, print_groups
from netsim.api.query import Query, answer, check, parse_words
from netsim.api.store import Change
from netsim.api.tables import Table, View, narrow, table, with_kind, with_labels, with_namespace
from netsim.console.flags import Call, Flag
from netsim.console.kubectl.files import objects_in
from netsim.console.kubectl.served import check_field_labels
from netsim.console.kubectl.verb import (
    ALL_NAMESPACES,
    FILES,
    OUTPUT,
    SELECTOR,
    Target,
    Verb,
    minor,
    namespace_of,
    targets,
)
from netsim.console.output import Failure, Output

if TYPE_CHECKING:
    from netsim.console.session import Lab

DEPRECATED = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


def get(lab: Lab, call: Call, output: Output) -> None:
    """`get`."""
    query, options = understood(lab, call)
    if minor(lab) >= 33 and any(one.kind.name == "Endpoints" for one in query.wanted):
        output.warn(DEPRECATED)
    found = answer(query, lab.store)
    if any(group.objects for group in found.groups) or not found.missing:
        groups = [_sorted(group, call["sort-by"]) for group in found.groups]
        try:
            printed = print_groups(groups, options, lab.now)
        except ValueError as error:
            raise Failure(f"error: {error}") from None
        if call["watch"] or call["watch-only"]:
            _watch(lab, query, options, [] if call["watch-only"] else list(found.groups[0].objects), output)
            return
        output.out(printed.text)
        if not call["ignore-not-found"]:
            output.err(printed.notice)
    for message in found.missing if not call["ignore-not-found"] else ():
        output.warn(f"Error from server (NotFound): {message}")
        output.code = 1


def understood(lab: Lab, call: Call) -> tuple[Query, Options]:
    """The question, and how its answer is to be printed."""
    words = call.words
    if call["filename"]:
        words = [f"{obj['kind'].lower()}/{obj['metadata']['name']}" for obj, _ in objects_in(lab, call)]
    query = Query(
        parse_words(words) if words else _nothing_named(),
        namespace=namespace_of(lab, call),
        all_namespaces=call["all-namespaces"],
        selector=call["selector"],
        field_selector=call["field-selector"],
    )
    check(query)
    check_field_labels(query)
    options = Options(
        output=call["output"],
        namespace=query.namespace,
        all_namespaces=query.all_namespaces,
        no_headers=call["no-headers"],
        show_labels=call["show-labels"],
        label_columns=call["label-columns"],
        single=query.single,
    )
    try:
        check_options(options)
    except ValueError as error:
        raise Failure(f"error: {error}") from None
    return query, options


def _sorted(group: Group, path: str) -> Group:
    """The objects of a group in the order of a field; those without it come first."""
    if not path:
        return group
    path = path if path.startswith("{") else "{" + (path if path.startswith(".") else f".{path}") + "}"

    def place(obj: Object) -> tuple[int, Any]:
        values = find(path, obj)
        return (0, 0) if not values else (1, values[0]) if isinstance(values[0], int) else (2, str(values[0]))

    try:
        return Group(group.kind, tuple(sorted(group.objects, key=place)), group.namespaced)
    except JsonPathError as error:
        raise Failure(f"error: {error}") from None


def _nothing_named() -> Any:
    raise Failure(
        'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported '
        'resources.\n\nerror: Required resource not specified.\nUse "kubectl explain <resource>" for a detailed '
        "description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples"
    )


# watching ----------------------------------------------------------------------------------------------


class Rows:
    """Rows that come one after the other: columns never get narrower than they were."""

    def __init__(self, kind: str, query: Query, options: Options, output: Output) -> None:
        self.kind, self.query, self.options, self.output = kind, query, options, output
        self.widths: list[int] = []
        self.headed = options.no_headers

    def show(self, objects: list[Object], now: int) -> None:
        """Print the rows of these objects as they are, or in another format each of them for itself."""
        if self.options.output not in ("", "wide"):
            for obj in objects:
                group = Group(self.kind, (obj,))
                self.output.out(print_groups([group], replace(self.options, single=True), now).text)
                self.options = replace(self.options, no_headers=True)
            return
        shown = self._table(objects, now)
        if not shown.rows:
            return
        rows = [list(row) for row in shown.rows]
        if not self.headed:
            rows.insert(0, [column.name.upper() for column in shown.columns])
            self.headed = True
        self.widths = self.widths or [6] * len(shown.columns)
        for row in rows:
            self.widths = [max(width, len(cell) + 3) for width, cell in zip(self.widths, row, strict=True)]
        for row in rows:
            padded = [cell.ljust(width) for cell, width in zip(row[:-1], self.widths, strict=False)]
            self.output.line("".join(padded) + row[-1])

    def _table(self, objects: list[Object], now: int) -> Table:
        wide = self.options.output == "wide"
        shown = narrow(table(self.kind, objects, View(now, wide)), wide)
        if len(self.query.wanted) > 1:
            shown = with_kind(shown)
        if self.options.all_namespaces:
            shown = with_namespace(shown)
        return with_labels(shown, self.options.label_columns, self.options.show_labels)


def _watch(lab: Lab, query: Query, options: Options, present: list[Object], output: Output) -> None:
    """Print what is there, then what changes."""
    if len(query.wanted) > 1:
        raise Failure("error: you may only specify a single resource type")
    wanted = query.wanted[0]
    rows = Rows(wanted.kind.name, query, options, output)
    rows.show(present, lab.now)
    chosen, by_field = selectors.parse(query.selector), selectors.parse_fields(query.field_selector)
    namespace = query.namespace if wanted.kind.namespaced and not query.all_namespaces else None

    def changed(change: Change) -> None:
        obj = change.object
        if wanted.names and obj["metadata"]["name"] not in wanted.names:
            return
        if namespace is not None and obj["metadata"].get("namespace") != namespace:
            return
        if chosen(labels_of(obj)) and by_field(obj):
            rows.show([obj], lab.now)

    end = lab.watches.follow(wanted.kind.name, changed)
    if lab.limit is None:
        lab.clock.settle()
    else:
        lab.clock.sleep(lab.limit)
    end()


# describe -----------------------------------------------------------------------------------------------


def describe_objects(lab: Lab, call: Call, output: Output) -> None:
    """`describe`."""
    words = call.words
    if call["filename"]:
        words = [f"{obj['kind'].lower()}/{obj['metadata']['name']}" for obj, _ in objects_in(lab, call)]
    if not words:
        raise Failure("error: You must specify the type of resource to describe. Use \"kubectl api-resources\" for a "
                      "complete list of supported resources.")  # fmt: skip
    named = "/" in words[0] or len(words) > 1
    wanted = targets(lab, call, words, every=not named)
    if not wanted:
        namespace = namespace_of(lab, call)
        output.warn("No resources found" if call["all-namespaces"] else f"No resources found in {namespace} namespace.")
    for target in wanted:
        for obj in _meant(lab, target):
            output.out(("\n\n" if output.parts else "") + describe(obj, lab.store.list, lab.now))


def _meant(lab: Lab, target: Target) -> list[Object]:
    """The object of that name, else those whose names begin like that."""
    found = lab.store.get(target.kind.name, target.namespace, target.name)
    if found is not None:
        return [found]
    like = [one for one in lab.api.list(target.kind, target.namespace) if name_of(one).startswith(target.name)]
    return like or [lab.api.get(target.kind, target.namespace, target.name)]


_LOOKING = (SELECTOR, ALL_NAMESPACES, FILES)

VERBS = {
    "get": Verb(
        "List objects, or show some of them",
        get,
        (
            *_LOOKING, OUTPUT, Flag("field-selector"), Flag("watch", "bool", "w"), Flag("watch-only", "bool"),
            Flag("show-labels", "bool"), Flag("label-columns", "list", "L"), Flag("no-headers", "bool"),
            Flag("ignore-not-found", "bool"), Flag("show-kind", "bool"), Flag("sort-by"),
        ),
        "get TYPE[/NAME] [NAME...]",
    ),
    "describe": Verb(
        "Tell everything about objects, and what happened to them",
        describe_objects,
        (*_LOOKING, Flag("show-events", "bool", default=True)),
        "describe TYPE[/NAME] [NAME...]",
    ),
}  # fmt: skip
