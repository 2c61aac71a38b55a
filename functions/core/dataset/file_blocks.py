"""A file of the data store in blocks, so that it is never in memory as a whole, and its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.storage.objects import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.objects import Objects

BLOCK_BYTES = 8_000_000


class NotRead(Exception):
    """The store gave no block of a file: no fault of the file. The cause says why."""


class FileBlocks:
    """The blocks of one state of a file, once."""

    def __init__(self, objects: Objects, key: str, *, block_bytes: int = BLOCK_BYTES) -> None:
        """Raise `RejectedDataset` where there is no such file."""
        size_and_state = objects.look(key)
        if size_and_state is None:
            raise _gone(key)
        self.size, self._state = size_and_state
        self._objects = objects
        self._key = key
        self._block_bytes = block_bytes
        self._read = 0
        self._whole = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks, none of them empty.

        Raise `RejectedDataset` where the file is gone, or was replaced meanwhile, and `NotRead`.
        """
        while self._read < self.size:
            try:
                block, state = self._objects.block(self._key, self._read, self._block_bytes)
            except Missing:
                raise _gone(self._key) from None
            except Exception as problem:
                raise NotRead(f"the store gave no block of {self._key!r}") from problem
            if state != self._state or not block:
                raise RejectedDataset(f"{self._key!r} was replaced while it was read")
            self._read += len(block)
            self._whole.update(block)
            yield block

    def digest(self) -> str:
        """Return the SHA-256 of the file, 64 hexadecimal digits: of the whole, unless it changed meanwhile.

        Raise `NotRead`.
        """
        try:
            for _ in self:
                pass
        except RejectedDataset:
            pass
        return self._whole.hexdigest()


def _gone(key: str) -> RejectedDataset:
    return RejectedDataset(f"{key!r} was gone before it was read")
