"""The messages between a process that reads tables and the one that asks for them, over pipes.

The reader wants a block, or gives something and waits to be told to go on: its own messages are `frames`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.encoded_rows import EncodedRows, Refused, Rounded
from functions.core.dataset.row_keys import RowKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCK = struct.Struct(">Q")
"""The bytes of a block that the reader gets."""
WANTS, FACTS, ROWS, REFUSES, ENDS = b"w", b"f", b"r", b"x", b"e"
"""What a message of the reader is: it wants a block, tells the table's facts, gives rows, refuses the file, or ends."""
GO_ON, ABANDON = b"g", b"a"
"""What the reader is told when it has given something."""


def head_of(rows: EncodedRows) -> dict[str, Any]:
    """Return rows without their numbers, as JSON values."""
    keys, numbers = rows.keys, list(_numbers_of(rows.keys))
    return {
        "shape": rows.numbers.shape,
        "dtype": str(rows.numbers.dtype),
        "refused": [[at, row.location, list(row.faults), list(row.cells)] for at, row in rows.refused.items()],
        "texts": dict(rows.texts),
        "rounded": {name: vars(found) for name, found in rows.rounded.items()},
        "learnt": dict(rows.learnt),
        "end": rows.end,
        "first": rows.first,
        "keys": None if keys is None else {"groups": keys.groups, "dated": keys.dated, "numbers": numbers},
    }


def payload_of(rows: EncodedRows) -> bytes:
    """Return the numbers of rows: what a model takes, and their times and weights where they have some."""
    return b"".join(some.tobytes() for some in (rows.numbers, *_numbers_of(rows.keys).values()))


def rows_of(head: dict[str, Any], numbers: bytes) -> EncodedRows:
    """Return the rows that `head_of` described, with what `payload_of` returned."""
    dtype, shape = np.dtype(head["dtype"]), head["shape"]
    count = shape[0] * shape[1]
    return EncodedRows(
        numbers=np.frombuffer(numbers, dtype=dtype, count=count).reshape(shape),
        refused={at: _refused(location, faults, cells) for at, location, faults, cells in head["refused"]},
        texts=head["texts"],
        rounded={name: Rounded(**found) for name, found in head["rounded"].items()},
        learnt=head["learnt"],
        end=head["end"],
        first=head["first"],
        keys=_keys(head["keys"], numbers, count * dtype.itemsize, shape[0]),
    )


def _numbers_of(keys: RowKeys | None) -> dict[str, np.ndarray]:
    """Return what keys hold of numbers, float64 [rows] each, by name."""
    known = {} if keys is None else {"times": keys.times, "weights": keys.weights}
    return {name: numbers for name, numbers in known.items() if numbers is not None}


def _keys(told: dict[str, Any] | None, numbers: bytes, start: int, rows: int) -> RowKeys | None:
    if told is None:
        return None
    found: dict[str, np.ndarray] = {}
    for name in told["numbers"]:
        found[name] = np.frombuffer(numbers, dtype=np.float64, count=rows, offset=start)
        start += found[name].nbytes
    return RowKeys(groups=told["groups"], dated=told["dated"], **found)


def _refused(location: int, faults: Sequence[Sequence[str]], cells: Sequence[str]) -> Refused:
    return Refused(location=location, faults=[(column, reason) for column, reason in faults], cells=cells)
