"""Text at the edges, integers inside: durations, sizes, rates, shares and Kubernetes quantities.

A duration is an integer count of nanoseconds everywhere inside netsim (`DESIGN.md`, decision 1): integer
time makes ties, comparisons and hashes exact. People write `200ms`, `40s`, `5m`, `1m30s`; tables show
seconds. Arithmetic on the text is exact (fractions, never floats), and what is finer than a nanosecond
is refused rather than rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

NS = 1
US = 1_000
MS = 1_000_000
S = 1_000_000_000
MINUTE = 60 * S
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_DURATIONS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": S, "ms": MS, "us": US, "µs": US, "ns": NS}
_SIZES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "GB": 10**9, "MB": 10**6, "kB": 1000, "B": 1}
_PERIODS = {"s": 1, "m": 60, "h": 3600}
_SUFFIXES = {
    "": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
    "P": Fraction(10**15), "E": Fraction(10**18),
    "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40),
    "Pi": Fraction(2**50), "Ei": Fraction(2**60),
}  # fmt: skip

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(GiB|MiB|KiB|GB|MB|kB|B)")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(k?)/(s|m|h)")
_BANDWIDTH = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kMGT]?)bit/s")
_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")


def parse_duration(value: Any) -> int:
    """The nanoseconds in a text such as `40s` or `1m30s`. An integer is already nanoseconds.

    >>> parse_duration("1m30s"), parse_duration("0.5ms"), parse_duration("0")
    (90000000000, 500000, 0)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    if text == "0":
        return 0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{value!r} is not a duration; write 200ms, 40s or 1m30s")
    total = sum((Fraction(number) * _DURATIONS[unit] for number, unit in parts), Fraction(0))
    if total.denominator != 1:
        raise ValueError(f"{value!r} is finer than a nanosecond")
    return int(total)


