"""kubectl's flags: which there are, and what the words of a command line make of them.

`--name value`, `--name=value`, `-n value`, `-nvalue`, several single letters together (`-it`), and `--`, behind
which everything belongs to the command in the container. Flags and words may be mixed.
Source: spf13/pflag flag.go, whose messages these are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from netsim.console.output import Failure
from netsim.units import parse_duration


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `kind` is bool, text, int, duration (a text such as 30s), list (commas part its values) or array (only
    the flag itself, repeated, does); `alone` is the value of a text flag that is given none."""

    name: str
    kind: str = "text"
    short: str = ""
    default: Any = None
    alone: str | None = None
    help: str = ""

    @property
    def empty(self) -> Any:
        """Its value when it is not given."""
        if self.default is not None:
            return self.default
        return {"bool": False, "text": "", "duration": "", "int": None, "list": (), "array": ()}[self.kind]


@dataclass
class Call:
    """A command line, understood: words, flags, and what stood behind `--`."""

    words: list[str] = field(default_factory=list)
    flags: dict[str, Any] = field(default_factory=dict)
    command: list[str] | None = None
    given: set[str] = field(default_factory=set)  # the flags that were there
    stdin: str = ""  # what stands before the pipe

    def __getitem__(self, name: str) -> Any:
        return self.flags[name]


def parse(words: Sequence[str], flags: Sequence[Flag], verb: str) -> Call:
    """What the words of a verb say.

    >>> flags = [Flag("output", short="o"), Flag("stdin", "bool", "i"), Flag("tty", "bool", "t")]
    >>> call = parse(["web", "-it", "-o=wide", "--", "ls", "-l"], flags, "x")
    >>> call.words, call["output"], call["tty"], call.command
    (['web'], 'wide', True, ['ls', '-l'])
    """
    call = Call(flags={flag.name: flag.empty for flag in flags})
    names = {flag.name: flag for flag in flags}
    shorts = {flag.short: flag for flag in flags if flag.short}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            call.command = rest
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in names:
                raise _usage(f"unknown flag: --{name}", verb)
            _set(call, names[name], f"--{name}", value if equals else None, rest, verb)
        elif word.startswith("-") and len(word) > 1:
            _letters(call, word, shorts, rest, verb)
        else:
            call.words.append(word)
    return call


def _letters(call: Call, word: str, shorts: dict[str, Flag], rest: list[str], verb: str) -> None:
    text = word[1:]
    while text:
        letter, text = text[0], text[1:]
        flag = shorts.get(letter)
        if flag is None:
            raise _usage(f"unknown shorthand flag: {letter!r} in {word}", verb)
        written = f"{letter!r} in -{letter}"
        if flag.kind == "bool" and not text.startswith("="):
            _set(call, flag, written, None, rest, verb)
            continue
        _set(call, flag, written, text.removeprefix("=") if text else None, rest, verb)
        return


def _set(call: Call, flag: Flag, written: str, value: str | None, rest: list[str], verb: str) -> None:
    if value is None and flag.kind == "bool":
        value = "true"
    if value is None and flag.alone is not None:
        value = flag.alone
    if value is None:
        if not rest:
            raise _usage(f"flag needs an argument: {written}", verb)
        value = rest.pop(0)
    call.given.add(flag.name)
    if flag.kind in ("list", "array"):
        call.flags[flag.name] = (*call.flags[flag.name], *(value.split(",") if flag.kind == "list" else [value]))
    else:
        call.flags[flag.name] = _value(flag, value, verb)


TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


def _value(flag: Flag, value: str, verb: str) -> Any:
    shown = f"-{flag.short}, --{flag.name}" if flag.short else f"--{flag.name}"
    invalid = f'invalid argument "{value}" for "{shown}" flag'
    wrong = f"{invalid}: strconv"
    if flag.kind == "int":
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise _usage(f'{wrong}.ParseInt: parsing "{value}": invalid syntax', verb)
        return int(value)
    if flag.kind == "bool":
        if value not in TRUE + FALSE:
            raise _usage(f'{wrong}.ParseBool: parsing "{value}": invalid syntax', verb)
        return value in TRUE
    if flag.kind == "duration":
        try:
            parse_duration(value)
        except ValueError:
            raise _usage(f'{invalid}: time: invalid duration "{value}"', verb) from None
    return value


def _usage(message: str, verb: str) -> Failure:
    return Failure(f"error: {message}\nSee 'kubectl {verb} --help' for usage.")
