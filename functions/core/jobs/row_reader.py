"""Read the rows of a job's input one by one, from its beginning or from where an earlier attempt stopped.

Only one row of a file and the block around it are in memory. For a row that cannot be read,
a `Row` with the reason is yielded; a fault that ends the reading is raised as `Problem`.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.json_codec import not_json, parse_json, skip_whitespace, value_at
from functions.core.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LARGEST_ROW = 8_000_000
"""Bytes of one row of a file."""
_OPENING = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*"instances"[ \t\n\r]*:[ \t\n\r]*\[[ \t\n\r]*')
_CLOSING = re.compile(r"\][ \t\n\r]*\}[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"
_UNDECODED = re.compile("[\udc80-\udcff]")
_EXAMPLE = '{"instances": [{feature: value, ...}, ...]}, one row or more, and no other member'


class Row(NamedTuple):
    value: Any
    """An instance as JSON, or a dict from column to cell."""
    problem: Problem | None
    """Why the row could not be read; None when it could."""
    end: int
    """Where the next row begins: a byte offset in a file, a character index in a request.

    After the last row of a request it is the length of the request plus 1.
    """


def request_rows(text: str, at: int) -> Iterator[Row]:
    """Yield the instances of `{"instances": [...]}`, from character index `at` on.

    Raises `Problem` 400 at the point where the text stops being such a request, after the rows before it.
    """
    if at == 0:
        opening = _OPENING.match(text)
        if opening is None or text[opening.end() : opening.end() + 1] == "]":
            parse_json(text.encode())  # has a better message for a text that is not JSON
            raise Problem(400, f"the job is not {_EXAMPLE}")
        at = opening.end()
    while at <= len(text):
        value, at = value_at(text, skip_whitespace(text, at))
        at = skip_whitespace(text, at)
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
    """Iterate over the lines of a file from byte offset `at` on.

    `block(start)` returns some bytes from an offset on, and none at the end of the file. `end`
    is the offset of the next line. Raises `Problem` 400 for a line of more than `LARGEST_ROW` bytes.
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
        rest, offset = b"", self.end
        while block := self._block(offset):
            if not offset:
                self.end = len(_BOM) if block.startswith(_BOM) else 0
            *lines, rest = (rest + block[0 if offset else self.end :]).split(b"\n")
            offset += len(block)
            for line in lines:
                self.end += len(line) + 1
                yield self._checked(line)
            self._checked(rest)
        if rest:
            self.end += len(rest)
            yield self._checked(rest)

    def _checked(self, line: bytes) -> bytes:
        if len(line) > LARGEST_ROW:
            raise Problem(400, f"a line has more than {LARGEST_ROW} bytes")
        return line.removesuffix(b"\r")


def json_rows(lines: Lines) -> Iterator[Row]:
    """Yield the JSON value of each line; empty lines are skipped."""
    for line in lines:
        if line.strip():
            try:
                yield Row(parse_json(line), None, lines.end)
            except Problem as problem:
                detail = problem.detail.replace("the body", "the row", 1)
                yield Row(None, Problem(problem.status, detail, faults=problem.faults), lines.end)


def csv_header(lines: Lines) -> list[str]:
    """Return the columns that the first line names. Raises `Problem` 400 when it names none, or one twice."""
    header = next(_records(lines), [])
    columns = [] if isinstance(header, Problem) else [name.strip() for name in header]
    if not any(columns):
        raise Problem(400, "the file does not begin with a header that names the columns")
    if len(set(columns)) != len(columns):
        raise Problem(400, "the header names a column twice")
    return columns


def csv_rows(lines: Lines, columns: Sequence[str]) -> Iterator[Row]:
    """Yield a dict from column to cell text for each row after the header; empty lines are skipped."""
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

    def decoded() -> Iterator[str]:
        for line in lines:
            if lines.end - start > LARGEST_ROW:
                raise unclosed
            # Bytes that are not UTF-8 become surrogates, by which `csv_rows` refuses their row.
            yield line.decode("utf-8", "surrogateescape") + "\n"
        ended.append(True)

    ended: list[bool] = []
    reader = csv.reader(decoded(), strict=True)
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
