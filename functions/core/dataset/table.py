"""A file of rows, read as what it is: CSV or Parquet, told apart by content and not by name."""

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
"""Rows held as Python objects at a time: a whole file of them would be ten times its size."""

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
    """A file that is no table. The text says where it goes wrong and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A row that has another number of cells than the header."""

    place: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some consecutive rows, by column. `places` says where each row stands in the file."""

    columns: Mapping[str, Column]
    places: Sequence[int]
    malformed: tuple[Malformed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """The header at once, the rows when asked. `batches` may raise `UnreadableTable` on the way."""

    format: Literal["CSV", "Parquet"]
    unit: Literal["line", "row"]
    """What a place counts: lines of text from 1, header included; rows of data from 1."""
    columns: tuple[str, ...]
    batches: Iterator[Batch] = field(repr=False)


def read_table(data: bytes, expected: Collection[str]) -> Table:
    """The table in `data`. `expected` column names decide between the delimiters , and ;.

    Raises `UnreadableTable`.
    """
    if not data.strip():
        raise UnreadableTable(f"the file is empty; {_ACCEPTED}")
    if data[:4] == b"PAR1":
        return _read_parquet(data)
    for magic, what in _NOT_TABLES.items():
        if data.startswith(magic):
            raise UnreadableTable(f"the file is {what}; {_ACCEPTED}")
    return _read_csv(data, expected)


def _read_csv(data: bytes, expected: Collection[str]) -> Table:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise UnreadableTable(f"line {line}: the text is not UTF-8; {_ACCEPTED}") from None
    if b"\0" in data:
        raise UnreadableTable(f"the file holds binary data; {_ACCEPTED}")
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_attempt(data, mark)) & set(expected)))
    header = _header(data, delimiter)
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableTable(f"the header names {', '.join(repr(name) for name in twice[:5])} twice")
    return Table(format="CSV", unit="line", columns=header, batches=_csv_batches(data, delimiter, header))


def _lines(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins on; blank lines are passed over."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    # csv raises in the middle of a loop: a generator over it would end silently.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        place = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as problem:
            raise UnreadableTable(f"line {place}: {problem}; {_ACCEPTED}") from None
        if record is None:
            return
        if record:
            yield place, record


def _header(data: bytes, delimiter: str) -> tuple[str, ...]:
    _, record = next(_lines(data, delimiter), (0, []))
    return tuple(cell.strip() for cell in record)


def _attempt(data: bytes, delimiter: str) -> tuple[str, ...]:
    """The header, if this is the delimiter: quotes may make no sense with another."""
    try:
        return _header(data, delimiter)
    except UnreadableTable:
        return ()


def _csv_batches(data: bytes, delimiter: str, header: tuple[str, ...]) -> Iterator[Batch]:
    records = itertools.islice(_lines(data, delimiter), 1, None)
    while block := list(itertools.islice(records, BATCH_ROWS)):
        good = [(place, cells) for place, cells in block if len(cells) == len(header)]
        malformed = tuple(
            Malformed(place=place, reason=f"has {len(cells)} cells, the header {len(header)}", cells=tuple(cells))
            for place, cells in block
            if len(cells) != len(header)
        )
        columns = zip(*(cells for _, cells in good), strict=True) if good else ([] for _ in header)
        yield Batch(
            columns=dict(zip(header, columns, strict=True)),
            places=[place for place, _ in good],
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
        found = {name: _values(batch.column(name)) for name in columns}
        yield Batch(columns=found, places=range(first, first + batch.num_rows))
        first += batch.num_rows


def _values(array: Array) -> Column:
    """An Arrow column as numpy where it is numbers without gaps, else as Python objects."""
    if array.null_count == 0 and _NUMBERS.search(str(array.type)):
        return array.to_numpy()
    return array.to_pylist()
