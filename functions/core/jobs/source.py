"""Read the input of a job in blocks, in the state in which the job began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.http.json_codec import text_of
from functions.core.http.problem import Problem
from functions.core.runtime.gzip import Damaged, expanded
from functions.core.storage.objects import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.jobs.job import Job
    from functions.core.storage.objects import Objects
    from functions.core.storage.tag import Tag

BLOCK_BYTES = 4_000_000
"""How much of a file is read at once."""
LARGEST_EXPANDED = 2_000_000_000
"""Bytes to which a compressed file may expand."""


class JobInput:
    """The input of one job, in one state of `size` bytes."""

    def __init__(self, objects: Objects, job: Job, *, size: int, state: Tag) -> None:
        """Raise `Problem` 413 for an input that is too large, without reading it."""
        if size > job.format.largest:
            raise Problem(413, f"the job has more than {job.format.largest} bytes")
        self.job = job
        self.size = size
        self.state = state
        self._objects = objects

    def blocks(self, start: int, stop: int | None = None, *, most_bytes: int = LARGEST_EXPANDED) -> Iterator[bytes]:
        """Yield what is between two places in the file, none of it empty; what it expands to, if it is compressed.

        Raises `Problem` 409 when the file was replaced, 410 when it is gone, 400 for one whose compression is
        damaged, 413 beyond `most_bytes`.
        """
        if not self.job.compressed:
            yield from self._blocks(start, self.size if stop is None else stop)
            return
        total = 0
        try:
            for block in expanded(self._blocks(0, self.size), BLOCK_BYTES):
                total += len(block)
                if total > most_bytes:
                    raise Problem(413, f"the file expands to more than {most_bytes} bytes")
                yield block
        except Damaged as problem:
            raise Problem(400, f"the file is compressed with gzip, and {problem}") from None

    def text(self) -> str:
        """Return the whole input as text. Raise `Problem` 400 where it is not UTF-8, and as `blocks` does."""
        return text_of(b"".join(self.blocks(0, most_bytes=self.job.format.largest)))

    def line_bounds(self, part_bytes: int) -> tuple[int, ...]:
        """Return where parts of about `part_bytes` begin, each with a line, and where the last one ends."""
        bounds = [0]
        while (at := bounds[-1] + part_bytes) < self.size:
            end = self._line_end(at - 1)
            if end >= self.size:
                break
            bounds.append(end)
        return (*bounds, self.size)

    def _line_end(self, at: int) -> int:
        """Return where the line ends that the byte at `at` belongs to; the size of the file where it is the last."""
        while at < self.size:
            block = self._bytes(at, min(BLOCK_BYTES, self.size - at))
            found = block.find(b"\n")
            if found >= 0:
                return at + found + 1
            at += len(block)
        return self.size

    def _blocks(self, start: int, stop: int) -> Iterator[bytes]:
        while start < stop:
            block = self._bytes(start, min(BLOCK_BYTES, stop - start))
            start += len(block)
            yield block

    def _bytes(self, start: int, size: int) -> bytes:
        try:
            data, state = self._objects.block(self.job.input, start, size)
        except Missing:
            raise gone() from None
        if state != self.state or not data:
            raise replaced()
        return data


def replaced() -> Problem:
    """Return the `Problem` 409 for an input that was replaced after the job had begun."""
    return Problem(409, "the input was replaced after the job had begun; send it as a job of its own")


def gone() -> Problem:
    """Return the `Problem` 410 for an input that was deleted before its job was done."""
    return Problem(410, "the input was deleted before the job was done; send it again as a job of its own")
