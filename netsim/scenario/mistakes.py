"""What is wrong with the shape of a scenario, in words that help.

pydantic finds the mistakes (unknown fields, wrong types, values out of range); here each becomes a sentence
about the file: the path as the file writes it, what was found, what would do. A union such as "a number or
text" yields one error per branch; those are folded back into one. The file is judged as JSON, and strictly:
`count: "3"` and `masqueradeAll: no` (text, by YAML 1.2) are mistakes, not numbers and truths.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from netsim.api.documents import IN_QUOTES, Document
from netsim.errors import Problem
from netsim.scenario.model import ScenarioDocument

Path = tuple[str | int, ...]
_STRICTLY: dict[str, Any] = {"strict": True, "by_alias": True, "by_name": False}
_LISTED = 20  # more known fields than these are not listed
_FEW = 8  # and of other things no more than these


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong with the value at `path` of a document (with `key`: with the name that leads to it)."""

    path: Path
    message: str
    hint: str = ""
    key: bool = False

    def problem(self, document: Document) -> Problem:
        """The same with its place in the file."""
        hint = document.as_written(self.hint, self.path)
        return Problem(self.message, document.place(self.path, self.key), hint)


def read_strictly(kind: Any, raw: Any) -> Any:
    """`raw`, as read from a file, as a value of the type `kind`, or pydantic's ValidationError."""
    return TypeAdapter(kind).validate_json(json.dumps(raw), **_STRICTLY)


def understood(raw: Any) -> tuple[ScenarioDocument | None, list[Mistake]]:
    """The scenario that a file's first document means, or what is wrong with its shape."""
    mistakes = list(_strange_numbers(raw))
    try:
        document = read_strictly(ScenarioDocument, raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = {mistake.path for mistake in mistakes}
        return None, mistakes + [mistake for mistake in _explained(raw, found) if mistake.path not in told]
    return (None if mistakes else document), mistakes


def written(path: Path) -> str:
    """A path as people write it.

    >>> written(("traffic", 0, "from"))
    'traffic[0].from'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint that names the known word most like this one, or nothing.

    >>> nearest("ndoes", ["nodes", "links"]), nearest("graceTime", ["time", "grace"])
    ('did you mean nodes?', 'did you mean grace?')
    """
    text, known = str(word), list(known)
    begun = [other for other in known if text.startswith(other) and len(other) > len(text) // 2]
    close = [max(begun, key=len)] if begun else get_close_matches(text, known, n=1)
    return f"did you mean {close[0]}?" if close else ""


def one_of(what: str, word: str, known: Sequence[str]) -> str:
    """A hint that names the one that was meant, or lists all if it might be any.

    >>> one_of("nodes", "wroker-1", ["worker-1", "worker-2"]), one_of("zones", "c", ["a", "b"])
    ('did you mean worker-1?', 'zones: a, b')
    """
    known = list(dict.fromkeys(known))
    if not known:
        return f"there are no {what}"
    close = get_close_matches(word, known, n=1, cutoff=0.7)
    if close and close[0][:-1] != word[:-1]:
        return f"did you mean {close[0]}?"
    return f"{what}: {', '.join(known[:_FEW])}{', ...' if len(known) > _FEW else ''}"


def shown(value: Any) -> str:
    """A value as it may stand in a message.

    >>> shown("x"), shown(None), shown([1]), shown(1.5)
    ('"x"', 'nothing', 'a list', '1.5')
    """
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:56] + '..."'


# from pydantic's errors to mistakes ------------------------------------------------------------------


@dataclass(frozen=True)
class _Finding:
    """One of pydantic's errors, with its path cleared of the names of union branches."""

    kind: str
    path: Path
    value: Any
    context: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    union: Path | None = None  # the path of the value that no branch of a union fits
    branch: str = ""


def _explained(raw: Any, errors: Sequence[Any]) -> Iterator[Mistake]:
    findings = [_finding(raw, error) for error in errors]
    for union in dict.fromkeys(finding.union for finding in findings):
        group = [finding for finding in findings if finding.union == union]
        if union is not None and len({finding.branch for finding in group}) > 1:
            yield from _folded(raw, group)
        else:
            yield from (mistake for finding in group if (mistake := _mistake(raw, finding)))


def _finding(raw: Any, error: Mapping[str, Any]) -> _Finding:
    path: list[str | int] = []
    value, union, branch = raw, None, ""
    steps = error["loc"]
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if step in _steps(value):
            value = value[step]
        elif not (last and error["type"] == "missing"):  # the name of a branch, not a step into the file
            union, branch = tuple(path), str(step)
            continue
        path.append(step)
    return _Finding(error["type"], tuple(path), value, error.get("ctx", {}), error["msg"], union, branch)


def _steps(value: Any) -> Iterable[str | int]:
    """The steps that lead on from a value."""
    return value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()


def _folded(raw: Any, group: Sequence[_Finding]) -> Iterator[Mistake]:
    """One mistake for a value that fits no branch of a union: that of the branch which came farthest."""
    depth = max(len(finding.path) for finding in group)
    best = [finding for finding in group if len(finding.path) == depth]
    if depth > len(best[0].union or ()) or len(best) == 1:
        yield from (mistake for finding in best[:1] if (mistake := _mistake(raw, finding)))
        return
    wanted = list(dict.fromkeys(_wanted(finding) for finding in best))
    if "a number" in wanted:
        wanted = [words for words in wanted if words != "a whole number"]
    yield Mistake(
        best[0].path,
        f"{written(best[0].path)}: {' or '.join(wanted)} is wanted, found {shown(best[0].value)}",
    )


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map of fields",
    "model_attributes_type": "a map of fields",
    "dataclass_type": "a map of fields",
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge", "{}, or more"),
    "greater_than": ("more than", "gt", "a number above {}"),
    "less_than_equal": ("at most", "le", "{}, or less"),
    "less_than": ("less than", "lt", "a number below {}"),
}
_EXAMPLES: dict[Path, str] = {
    ("apiVersion",): "apiVersion: netsim/v1",
    ("kind",): "kind: Scenario",
    ("metadata",): "metadata: {name: my-scenario}",
    ("cluster",): "cluster: {nodes: [{name: worker, count: 2}]}",
}


