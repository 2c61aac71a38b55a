"""Read a file of rows as CSV or Parquet, by its content and not by its name."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatchReader

Column = Sequence[object] | np.ndarray

BATCH_ROWS = 8192
"""Rows that are Python objects at one time: a whole file as Python objects would take ten times its size."""

_DELIMITERS = (",", ";")
_NOT_TABLES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x89PNG": "an image",
    b"%PDF": "a PDF document",
}
_NUMBERS = re.compile(r"<(U?Int|Float)\d+>$")
_ACCEPTED = "accepted: CSV in UTF-8 with a header line, or Parquet"


class UnreadableTable(ValueError):
    """A file is not a table that can be read. The text says where it goes wrong and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class MalformedRow:
    """A row with more or fewer cells than the header."""

    location: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some consecutive rows, by column. `locations` has the line or row number of each in the file."""

    columns: Mapping[str, Column]
    locations: Sequence[int]
    malformed: tuple[MalformedRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """The header of a file, and an iterator over its rows, which may raise `UnreadableTable`."""

    format: Literal["CSV", "Parquet"]
    unit: Literal["line", "row"]
    """What a location counts: "line" is a line of text, header included; "row" a row of data. Both from 1."""
    columns: tuple[str, ...]
    batches: Iterator[Batch] = field(repr=False)


def read_table(data: bytes, expected: Collection[str]) -> Table:
    """Open the table in `data`. The `expected` column names decide between the delimiters , and ;.

    Raises `UnreadableTable`.
    """
    if not data.strip():
        raise UnreadableTable(f"the file is empty; {_ACCEPTED}")
    if data[:4] == b"PAR1":
        return _read_parquet(data)
    for magic, kind in _NOT_TABLES.items():
        if data.startswith(magic):
            raise UnreadableTable(f"the file is {kind}; {_ACCEPTED}")
    return _read_csv(data, expected)


def _read_csv(data: bytes, expected: Collection[str]) -> Table:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise UnreadableTable(f"line {line}: the text is not UTF-8; {_ACCEPTED}") from None
    if b"\0" in data:
        raise UnreadableTable(f"the file holds binary data; {_ACCEPTED}")
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_try_header(data, mark)) & set(expected)))
    header = _header(data, delimiter)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise UnreadableTable(f"the header names {', '.join(repr(name) for name in repeated[:5])} twice")
    return Table(format="CSV", unit="line", columns=header, batches=_csv_batches(data, delimiter, header))


def _lines(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of the line on which it begins; blank lines are skipped."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    # next, and not a for loop: csv can raise at any record, and the message names its line.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        location = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as problem:
            raise UnreadableTable(f"line {location}: {problem}; {_ACCEPTED}") from None
        if record is None:
            return
        if record:
            yield location, record


def _header(data: bytes, delimiter: str) -> tuple[str, ...]:
    _, record = next(_lines(data, delimiter), (0, []))
    return tuple(cell.strip() for cell in record)


def _try_header(data: bytes, delimiter: str) -> tuple[str, ...]:
    """Return the header that this delimiter gives, or nothing when the quotes do not fit it."""
    try:
        return _header(data, delimiter)
    except UnreadableTable:
        return ()


def _csv_batches(data: bytes, delimiter: str, header: tuple[str, ...]) -> Iterator[Batch]:
    records = itertools.islice(_lines(data, delimiter), 1, None)
    while chunk := list(itertools.islice(records, BATCH_ROWS)):
        well_formed = [(location, cells) for location, cells in chunk if len(cells) == len(header)]
        malformed = tuple(
            MalformedRow(
                location=location, reason=f"has {len(cells)} cells, the header {len(header)}", cells=tuple(cells)
            )
            for location, cells in chunk
            if len(cells) != len(header)
        )
        columns = zip(*(cells for _, cells in well_formed), strict=True) if well_formed else ([] for _ in header)
        yield Batch(
            columns=dict(zip(header, columns, strict=True)),
            locations=[location for location, _ in well_formed],
            malformed=malformed,
        )


def _read_parquet(data: bytes) -> Table:
    from functions.core.dataset import parquet  # noqa: PLC0415 - a CSV needs none of it

    problem = parquet.examine(data)
    if problem is not None:
        raise UnreadableTable(f"{problem}; {_ACCEPTED}")
    reader = parquet.open_reader(data)
    columns = tuple(reader.schema.names)
    if len(set(columns)) != len(columns):
        raise UnreadableTable("the Parquet schema names a column twice")
    return Table(format="Parquet", unit="row", columns=columns, batches=_parquet_batches(reader, columns))


def _parquet_batches(reader: RecordBatchReader, columns: tuple[str, ...]) -> Iterator[Batch]:
    first = 1
    for batch in reader:
        values = {name: _values(batch.column(name)) for name in columns}
        yield Batch(columns=values, locations=range(first, first + batch.num_rows))
        first += batch.num_rows


def _values(array: Array) -> Column:
    """Return an Arrow column as numpy when it is numbers without nulls, else as Python objects."""
    if array.null_count == 0 and _NUMBERS.search(str(array.type)):
        return array.to_numpy()
    return array.to_pylist()
