"""Tables of columns, and how they become CSV, a schema, and a DataFrame: one description for all three.

Times are integer nanoseconds here and decimal seconds with nine places in CSV, made digit by digit, so what
is written is exact. In a DataFrame they are float seconds. An empty cell means that there is no such value.

CSV is built for whole columns at a time: every column becomes a matrix of characters padded with NULs, the
matrices are set side by side, and the NULs are dropped. That writes a million rows in about a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from netsim.units import S

if TYPE_CHECKING:
    import pandas as pd

MISSING = -1
"""A time that is not there (no time is negative), or the index of a name that is not there."""

Kind = Literal["seconds", "integer", "number", "text"]
Characters = NDArray[np.uint8]  # one row a cell, padded with NULs

_CHUNK = 1 << 16  # rows formatted at a time
_TYPES = {"seconds": "number", "integer": "integer", "number": "number", "text": "string"}


@dataclass(frozen=True)
class Column:
    """One column: what it is called and means, and its values.

    Of a `text` column the values are indices into `names`. Seconds are integer nanoseconds.
    """

    name: str
    kind: Kind
    meaning: str
    values: NDArray[Any]
    names: tuple[str, ...] = ()
    unit: str = ""

    def schema(self) -> dict[str, Any]:
        """What `schema.json` says of it."""
        unit = "s" if self.kind == "seconds" else self.unit
        told = {"name": self.name, "type": _TYPES[self.kind], "description": self.meaning}
        return {**told, "unit": unit} if unit else told

    def characters(self, rows: slice) -> Characters:
        """The cells of some rows as characters."""
        values = self.values[rows]
        if self.kind == "text":
            return _texts([*map(_quoted, self.names), ""], values)
        if self.kind == "number":
            cells = ["" if np.isnan(value) else repr(float(value)) for value in values]
            return _texts(cells, np.arange(len(cells)))
        shown = _seconds(values) if self.kind == "seconds" else _integers(values)
        shown[values == MISSING] = 0
        return shown

    def cells(self) -> Any:
        """The values as a DataFrame holds them."""
        if self.kind == "text":
            return np.array([*self.names, None], dtype=object)[self.values]
        if self.kind == "seconds":
            return np.where(self.values == MISSING, np.nan, self.values / S)
        return self.values


def seconds(name: str, meaning: str, values: Any) -> Column:
    """A column of times: nanoseconds, None or MISSING where there is none."""
    if isinstance(values, list | tuple):
        values = [MISSING if value is None else value for value in values]
    return Column(name, "seconds", meaning, np.asarray(values, dtype=np.int64))


def integers(name: str, meaning: str, values: Any, unit: str = "") -> Column:
    """A column of whole numbers."""
    return Column(name, "integer", meaning, np.asarray(values, dtype=np.int64), unit=unit)


def numbers(name: str, meaning: str, values: Sequence[float | None], unit: str = "") -> Column:
    """A column of other numbers; None where there is none."""
    known = [np.nan if value is None else value for value in values]
    return Column(name, "number", meaning, np.array(known, dtype=np.float64), unit=unit)


def texts(name: str, meaning: str, values: Sequence[str]) -> Column:
    """A column of texts."""
    index: dict[str, int] = {}
    codes = [index.setdefault(value, len(index)) for value in values]
    return Column(name, "text", meaning, np.array(codes, dtype=np.int64), tuple(index))


def named(name: str, meaning: str, values: NDArray[Any], names: Sequence[str]) -> Column:
    """A column of texts, given as indices into `names`; MISSING where there is none."""
    return Column(name, "text", meaning, values, tuple(names))


@dataclass(frozen=True)
class Table:
    """A table: a name, what one row is, and columns of equal length."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def chunks(self, heading: bool = True) -> Iterator[bytes]:
        """The CSV text, in pieces; perhaps without the line of column names.

        >>> columns = (texts("who", "", ["a", "b,c"]), seconds("when", "", [5, None]))
        >>> print(Table("example", "", columns).csv(), end="")
        who,when
        a,0.000000005
        "b,c",
        """
        if heading:
            yield (",".join(column.name for column in self.columns) + "\n").encode()
        for start in range(0, len(self), _CHUNK):
            yield self._lines(slice(start, min(start + _CHUNK, len(self))))

    def csv(self) -> str:
        """The table as CSV: UTF-8, one line a row, the column names first."""
        return b"".join(self.chunks()).decode()

    def schema(self, form: str = "csv") -> dict[str, Any]:
        """Its entry in `schema.json`, in the words of the Table Schema standard."""
        fields = [column.schema() for column in self.columns]
        path = f"{self.name}.{form}"
        return {"name": self.name, "path": path, "description": self.meaning, "schema": {"fields": fields}}

    def frame(self) -> pd.DataFrame:
        """The table as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({column.name: column.cells() for column in self.columns})

    def _lines(self, rows: slice) -> bytes:
        count = rows.stop - rows.start
        comma, newline = np.full((count, 1), ord(","), np.uint8), np.full((count, 1), ord("\n"), np.uint8)
        parts = [part for column in self.columns for part in (column.characters(rows), comma)]
        everything = np.concatenate([*parts[:-1], newline], axis=1).ravel()
        return everything[everything != 0].tobytes()


def _quoted(text: str) -> str:
    text = text.replace("\0", "")
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def _texts(names: Sequence[str], index: NDArray[Any]) -> Characters:
    padded = np.array([name.encode() for name in names], dtype=bytes)
    return padded[index].view(np.uint8).reshape(len(index), padded.itemsize)


def _digits(values: NDArray[np.int64], width: int) -> Characters:
    """The last `width` digits of each value, as characters: one row a digit."""
    found = np.empty((width, len(values)), np.uint8)
    for place in reversed(range(width)):
        rest = values // 10
        found[place] = values - rest * 10 + ord("0")
        values = rest
    return found


def _whole(values: NDArray[np.int64]) -> Characters:
    """Whole numbers without leading zeros: one row a digit."""
    width = len(str(int(values.max(initial=0))))
    found = _digits(values, width)
    for place in range(width - 1):
        found[place][values < 10 ** (width - 1 - place)] = 0
    return found


def _integers(values: NDArray[np.int64]) -> Characters:
    return np.ascontiguousarray(_whole(values).T)


def _seconds(values: NDArray[np.int64]) -> Characters:
    whole = values // S
    point = np.full((1, len(values)), ord("."), np.uint8)
    return np.ascontiguousarray(np.concatenate([_whole(whole), point, _digits(values - whole * S, 9)]).T)
