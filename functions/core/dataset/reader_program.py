"""The process that reads tables for another one: see `read_apart`."""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING

from functions.core.dataset import row_messages
from functions.core.dataset.read_here import open_rows
from functions.core.dataset.row_messages import BLOCK, ENDS, FACTS, GO_ON, REFUSES, ROWS, WANTS
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from functions.core.http.json_codec import note_first_answer
from functions.core.runtime.frames import write

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Abandoned(Exception):
    """Nobody wants the rest of the table."""


def serve() -> None:
    """Read one table after another that the process at the other end of stdin and stdout asks for."""
    note_first_answer()  # many lines of JSON are to come
    out = sys.stdout.buffer
    while request := _received(sys.stdin.buffer):
        try:
            with open_rows(_wanted_blocks(out), Wanted.parse(json.loads(request))) as rows:
                _give(out, FACTS, rows.facts.document())
                for some in rows:
                    _give(out, ROWS, row_messages.head_of(some), row_messages.payload_of(some))
            write(out, ENDS, None)
        except _Abandoned:
            continue
        except UnreadableTable as problem:
            write(out, REFUSES, str(problem))


def _give(out: IO[bytes], kind: bytes, head: object, payload: bytes = b"") -> None:
    """Write a message, and wait to be told to go on. Raise `_Abandoned`."""
    write(out, kind, head, payload)
    if sys.stdin.buffer.read(1) != GO_ON:
        raise _Abandoned


def _wanted_blocks(out: IO[bytes]) -> Iterator[bytes]:
    while True:
        write(out, WANTS, None)
        block = _received(sys.stdin.buffer)
        if not block:
            return
        yield block


def _received(pipe: IO[bytes]) -> bytes:
    """Return the next block; nothing at the end."""
    begin = pipe.read(BLOCK.size)
    return pipe.read(BLOCK.unpack(begin)[0]) if len(begin) == BLOCK.size else b""
