"""Read a table in a process of its own, with bounds on memory and time.

A damaged Parquet file makes the Rust reader abort its process, which Python cannot catch, and a small file
may expand to gigabytes: whatever a file does to its reader, whoever asked for it lives and can say so.
`reader_program` is what that process does, `row_messages` what the two say to each other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from functions.core.dataset import reader_program
from functions.core.dataset.row_messages import (
    ABANDON,
    BLOCK,
    ENDS,
    FACTS,
    GO_ON,
    REFUSES,
    ROWS,
    WANTS,
    rows_of,
)
from functions.core.dataset.table import ACCEPTED, UnreadableTable
from functions.core.dataset.wanted import Facts
from functions.core.runtime import frames

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from types import TracebackType

    from functions.core.dataset.encoded_rows import EncodedRows
    from functions.core.dataset.wanted import Wanted

MEMORY_BYTES = 1_200_000_000
SECONDS = 120
_NO_READER = 3
_PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
memory = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
sys.path[:] = sys.argv[2:]
try:
    from {reader_program.__name__} import serve
    import arro3.core, arro3.io
except ImportError as problem:
    print(problem, file=sys.stderr)
    sys.exit({_NO_READER})
serve()
"""


class ReadingProcess:
    """A process that reads one table after another, until its context is left."""

    def __init__(self, *, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS) -> None:
        """Start it. It may use `memory_bytes` of memory, and `seconds` for each table.

        What whoever asked for a table does with its rows is no time of the table's.
        """
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._seconds_left = float(seconds)
        self._late = False
        self._waits = False
        """Whether the reader has given something, and waits to be told to go on."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(memory_bytes), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={"OPENBLAS_NUM_THREADS": "1"},
        )

    def open(self, blocks: Iterator[bytes], wanted: Wanted) -> RowsApart:
        """Open the table in the blocks of a file. The one before it is over then. Raise `UnreadableTable`."""
        self.abandon()
        self._seconds_left = self._seconds
        self._send(json.dumps(wanted.document()).encode())
        return RowsApart(self, blocks)

    def abandon(self) -> None:
        """Have the reader give up the table that is open, if one is."""
        if self._waits:
            self._waits = False
            self._tell(ABANDON)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                pass
        self._errors.close()

    def receive(self, blocks: Iterator[bytes]) -> tuple[bytes, Any, bytes]:
        """Return the next message that is not about blocks, and send those that the reader wants meanwhile.

        Raise `UnreadableTable`, and `RuntimeError` where there is nothing that reads tables.
        """
        if self._waits:
            self._tell(GO_ON)
        while True:
            with self._timed():
                kind, head, payload = self._message()
            self._waits = kind in (FACTS, ROWS)
            if kind == WANTS:
                self._send(next(blocks, b""))
            elif kind == REFUSES:
                raise UnreadableTable(head)
            else:
                return kind, head, payload

    def _message(self) -> frames.Frame:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 - it was asked for
        frame = frames.read(pipe)
        if frame is None:
            raise self._death()
        return frame

    def _send(self, block: bytes) -> None:
        self._tell(BLOCK.pack(len(block)), block)

    def _tell(self, *pieces: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - it was asked for
        try:
            for piece in pieces:
                pipe.write(piece)
            pipe.flush()
        except BrokenPipeError:
            raise self._death() from None

    def _death(self) -> Exception:
        """Return why the process is gone."""
        code = self._process.wait()
        self._errors.seek(0)
        told = self._errors.read().decode("utf-8", "replace").strip()
        if code == _NO_READER:
            return RuntimeError(f"the reader of tables cannot be imported: {told}")
        if self._late:
            return UnreadableTable(f"the file cannot be read in {self._seconds} seconds")
        if code < 0 or "MemoryError" in told:
            most = self._memory_bytes // 1_000_000
            return UnreadableTable(
                f"the file is damaged, or needs more than {most} MB of memory to be read; {ACCEPTED}"
            )
        problem = UnreadableTable(f"the file is damaged, or of a kind that is not read; {ACCEPTED}")
        problem.__cause__ = RuntimeError(told)
        return problem

    @contextmanager
    def _timed(self) -> Generator[None]:
        """Take the time that passes from what is left for the table, and end the process when none is left."""
        timer, began = threading.Timer(self._seconds_left, self._end_late), time.monotonic()
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            self._seconds_left = max(0.0, self._seconds_left - (time.monotonic() - began))

    def _end_late(self) -> None:
        self._late = True
        self._process.kill()


class RowsApart:
    """The rows of a table that a process reads. Where it is the process's only one, it ends with this context."""

    facts: Facts

    def __init__(self, process: ReadingProcess, blocks: Iterator[bytes]) -> None:
        """Wait for the table's facts. Raise `UnreadableTable`."""
        self._process = process
        self._blocks = blocks
        self._only = False
        kind, head, _ = process.receive(blocks)
        if kind != FACTS:
            raise RuntimeError("the reader of tables begins with no facts")
        self.facts = Facts.parse(head)

    def alone(self) -> Self:
        """Return this table, as the only one of its process."""
        self._only = True
        return self

    def __iter__(self) -> Iterator[EncodedRows]:
        while True:
            kind, head, payload = self._process.receive(self._blocks)
            if kind == ENDS:
                return
            yield rows_of(head, payload)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._only:
            self._process.close()
        elif problem is None or isinstance(problem, GeneratorExit):
            self._process.abandon()


def open_rows(
    blocks: Iterator[bytes], wanted: Wanted, *, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS
) -> RowsApart:
    """Open the table in the blocks of a file, in a process of its own. Raise `UnreadableTable`."""
    process = ReadingProcess(memory_bytes=memory_bytes, seconds=seconds)
    try:
        rows = process.open(blocks, wanted)
    except BaseException:
        process.close()
        raise
    return rows.alone()
