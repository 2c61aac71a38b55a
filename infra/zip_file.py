"""Zip files whose bytes depend on their content alone.

Python's own writer compresses with whatever zlib it was built with, and there are several that differ
in their output. Here one pinned version of libdeflate does, and the headers are written as
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT has them, under one date.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zipfile
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import deflate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

LEVEL = 9
"""libdeflate's, of 12: above it a tenth of a percent costs twice the time."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry: the earliest that the format has."""
STORED, DEFLATED = 0, 8
UNIX = 3 << 8
NEEDED = 20
"""The version of the format that a reader needs: 2.0, for deflate."""
UTF8 = 1 << 11
DATE = (EPOCH[0] - 1980) << 9 | EPOCH[1] << 5 | EPOCH[2]
LARGEST = 2**32 - 2


_sharing = threading.Lock()
_shared: dict[bytes, Future[bytes]] | None = None
"""Inside `sharing`, what is compressed already or is being compressed, by the digest of the content."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of the directory at the end of a zip file."""

    name: str
    method: int
    crc: int
    compressed: int
    """Bytes in the zip file, without the header before them."""
    size: int
    """Bytes once unpacked."""
    mode: int
    at: int
    """Where its header begins."""

    def header(self) -> bytes:
        """Return what stands before its data."""
        name = self.name.encode()
        fields = (NEEDED, _flags(name), self.method, 0, DATE, self.crc, self.compressed, self.size, len(name), 0)
        return struct.pack("<4s5H3I2H", b"PK\3\4", *fields) + name

    def listed(self) -> bytes:
        """Return what stands for it in the directory."""
        name = self.name.encode()
        fields = (UNIX | NEEDED, NEEDED, _flags(name), self.method, 0, DATE, self.crc, self.compressed, self.size)
        return (
            struct.pack("<4s6H3I5H2I", b"PK\1\2", *fields, len(name), 0, 0, 0, 0, (0o100000 | self.mode) << 16, self.at)
            + name
        )


def write(target: Path, files: Iterable[tuple[str, bytes]], *, after: Path | None = None) -> int:
    """Write `files`, sorted by their names, after the entries of the zip file `after`; return their bytes unpacked.

    What `after` holds is neither counted nor compressed again; it was written here. Raise `ValueError` for more than
    the format takes without its extension to 64 bits.
    """
    total = 0
    with target.open("wb") as output:
        entries = [] if after is None else _adopt(output, after)
        for name, data in sorted(files):
            total += len(data)
            entries.append(_add(output, name, data))
        start = output.tell()
        for entry in entries:
            output.write(entry.listed())
        end = output.tell()
        if end > LARGEST or len(entries) > 0xFFFF:
            raise ValueError(f"{target.name}: {end:,} bytes in {len(entries):,} files; accepted: {LARGEST:,} in 65,535")
        output.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), end - start, start, 0))
    return total


def tree(folder: Path) -> Iterable[tuple[str, bytes]]:
    """Yield every file below a folder: its path with slashes, and its bytes."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file.read_bytes()


@contextmanager
def sharing() -> Generator[None]:
    """Compress once what is in several zip files that are written in the block, in whichever threads."""
    global _shared  # noqa: PLW0603 - threads of a pool know nothing of the block that they were started in
    with _sharing:
        before, _shared = _shared, {} if _shared is None else _shared
    try:
        yield
    finally:
        with _sharing:
            _shared = before


def _deflated(data: bytes) -> bytes:
    known = _shared
    if known is None:
        return bytes(deflate.deflate_compress(data, LEVEL))
    digest = hashlib.sha256(data).digest()
    with _sharing:
        first = digest not in known
        packed = known.setdefault(digest, Future())
    if first:
        try:
            packed.set_result(bytes(deflate.deflate_compress(data, LEVEL)))
        except BaseException as problem:
            packed.set_exception(problem)
    return packed.result()


def _add(output: BinaryIO, name: str, data: bytes) -> Entry:
    packed = _deflated(data) if data else b""
    method = DEFLATED if len(packed) < len(data) else STORED
    content = packed if method == DEFLATED else data
    entry = Entry(
        name=name,
        method=method,
        crc=deflate.crc32(data),
        compressed=len(content),
        size=len(data),
        mode=0o755 if name.endswith(".so") else 0o644,
        at=output.tell(),
    )
    output.write(entry.header() + content)
    return entry


def _adopt(output: BinaryIO, source: Path) -> list[Entry]:
    """Copy the entries of another zip file as they are."""
    with zipfile.ZipFile(source) as packed:
        listed, start = packed.infolist(), packed.start_dir
    with source.open("rb") as content:
        output.write(content.read(start))
    return [
        Entry(
            name=info.filename,
            method=info.compress_type,
            crc=info.CRC,
            compressed=info.compress_size,
            size=info.file_size,
            mode=info.external_attr >> 16 & 0o777,
            at=info.header_offset,
        )
        for info in listed
    ]


def _flags(name: bytes) -> int:
    return 0 if name.isascii() else UTF8
