r"""The shell's language, as much of it as lessons need: words, quotes, variables, pipes.

A line is statements, parted by `;`, `&&` or `||`; `&` after one means that the clock does not wait for it.
A statement is commands parted by `|`, a command is words. `'...'` is taken as it stands, in `"..."` and
outside of quotes `$NAME`, `${NAME}` and `$(command)` are replaced, `\` takes the next character as it is or, at the
end of a line, lets it go on in the next, and a word that begins with `#` is a comment up to the end of the line.
`NAME=value` by itself sets a variable.

Left out: redirection, globs, loops, functions. Source: POSIX.1-2017, Shell Command Language, 2.2 and 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from netsim.console.output import Failure

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONTINUED = "\\\n"  # gone before words are made
BREAKS = ("&&", "||", ";", "&", "|", "\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: its text, or (`kind` is variable or command) what is to be put in its place."""

    kind: str
    text: str
    quoted: bool = False


Word = tuple[Piece, ...]
Lookup = Callable[[str], str]


@dataclass
class Statement:
    """Commands whose outputs feed one another."""

    commands: list[list[Word]] = field(default_factory=list)
    condition: str = ""  # "&&" or "||": whether it is run depends on how the one before has ended
    waits: bool = True  # the clock goes on until the cluster has come to rest


def parse(line: str) -> list[Statement]:
    """The statements of a line.

    >>> [len(one.commands) for one in parse("kubectl get po | grep x; sleep 1s")]
    [2, 1]
    """
    statements: list[Statement] = []
    current, words = Statement(), list[Word]()
    for token in [*_tokens(line), ";"]:
        if not isinstance(token, str):
            words.append(token)
            continue
        if words:
            current.commands.append(words)
            words = []
        elif token == "|" or (token in ("&&", "||") and not current.commands):
            raise Failure(f"bash: syntax error near unexpected token `{token}'", 2)
        if token == "|":
            continue
        if current.commands:
            current.waits = token != "&"
            statements.append(current)
        if current.commands or token in ("&&", "||"):
            current = Statement(condition=token if token in ("&&", "||") else "")
    return statements


def expanded(word: Word, variable: Lookup, command: Lookup) -> list[str]:
    """The words that a word becomes: what is put in unquoted is split at blanks.

    >>> word = parse("a$X").pop().commands[0][0]
    >>> expanded(word, {"X": "1 2"}.get, str)
    ['a1', '2']
    """
    words: list[str] = []
    current: str | None = None
    for piece in word:
        text = piece.text
        if piece.kind == "variable":
            text = variable(text) or ""
        elif piece.kind == "command":
            text = command(text).rstrip("\n")
        if piece.kind == "text" or piece.quoted:
            current = (current or "") + text
            continue
        parts = text.split()
        if not parts:
            continue
        current = (current or "") + parts[0]
        for part in parts[1:]:
            words.append(current)
            current = part
    return words if current is None else [*words, current]


def assignment(word: Word) -> tuple[str, Word] | None:
    """The name and value, if a word sets a variable."""
    first = word[0] if word else None
    if first is None or first.kind != "text" or first.quoted or "=" not in first.text:
        return None
    name, _, rest = first.text.partition("=")
    if not NAME.fullmatch(name):
        return None
    return name, (Piece("text", rest), *(Piece(p.kind, p.text, quoted=True) for p in word[1:]))


def _tokens(line: str) -> list[Word | str]:
    """Words, and the operators between them."""
    tokens: list[Word | str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
        elif line.startswith(CONTINUED, at):
            at += len(CONTINUED)
        elif line[at] == "#":
            at = _until(line, at, "\n")
        elif operator := next((one for one in BREAKS if line.startswith(one, at)), None):
            tokens.append(";" if operator == "\n" else operator)
            at += len(operator)
        elif line[at] in "<>":
            raise Failure("bash: redirection is not simulated", 2)
        else:
            word, at = _word(line, at)
            tokens.append(word)
    return tokens


def _until(line: str, at: int, end: str) -> int:
    found = line.find(end, at)
    return len(line) if found < 0 else found


def _word(line: str, at: int) -> tuple[Word, int]:
    pieces: list[Piece] = []
    while at < len(line) and line[at] not in " \t;&|\n<>":
        letter = line[at]
        if letter == "'":
            end = _closing(line, at + 1, "'")
            pieces.append(Piece("text", line[at + 1 : end], quoted=True))
            at = end + 1
        elif letter == '"':
            inside, at = _double_quoted(line, at + 1)
            pieces += inside
        elif letter == "$":
            piece, at = _dollar(line, at, quoted=False)
            pieces.append(piece)
        elif line.startswith(CONTINUED, at):
            at += len(CONTINUED)
        elif letter == "\\":
            pieces.append(Piece("text", line[at + 1 : at + 2], quoted=True))
            at += 2
        else:
            end = at
            while end < len(line) and line[end] not in " \t;&|\n<>'\"$\\":
                end += 1
            pieces.append(Piece("text", line[at:end]))
            at = end
    return tuple(pieces), at


def _closing(line: str, at: int, quote: str) -> int:
    end = line.find(quote, at)
    if end < 0:
        raise Failure(f"bash: syntax error: unterminated quoted string, {quote} is missing", 2)
    return end


def _double_quoted(line: str, at: int) -> tuple[list[Piece], int]:
    pieces = [Piece("text", "", quoted=True)]
    while at < len(line) and line[at] != '"':
        if line[at] == "$":
            piece, at = _dollar(line, at, quoted=True)
            pieces.append(piece)
            continue
        if line.startswith(CONTINUED, at):
            at += len(CONTINUED)
            continue
        if line[at] == "\\" and line[at + 1 : at + 2] in ("$", '"', "\\", "`"):
            at += 1
        pieces.append(Piece("text", line[at : at + 1], quoted=True))
        at += 1
    if at >= len(line):
        _closing("", 0, '"')
    return pieces, at + 1


def _dollar(line: str, at: int, quoted: bool) -> tuple[Piece, int]:
    """What a dollar sign stands for."""
    if line.startswith("$(", at):
        depth, end = 1, at + 2
        while end < len(line) and depth:
            depth += {"(": 1, ")": -1}.get(line[end], 0)
            end += 1
        if depth:
            _closing("", 0, ")")
        return Piece("command", line[at + 2 : end - 1], quoted), end
    braces = line.startswith("${", at)
    name = NAME.match(line, at + 1 + braces)
    special = line[at + 1 : at + 2]
    if name is None:
        return (Piece("variable", "?", quoted), at + 2) if special == "?" else (Piece("text", "$", True), at + 1)
    if braces and line[name.end() : name.end() + 1] != "}":
        raise Failure(f"bash: bad substitution: {line[at:]}", 2)
    return Piece("variable", name[0], quoted), name.end() + braces
