"""The rows of a job's input, one after another, from its beginning or from where somebody stopped.

Of a file no more is held than a row and the block that it came in. A row that cannot be
read is handed on with the reason, in its place; what ends the reading is a `Problem` raised.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.json_codec import after_space, not_json, parse_json, value_at
from functions.core.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LARGEST_ROW = 8_000_000
"""Bytes of one row of a file."""
_OPENING = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*"instances"[ \t\n\r]*:[ \t\n\r]*\[[ \t\n\r]*')
_CLOSING = re.compile(r"\][ \t\n\r]*\}[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"
_UNDECODED = re.compile("[\udc80-\udcff]")
_EXAMPLE = '{"instances": [{feature: value, ...}, ...]}, one row or more, and nothing besides'


class Row(NamedTuple):
    value: Any
    """An instance as JSON, or the cells of a line by column."""
    problem: Problem | None
    """Why there is none."""
    end: int
    """Where the next row begins: bytes of a file, letters of a request, one more than there are behind its last."""


def request_rows(text: str, at: int) -> Iterator[Row]:
    """The instances of `{"instances": [...]}`, one by one.

    Raises `Problem` 400 where the text stops being such a request: what stands before has been handed on by then.
    """
    if at == 0:
        opening = _OPENING.match(text)
        if opening is None or text[opening.end() : opening.end() + 1] == "]":
            parse_json(text.encode())  # what is no JSON at all is told better
            raise Problem(400, f"the job is not {_EXAMPLE}")
        at = opening.end()
    while at <= len(text):
        value, at = value_at(text, after_space(text, at))
        at = after_space(text, at)
        if text[at : at + 1] == ",":
            yield Row(value, None, at + 1)
        elif _CLOSING.fullmatch(text, at):
            yield Row(value, None, len(text) + 1)
        elif text[at : at + 1] == "]":
            raise Problem(400, f"the job is not {_EXAMPLE}")
        else:
            raise not_json(text, at, "Expecting ',' delimiter")
        at = at + 1 if text[at] == "," else len(text) + 1


class Lines:
    """The lines of a file, whose `block(start)` gives some bytes from there on, and none at its end.

    `end` is where the next line begins. Raises `Problem` 400 for a line of more than `LARGEST_ROW` bytes.
    """

    def __init__(self, block: Callable[[int], bytes], at: int) -> None:
        self.end = at
        self._block = block
        self._lines = self._split()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._lines)

    def _split(self) -> Iterator[bytes]:
        held, read = b"", self.end
        while block := self._block(read):
            if not read:
                self.end = len(_BOM) if block.startswith(_BOM) else 0
            *whole, held = (held + block[0 if read else self.end :]).split(b"\n")
            read += len(block)
            for line in whole:
                self.end += len(line) + 1
                yield self._checked(line)
            self._checked(held)
        if held:
            self.end += len(held)
            yield self._checked(held)

    def _checked(self, line: bytes) -> bytes:
        if len(line) > LARGEST_ROW:
            raise Problem(400, f"a line has more than {LARGEST_ROW} bytes")
        return line.removesuffix(b"\r")


def json_rows(lines: Lines) -> Iterator[Row]:
    """A JSON value a line. Lines without anything are passed over."""
    for line in lines:
        if line.strip():
            try:
                yield Row(parse_json(line), None, lines.end)
            except Problem as problem:
                told = problem.detail.replace("the body", "the row", 1)
                yield Row(None, Problem(problem.status, told, faults=problem.faults), lines.end)


def csv_header(lines: Lines) -> list[str]:
    """The columns that the first line names. Raises `Problem` 400 when it names none, or one twice."""
    header = next(_records(lines), [])
    columns = [] if isinstance(header, Problem) else [name.strip() for name in header]
    if not any(columns):
        raise Problem(400, "the file does not begin with a header that names the columns")
    if len(set(columns)) != len(columns):
        raise Problem(400, "the header names a column twice")
    return columns


def csv_rows(lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
    """Cells by column, as text, of everything behind the header. Lines without anything are passed over."""
    for cells in _records(lines):
        if isinstance(cells, Problem):
            yield Row(None, cells, lines.end)
        elif any(map(_UNDECODED.search, cells)):
            yield Row(None, Problem(400, "the row is not UTF-8"), lines.end)
        elif len(cells) != len(columns):
            problem = Problem(400, f"the row has {len(cells)} cells; the header names {len(columns)}")
            yield Row(None, problem, lines.end)
        else:
            yield Row(dict(zip(columns, cells, strict=True)), None, lines.end)


def _records(lines: Lines) -> Iterator[list[str] | Problem]:
    csv.field_size_limit(LARGEST_ROW)
    start = lines.end
    unclosed = Problem(400, "a quotation mark is not closed before the end of the file, or for too long")

    def text() -> Iterator[str]:
        for line in lines:
            if lines.end - start > LARGEST_ROW:
                raise unclosed
            # Bytes that are no UTF-8 are told of the row that they are in.
            yield line.decode("utf-8", "surrogateescape") + "\n"
        ended.append(True)

    ended: list[bool] = []
    reader = csv.reader(text(), strict=True)
    while True:
        try:
            cells: list[str] | Problem = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            if ended:
                raise unclosed from None
            cells = Problem(400, f"the row is not CSV: {problem}")
        start = lines.end
        if cells:
            yield cells