def format_duration(time: int) -> str:
    """The shortest text that reads back to the same nanoseconds.

    >>> format_duration(90 * S), format_duration(1_500_000), format_duration(0), format_duration(-2 * S)
    ('1m30s', '1500us', '0s', '-2s')
    """
    if time < 0:
        return "-" + format_duration(-time)
    if time % S:
        unit = next(unit for unit in ("ms", "us", "ns") if time % _DURATIONS[unit] == 0)
        return f"{time // _DURATIONS[unit]}{unit}"
    text = ""
    for unit in ("h", "m", "s"):
        count, time = divmod(time, _DURATIONS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def exact_duration(time: int) -> str:
    """The same time as people write it: with a fraction, rather than in a small unit.

    >>> exact_duration(223_500 * MS), exact_duration(1600 * US), exact_duration(90 * S), exact_duration(0)
    ('3m43.5s', '1.6ms', '1m30s', '0s')
    """
    minutes, rest = divmod(time, MINUTE)
    if not minutes or not rest % S:
        minutes, rest = 0, time
    if rest % S == 0:
        return format_duration(rest)
    unit = next(unit for unit in ("s", "ms", "us", "ns") if rest >= _DURATIONS[unit])
    whole, part = divmod(rest, _DURATIONS[unit])
    digits = f".{part:0{len(str(_DURATIONS[unit])) - 1}d}".rstrip("0") if part else ""
    return f"{format_duration(minutes * MINUTE) if minutes else ''}{whole}{digits}{unit}"


def moment(time: int) -> str:
    """A time since the start as messages say it: to the millisecond below, in no unit twice.

    >>> moment(259_001_280 * US), moment(90 * S), moment(11_733 * MS), moment(1500 * US), moment(0)
    ('4m19.001s', '1m30s', '11.733s', '1ms', '0s')
    """
    whole, thousandths = divmod(time // MS, 1000)
    if not thousandths or not whole:
        return format_duration(time // MS * MS)
    part = f"{thousandths:03d}".rstrip("0")
    minutes, rest = divmod(whole, 60)
    return f"{format_duration(minutes * MINUTE) if minutes else ''}{rest}.{part}s"


def seconds(time: int) -> str:
    """Nanoseconds as decimal seconds, exact, with nine places: what CSV tables hold.

    >>> seconds(1_500_000_000), seconds(-5)
    ('1.500000000', '-0.000000005')
    """
    whole, rest = divmod(abs(time), S)
    return f"{'-' if time < 0 else ''}{whole}.{rest:09d}"


def parse_size(value: Any) -> int:
    """The bytes in a text such as `10kB` or `1MiB`. An integer is already bytes.

    >>> parse_size("10kB"), parse_size("1MiB"), parse_size(7)
    (10000, 1048576, 7)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(str(value).strip())
    if not match:
        raise ValueError(f"{value!r} is not a size; write 500B, 10kB or 1MiB")
    total = Fraction(match[1]) * _SIZES[match[2]]
    if total.denominator != 1:
        raise ValueError(f"{value!r} is not a whole number of bytes")
    return int(total)


def format_size(size: int) -> str:
    """The shortest text that reads back to the same bytes.

    >>> format_size(10_000), format_size(1 << 20), format_size(1500)
    ('10kB', '1MiB', '1500B')
    """
    unit = next((u for u, n in _SIZES.items() if size and size % n == 0), "B")
    return f"{size // _SIZES[unit]}{unit}"


def parse_rate(value: Any) -> float:
    """How many a second a text such as `50/s`, `2k/s` or `3/m` says.

    >>> parse_rate("50/s"), parse_rate("3/m"), parse_rate("2k/s")
    (50.0, 0.05, 2000.0)
    """
    if isinstance(value, float):
        return value
    match = _RATE.fullmatch(str(value).strip())
    if not match or not Fraction(match[1]):
        raise ValueError(f"{value!r} is not a rate; write 50/s, 2k/s or 3/m")
    return float(Fraction(match[1]) * (1000 if match[2] else 1) / _PERIODS[match[3]])


def format_rate(rate: float) -> str:
    """The text that reads back to the same rate.

    >>> format_rate(50.0), format_rate(0.05)
    ('50/s', '0.05/s')
    """
    for unit, period in _PERIODS.items():
        text = f"{_plain(rate * period)}/{unit}"
        if len(text) < 12 and parse_rate(text) == rate:
            return text
    return f"{_plain(rate)}/s"


def parse_bandwidth(value: Any) -> int:
    """The bits per second that a text such as `10Gbit/s` says. An integer is already bits per second.

    >>> parse_bandwidth("10Gbit/s"), parse_bandwidth("1.5Mbit/s")
    (10000000000, 1500000)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = _BANDWIDTH.fullmatch(str(value).strip())
    total = Fraction(match[1]) * _SUFFIXES[match[2]] if match else Fraction(0)
    if not total or total.denominator != 1:
        raise ValueError(f"{value!r} is not a bandwidth; write 10Gbit/s or 100Mbit/s")
    return int(total)


def format_bandwidth(bits: int) -> str:
    """The shortest text that reads back to the same bandwidth.

    >>> format_bandwidth(10_000_000_000), format_bandwidth(1_500_000)
    ('10Gbit/s', '1500kbit/s')
    """
    prefix = next(p for p in ("T", "G", "M", "k", "") if bits % _SUFFIXES[p] == 0)
    return f"{bits // int(_SUFFIXES[prefix])}{prefix}bit/s"


def parse_share(value: Any) -> float:
    """A part of a whole, written `99.9%` or 0.999.

    >>> parse_share("99.9%"), parse_share(0.5)
    (0.999, 0.5)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = float(value)
    else:
        text = str(value).strip()
        try:
            share = float(Fraction(text[:-1]) / 100) if text.endswith("%") else float(Fraction(text))
        except ValueError:
            share = float("nan")
    if not 0 <= share <= 1:
        raise ValueError(f"{value!r} is not a share; write 99.9% or a number from 0 to 1")
    return share


def format_share(share: float) -> str:
    """The text that reads back to the same share.

    >>> format_share(0.999), format_share(1.0)
    ('99.9%', '100%')
    """
    text = f"{_plain(round(share * 100, 12))}%"
    return text if parse_share(text) == share else _plain(share)


def parse_quantity(value: Any) -> Fraction:
    """A Kubernetes quantity, exactly: `100m` of a CPU, `64Mi` of memory.

    Source: k8s.io/apimachinery/pkg/api/resource, the grammar in quantity.go's comment.

    >>> parse_quantity("100m"), parse_quantity("1Ki"), parse_quantity(2), parse_quantity("1e3")
    (Fraction(1, 10), Fraction(1024, 1), Fraction(2, 1), Fraction(1000, 1))
    """
    match = _QUANTITY.fullmatch(str(value).strip())
    if not match:
        raise ValueError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, suffix = match[1], match[2] or ""
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return Fraction(number + suffix)
    return Fraction(number) * _SUFFIXES[suffix]


def millicores(value: Any) -> int:
    """A CPU quantity in thousandths of a core, rounded up as the scheduler does.

    >>> millicores("100m"), millicores(2), millicores("0.5")
    (100, 2000, 500)
    """
    return -int(-parse_quantity(value) * 1000 // 1)


def whole(value: Any) -> int:
    """A quantity of bytes, pods or the like, rounded up to a whole number.

    >>> whole("64Mi"), whole("110")
    (67108864, 110)
    """
    return -int(-parse_quantity(value) // 1)


def _plain(number: float) -> str:
    """A float without exponent and without a needless `.0`."""
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
