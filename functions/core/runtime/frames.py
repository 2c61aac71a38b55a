"""Messages between two processes, over a pipe: what kind one is, a text of JSON, and bytes."""

from __future__ import annotations

import json
import struct
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = struct.Struct(">cQQ")
"""What a message is, and the bytes of its text and of what follows it."""


class Frame(NamedTuple):
    """One message."""

    kind: bytes
    """A letter."""
    head: Any
    """JSON values."""
    payload: bytes


def write(out: IO[bytes], kind: bytes, head: object, payload: bytes = b"") -> None:
    """Write a message."""
    text = json.dumps(head).encode()
    for piece in (HEAD.pack(kind, len(text), len(payload)), text, payload):
        out.write(piece)
    out.flush()


def read(pipe: IO[bytes]) -> Frame | None:
    """Return the next message; None where the other end is gone before it is whole."""
    begin = pipe.read(HEAD.size)
    if len(begin) < HEAD.size:
        return None
    kind, length, size = HEAD.unpack(begin)
    text, payload = pipe.read(length), pipe.read(size)
    return Frame(kind, json.loads(text), payload) if len(text) == length and len(payload) == size else None


class Inbox:
    """Messages of which pieces come as they come."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def add(self, piece: bytes) -> Iterator[Frame]:
        """Add a piece, and yield the messages that are whole with it."""
        self._pieces += piece
        while len(self._pieces) >= HEAD.size:
            kind, length, size = HEAD.unpack_from(self._pieces)
            payload = HEAD.size + length
            if len(self._pieces) < payload + size:
                return
            frame = Frame(
                kind, json.loads(self._pieces[HEAD.size : payload]), bytes(self._pieces[payload : payload + size])
            )
            del self._pieces[: payload + size]
            yield frame
