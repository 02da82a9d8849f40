"""Chance has a name: a draw is a pure function of (seed, stream, entity, number).

There is no generator to share, so nothing that is added to a scenario (a client, a fault, a pod) shifts
anybody else's numbers, and two runs that differ in one fault see the same requests.

A stream is a key: 64 bits of SHA-256 over the seed, the stream's name and the entity it belongs to. A draw
is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC'11) of the
counter (number, lane, attempt) under that key. Philox is a vetted generator that needs no state: any
engine, in any order, in any process, gets the same 64 bits.

Inverse transforms use only what IEEE 754 defines exactly (+, -, *, / and the exponent), so that plain
Python, NumPy and compiled code agree to the last bit on every platform; `log` is therefore written out
here, after the algorithm of fdlibm's e_log.c (Sun Microsystems, 1993).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import core_schema

from netsim.units import format_duration, parse_duration

if TYPE_CHECKING:  # NumPy is slow to import, and reading a scenario draws nothing
    import numpy as np
    from numpy.typing import NDArray

_M0, _M1 = 0xD2511F53, 0xCD9E8D57  # Philox's two multipliers
_W0, _W1 = 0x9E3779B9, 0xBB67AE85  # and its key increments (golden ratio, sqrt(3) - 1)
_LOW = 0xFFFFFFFF
_ROUNDS = 10
_BLOCK = 1024  # draws computed at a time, at the most


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 of one counter, in plain integers: the definition the fast forms are tested against.

    >>> [f"{word:08x}" for word in philox((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        high0, low0 = divmod(_M0 * c0, 1 << 32)
        high1, low1 = divmod(_M1 * c2, 1 << 32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


def philox_block(first: int, count: int, key: int, lane: int = 0) -> NDArray[np.uint64]:
    """The 64-bit draws `first` to `first + count - 1` of a stream's lane, shape (count,)."""
    import numpy as np

    number = np.arange(first, first + count, dtype=np.uint64)
    low, shift = np.uint64(_LOW), np.uint64(32)
    c0, c1 = number & low, number >> shift
    c2, c3 = np.full_like(number, lane), np.zeros_like(number)
    k0, k1 = key & _LOW, key >> 32
    for _ in range(_ROUNDS):
        product0, product1 = np.uint64(_M0) * c0, np.uint64(_M1) * c2
        c0, c1 = (product1 >> shift) ^ c1 ^ np.uint64(k0), product1 & low
        c2, c3 = (product0 >> shift) ^ c3 ^ np.uint64(k1), product0 & low
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0 | (c1 << shift)


def stream_key(seed: int, name: str, entity: str = "") -> int:
    """The 64-bit key of a stream: its place in chance, whatever else the scenario holds."""
    digest = hashlib.sha256(f"{seed}\x1f{name}\x1f{entity}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


class Stream:
    """One lane of a named sequence of draws; neighbours are computed together, ever more at a time.

    A draw is addressed by its number (which request, say) and its attempt (which try at that request), and
    may be asked for in any order.
    """

    __slots__ = ("_bits", "_first", "_logs", "_next", "_size", "key", "lane")

    def __init__(self, key: int, lane: int = 0) -> None:
        self.key = key
        self.lane = lane
        self._first = 0
        self._size = 4
        self._bits: list[int] = []
        self._logs: list[float] = []  # of the same draws, once somebody has asked for one
        self._next = 0

    def bits(self, number: int, attempt: int = 0) -> int:
        """64 random bits: draw `number` of this lane, at that attempt."""
        if attempt:
            words = philox((number & _LOW, number >> 32, self.lane, attempt), (self.key & _LOW, self.key >> 32))
            return words[0] | words[1] << 32
        at = number - self._first
        if not 0 <= at < len(self._bits):
            self._size = min(self._size * 2, _BLOCK)
            self._first, at = number, 0
            self._bits = philox_block(number, self._size, self.key, self.lane).tolist()
            self._logs = []
        return self._bits[at]

    def exponential(self, number: int, mean: int) -> int:
        """The same as `exponential(bits(number), mean)`, with the logarithms worked out many at a time.

        >>> Stream(7).exponential(3, 1000) == exponential(Stream(7).bits(3), 1000)
        True
        """
        at = number - self._first
        if not 0 <= at < len(self._logs):
            self.bits(number)
            self._logs = logs_block(self._bits)
            at = number - self._first
        return int(self._logs[at] * mean)

    def next(self) -> int:
        """The next 64 bits, for whoever only ever draws in order (the control half does)."""
        self._next += 1
        return self.bits(self._next - 1)


@dataclass(frozen=True)
class Draws:
    """All the chance of one run.

    >>> Draws(1).stream("service", "pod-a").bits(0) == Draws(1).stream("service", "pod-a").bits(0)
    True
    """

    seed: int

    def stream(self, name: str, entity: str = "", lane: int = 0) -> Stream:
        """The stream called `name` of `entity` (a traffic source, a pod, a node); clients are its lanes."""
        return Stream(stream_key(self.seed, name, entity), lane)


def uniform(bits: int) -> float:
    """A float in [0, 1) with 53 random bits.

    >>> uniform(0), uniform(2**63)
    (0.0, 0.5)
    """
    return (bits >> 11) * 2.0**-53


def index(bits: int, count: int) -> int:
    """A whole number from 0 to count - 1 (below 2^32), by multiply and shift of the upper 32 bits.

    >>> index(0, 3), index(2**64 - 1, 3)
    (0, 2)
    """
    return ((bits >> 32) * count) >> 32


def exponential(bits: int, mean: int) -> int:
    """An exponential duration of the given mean, in whole nanoseconds.

    >>> exponential(2**63, 1_000_000)
    693147
    """
    return int(-log(1.0 - uniform(bits)) * mean)


_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LG1, _LG2 = 6.666666666666735130e-01, 3.999999999940941908e-01
_LG3, _LG4 = 2.857142874366239149e-01, 2.222219843214978396e-01
_LG5, _LG6, _LG7 = 1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01


def log(x: float) -> float:
    """The natural logarithm of a positive normal float, within one unit in the last place.

    >>> abs(log(0.5) - math.log(0.5)) <= math.ulp(math.log(0.5)), log(1.0)
    (True, 0.0)
    """
    mantissa, exponent = math.frexp(x)
    if mantissa < 0.7071067811865476:
        mantissa, exponent = mantissa * 2.0, exponent - 1
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (_LG2 + w * (_LG4 + w * _LG6))
    t2 = z * (_LG1 + w * (_LG3 + w * (_LG5 + w * _LG7)))
    r = t2 + t1
    half = 0.5 * f * f
    k = float(exponent)
    return k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f)