def _wanted(finding: _Finding) -> str:
    if finding.kind == "literal_error":
        return str(finding.context["expected"]).replace("'", "")
    return _WANTED.get(finding.kind, finding.message)


def _mistake(raw: Any, finding: _Finding) -> Mistake | None:
    """The sentence for one finding; None if another finding says it already."""
    kind, path, value, context = finding.kind, finding.path, finding.value, finding.context
    name = written(path)
    at = f"{name}: " if name else ""
    if kind == "missing":
        return Mistake(path, f'missing field "{name}"', _EXAMPLES.get(path, ""), key=True)
    if kind == "extra_forbidden":
        hint = _cut_in_two(raw, path) or _known_fields(raw, path)
        return Mistake(path, f'unknown field "{name}"', hint, key=True)
    if kind == "literal_error":
        return _not_one_of(path, value, re.findall(r"'([^']*)'", context["expected"]))
    if kind == "union_tag_invalid":
        tag = str(context["discriminator"]).strip("'")
        return _not_one_of((*path, tag), context["tag"], re.findall(r"'([^']*)'", context["expected_tags"]))
    if kind == "union_tag_not_found":
        tag = str(context["discriminator"]).strip("'")
        return Mistake((*path, tag), f'missing field "{name}.{tag}"', key=True)
    if kind in _WANTED:
        return Mistake(path, f"{at}{_WANTED[kind]} is wanted, found {shown(value)}", _type_hint(kind, value))
    if kind in _LIMITS:
        words, limit, remedy = _LIMITS[kind]
        hint = f"write {remedy.format(context[limit])}"
        return Mistake(path, f"{at}must be {words} {context[limit]}, found {shown(value)}", hint)
    if kind == "too_short":
        return None if value else Mistake(path, f"{at}must not be empty")
    if kind.startswith("string_"):
        return Mistake(path, f"{at}{_bad_text(finding)}", _name_hint(str(value)))
    message, _, hint = str(context.get("error", finding.message)).partition("; ")
    if isinstance(value, str) and "(" in value and ")" not in value:
        hint = "in braces a comma ends the text; put all of it in quotes"
    return Mistake(path, at + message, hint)


def _cut_in_two(raw: Any, path: Path) -> str:
    """What to do about `{time: uniform(5ms,1ms)}`: in braces a comma ends the text, and a new field begins."""
    around = raw
    for step in path[:-1]:
        around = around[step]
    begun = [value for value in around.values() if isinstance(value, str) and "(" in value and ")" not in value]
    if not begun or not str(path[-1]).endswith(")"):
        return ""
    return f'the comma ended the text before it; put all in quotes: "{begun[-1]},{path[-1]}"'


SYNONYMS = {
    "node-crash": "node-power-loss",
    "node-down": "node-power-loss",
    "node-failure": "node-power-loss",
    "node-restart": "node-reboot",
    "node-shutdown": "node-power-loss",
    "kubelet-crash": "kubelet-stopped",
    "partition": "network-partition",
    "packet-loss": "network-loss",
    "network-latency": "network-delay",
    "latency": "network-delay",
    "bandwidth": "network-bandwidth",
    "pod-crash": "container-kill",
    "pod-failure": "container-kill",
    "pod-delete": "pod-kill",
    "zone-failure": "zone-outage",
    "drain": "node-drain",
    "cordon": "node-cordon",
    "restart": "rollout-restart",
    "rollout": "rollout-restart",
    "master": "control-plane",
}
"""What people also call things, and what they are called here."""


