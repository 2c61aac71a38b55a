"""Read the tables of a job in a process with bounds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.dataset.read_apart import ReadingProcess
    from functions.core.dataset.wanted import Reader, Rows, Wanted

READER_BYTES = 600_000_000
"""The memory of the process that reads a table, in a function of 1 GB."""


class BoundedReader:
    """Reads tables in a process with bounds, which is started for the first one."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._process: ReadingProcess | None = None

    def __enter__(self) -> Reader:
        return self._read

    def _read(self, blocks: Iterator[bytes], wanted: Wanted) -> Rows:
        if self._process is None:
            from functions.core.dataset.read_apart import ReadingProcess  # noqa: PLC0415 - it loads numpy

            self._process = self._open.enter_context(ReadingProcess(memory_bytes=READER_BYTES))
        return self._process.open(blocks, wanted)

    def __exit__(self, *problem: object) -> None:
        self._open.close()
