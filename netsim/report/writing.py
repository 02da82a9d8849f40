"""The table of requests, written while the run goes on: as CSV, or as Parquet (with the extra `parquet`).

Each part of the table is formatted and written as it comes, so memory does not grow with the run, and the
bytes do not depend on how the table was cut. In Parquet times are float seconds, as in a DataFrame (rounded
to nine places they are exact), and a row group holds `GROUP` rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from netsim.errors import Problem, ScenarioError
from netsim.report.records import requests_table
from netsim.report.tables import Table

if TYPE_CHECKING:
    from netsim.simulation import Part

Format = Literal["csv", "parquet"]

GROUP = 1 << 17
"""Rows in a row group of a Parquet file."""


class Writer(Protocol):
    """Whoever writes a table that comes in parts."""

    def take(self, part: Part) -> None:
        """The next part."""

    def close(self) -> None:
        """That was all."""


class CsvWriter:
    """Writes CSV to a binary stream; a reader that goes away is no mistake."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream: IO[bytes] | None = stream
        self._begun = False

    def take(self, part: Part) -> None:
        """Write the rows of a part, before the first of them the columns' names."""
        self._write(requests_table(part).chunks(heading=not self._begun))
        self._begun = True

    def close(self) -> None:
        """Let the stream go."""
        self._stream = None

    def _write(self, chunks: Iterator[bytes]) -> None:
        if self._stream is not None:
            try:
                self._stream.writelines(chunks)
            except BrokenPipeError:
                self._stream = None


class ParquetWriter:
    """Writes Parquet to a file, a row group at a time."""

    def __init__(self, path: Path) -> None:
        self._arrow, self._parquet = _pyarrow()
        self._path = path
        self._writer: Any = None
        self._waiting: list[NDArray[np.void]] = []

    def take(self, part: Part) -> None:
        """Write whatever makes whole row groups, and keep the rest."""
        self._names = part
        self._waiting.append(part.requests)
        if sum(map(len, self._waiting)) >= GROUP:
            rows = np.concatenate(self._waiting)
            for begin in range(0, len(rows) - GROUP + 1, GROUP):
                self._group(rows[begin : begin + GROUP])
            self._waiting = [rows[len(rows) - len(rows) % GROUP :].copy()]

    def close(self) -> None:
        """Write the last row group."""
        rows = np.concatenate(self._waiting)
        if len(rows) or self._writer is None:
            self._group(rows)
        self._writer.close()

    def _group(self, rows: NDArray[np.void]) -> None:
        table = arrow(requests_table(replace(self._names, requests=rows)), self._arrow)
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table, row_group_size=GROUP)


def arrow(table: Table, pyarrow: Any) -> Any:
    """A table as Arrow has it: times as float seconds, names as strings, null where there is nothing."""
    columns = {}
    for column in table.columns:
        if column.kind == "text":
            codes = pyarrow.array(column.values, mask=column.values < 0)
            names = pyarrow.array(list(column.names), type=pyarrow.string())
            columns[column.name] = pyarrow.DictionaryArray.from_arrays(codes, names).cast(pyarrow.string())
        else:
            columns[column.name] = pyarrow.array(column.cells(), from_pandas=True)
    return pyarrow.table(columns)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        hint = "pip install 'netsim-k8s[parquet]'"
        raise ScenarioError(Problem("Parquet needs pyarrow", hint=hint)) from None
    return pyarrow, parquet


@contextmanager
def writer(folder: Path, form: Format) -> Iterator[Writer]:
    """Whoever writes the table of requests into a folder: `requests.csv` or `requests.parquet`."""
    path = folder / f"requests.{form}"
    try:
        with ExitStack() as stack:
            found = ParquetWriter(path) if form == "parquet" else CsvWriter(stack.enter_context(open(path, "wb")))
            stack.callback(found.close)
            yield found
    except OSError as error:
        raise ScenarioError(f"cannot write the requests to {folder}: {error.strerror or error}") from None
