"""Read a table in a process of its own, with bounds on memory and time.

A damaged Parquet file makes the Rust reader abort its process, which Python cannot catch, and a small file
may expand to gigabytes: whatever a file does to its reader, whoever asked for it lives and can say so.
Reader and asker take turns: the reader asks for a block, and answers with rows.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.dataset.encoded_rows import EncodedRows, Refused, Rounded
from functions.core.dataset.table import ACCEPTED, UnreadableTable
from functions.core.dataset.wanted import Facts, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

MEMORY_BYTES = 1_200_000_000
SECONDS = 120
_HEAD = struct.Struct(">cQQ")
_BLOCK = struct.Struct(">Q")
WANTS, FACTS, ROWS, REFUSES, ENDS = b"w", b"f", b"r", b"x", b"e"
"""What a message of the reader is: it wants a block, tells the table's facts, gives rows, refuses the file, or ends."""
_NO_READER = 3
_PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
memory, seconds = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
sys.path[:] = sys.argv[3:]
try:
    from functions.core.dataset.read_apart import serve
    import arro3.core, arro3.io
except ImportError as problem:
    print(problem, file=sys.stderr)
    sys.exit({_NO_READER})
serve()
"""


class RowsApart:
    """The rows of a table, read by a process that ends with this context."""

    facts: Facts

    def __init__(
        self, blocks: Iterator[bytes], wanted: Wanted, *, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS
    ) -> None:
        """Start the process and have the table opened. Raise `UnreadableTable`."""
        self._blocks = blocks
        self._memory_bytes = memory_bytes
        self._seconds = seconds
        self._late = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, str(memory_bytes), str(seconds), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={"OPENBLAS_NUM_THREADS": "1"},
        )
        self._timer = threading.Timer(seconds, self._end_late)
        self._timer.daemon = True
        self._timer.start()
        try:
            self._send(json.dumps(wanted.document()).encode())
            kind, head, _ = self._receive()
            if kind != FACTS:
                raise RuntimeError("the reader of tables begins with no facts")
            self.facts = Facts.parse(head)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[EncodedRows]:
        while True:
            kind, head, payload = self._receive()
            if kind == ENDS:
                return
            yield _rows(head, payload)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                pass
        self._errors.close()

    def _receive(self) -> tuple[bytes, Any, bytes]:
        """Return the next message that is not about blocks, and send those that the reader wants meanwhile."""
        while True:
            kind, head, payload = self._message()
            if kind == WANTS:
                self._send(next(self._blocks, b""))
            elif kind == REFUSES:
                raise UnreadableTable(head)
            else:
                return kind, head, payload

    def _message(self) -> tuple[bytes, Any, bytes]:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 - it was asked for
        begin = pipe.read(_HEAD.size)
        if len(begin) < _HEAD.size:
            raise self._death()
        kind, length, size = _HEAD.unpack(begin)
        head, payload = pipe.read(length), pipe.read(size)
        if len(head) < length or len(payload) < size:
            raise self._death()
        return kind, json.loads(head), payload

    def _send(self, block: bytes) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 - it was asked for
        try:
            pipe.write(_BLOCK.pack(len(block)))
            pipe.write(block)
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
        if self._late or code == -24:  # SIGXCPU
            return UnreadableTable(f"the file cannot be read in {self._seconds} seconds")
        if code < 0 or "MemoryError" in told:
            most = self._memory_bytes // 1_000_000
            return UnreadableTable(
                f"the file is damaged, or needs more than {most} MB of memory to be read; {ACCEPTED}"
            )
        problem = UnreadableTable(f"the file is damaged, or of a kind that is not read; {ACCEPTED}")
        problem.__cause__ = RuntimeError(told)
        return problem

    def _end_late(self) -> None:
        self._late = True
        self._process.kill()


def open_rows(blocks: Iterator[bytes], wanted: Wanted) -> RowsApart:
    """Open the table in the blocks of a file. Raise `UnreadableTable`."""
    return RowsApart(blocks, wanted)


def serve() -> None:
    """Read the table that the process at the other end of stdin and stdout asks for."""
    from functions.core.dataset.read_here import open_rows as open_here  # noqa: PLC0415 - the reader's alone

    wanted = Wanted.parse(json.loads(_received(sys.stdin.buffer)))
    out = sys.stdout.buffer
    try:
        with open_here(_wanted_blocks(out), wanted) as rows:
            _write(out, FACTS, rows.facts.document())
            for some in rows:
                _write(out, ROWS, _head(some), some.numbers.tobytes())
        _write(out, ENDS, None)
    except UnreadableTable as problem:
        _write(out, REFUSES, str(problem))


def _wanted_blocks(out: IO[bytes]) -> Iterator[bytes]:
    while True:
        _write(out, WANTS, None)
        block = _received(sys.stdin.buffer)
        if not block:
            return
        yield block


def _received(pipe: IO[bytes]) -> bytes:
    [size] = _BLOCK.unpack(pipe.read(_BLOCK.size))
    return pipe.read(size)


def _write(out: IO[bytes], kind: bytes, head: object, payload: bytes = b"") -> None:
    text = json.dumps(head).encode()
    out.write(_HEAD.pack(kind, len(text), len(payload)))
    out.write(text)
    out.write(payload)
    out.flush()


def _head(rows: EncodedRows) -> dict[str, Any]:
    return {
        "shape": rows.numbers.shape,
        "dtype": str(rows.numbers.dtype),
        "refused": [[at, row.location, list(row.faults), list(row.cells)] for at, row in rows.refused.items()],
        "texts": dict(rows.texts),
        "rounded": {name: vars(found) for name, found in rows.rounded.items()},
        "end": rows.end,
    }


def _rows(head: dict[str, Any], payload: bytes) -> EncodedRows:
    return EncodedRows(
        numbers=np.frombuffer(payload, dtype=head["dtype"]).reshape(head["shape"]),
        refused={
            at: Refused(location=location, faults=[(column, reason) for column, reason in faults], cells=cells)
            for at, location, faults, cells in head["refused"]
        },
        texts=head["texts"],
        rounded={name: Rounded(**found) for name, found in head["rounded"].items()},
        end=head["end"],
    )
