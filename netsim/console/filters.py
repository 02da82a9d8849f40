"""What stands behind a pipe: grep, head, tail, wc, sort and base64, with the options that lessons use."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from netsim.console.output import Failure, Output


def grep(words: Sequence[str], given: str, out: Output) -> None:
    """Lines that match: -i, -v, -c, -o, -E, -F, -w, and -A, -B, -C for the lines around."""
    letters, numbers, patterns = _options("grep", words, plain="ivcoEFwqn", valued="ABCe")
    patterns = patterns or [numbers.pop("e", "")]
    if not patterns[0]:
        raise Failure("Usage: grep [OPTION]... PATTERN", 2)
    lines = given.splitlines()
    expression = _expression(patterns[0], letters)
    hits = [number for number, line in enumerate(lines) if bool(expression.search(line)) != ("v" in letters)]
    out.code = 0 if hits else 1
    if "q" in letters:
        return
    if "c" in letters:
        out.line(str(len(hits)))
    elif "o" in letters:
        for number in hits:
            for found in expression.finditer(lines[number]):
                out.line(found[0])
    else:
        _around(lines, hits, numbers, out)


def _expression(pattern: str, letters: str) -> re.Pattern[str]:
    if "F" in letters:
        pattern = re.escape(pattern)
    elif "E" not in letters:  # basic expressions: \| \( \) \+ \? have the meaning, the bare ones stand for themselves
        pattern = re.sub(r"\\([|()+?{}])|([|()+?{}])", lambda m: m[1] or f"\\{m[2]}", pattern)
    if "w" in letters:
        pattern = rf"\b(?:{pattern})\b"
    try:
        return re.compile(pattern, re.IGNORECASE if "i" in letters else 0)
    except re.error as error:
        raise Failure(f"grep: {error}", 2) from None


def _around(lines: list[str], hits: list[int], numbers: Mapping[str, str], out: Output) -> None:
    """The lines that were found, with those before and after; `--` stands where some are left out."""
    both = numbers.get("C", "0")
    before, after = (_number("grep", numbers.get(letter, both)) for letter in "BA")
    shown = sorted({n for hit in hits for n in range(max(0, hit - before), min(len(lines), hit + after + 1))})
    last: int | None = None
    for number in shown:
        if last is not None and number > last + 1 and (before or after):
            out.line("--")
        out.line(lines[number])
        last = number


def head(words: Sequence[str], given: str, out: Output) -> None:
    """The first lines: -n 3, -3."""
    out.out("".join(given.splitlines(keepends=True)[: _count("head", words)]))


def tail(words: Sequence[str], given: str, out: Output) -> None:
    """The last lines: -n 3, -3, and -n +2 for all from the second on."""
    lines = given.splitlines(keepends=True)
    if any(word.startswith("+") for word in words):
        start = next(word for word in words if word.startswith("+"))
        out.out("".join(lines[_number("tail", start[1:]) - 1 :]))
        return
    count = _count("tail", words)
    out.out("".join(lines[-count:] if count else []))


def wc(words: Sequence[str], given: str, out: Output) -> None:
    """How many lines (-l), words (-w) and bytes (-c)."""
    letters, _, _ = _options("wc", words, plain="lwc")
    counts = {"l": given.count("\n"), "w": len(given.split()), "c": len(given.encode())}
    out.line(" ".join(str(counts[letter]) for letter in "lwc" if letter in (letters or "lwc")))


def sort(words: Sequence[str], given: str, out: Output) -> None:
    """The lines in order: -r backwards, -n by number, -u each once."""
    letters, _, _ = _options("sort", words, plain="rnu")
    lines = given.splitlines()
    if "u" in letters:
        lines = list(dict.fromkeys(lines))
    if "n" in letters:
        lines.sort(key=lambda line: (float(found[0]) if (found := re.match(r"\s*-?[\d.]+", line)) else 0.0, line))
    else:
        lines.sort()
    for line in reversed(lines) if "r" in letters else lines:
        out.line(line)


def base64(words: Sequence[str], given: str, out: Output) -> None:
    """The text in base64, lines of 76 letters (-w N: of N, 0: one line); -d the other way."""
    letters, numbers, _ = _options("base64", words, plain="d", valued="w")
    if "d" in letters:
        try:
            out.out(b64decode("".join(given.split()), validate=True).decode("utf-8", "replace"))
        except ValueError:
            raise Failure("base64: invalid input") from None
        return
    text = b64encode(given.encode()).decode()
    width = _number("base64", numbers.get("w", "76")) or max(len(text), 1)
    out.out("".join(f"{text[at : at + width]}\n" for at in range(0, len(text), width)))


FILTERS: Mapping[str, Callable[[Sequence[str], str, Output], None]] = MappingProxyType(
    {"grep": grep, "head": head, "tail": tail, "wc": wc, "sort": sort, "base64": base64}
)
"""Every command that reads what another one has printed."""


def _options(name: str, words: Sequence[str], plain: str, valued: str = "") -> tuple[str, dict[str, str], list[str]]:
    """Single letters, letters with values, and the other words."""
    letters, numbers, others = "", dict[str, str](), list[str]()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in valued:
                numbers[letter] = word[at + 1 :] or (rest.pop(0) if rest else "")
                break
            if letter not in plain:
                raise Failure(f"{name}: invalid option -- '{letter}'", 2)
            letters += letter
    return letters, numbers, others


def _count(name: str, words: Sequence[str]) -> int:
    text = "".join(words)
    return _number(name, text.removeprefix("-n").removeprefix("-")) if text else 10


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise Failure(f"{name}: invalid number of lines: '{text}'", 1)
    return int(text)
