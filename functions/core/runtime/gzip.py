"""Expand what gzip compressed, a block at a time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x1f\x8b"
"""How a file begins that gzip compressed."""
_GZIP = 31


class Damaged(ValueError):
    """What gzip compressed cannot be expanded. The text says what it is: damaged, or cut short."""


def expanded(blocks: Iterator[bytes], block_bytes: int) -> Iterator[bytes]:
    """Yield what blocks expand to, at most `block_bytes` at a time, none of it empty. Raise `Damaged`.

    Files that gzip compressed may follow one another, as some tools join them.
    """
    stream = zlib.decompressobj(wbits=_GZIP)
    try:
        for block in blocks:
            waiting, full = block, False
            while waiting or full:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=_GZIP)
                piece = stream.decompress(waiting, block_bytes)
                full = len(piece) == block_bytes
                if piece:
                    yield piece
                # Some tools fill the last block up with zeros.
                waiting = stream.unused_data.lstrip(b"\0") if stream.eof else stream.unconsumed_tail
    except zlib.error:
        raise Damaged("damaged") from None
    if not stream.eof:
        raise Damaged("cut short")
