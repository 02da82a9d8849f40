"""Every combination of what is varied: the variants of a scenario, each checked before anything runs.

A variant is a whole scenario, validated as a file would be: its fields, its objects, and whatever must fit
together. It is kept as text (JSON documents, every default filled in), so that it can be sent to another
process or machine, and so that two that are the same have the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from netsim.control.timings import timings
from netsim.errors import Problem, ScenarioError
from netsim.scenario.load import loads
from netsim.scenario.mistakes import Path, nearest, understood, written
from netsim.scenario.scenario import Scenario
from netsim.sweep.axes import Axis, Choice
from netsim.sweep.paths import OBJECTS, changed, located

_TOLD = 20  # so many problems of different variants are listed


@dataclass(frozen=True)
class Variant:
    """One combination of values, by path as people write them, and the scenario that it makes."""

    number: int
    settings: tuple[tuple[str, str], ...]
    scenario: Scenario

    @property
    def label(self) -> str:
        """The variant in words; the scenario itself if nothing is varied."""
        return ", ".join(f"{path}={text}" for path, text in self.settings) or "as written"

    @property
    def name(self) -> str:
        """The same for tables and figures, where room is scarce: of each path only its end."""
        values = [text for _, text in self.settings]
        short = shortened([path for path, _ in self.settings])
        return " ".join(f"{path}={text}" for path, text in zip(short, values, strict=True)) or "as written"

    @cached_property
    def text(self) -> str:
        """The scenario as JSON documents, one a line: the document with all its defaults, then the objects."""
        documents = [self.scenario.document.model_dump(mode="json"), *self.scenario.objects]
        return "\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in documents)


def shortened(paths: Sequence[str]) -> list[str]:
    """The ends of these paths, as short as tells them apart.

    >>> shortened(["cluster.proxy.mode", "traffic.a.rate", "traffic.b.rate"])
    ['mode', 'a.rate', 'b.rate']
    """
    ends = [end for path in paths for end in _ends(path)]
    return [
        next(end for end in _ends(path) if ends.count(end) == 1 or end == path) for path in paths
    ]


def _ends(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]


def variants(scenario: Scenario, axes: Sequence[Axis]) -> tuple[Variant, ...]:
    """All variants, the last axis running fastest; ScenarioError tells everything that is wrong with any."""
    contents = as_written(scenario)
    columns: list[list[_Setting]] = []
    problems: list[Problem] = []
    for axis in axes:
        try:
            path = located(contents, axis.path, axis.place)
        except ScenarioError as error:
            problems += error.problems
        else:
            columns.append([_Setting(axis, path, choice, _meant(contents, path, choice)) for choice in axis.choices])
    if problems:  # of what can be found the values are judged all the same, each by itself
        rows: Iterable[tuple[_Setting, ...]] = ((setting,) for column in columns for setting in column)
    else:
        rows = product(*columns)
    found = []
    for number, row in enumerate(rows):
        try:
            found.append(_variant(contents, number, row))
        except ScenarioError as error:
            problems += _told(error, row)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems))[:_TOLD])
    return tuple(found)


@dataclass(frozen=True)
class _Setting:
    """An axis at one of its values: where that stands in the contents, and what it means there."""

    axis: Axis
    path: Path
    choice: Choice
    value: Any


def _variant(contents: Mapping[str, Any], number: int, row: Sequence[_Setting]) -> Variant:
    for setting in row:
        contents = changed(contents, setting.path, setting.value)
    return Variant(number, _settings(row), read(contents))


def _settings(row: Sequence[_Setting]) -> tuple[tuple[str, str], ...]:
    return tuple((setting.axis.path, setting.choice.text) for setting in row)


def baseline(found: Sequence[Variant], chosen: Sequence[Axis]) -> dict[int, int]:
    """Of each variant the number of the one that it is compared with.

    Where values are chosen, that is the variant that has them and is otherwise the same; where none are, it
    is the first of all.
    """
    if not chosen:
        return {variant.number: 0 for variant in found}
    wanted: dict[str, str] = {}
    for axis in chosen:
        known = list(dict.fromkeys(text for variant in found for path, text in variant.settings if path == axis.path))
        if not known:
            paths = [path for path, _ in found[0].settings]
            raise ScenarioError(Problem(f"{axis.path} is not varied", axis.place, nearest(axis.path, paths)))
        if len(axis.choices) != 1 or axis.choices[0].text not in known:
            hint = f"one of: {', '.join(known)}"
            raise ScenarioError(Problem(f"{axis.path} has no such value", axis.choices[0].place or axis.place, hint))
        wanted[axis.path] = axis.choices[0].text
    by_settings = {variant.settings: variant.number for variant in found}
    return {
        variant.number: by_settings[tuple((path, wanted.get(path, text)) for path, text in variant.settings)]
        for variant in found
    }


def read(contents: Mapping[str, Any]) -> Scenario:
    """The scenario with these contents: its document, and its objects under `objects`."""
    document = {name: value for name, value in contents.items() if name != OBJECTS}
    return loads("\n".join(json.dumps(each) for each in (document, *contents[OBJECTS])))


def as_written(scenario: Scenario) -> dict[str, Any]:
    """The contents of a scenario, ready to be varied.

    Every default is filled in, save for those that follow from another field: the cluster's timings are those
    that were given, so that a varied version or profile brings its own.
    """
    document = scenario.document.model_dump(mode="json")
    cluster = document["cluster"]
    cluster["timings"] = _given_timings(scenario, cluster)
    return {**document, OBJECTS: list(scenario.objects)}


def _given_timings(scenario: Scenario, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """The timings that the author gave, and those that are not what version and profile have by default."""
    resolved: dict[str, Any] = cluster["timings"]
    written = scenario.written if isinstance(scenario.written, Mapping) else {}
    given = (written.get("cluster") or {}).get("timings") or {}
    usual = timings(cluster["version"], cluster["profile"]).model_dump(mode="json")
    return {name: value for name, value in resolved.items() if name in given or value != usual[name]}


def _meant(contents: Mapping[str, Any], path: Path, choice: Choice) -> Any:
    """What a value means at this path: the first meaning that the scenario accepts there."""
    fits = [value for value in choice.meanings if not any(_wrong(contents, path, value))]
    if fits or len(choice.meanings) == 1:
        return (fits or choice.meanings)[0]
    wants_text = any("put it in quotes" in hint for hint in _wrong(contents, path, choice.meanings[0]))
    return choice.meanings[-1 if wants_text else 0]


def _wrong(contents: Mapping[str, Any], path: Path, value: Any) -> Iterator[str]:
    """What is wrong with a value at a path, in itself: a hint for each mistake."""
    varied = changed(contents, path, value)
    if path[0] == OBJECTS:
        try:
            read(varied)
        except ScenarioError as error:
            yield from (problem.hint or problem.message for problem in error.problems)
        return
    _, mistakes = understood({name: part for name, part in varied.items() if name != OBJECTS})
    yield from (m.hint or m.message for m in mistakes if m.path[: len(path)] == path)


def _told(error: ScenarioError, row: Sequence[_Setting]) -> Iterator[Problem]:
    """The problems of a variant, each at the value that it is about."""
    for problem in error.problems:
        about = [each for each in row if written(each.path) in problem.message] or (row if len(row) == 1 else [])
        if about:
            unknown = problem.message.startswith("unknown field")
            yield Problem(problem.message, about[0].axis.place if unknown else about[0].choice.place, problem.hint)
        else:
            label = ", ".join(f"{path}={text}" for path, text in _settings(row))
            yield Problem(f"{problem.message} (with {label})", None, problem.hint)
