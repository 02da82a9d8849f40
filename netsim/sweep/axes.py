"""What is varied: `path=a,b,c`, a path into the scenario and the values that it takes one after the other.

Values are written as in the file: `50/s`, `true`, `3`, `[worker-1, worker-2]`; commas within brackets or
quotes do not part them, so `exponential(5ms),uniform(1ms,9ms)` are two. Where the scenario wants text that
looks like a number (`cluster.version=1.32`), it is text. Nothing is written `null`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netsim.api.documents import read_documents
from netsim.errors import Place, Problem, ScenarioError

_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'"


@dataclass(frozen=True)
class Choice:
    """One value of an axis: as people write it, and what that may mean, the likeliest first."""

    text: str
    meanings: tuple[Any, ...]
    place: Place | None = None


@dataclass(frozen=True)
class Axis:
    """A path and its values."""

    path: str
    choices: tuple[Choice, ...]
    place: Place | None = None

    def __post_init__(self) -> None:
        texts = [choice.text for choice in self.choices]
        twice = next((choice for i, choice in enumerate(self.choices) if choice.text in texts[:i]), None)
        if twice is not None:
            raise ScenarioError(Problem(f"{self.path} is {twice.text} twice", twice.place or self.place))
        if not texts:
            raise ScenarioError(Problem(f"{self.path} has no values", self.place))


def parsed(text: str, option: str = "--vary") -> Axis:
    """The axis that a text such as `cluster.proxy.minSyncPeriod=1s,10s` describes.

    >>> [choice.text for choice in parsed("serving.0.serviceTime=5ms,uniform(1ms,9ms)").choices]
    ['5ms', 'uniform(1ms,9ms)']
    """
    path, equals, rest = text.partition("=")
    start = Place(option, 1, 1, text)
    if not equals or not path.strip():
        raise ScenarioError(Problem(f'"{text}" does not say what to vary, or how', start, "write PATH=VALUE,VALUE"))
    choices = []
    for at, piece in _pieces(rest):
        lead = len(piece) - len(piece.lstrip())
        place = Place(option, 1, len(path) + 2 + at + lead, text)
        choices.append(Choice(piece.strip(), _meanings(piece.strip()), place))
    return Axis(path.strip(), tuple(choices), start)


def axes(vary: Mapping[str, Iterable[Any]] | Iterable[Axis]) -> tuple[Axis, ...]:
    """Axes as Python code gives them: a map from paths to values, or axes already."""
    if isinstance(vary, Mapping):
        vary = [Axis(path, tuple(_given(path, value) for value in _listed(path, values)))
                for path, values in vary.items()]  # fmt: skip
    found = tuple(vary)
    paths = [axis.path for axis in found]
    for i, axis in enumerate(found):
        if axis.path in paths[:i]:
            raise ScenarioError(Problem(f"{axis.path} is varied twice", axis.place, "give all its values at once"))
    return found


def _listed(path: str, values: Any) -> Iterable[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ScenarioError(Problem(f"{path}: a list of values is wanted", hint=f"write [{values!r}]"))
    return values


def _given(path: str, value: Any) -> Choice:
    try:
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ScenarioError(
            Problem(f"{path}: {value!r} is nothing that a scenario can hold", hint="write it as in the file")
        ) from None
    return Choice(text, (value,))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The pieces between commas, each with where it begins; not those in brackets or quotes."""
    depth, quote, begin = 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES and not text[begin:at].strip():
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
        elif letter == "," and depth <= 0:
            yield begin, text[begin:at]
            begin = at + 1
    yield begin, text[begin:]


def _meanings(text: str) -> tuple[Any, ...]:
    """What a piece of text may mean: what it is in YAML, or else the text itself."""
    if text in ("null", "~"):
        return (None,)
    try:
        documents = read_documents(text, "value")
    except ScenarioError:
        return (text,)
    if len(documents) != 1:
        return (text,)
    value = documents[0].value
    return (value,) if isinstance(value, str | dict | list) else (value, text)
