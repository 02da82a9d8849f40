"""What `kubectl get -o` prints: tables, JSON, YAML, names, CSV, JSONPath, custom columns.

kubectl prints one object as itself and anything else as a `List` whose items are the objects; JSON is
indented by four blanks and has its keys in order; tables of several kinds follow one another with a blank
line between, kinds before the names. CSV is ours: the wide table for a spreadsheet, nothing clipped. What
kubectl sends to stderr (`No resources found`) is returned apart. Source: kubectl pkg/cmd/get.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from netsim.api import custom_columns, jsonpath
from netsim.api.objects import Object
from netsim.api.tables import (
    Table,
    View,
    narrow,
    qualified_kind,
    table,
    text,
    with_kind,
    with_labels,
    with_namespace,
)
from netsim.api.times import with_times


@dataclass(frozen=True, slots=True)
class Group:
    """The objects of one kind that are to be printed, in order."""

    kind: str
    objects: tuple[Object, ...]
    namespaced: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    """How to print: kubectl's flags."""

    output: str = ""
    namespace: str = "default"
    all_namespaces: bool = False
    no_headers: bool = False
    show_labels: bool = False
    label_columns: tuple[str, ...] = ()
    single: bool = False  # one object was asked for by name, so no List


@dataclass(frozen=True, slots=True)
class Printed:
    """What goes to stdout, and what goes to stderr."""

    text: str
    notice: str = ""


def print_groups(groups: Sequence[Group], options: Options, now: int) -> Printed:
    """Objects of one or several kinds as kubectl prints them at the instant `now`.

    A format that does not exist, or a JSONPath that does not fit the objects, raises a ValueError.
    """
    check_options(options)
    name, _, argument = options.output.partition("=")
    return OUTPUTS[name](groups, options, now, argument)


def check_options(options: Options) -> None:
    """Refuse, with a ValueError, what no objects could be printed with."""
    name, _, argument = options.output.partition("=")
    if name not in OUTPUTS or (argument and name not in ("jsonpath", "custom-columns")):
        known = ",".join(sorted(one for one in OUTPUTS if one))
        raise ValueError(
            f'unable to match a printer suitable for the output format "{options.output}", '
            f"allowed formats are: {known}"
        )
    if options.show_labels and name not in ("", "wide"):
        raise ValueError(f"--show-labels option cannot be used with {name} printer")
    if name == "jsonpath":
        _template(argument)
    if name == "custom-columns":
        custom_columns.parse(argument)


def print_objects(kind: str, objects: Iterable[Object], *, now: int, output: str = "", **options: Any) -> str:
    """Objects of one kind, as text; `options` are those of `Options`.

    >>> print(print_objects("Pod", [], now=0, output="json"), end="")
    {
        "apiVersion": "v1",
        "items": [],
        "kind": "List",
        "metadata": {
            "resourceVersion": ""
        }
    }
    """
    return print_groups([Group(kind, tuple(objects))], Options(output=output, **options), now).text


def to_json(value: Any) -> str:
    """A value as kubectl's JSON: keys in order, indented by four, and `<`, `>`, `&` escaped as Go does.

    >>> to_json({"b": "x<y", "a": []})
    '{\\n    "a": [],\\n    "b": "x\\\\u003cy"\\n}\\n'
    """
    plain = json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        plain = plain.replace(letter, f"\\u{ord(letter):04x}")
    return f"{plain}\n"


def listed(groups: Iterable[Group], single: bool = False) -> Object:
    """The one object that stands for all: itself if it was asked for alone, else a List; times as text."""
    objects = [with_times(obj) for group in groups for obj in group.objects]
    if single and len(objects) == 1:
        return objects[0]
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": objects}


# one function an output ----------------------------------------------------------------------------------


def _tables(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    wide = options.output == "wide"
    several = len(groups) > 1
    texts = []
    for group in groups:
        shown = narrow(table(group.kind, group.objects, View(now, wide)), wide)
        shown = with_kind(shown) if several else shown
        shown = with_namespace(shown) if options.all_namespaces and group.namespaced else shown
        shown = with_labels(shown, options.label_columns, options.show_labels)
        texts.append(text(shown, headers=not options.no_headers))
    separator = "" if options.no_headers else "\n"
    found = separator.join(one for one in texts if one)
    return Printed(found, "" if found else _nothing(groups, options))


def _nothing(groups: Sequence[Group], options: Options) -> str:
    if options.all_namespaces or not all(group.namespaced for group in groups):
        return "No resources found\n"
    return f"No resources found in {options.namespace} namespace.\n"


def _json(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    return Printed(to_json(listed(groups, options.single)))


def _yaml(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    from netsim.api.yamltext import to_yaml

    return Printed(to_yaml(listed(groups, options.single)))


def _names(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    objects = (obj for group in groups for obj in group.objects)
    return Printed("".join(f"{qualified_kind(obj)}/{obj['metadata']['name']}\n" for obj in objects))


def _csv(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    if len(groups) != 1:
        raise ValueError("csv prints one kind at a time")
    shown: Table = table(groups[0].kind, groups[0].objects, View(now, wide=True))
    if groups[0].namespaced and options.all_namespaces:
        shown = with_namespace(shown)
    shown = with_labels(shown, options.label_columns, every=False)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if not options.no_headers:
        writer.writerow(column.name.upper() for column in shown.columns)
    writer.writerows(shown.rows)
    return Printed(out.getvalue())


def _jsonpath(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    template = _template(argument)
    try:
        return Printed(jsonpath.evaluate(template, listed(groups, options.single)))
    except jsonpath.JsonPathError as error:
        reason = f"Error executing template: {error}"
        raise ValueError(f'error executing jsonpath "{argument}": {reason}') from None


def _custom_columns(groups: Sequence[Group], options: Options, now: int, argument: str) -> Printed:
    objects = [obj for group in groups for obj in group.objects]
    if not objects:
        return Printed("", _nothing(groups, options))
    return Printed(custom_columns.rows(custom_columns.parse(argument), objects, headers=not options.no_headers))


def _template(text: str) -> jsonpath.Template:
    if not text:
        raise ValueError("template format specified but no template given")
    try:
        return jsonpath.parse(text)
    except jsonpath.JsonPathError as error:
        raise ValueError(f"error parsing jsonpath {text}, {error}") from None


Output = Callable[[Sequence[Group], Options, int, str], Printed]

OUTPUTS: Mapping[str, Output] = MappingProxyType(
    {
        "": _tables,
        "wide": _tables,
        "json": _json,
        "yaml": _yaml,
        "name": _names,
        "csv": _csv,
        "jsonpath": _jsonpath,
        "custom-columns": _custom_columns,
    }
)
"""Every format that `-o` takes."""
