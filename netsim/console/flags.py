"""kubectl's flags: which there are, and what the words of a command line make of them.

`--name value`, `--name=value`, `-n value`, `-nvalue`, several single letters together (`-it`), and `--`, behind
which everything belongs to the command in the container. Flags and words may be mixed.
Source: spf13/pflag flag.go, whose messages these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from netsim.console.output import Failure


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `kind` is bool, text, int or list; `alone` is the value of a text flag that is given none."""

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
        return {"bool": False, "text": "", "int": None, "list": ()}[self.kind]


@dataclass
class Call:
    """A command line, understood: words, flags, and what stood behind `--`."""

    words: list[str] = field(default_factory=list)
    flags: dict[str, Any] = field(default_factory=dict)
    command: list[str] | None = None
    given: set[str] = field(default_factory=set)  # the flags that were there

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
        flag = shorts.get(text[0])
        if flag is None:
            raise _usage(f"unknown shorthand flag: {text[0]!r} in {word}", verb)
        shown = f"-{text[0]}, --{flag.name}" if flag.kind != "bool" else f"--{flag.name}"
        text = text[1:]
        if flag.kind == "bool" and not text.startswith("="):
            _set(call, flag, shown, None, rest, verb)
            continue
        _set(call, flag, shown, text.removeprefix("=") if text else None, rest, verb)
        return


def _set(call: Call, flag: Flag, shown: str, value: str | None, rest: list[str], verb: str) -> None:
    if value is None and flag.kind == "bool":
        value = "true"
    if value is None and flag.alone is not None:
        value = flag.alone
    if value is None:
        if not rest:
            needs = shown.rpartition(" ")[2] if shown.startswith("--") else f"'{shown[1]}' in {shown[:2]}"
            raise _usage(f"flag needs an argument: {needs}", verb)
        value = rest.pop(0)
    call.given.add(flag.name)
    if flag.kind == "list":
        call.flags[flag.name] = (*call.flags[flag.name], *_listed(flag, value))
    else:
        call.flags[flag.name] = _value(flag, shown, value, verb)


def _listed(flag: Flag, value: str) -> list[str]:
    return [value] if flag.default == () and flag.name.startswith("from-") else value.split(",")


def _value(flag: Flag, shown: str, value: str, verb: str) -> Any:
    if flag.kind == "int":
        if not value.lstrip("+-").isdigit():
            wrong = f'invalid argument "{value}" for "{shown}" flag: strconv.ParseInt: parsing "{value}": '
            raise _usage(f"{wrong}invalid syntax", verb)
        return int(value)
    if flag.kind == "bool":
        if value.lower() not in ("true", "false", "1", "0", "t", "f"):
            wrong = f'invalid argument "{value}" for "{shown}" flag: strconv.ParseBool: parsing "{value}": '
            raise _usage(f"{wrong}invalid syntax", verb)
        return value.lower() in ("true", "1", "t")
    return value


def _usage(message: str, verb: str) -> Failure:
    return Failure(f"error: {message}\nSee 'kubectl {verb} --help' for usage.")
