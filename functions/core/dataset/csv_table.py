"""CSV, read by Arrow in blocks of whole records. A row that is no row of the table is set aside, and no other."""

from __future__ import annotations

import re
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
from arro3.core import Array, DataType, Field, Schema
from arro3.io import read_csv

from functions.core.dataset.csv_records import LARGEST_ROW, Records, UnclosedQuote, cells_of, scan
from functions.core.dataset.csv_text import CsvText
from functions.core.dataset.number_style import PLAIN, NumberStyle, style_of
from functions.core.dataset.table import Batch, Table, UnreadableTable, check_header

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from functions.core.dataset.wanted import Facts
    from models.feature import Feature

DELIMITERS = (",", ";", "\t", "|")
SAMPLED_PIECES = 4
"""Pieces from the beginning of a file that tell how its numbers are written."""
SAMPLED_CELLS = 1000
"""Cells of a column that are looked at for that in a piece."""
_BOM = b"\xef\xbb\xbf"
_NOT_UTF_8 = "is not UTF-8; save the file as UTF-8, and not as ANSI or Windows-1252"
_FAILED = (Exception,)
"""arro3 raises no narrower exception for a cell that is no number."""


def open_csv(first: bytes, rest: Iterator[bytes], features: Sequence[Feature], others: Sequence[str]) -> Table:
    """Open a CSV file by its first block and the others.

    `features` are the columns to be encoded, `others` those that are to be read as text. What they are called
    decides which delimiter it is. Raise `UnreadableTable`.
    """
    names = [*(feature.name for feature in features), *others]
    first = _with_header(first, rest)
    start = len(first) - len(re.sub(rb"^(?:%s)+" % _BOM, b"", first))
    delimiter = _delimiter(first[start:], names)
    header = _header(first[start:], delimiter)
    check_header(header, names)
    reader = _Reader(header, delimiter, features, others, skip=1)
    return reader.table(CsvText(chain([first[start:]], rest), end=start), style=None)


def resume_csv(blocks: Iterator[bytes], whole: Facts, features: Sequence[Feature], others: Sequence[str]) -> Table:
    """Open a part of a CSV file that begins with a row, with what is known of the whole from its beginning."""
    reader = _Reader(whole.columns, whole.delimiter, features, others, skip=0)
    return reader.table(CsvText(blocks), style=whole.style)


def _with_header(first: bytes, rest: Iterator[bytes]) -> bytes:
    """Return the first block with as many of the others as the header takes."""
    while not any(len(scan(first, mark, final=False).starts) for mark in DELIMITERS):
        block = next(rest, b"")
        if not block:
            break
        first += block
        if len(first) > LARGEST_ROW:
            raise UnreadableTable(f"line 1: the row has more than {LARGEST_ROW} bytes")
    return first


