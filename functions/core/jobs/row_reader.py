"""Read the rows of a job's input one by one, as people write them in JSON.

For a row that cannot be read, a `Row` with the reason is yielded; a fault that ends the reading is
raised as `Problem`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.json_codec import not_json, parse_json, skip_whitespace, value_at
from functions.core.http.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_ROW = 8_000_000
"""Bytes of one row of a file."""
_OPENING = re.compile(r'[ \t\n\r]*\{[ \t\n\r]*"instances"[ \t\n\r]*:[ \t\n\r]*\[[ \t\n\r]*')
_CLOSING = re.compile(r"\][ \t\n\r]*\}[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"
_EXAMPLE = '{"instances": [{feature: value, ...}, ...]}, one row or more, and no other member'


class Row(NamedTuple):
    value: Any
    """An instance as JSON."""
    problem: Problem | None
    """Why the row could not be read; None when it could."""
    size: int = 0
    """Bytes of its line."""


def request_rows(text: str) -> Iterator[Row]:
    """Yield the instances of `{"instances": [...]}`.

    Raises `Problem` 400 at the point where the text stops being such a request, after the rows before it.
    """
    opening = _OPENING.match(text)
    if opening is None or text[opening.end() : opening.end() + 1] == "]":
        parse_json(text.encode())  # has a better message for a text that is not JSON
        raise Problem(400, f"the job is not {_EXAMPLE}")
    at = opening.end()
    while at <= len(text):
        value, at = value_at(text, skip_whitespace(text, at))
        at = skip_whitespace(text, at)
        if text[at : at + 1] == "," or _CLOSING.fullmatch(text, at):
            yield Row(value, None)
        elif text[at : at + 1] == "]":
            raise Problem(400, f"the job is not {_EXAMPLE}")
        else:
            raise not_json(text, at, "Expecting ',' delimiter")
        at = at + 1 if text[at] == "," else len(text) + 1


def lines_of(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file's blocks. Raise `Problem` 400 for one of more than `LARGEST_ROW` bytes."""
    rest, begun = b"", False
    for block in blocks:
        text = rest + (block if begun else block.removeprefix(_BOM))
        begun = True
        *lines, rest = text.split(b"\n")
        for line in lines:
            yield _checked(line)
        _checked(rest)
    if rest:
        yield _checked(rest)


def json_rows(lines: Iterator[bytes]) -> Iterator[Row]:
    """Yield the JSON value of each line; empty lines are skipped."""
    for line in lines:
        if line.strip():
            try:
                yield Row(parse_json(line), None, len(line))
            except Problem as problem:
                detail = problem.detail.replace("the body", "the row", 1)
                yield Row(None, Problem(problem.status, detail, faults=problem.faults), len(line))


def _checked(line: bytes) -> bytes:
    if len(line) > LARGEST_ROW:
        raise Problem(400, f"a line has more than {LARGEST_ROW} bytes")
    return line.removesuffix(b"\r")