def logs_block(bits: list[int]) -> list[float]:
    """`-log(1 - uniform(bits))` of many draws: the operations of `log`, each on a whole column.

    >>> logs_block([0, 2**63]) == [-log(1.0), -log(0.5)]
    True
    """
    import numpy as np

    x = 1.0 - (np.array(bits, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    mantissa, exponent = np.frexp(x)
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    k = (exponent - small).astype(np.float64)
    f = mantissa - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    t1 = w * (_LG2 + w * (_LG4 + w * _LG6))
    t2 = z * (_LG1 + w * (_LG3 + w * (_LG5 + w * _LG7)))
    r = t2 + t1
    half = 0.5 * f * f
    logs: list[float] = (-(k * _LN2_HIGH - ((half - (s * (half + r) + k * _LN2_LOW)) - f))).tolist()
    return logs


_FORM = re.compile(r"([a-z]+)\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Distribution:
    """How a duration varies: `5ms`, `exponential(5ms)`, `uniform(300ms,1500ms)`.

    `constant` is always its one parameter; `exponential` has it as mean; `uniform` lies between its two.
    """

    kind: str
    parameters: tuple[int, ...]

    KINDS: ClassVar[dict[str, int]] = {"constant": 1, "exponential": 1, "uniform": 2}

    @classmethod
    def parse(cls, value: Any) -> Distribution:
        """Read the text form.

        >>> Distribution.parse("exponential(5ms)")
        Distribution(kind='exponential', parameters=(5000000,))
        """
        if isinstance(value, Distribution):
            return value
        match = _FORM.fullmatch(str(value).strip())
        if not match:
            return cls("constant", (parse_duration(value),))
        if match[1] not in cls.KINDS:
            raise ValueError(f"{match[1]!r} is not a distribution; there are {', '.join(cls.KINDS)}")
        parameters = tuple(parse_duration(part) for part in match[2].split(",") if part.strip())
        if len(parameters) != cls.KINDS[match[1]] or list(parameters) != sorted(parameters):
            raise ValueError(f"{value!r}: {match[1]} takes {cls.KINDS[match[1]]} durations in rising order")
        return cls(match[1], parameters)

    @classmethod
    def _of(cls, value: Any, info: ValidationInfo) -> Distribution:
        """The same, but a file must say the unit: only in Python is a bare number nanoseconds."""
        if info.mode == "json" and not isinstance(value, str | Distribution) and value != 0:
            raise ValueError(f"{value!r} is not a duration; write 200ms, 40s or exponential(5ms)")
        return cls.parse(value)

    def __str__(self) -> str:
        texts = [format_duration(parameter) for parameter in self.parameters]
        return texts[0] if self.kind == "constant" else f"{self.kind}({','.join(texts)})"

    def draw(self, bits: int) -> int:
        """The duration that 64 random bits stand for, in nanoseconds.

        >>> Distribution.parse("uniform(1s,2s)").draw(2**63)
        1500000000
        """
        first = self.parameters[0]
        if self.kind == "constant":
            return first
        if self.kind == "exponential":
            return exponential(bits, first)
        return first + int(uniform(bits) * (self.parameters[1] - first))

    def draw_from(self, stream: Stream, number: int, attempt: int) -> int:
        """The duration that draw `number` of a stream stands for, at that attempt."""
        if self.kind == "exponential" and not attempt:
            return stream.exponential(number, self.parameters[0])
        return self.draw(stream.bits(number, attempt))

    @property
    def mean(self) -> float:
        """The expected duration in nanoseconds."""
        return sum(self.parameters) / len(self.parameters)

    def __iter__(self) -> Iterator[int]:
        return iter(self.parameters)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._of, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        examples = ["5ms", "exponential(5ms)", "uniform(300ms,1500ms)"]
        text = {"type": "string", "pattern": r"^(0|[0-9].*[a-z]|[a-z]+\(.+\))$", "examples": examples}
        return {"anyOf": [text, {"const": 0}]}