class _Reader:
    """Reads pieces of text as columns of Arrow: those of numbers as numbers, until a cell of theirs is none."""

    def __init__(
        self,
        header: tuple[str, ...],
        delimiter: str,
        features: Sequence[Feature],
        others: Sequence[str],
        *,
        skip: int,
    ) -> None:
        self._header = header
        self._delimiter = delimiter
        self._numbers = {feature.name for feature in features if feature.kind in ("number", "integer")}
        self._used = {feature.name for feature in features} | set(others)
        self._texts = set(others)
        self._skip = skip
        self.style = PLAIN

    def table(self, text: CsvText, style: NumberStyle | None) -> Table:
        """Return the table in a text, in a style of numbers that is known, or found in its beginning."""
        pieces = text.pieces(self._delimiter)
        first = list(islice(pieces, 0 if style else SAMPLED_PIECES))
        self.style = style or style_of(set().union(*(self._unread(text, records) for text, records, _, _ in first)))
        return Table(
            format="CSV",
            unit="line",
            columns=self._header,
            batches=self._batches(chain(first, pieces)),
            typed=False,
            delimiter=self._delimiter,
            style=self.style,
        )

    def _unread(self, text: bytes, records: Records) -> set[str]:
        """Return the cells of numbers in a piece of text that are no plain numbers: they tell the style."""
        kept = self._kept(text, records)
        columns = self._read(text, records, kept, plain=frozenset())
        unread: set[str] = set()
        for name in self._numbers & set(columns):
            array = columns[name]
            plain = array.cast(DataType.float64())
            if plain.null_count > array.null_count:
                cells = (cell for cell in array.to_pylist() if cell is not None)
                unread.update(islice((cell for cell in cells if "," in cell or not _is_plain(cell)), SAMPLED_CELLS))
        return unread

    def _batches(self, pieces: Iterator[tuple[bytes, Records, int, int]]) -> Iterator[Batch]:
        for text, records, line, end in pieces:
            if len(records.starts) > self._skip:
                yield self._batch(text, records, line, end)
            self._skip = max(0, self._skip - len(records.starts))

    def _batch(self, text: bytes, records: Records, line: int, end: int) -> Batch:
        kept = self._kept(text, records)
        first = self._skip
        malformed = {
            at - first: self._complaint(text, records, at) for at in np.flatnonzero(~kept).tolist() if at >= first
        }
        return Batch(
            columns=self._columns(text, records, kept),
            rows=len(records.starts) - first,
            locations=line + records.lines[first:],
            malformed=malformed,
            cells=partial(self._cells, text, records, first),
            end=end,
        )

    def _kept(self, text: bytes, records: Records) -> np.ndarray:
        """Return which records are rows, bool [records]: empty cells beyond the header are no fault.

        The header is one of them; `_read` passes it over.
        """
        width = len(self._header)
        kept = records.cells == width
        for at in np.flatnonzero(records.cells > width).tolist():
            kept[at] = not any(self._record(text, records, at)[width:])
        if not text.isascii() and not _is_utf_8(text[: records.size]):
            for at in range(len(kept)):
                kept[at] &= _is_utf_8(text[records.starts[at] : records.ends[at]])
        return kept

    def _complaint(self, text: bytes, records: Records, at: int) -> str:
        if not _is_utf_8(text[records.starts[at] : records.ends[at]]):
            return _NOT_UTF_8
        return f"has {records.cells[at]} cells, the header {len(self._header)}"

    def _record(self, text: bytes, records: Records, at: int) -> list[str]:
        if records.parsed is not None:
            return records.parsed[at]
        return cells_of(text[records.starts[at] : records.ends[at]], self._delimiter)

    def _cells(self, text: bytes, records: Records, first: int, position: int) -> list[str]:
        cells = self._record(text, records, first + position)
        return [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in cells]

    def _columns(self, text: bytes, records: Records, kept: np.ndarray) -> Mapping[str, Array]:
        # Arrow ends the process where it has to name a cell with a zero byte that is no number.
        if self.style != PLAIN or b"\0" in text:
            return self._read(text, records, kept, plain=frozenset())
        try:
            return self._read(text, records, kept, plain=frozenset(self._numbers - self._texts))
        except _FAILED:
            columns = self._read(text, records, kept, plain=frozenset())
        for name in self._numbers & set(columns):
            array = columns[name]
            if array.cast(DataType.float64()).null_count > array.null_count:
                self._numbers = self._numbers - {name}  # it is likely to have more of these cells
        return columns

    def _read(self, text: bytes, records: Records, kept: np.ndarray, *, plain: Collection[str]) -> dict[str, Array]:
        """Return the used columns of the records that are kept: of text, or of numbers where the name is `plain`.

        Raise where a cell of these is no number.
        """
        at_names = {name: at for at, name in enumerate(self._header) if name in self._used}
        if not at_names:
            return {}
        rows = np.flatnonzero(kept)
        rows = rows[rows >= self._skip]
        if records.parsed is not None:
            cells = [records.parsed[at] for at in rows.tolist()]
            return {name: Array([row[at] or None for row in cells], DataType.string()) for name, at in at_names.items()}
        if not len(rows):
            return {name: Array([], DataType.string()) for name in at_names}
        body, width = self._body(text, records, rows)
        types = [DataType.float64() if name in plain else DataType.string() for name in self._header]
        types += [DataType.string()] * (width - len(self._header))
        schema = Schema([Field(f"c{at}", kind) for at, kind in enumerate(types)])
        [batch] = read_csv(body, schema, has_header=False, delimiter=self._delimiter, batch_size=len(rows))
        if batch.num_rows != len(rows):
            raise RuntimeError(f"{len(rows)} records of CSV are {batch.num_rows} to Arrow")
        return {name: batch.column(at) for name, at in at_names.items()}

    def _body(self, text: bytes, records: Records, rows: np.ndarray) -> tuple[bytes, int]:
        """Return the text of some records, and how many cells each has: those of the header, or more empty ones."""
        cells, width = records.cells[rows], len(self._header)
        if rows[-1] - rows[0] + 1 == len(rows) and bool((cells == cells[0]).all()):
            last = rows[-1]
            stop = records.starts[last + 1] if last + 1 < len(records.starts) else records.size
            return text[records.starts[rows[0]] : stop], int(cells[0])
        lines = []
        for at in rows.tolist():
            record = text[records.starts[at] : records.ends[at]]
            # A table of one column may have an empty cell alone, which without quotation marks is a blank line.
            lines.append(_without(record, int(records.cells[at]) - width, self._delimiter) or b'""')
        return b"\n".join([*lines, b""]), width


def _without(record: bytes, surplus: int, delimiter: str) -> bytes:
    """Return a record without its last empty cells, which may be in quotation marks."""
    for _ in range(surplus):
        record = record.removesuffix(b'""').removesuffix(delimiter.encode())
    return record


def _delimiter(text: bytes, names: Collection[str]) -> str:
    expected = set(names)
    return max(DELIMITERS, key=lambda mark: (len(set(_header(text, mark)) & expected), len(_header(text, mark)) > 1))


def _header(text: bytes, delimiter: str) -> tuple[str, ...]:
    """Return the names of the first record, without the empty ones at its end that no name follows."""
    try:
        records = scan(text, delimiter, final=False)
        if not len(records.starts):
            records = scan(text, delimiter, final=True)
    except UnclosedQuote:
        return ()
    if not len(records.starts):
        return ()
    record = text[records.starts[0] : records.ends[0]]
    names = [name.strip() for name in cells_of(record, delimiter)]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _is_utf_8(record: bytes) -> bool:
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_plain(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
