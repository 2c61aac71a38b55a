"""Read Parquet files, each only after another process has read all of it.

A damaged file makes the Rust reader panic, and a panic that passes through Arrow's C
interface aborts the process (arro3-io 0.9.1): Python cannot catch it. The workflow would
retry the step, which would die again without saying that the file is the cause.
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
_READER_MISSING = 3

_READ_THROUGH = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY_BYTES}, {_MEMORY_BYTES}))
sys.path[:] = sys.argv[1:]
import io
try:
    from arro3.io import read_parquet
except ImportError:
    sys.exit({_READER_MISSING})
for batch in read_parquet(io.BytesIO(sys.stdin.buffer.read())):
    for name in batch.column_names:
        batch.column(name)
"""


def examine(data: bytes) -> str | None:
    """Return what is wrong with the file, as a text for the user; None when every row can be read.

    Raises `RuntimeError` when the reader itself cannot be imported.
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
    if outcome.returncode == _READER_MISSING:
        raise RuntimeError("arro3-io, which reads Parquet, cannot be imported")
    return "the Parquet file is damaged, or of a kind that is not read" if outcome.returncode else None


def open_reader(data: bytes) -> RecordBatchReader:
    """Open a file for which `examine` returned None, and return a reader of its batches."""
    from arro3.io import read_parquet  # noqa: PLC0415 - loaded only where there is such a file

    return read_parquet(io.BytesIO(data))
