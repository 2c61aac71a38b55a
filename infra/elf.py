"""Cut shared libraries down to what the loader reads."""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
"""Elf64_Ehdr: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html"""
_SEGMENT = struct.Struct("<IIQQQQQQ")
"""Elf64_Phdr."""
_SIXTY_FOUR_BITS_LITTLE_ENDIAN = b"\x7fELF\x02\x01"


def shorten(file: Path) -> None:
    """Cut a 64-bit library after its last segment: symbols, debug information and the section table go.

    The loader reads segments alone. This works for libraries of any architecture, where `strip` knows
    only its own. Any other file stays as it is.
    """
    data = file.read_bytes()
    if not data.startswith(_SIXTY_FOUR_BITS_LITTLE_ENDIAN) or len(data) < _HEADER.size:
        return
    fields = list(_HEADER.unpack_from(data))
    segments, size, count = fields[5], fields[9], fields[10]
    ends = []
    for index in range(count):
        _, _, start, _, _, length, _, _ = _SEGMENT.unpack_from(data, segments + index * size)
        ends.append(start + length)
    end = max([segments + count * size, *ends])
    fields[6] = fields[12] = fields[13] = 0  # e_shoff, e_shnum, e_shstrndx: no section table
    file.write_bytes(_HEADER.pack(*fields) + data[_HEADER.size : end])