def _not_one_of(path: Path, value: Any, allowed: list[str]) -> Mistake:
    if isinstance(value, int | float) and not isinstance(value, bool):
        message, hint = f"text is wanted, found {shown(value)}", f'{IN_QUOTES}: "{value}"'
        hint += "" if str(value) in allowed else f"; one of: {', '.join(allowed)}"
    elif path in (("apiVersion",), ("kind",)):
        message, hint = f"{shown(value)} is not {allowed[0]}", nearest(value, allowed)
    else:
        meant = SYNONYMS.get(value) if isinstance(value, str) else None
        near = f"did you mean {meant}?" if meant in allowed else nearest(value, allowed)
        message, hint = f"there is no {shown(value)}", f"{near} one of: {', '.join(allowed)}"
    return Mistake(path, f"{written(path)}: {message}", hint.strip())


def _type_hint(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'{IN_QUOTES}: "{json.dumps(value)}"'
    if kind in ("tuple_type", "list_type"):
        return "begin each entry with a dash" if value is not None else "write its entries, or leave it out"
    if kind == "bool_type" and str(value).lower() in ("yes", "no", "on", "off", "true", "false", "y", "n"):
        return f"write {'true' if str(value).lower() in ('yes', 'on', 'true', 'y') else 'false'}"
    if kind in ("int_type", "float_type") and re.fullmatch(r"[0-9.]+", str(value)):
        return f"write {value} without quotes"
    return ""


def _bad_text(finding: _Finding) -> str:
    if finding.kind == "string_too_long":
        return f"must be at most {finding.context['max_length']} characters long"
    if finding.kind == "string_too_short":
        return "must not be empty"
    if finding.context.get("pattern", "").startswith("^[a-z0-9]"):
        return f"{shown(finding.value)} is not a name: lower-case letters, digits, '-' and '.' make one"
    return f"{shown(finding.value)} must look like {finding.context.get('pattern')}"


def _name_hint(text: str) -> str:
    name = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    return f"write {name}" if name and name != text else ""


def _strange_numbers(raw: Any, path: Path = ()) -> Iterator[Mistake]:
    """YAML can write numbers that are not finite; no field of a scenario can be one."""
    if isinstance(raw, float) and not math.isfinite(raw):
        yield Mistake(path, f"{written(path)}: a finite number is wanted, found {raw}")
    if isinstance(raw, dict | list):
        for step, value in raw.items() if isinstance(raw, dict) else enumerate(raw):
            yield from _strange_numbers(value, (*path, step))


# which fields there are ------------------------------------------------------------------------------


def _known_fields(raw: Any, path: Path) -> str:
    """A hint for an unknown field: the known one that is most like it, or all that there are."""
    known = [name for kind in _models_at(raw, path[:-1]) for name in aliases(kind)]
    if hint := nearest(path[-1], known):
        return hint
    if len(path) == 1 and (home := _home(str(path[0]))):
        return f"{path[0]} belongs in {home}: check the indentation"
    return f"known fields: {', '.join(known)}" if len(known) <= _LISTED else "`netsim schema` lists them"


def _home(field: str) -> str:
    """The part of a scenario that has a field of this name, if one alone has."""
    parts = {name: _models_in(info.annotation) for name, info in ScenarioDocument.model_fields.items()}
    homes = [name for name, models in parts.items() if any(field in aliases(model) for model in models)]
    return homes[0] if len(homes) == 1 else ""


def aliases(kind: type[BaseModel]) -> dict[str, str]:
    """A model's fields: the name in files, and the name in Python."""
    return {info.alias or name: name for name, info in kind.model_fields.items()}


def _models_at(raw: Any, path: Path) -> list[type[BaseModel]]:
    """The models that the value at `path` could be."""
    models: list[type[BaseModel]] = [ScenarioDocument]
    value = raw
    for step in path:
        value = value[step]
        if isinstance(step, str):
            found = [(kind, aliases(kind).get(step)) for kind in models]
            models = [
                m for kind, name in found if name for m in _models_in(kind.model_fields[name].annotation)
            ]
        elif isinstance(value, dict) and len(models) > 1:
            models = [kind for kind in models if _has_tag(kind, value)] or models
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _has_tag(kind: type[BaseModel], value: Mapping[str, Any]) -> bool:
    """Whether `value` says that it is of this kind of fault."""
    tag = kind.model_fields.get("action")
    return tag is not None and value.get("action") in get_args(tag.annotation)
