"""A table, whatever file it came in: its columns, and its rows in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from arro3.core import Array

    from functions.core.dataset.number_style import NumberStyle

    Column = Array | list[Any]

ACCEPTED = "accepted: CSV in UTF-8 with a header line, JSON Lines or Parquet, each also compressed with gzip"
MOST_COLUMNS = 10_000
PIECE_BYTES = 1_000_000
"""How much text is read at once: at worst it is half a million rows, each with a reason for which it is set aside."""
Unit = Literal["line", "row"]


class UnreadableTable(ValueError):
    """A file is not a table that can be read. The text says where it goes wrong and what is accepted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Some consecutive rows. Those that are no rows of the table are `malformed`, and in no column."""

    columns: Mapping[str, Column]
    """The values of the well-formed rows, by name: Arrow arrays, or values as JSON has them."""
    rows: int
    """All rows, well-formed or not."""
    locations: Sequence[int] | np.ndarray
    """The line or row number of each of them in the file."""
    malformed: Mapping[int, str] = field(default_factory=dict)
    """By position among all rows: why it is no row."""
    cells: Callable[[int], Sequence[str]] = lambda _: ()
    """Returns the cells of a row as text, by its position among all rows."""
    end: int = 0
    """Where the rows after this batch begin in the file: bytes of text, rows of Parquet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """The columns of a file, and an iterator over its rows, which may raise `UnreadableTable`."""

    format: Literal["CSV", "JSON Lines", "Parquet"]
    unit: Unit
    """What a location counts: "line" is a line of text, header included; "row" a row of data. Both from 1."""
    columns: tuple[str, ...]
    """Of JSON Lines: those of the first rows; others may follow."""
    batches: Iterator[Batch]
    typed: bool
    """Whether its values have types: the text "1.5" is no number then."""
    delimiter: str = ""
    style: NumberStyle | None = None
    """How its numbers are written, for text."""


def in_pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what is in blocks, at most `PIECE_BYTES` at a time."""
    for block in blocks:
        yield from (block[at : at + PIECE_BYTES] for at in range(0, len(block), PIECE_BYTES))


def check_header(columns: Sequence[str], used: Sequence[str]) -> None:
    """Raise `UnreadableTable` for too many columns, and where one that is used stands twice."""
    if len(columns) > MOST_COLUMNS:
        raise UnreadableTable(f"the file has {len(columns)} columns; at most {MOST_COLUMNS} are read")
    twice = [name for name in used if columns.count(name) > 1] if len(set(columns)) < len(columns) else []
    if twice:
        raise UnreadableTable(f"the header names {', '.join(repr(name) for name in twice[:5])} twice")
