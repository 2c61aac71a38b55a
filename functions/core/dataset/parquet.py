"""Parquet, opened only after another process has read it through.

A damaged file makes the Rust reader panic, and a panic on its way through Arrow's C
interface aborts the whole process (arro3-io 0.9.1): nothing in Python can catch it. A
worker that dies is retried, dies again, and nobody learns that the file was the cause.
"""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arro3.core import RecordBatchReader

_MEMORY_BYTES = 2 << 30
_SECONDS = 120
_NO_READER = 3

_READ_THROUGH = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY_BYTES}, {_MEMORY_BYTES}))
sys.path[:] = sys.argv[1:]
import io
try:
    from arro3.io import read_parquet
except ImportError:
    sys.exit({_NO_READER})
for batch in read_parquet(io.BytesIO(sys.stdin.buffer.read())):
    for name in batch.column_names:
        batch.column(name)
"""


def examine(data: bytes) -> str | None:
    """What is wrong with the file, in words; None when every row of it can be read.

    Raises `RuntimeError` when it is not the file that is at fault.
    """
    footer = int.from_bytes(data[-8:-4], "little")
    if len(data) < 12 or data[-4:] != b"PAR1" or footer + 12 > len(data):
        return "the Parquet file is cut short"
    try:
        outcome = subprocess.run(
            [sys.executable, "-I", "-c", _READ_THROUGH, *sys.path],
            input=data,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"the Parquet file cannot be read in {_SECONDS} seconds"
    if outcome.returncode == _NO_READER:
        raise RuntimeError("arro3-io, which reads Parquet, cannot be imported")
    return "the Parquet file is damaged, or of a kind that is not read" if outcome.returncode else None


def open_reader(data: bytes) -> RecordBatchReader:
    """The batches of a file that `examine` found nothing wrong with."""
    from arro3.io import read_parquet  # noqa: PLC0415 - loaded only where there is such a file

    return read_parquet(io.BytesIO(data))
