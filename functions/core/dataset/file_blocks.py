"""A file of the data store in blocks, so that it is never in memory as a whole, and its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from functions.core.storage.objects import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.objects import Objects

BLOCK_BYTES = 8_000_000


class Replaced(Exception):
    """The file was replaced while it was read. The text names it."""


class FileBlocks:
    """The blocks of one state of a file, once."""

    def __init__(self, objects: Objects, key: str, *, block_bytes: int = BLOCK_BYTES) -> None:
        """Raise `Missing` where there is no such file."""
        size_and_state = objects.look(key)
        if size_and_state is None:
            raise Missing(key)
        self.size, self._state = size_and_state
        self._objects = objects
        self._key = key
        self._block_bytes = block_bytes
        self._read = 0
        self._whole = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks, none of them empty. Raise `Replaced`."""
        while self._read < self.size:
            block, state = self._objects.block(self._key, self._read, self._block_bytes)
            if state != self._state or not block:
                raise Replaced(f"{self._key} was replaced while it was read")
            self._read += len(block)
            self._whole.update(block)
            yield block

    def digest(self) -> str:
        """Return the SHA-256 of the whole file, 64 hexadecimal digits, and read what was not read. Raise `Replaced`."""
        for _ in self:
            pass
        return self._whole.hexdigest()
