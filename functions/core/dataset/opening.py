"""Open a file of rows by its content and not by its name: CSV, JSON Lines or Parquet, each perhaps compressed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from functions.core.dataset.table import ACCEPTED, Table, UnreadableTable
from functions.core.runtime import gzip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.feature import Feature

_BLOCK_BYTES = 4_000_000
_TELLING = 64
"""Bytes from which it can be told what a file is."""
_WHITE_SPACE = b" \t\r\n\v\f"
_LISTED = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*[\[{]")
_NOT_TABLES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"ARROW1": "an Arrow or Feather file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3": "a SQLite database",
    b"\x89PNG": "an image",
    b"%PDF": "a PDF document",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS, and not the file",
}


def open_table(
    blocks: Iterator[bytes],
    features: Sequence[Feature],
    others: Sequence[str],
    *,
    most_bytes: int,
    lists: bool = False,
) -> Table:
    """Open the table in the blocks of a file; none of them is empty.

    `features` are the columns to be encoded, `others` those that are read as they are. `most_bytes` bounds
    what a compressed file may expand to. `lists`: see `open_json_lines`.
    Raise `UnreadableTable`.
    """
    blocks = _begun(blocks)
    first = next(blocks, b"")
    if first.startswith(gzip.MAGIC):
        blocks = _begun(_expanded(_joined(first, blocks), most_bytes))
        first = next(blocks, b"")
    if not first:
        raise UnreadableTable(f"the file is empty; {ACCEPTED}")
    if first.startswith(b"PAR1"):
        from functions.core.dataset.parquet import open_parquet  # noqa: PLC0415 - a CSV needs none of it

        return open_parquet(b"".join(_joined(first, blocks)), features, others)
    for magic, kind in _NOT_TABLES.items():
        if first.startswith(magic):
            raise UnreadableTable(f"the file is {kind}; {ACCEPTED}")
    if first.lstrip(b"\xef\xbb\xbf" + _WHITE_SPACE).startswith(b"{"):
        from functions.core.dataset.json_lines import open_json_lines  # noqa: PLC0415

        return open_json_lines(_joined(first, blocks), features, others, lists=lists)
    if lists and first.lstrip(_WHITE_SPACE).startswith(b"["):
        from functions.core.dataset.json_lines import open_json_lines  # noqa: PLC0415

        return open_json_lines(_joined(first, blocks), features, others, lists=True)
    if _LISTED.match(first):
        raise UnreadableTable(f"the file is one list of JSON; write one object a line; {ACCEPTED}")
    if b"\0" in first.split(b"\n", 1)[0]:
        raise UnreadableTable(f"the file holds binary data; {ACCEPTED}")
    from functions.core.dataset.csv_table import open_csv  # noqa: PLC0415 - it loads Arrow

    return open_csv(first, blocks, features, others)


def _begun(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks from the first that holds more than white space on, with enough in it to tell what it is."""
    first = b""
    for block in blocks:
        first += block
        if len(first.strip(_WHITE_SPACE)) >= _TELLING:
            yield first
            break
    else:
        if first.strip(_WHITE_SPACE):
            yield first
    yield from blocks


def _joined(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from blocks


def _expanded(blocks: Iterator[bytes], most_bytes: int) -> Iterator[bytes]:
    """Yield what gzip compressed, a block at a time. Raise `UnreadableTable` where it is damaged, or too much."""
    total = 0
    try:
        for block in gzip.expanded(blocks, _BLOCK_BYTES):
            total += len(block)
            if total > most_bytes:
                raise UnreadableTable(f"the file expands to more than {most_bytes // 1_000_000} MB, the most")
            yield block
    except gzip.Damaged as problem:
        raise UnreadableTable(f"the file is compressed with gzip, and {problem}; upload it again") from None
