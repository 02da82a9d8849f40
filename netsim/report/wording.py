"""Numbers for people: three digits are enough, and every unit is said."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from netsim.units import MS, US, S

NOTHING = "-"


def duration(time: int | None) -> str:
    """A latency or a wait, in the unit that suits it.

    >>> [duration(time) for time in (812, 5_120_000, 59_990_000, 1_021_000_000, 48_412_345_678, None)]
    ['812 ns', '5.12 ms', '60.0 ms', '1.02 s', '48.4 s', '-']
    """
    if time is None:
        return NOTHING
    for unit, name in ((S, "s"), (MS, "ms"), (US, "µs")):
        if time >= unit:
            return f"{digits(time / unit)} {name}"
    return f"{time} ns" if time else "0 s"


def digits(number: float) -> str:
    """Three digits of a number, all of a large one.

    >>> [digits(number) for number in (1.234, 9.999, 45.25, 123.4, 24012.0)]
    ['1.23', '10.0', '45.2', '123', '24,012']
    """
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:,.{places}f}"


def instant(time: int | None) -> str:
    """A time since the run began, to the millisecond.

    >>> instant(60_000_000_000), instant(108_412_999_999), instant(None)
    ('60.000 s', '108.413 s', '-')
    """
    return NOTHING if time is None else f"{thousandths(time)} s"


def offset(time: int | None) -> str:
    """A time since something else, to the millisecond.

    >>> offset(48_412_000_000), offset(None)
    ('+48.412 s', '')
    """
    return "" if time is None else f"+{thousandths(time)} s"


def thousandths(time: int) -> str:
    """Seconds with three places, without the unit: what a column of times holds.

    >>> thousandths(60_000_000_000)
    '60.000'
    """
    whole, rest = divmod((time + MS // 2) // MS, 1000)
    return f"{whole}.{rest:03d}"


def share(part: float | None) -> str:
    """A part of a whole. What is not quite all, or not quite nothing, never looks like it.

    >>> [share(part) for part in (1.0, 0.99999, 2 / 3, 0.00001, 0.0, None)]
    ['100 %', '99.99 %', '66.67 %', '0.01 %', '0 %', '-']
    """
    if part is None:
        return NOTHING
    if part in (0, 1):
        return f"{part * 100:.0f} %"
    return f"{min(max(round(part * 10_000), 1), 9_999) / 100:.2f} %"


def count(number: int, noun: str = "") -> str:
    """How many.

    >>> count(72013), count(1, "request"), count(2, "request")
    ('72,013', '1 request', '2 requests')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}" if noun else f"{number:,}"


def some(names: Sequence[str], most: int = 3) -> str:
    """Names in a sentence.

    >>> some(["a", "b"]), some(["a", "b", "c", "d"])
    ('a, b', 'a, b, c and 1 more')
    """
    shown = names if len(names) <= most else names[:most]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(shown) + rest


def wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """A text in lines, the first and the others indented so; none ends between a number and its unit.

    >>> wrapped("last worker-4 at +46.986 s", 24)
    ['last worker-4 at', '+46.986 s']
    """
    together = re.sub(r"(?<=\d) (?=(s|ms|µs|%)(\W|$))", "\xa0", text)
    lines = textwrap.wrap(together, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]
