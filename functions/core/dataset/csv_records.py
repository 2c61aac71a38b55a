"""Where the records of CSV text begin and end, and how many cells each has, found by numpy for a block at once.

Line ends are LF, CRLF and CR, also mixed. A cell in quotation marks may hold delimiters, line ends
and doubled quotation marks. Where quotation marks stand elsewhere, Python's csv module, which takes
them as letters, has the last word on the block.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import numpy as np

LARGEST_ROW = 8_000_000
"""Bytes of one row."""
_LF, _CR, _QUOTE = 10, 13, 34
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")
_END = "\0end of the block"


class UnclosedQuote(ValueError):
    """A quotation mark that opens a cell is not closed. `offset` is where its record begins."""

    def __init__(self, offset: int) -> None:
        super().__init__("a quotation mark is not closed")
        self.offset = offset


@dataclass(frozen=True, kw_only=True, eq=False)
class Records:
    """The records of one block that are whole; blank lines are passed over."""

    starts: np.ndarray
    """int64 [records]: where each begins in the block."""
    ends: np.ndarray
    """int64 [records]: where each ends, without its line end."""
    cells: np.ndarray
    """int64 [records]: the number of its cells."""
    lines: np.ndarray
    """int64 [records]: how many lines of the block are before it."""
    size: int
    """Bytes of the block that are these records and their line ends."""
    line_ends: int
    """Lines that end in these bytes."""
    parsed: tuple[list[str], ...] | None = None
    """The cells of each, where only Python's csv module could tell."""


def scan(block: bytes, delimiter: str, *, final: bool) -> Records:
    """Find the records of a block that begins with one. `final`: no other block follows, so that the last ends here.

    Raise `UnclosedQuote` in a final block.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(text == _QUOTE) if b'"' in block else np.empty(0, dtype=np.int64)
    if len(quotes) and not _well_placed(text, quotes, ord(delimiter), final=final):
        return _by_csv(block, delimiter, final=final)
    line_ends = np.flatnonzero(text == _LF)
    if b"\r" in block:
        returns = np.flatnonzero(text == _CR)
        alone = returns[(_at(text, returns + 1) != _LF) & ((returns + 1 < len(text)) | final)]
        line_ends = np.union1d(line_ends, alone)
    return _records(text, line_ends, np.flatnonzero(text == ord(delimiter)), quotes, final=final)


def _records(
    text: np.ndarray, line_ends: np.ndarray, delimiters: np.ndarray, quotes: np.ndarray, *, final: bool
) -> Records:
    """Return the records of a text by the positions of its line ends, delimiters and quotation marks."""
    ends = _outside(line_ends, quotes)
    starts = np.append(0, ends + 1)
    size = int(starts[-1])
    if final and size < len(text):
        ends, size = np.append(ends, len(text)), len(text)
    else:
        starts = starts[:-1]
    after_return = (_at(text, ends) == _LF) & (text[ends - 1] == _CR) & (ends > starts)
    stops = ends - after_return
    filled = stops > starts
    starts, stops = starts[filled], stops[filled]
    marks = _outside(delimiters, quotes)
    return Records(
        starts=starts,
        ends=stops,
        cells=np.searchsorted(marks, stops) - np.searchsorted(marks, starts) + 1,
        lines=np.searchsorted(line_ends, starts),
        size=size,
        line_ends=int(np.searchsorted(line_ends, size)),
    )


def _at(text: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the bytes at positions, 0 for one behind the last."""
    return np.where(positions < len(text), text[np.minimum(positions, len(text) - 1)], 0)


def _well_placed(text: np.ndarray, quotes: np.ndarray, delimiter: int, *, final: bool) -> bool:
    """Return whether every quotation mark opens a cell, closes one, or is one half of a doubled one in a cell."""
    if final and len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    bounds = (delimiter, _LF, _CR)
    doubled = np.append(closing, -2)[: len(opening) - 1] + 1 == opening[1:]
    begins = (opening == 0) | np.isin(text[np.maximum(opening - 1, 0)], bounds)
    begins[1:] |= doubled
    last = len(text) - 1
    stops = (closing == last) | np.isin(text[np.minimum(closing + 1, last)], bounds)
    stops[: len(doubled)] |= doubled[: len(stops)]
    return bool(begins.all() and stops.all())


def _outside(positions: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """Return the positions that are in no cell with quotation marks."""
    return positions[np.searchsorted(quotes, positions) % 2 == 0] if len(quotes) else positions


def _by_csv(block: bytes, delimiter: str, *, final: bool) -> Records:
    """Find the records as Python's csv module reads them, which takes any quotation mark."""
    csv.field_size_limit(max(LARGEST_ROW, len(block)) + len(_END))
    edges, lines = [0], []
    for line in _LINE.finditer(block):
        if line[0]:
            lines.append(line[0].decode("utf-8", "surrogateescape"))
            edges.append(line.end())
    if (not final and lines and not lines[-1].endswith(("\n", "\r"))) or (not final and block.endswith(b"\r")):
        lines.pop()
        edges.pop()
    reader = csv.reader([*lines, _END], delimiter=delimiter)
    starts, ends, parsed, before = [], [], [], 0
    for record in reader:
        if before == len(lines):
            break
        if record and record[-1].endswith(_END):  # what follows the last whole record is in quotation marks
            if final:
                raise UnclosedQuote(edges[before])
            break
        after = reader.line_num
        if record:
            starts.append((edges[before], before))
            ends.append(edges[before] + len(block[edges[before] : edges[after]].rstrip(b"\r\n")))
            parsed.append(record)
        before = after
    begun = np.array(starts, dtype=np.int64).reshape(-1, 2)
    return Records(
        starts=begun[:, 0],
        ends=np.array(ends, dtype=np.int64),
        cells=np.array([len(record) for record in parsed], dtype=np.int64),
        lines=begun[:, 1],
        size=edges[before],
        line_ends=before,
        parsed=tuple(parsed),
    )


def cells_of(record: bytes, delimiter: str) -> list[str]:
    """Return the cells of one record; bytes that are not UTF-8 become the replacement character."""
    csv.field_size_limit(max(LARGEST_ROW, len(record)) + 1)
    return next(csv.reader([record.decode("utf-8", "replace")], delimiter=delimiter), [])
