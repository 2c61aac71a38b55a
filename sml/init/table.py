"""A user's table as columns of text, read as training reads it, before there is a contract that says what they are."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from functions.core.dataset.csv_records import UnclosedQuote, cells_of, scan
from functions.core.dataset.csv_table import DELIMITERS
from functions.core.dataset.table import PIECE_BYTES, UnreadableTable
from functions.core.dataset.trained import MAXIMUM_BYTES
from functions.core.dataset.wanted import Wanted
from functions.core.runtime import gzip
from models.feature import BLANK
from sml.init.words import is_number, listed
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from functions.core.dataset.wanted import Facts, Reader

MOST_ROWS = 200_000
MOST_CELLS = 5_000_000
"""What is looked at of a large table; its first rows show what its columns are."""
FEWEST_ROWS = 10
"""What the contract of a model accepts as the least."""
MOST_MALFORMED = 0.05
"""The share of rows that are no rows of the table, beyond which the table itself is wrong."""
_BLOCK = 4_000_000
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """One column: its values without the space around them, None for one that is missing."""

    name: str
    values: Sequence[str | None]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value is there, those that are missing apart."""
        return Counter(value for value in self.values if value is not None)

    @property
    def present(self) -> int:
        return self.counts.total()

    @property
    def missing(self) -> int:
        return len(self.values) - self.present

    def of(self, rows: Sequence[int]) -> Column:
        """Return the column of some of the rows, by their positions."""
        return Column(name=self.name, values=[self.values[row] for row in rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """The rows of a table that are rows, and what was found about the others."""

    path: Path
    format: str
    columns: tuple[Column, ...]
    rows: int
    """Those that were looked at, without those that are malformed."""
    malformed: int
    whole: bool
    """Whether every row of the file was looked at."""
    unnamed: int
    """Columns that have no name."""
    delimiter: str = ""
    decimal: str = "."

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@contextmanager
def blocks_of(path: Path) -> Generator[Iterator[bytes]]:
    """Open a file for reading, block by block. Raise `Mistake` where there is none."""
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except FileNotFoundError:
        raise Mistake(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise Mistake(f"{path}: is a folder; name one file, such as {path}/data.csv") from None
    except OSError as problem:
        raise Mistake(f"{path}: cannot be read: {problem.strerror}") from None
    with file:
        if size > MAXIMUM_BYTES:
            raise Mistake(f"{path}: the file is larger than {MAXIMUM_BYTES // 1_000_000} MB, the most")
        yield iter(lambda: file.read(_BLOCK), b"")


def read_sheet(path: Path, read: Reader) -> Sheet:
    """Read a table. Raise `Mistake` for a file that is none, and for one of which no model can be made."""
    try:
        names = _names(path, read)
        return _sheet(path, read, names)
    except UnreadableTable as problem:
        raise Mistake(f"{path}: {problem}") from None


def _names(path: Path, read: Reader) -> list[str]:
    """Return the names of the columns, by the delimiter that fits the rows best. Raise `Mistake`."""
    with blocks_of(path) as blocks, read(blocks, Wanted(features=())) as rows:
        facts = rows.facts
    names = _header(path, facts) if facts.format == "CSV" else list(facts.columns)
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise Mistake(f"{path}: the header names {listed(twice)} twice; give each column a name of its own")
    named = [name for name in names if name]
    if len(named) < 2:
        what = f"one column, {named[0]!r}," if named else "no column with a name"
        raise Mistake(f"{path}: has {what} and at least two are needed: one to predict, and one to predict it from")
    if facts.format == "CSV" and _looks_like_a_row(named):
        raise Mistake(
            f"{path}: the first line, {listed(named)}, looks like a row; write the names of the columns above it"
        )
    return names


def _header(path: Path, facts: Facts) -> list[str]:
    """Return the names in the first record of a CSV file, whose delimiter no contract tells yet."""
    begin = _beginning(path)
    best, score = facts.delimiter, (False, 0)
    for mark in DELIMITERS:
        try:
            records = scan(begin, mark, final=len(begin) < PIECE_BYTES)
        except UnclosedQuote:
            continue
        if len(records.cells) and (width := int(records.cells[0])) > 1:
            fits = float((records.cells == width).mean()) > 1 - MOST_MALFORMED
            best, score = max((best, score), (mark, (fits, width)), key=lambda pair: pair[1])
    try:
        records = scan(begin, best, final=len(begin) < PIECE_BYTES)
    except UnclosedQuote:
        return list(facts.columns)  # the reader has the words for it
    if not len(records.starts):
        return []
    record = begin[records.starts[0] : records.ends[0]]
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        raise Mistake(
            f"{path}: the header is not UTF-8; save the file as UTF-8, and not as ANSI or Windows-1252"
        ) from None
    names = [name.strip() for name in cells_of(record, best)]
    while names and not names[-1]:
        names.pop()
    return names


def _beginning(path: Path) -> bytes:
    """Return the first piece of a file of text, also of a compressed one."""
    with blocks_of(path) as blocks:
        first = next(blocks, b"")
        if first.startswith(gzip.MAGIC):
            first = next(gzip.expanded(iter([first, *blocks]), PIECE_BYTES), b"")
    return first[:PIECE_BYTES].removeprefix(_BOM)


def _looks_like_a_row(names: Sequence[str]) -> bool:
    """Return whether at least half of a header are numbers, other than those that count the columns."""
    counting = [[str(start + at) for at in range(len(names))] for start in (0, 1)]
    return sum(map(is_number, names)) * 2 >= len(names) and list(names) not in counting


def _sheet(path: Path, read: Reader, names: list[str]) -> Sheet:
    used = [name for name in names if name]
    most = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // len(names)))
    values: dict[str, list[str | None]] = {name: [] for name in used}
    malformed, seen, first = 0, 0, ""
    with blocks_of(path) as blocks, read(blocks, Wanted(features=(), others=tuple(used))) as rows:
        batches = iter(rows)
        for some in batches:
            count = len(some.numbers)
            for at in some.refused:
                first = first or f"{rows.facts.unit} {some.refused[at].location}: {some.refused[at].faults[0][1]}"
            malformed += len(some.refused)
            kept = [row for row in range(count) if row not in some.refused]
            for name in used:
                texts = some.texts[name]
                values[name].extend(_cleaned(texts[row]) for row in kept)
            seen += count
            if seen >= most:
                break
        whole = next(batches, None) is None
    _require_rows(path, seen, malformed, first)
    return Sheet(
        path=path,
        format=rows.facts.format,
        columns=tuple(Column(name=name, values=texts) for name, texts in values.items()),
        rows=seen - malformed,
        malformed=malformed,
        whole=whole,
        unnamed=len(names) - len(used),
        delimiter=rows.facts.delimiter,
        decimal=rows.facts.decimal,
    )


def _require_rows(path: Path, seen: int, malformed: int, first: str) -> None:
    if not seen:
        raise Mistake(f"{path}: has a header and no rows")
    if malformed > MOST_MALFORMED * seen:
        raise Mistake(f"{path}: {malformed} of {seen} rows cannot be read; the first is {first}")
    if seen - malformed < FEWEST_ROWS:
        raise Mistake(f"{path}: has {seen - malformed} rows; at least {FEWEST_ROWS} are needed, and better hundreds")


def _cleaned(text: str | None) -> str | None:
    stripped = "" if text is None else text.strip()
    return None if stripped.lower() in BLANK else stripped
