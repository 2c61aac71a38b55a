"""A Parquet file of captures: a line for each row of each request of one version, or one for a request without rows.

The columns of the rows have their own names, what is known of the request has names that begin with `_`.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet

from functions.core.dataset.arrow_memory import present, values
from functions.core.registry.captures import REDACTED
from functions.core.storage.objects import Unreadable
from functions.core.watching.captured_rows import CapturedRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from arro3.core import RecordBatch, RecordBatchReader

    from functions.core.watching.captured_columns import CapturedColumns, Record

TEXTS = ("request", "caller", "key", "model", "variant", "error", "answered_by")
WHOLE = ("status", "rows", "agreed")
TRACE = "trace_id"
"""A text, too, of which an older file has no column."""
ANSWER, DIGEST = "_answer_", "_hash_"
OTHER_INPUTS, OTHER_OUTPUTS = "_inputs", "_outputs"
"""What a request holds that has no columns, as JSON."""
PARTITIONS = ("version", "day")
"""What the folders of files name."""
_BATCH_ROWS = 65_536


def named(column: str) -> str:
    """Return the name in a file of a column of rows: its own, unless that would be taken for another's."""
    return f"_{column}" if column.startswith("_") or column in PARTITIONS else column


def own_name(name: str) -> str:
    """Return a column's name without what keeps it apart in a file."""
    return name.removeprefix("_")


def _is_of_rows(name: str) -> bool:
    return not name.startswith("_") or name.startswith("__") or own_name(name) in PARTITIONS


def written(records: Sequence[Record], columns: CapturedColumns | None) -> bytes:
    """Return the file of what was captured of one version."""
    fitting = [one for one in records if columns is not None and not one.get("error") and columns.fits(one)]
    known = set(map(id, fitting))
    others = [one for one in records if id(one) not in known]
    rows = columns.read(fitting) if columns is not None and fitting else None
    lengths = np.ones(len(others), dtype=np.int64)
    if rows is not None:
        lengths = np.concatenate([rows.lengths, lengths])
    of_line = np.repeat(np.arange(len(lengths)), lengths).tolist()
    table = _of_requests([*fitting, *others], of_line)
    count = 0 if rows is None else rows.rows
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    numbers = (np.arange(len(of_line)) - starts).tolist()
    table["_row"] = Array([*numbers[:count], *([None] * len(others))], type=DataType.int32())
    if rows is not None:
        for name, column in rows.inputs.items():
            if name not in rows.redacted or not _is_empty(column):
                table[named(name)] = _array(column, len(others))
        table |= {f"{ANSWER}{name}": _array(column, len(others)) for name, column in rows.outputs.items()}
        table |= {
            f"{DIGEST}{name}": _texts([*column, *([None] * len(others))]) for name, column in rows.digests.items()
        }
    for name in (OTHER_INPUTS, OTHER_OUTPUTS):
        held = [None if (part := one.get(own_name(name))) is None else json.dumps(part) for one in others]
        if any(part is not None for part in held):
            table[name] = _texts([*([None] * count), *held])
    buffer = io.BytesIO()
    write_parquet(Table.from_arrays(list(table.values()), names=list(table)), buffer, compression="zstd(3)")
    return buffer.getvalue()


def batches(content: bytes) -> RecordBatchReader:
    """Return the lines of a file, in parts. Raise `Unreadable` for one that is cut short: its reader would not live."""
    footer = int.from_bytes(content[-8:-4], "little")
    if len(content) < 12 or not content.endswith(b"PAR1") or footer + 12 > len(content):
        raise Unreadable(f"a file of captures is damaged: its {len(content)} bytes are no Parquet")
    return read_parquet(io.BytesIO(content), batch_size=_BATCH_ROWS)


def _of_requests(records: Sequence[Record], of_line: Sequence[int]) -> dict[str, Array]:
    """Return the columns that tell of requests, a value for each line."""

    def lines(found: Sequence[Any]) -> list[Any]:
        return [found[at] for at in of_line]

    moments = [None if (at := one.get("time")) is None else round(at * 1000) for one in records]
    champions = [one.get("champion") or {} for one in records]
    hidden = [",".join(one[REDACTED]) if one.get(REDACTED) else None for one in records]
    moment = Array(lines(moments), type=DataType.int64()).cast(DataType.timestamp("ms", tz="UTC"))
    columns: dict[str, Array] = {"_time": moment}
    columns |= {f"_{name}": _texts(lines([one.get(name) for one in records])) for name in TEXTS}
    columns |= {f"_{name}": Array(lines([one.get(name) for one in records]), type=DataType.int32()) for name in WHOLE}
    columns["_ms"] = Array(lines([one.get("ms") for one in records]), type=DataType.float64())
    columns["_champion"] = _texts(lines([one.get("version") for one in champions]))
    columns["_champion_ms"] = Array(lines([one.get("ms") for one in champions]), type=DataType.float64())
    if any(hidden):
        columns["_redacted"] = _texts(lines(hidden))
    traces = [one.get(TRACE) for one in records]
    if any(traces):
        columns[f"_{TRACE}"] = _texts(lines(traces))
    return columns


def _texts(found: Sequence[str | None]) -> Array:
    return Array(list(found), type=DataType.utf8())


def _is_empty(column: np.ndarray) -> bool:
    return all(value is None for value in column) if column.dtype == object else bool(np.isnan(column).all())


def _array(column: np.ndarray, empty: int) -> Array:
    """Return a column with so many missing values behind it."""
    if column.dtype == object:
        return _texts([*column.tolist(), *([None] * empty)])
    if not empty and not np.isnan(column).any():
        return Array.from_numpy(np.ascontiguousarray(column))
    missing = np.isnan(column)
    found: list[float | None] = column.tolist()
    for at in np.flatnonzero(missing).tolist():
        found[at] = None
    return Array([*found, *([None] * empty)], type=DataType.float64())


def rows_of(content: bytes, known: CapturedColumns, roles: Collection[str] = ()) -> tuple[CapturedRows, Unread]:
    """Return the rows of a file, and what has rows and no columns for them.

    With `roles` it is of requests that were answered in these alone. What a challenger failed on holds the
    champion's answer, and counts as no row.
    """
    parts = [_read(batch, roles) for batch in batches(content)]
    columns = dict.fromkeys(name for part in parts for name in part.columns)
    numbers = np.concatenate([part.numbers for part in parts]) if parts else np.empty(0)
    first = np.flatnonzero(numbers == 0)
    held = {name: np.concatenate([part.columns[name] for part in parts]) for name in columns}
    rows = CapturedRows(
        lengths=np.diff(np.append(first, len(numbers))).astype(np.int64),
        requests=[one for part in parts for one in part.requests],
        callers=[one for part in parts for one in part.callers],
        keys=[one for part in parts for one in part.keys],
        times=np.concatenate([part.times for part in parts]) if parts else np.empty(0),
        inputs={_unnamed(name): values for name, values in held.items() if _is_of_rows(name)},
        outputs={name.removeprefix(ANSWER): values for name, values in held.items() if name.startswith(ANSWER)},
        digests={
            name.removeprefix(DIGEST): values.tolist() for name, values in held.items() if name.startswith(DIGEST)
        },
        redacted=known.hidden({name for part in parts for name in part.redacted}),
    )
    return rows, summed(part.unread for part in parts)


class Unread(NamedTuple):
    """How much is captured in no known columns."""

    requests: int
    rows: int
    """That these requests had, of which the first are captured."""


class _Part(NamedTuple):
    """What a batch of lines holds of rows."""

    numbers: np.ndarray
    requests: list[str]
    callers: list[str]
    keys: list[str]
    times: np.ndarray
    columns: dict[str, np.ndarray]
    redacted: set[str]
    unread: Unread


def _read(batch: RecordBatch, roles: Collection[str]) -> _Part:
    names = batch.schema.names
    row = whole_numbers(batch.column("_row"))
    meant = np.ones(len(row), dtype=bool)
    if roles:
        meant = np.array([role in roles for role in batch.column("_variant").to_pylist()], dtype=bool)
    there = meant & ~np.isnan(row)
    starts = np.flatnonzero(there & (row == 0)).tolist()
    requests, callers, keys = (batch.column(name).to_pylist() for name in ("_request", "_caller", "_key"))
    moments = batch.column("_time").cast(DataType.int64())
    times = values(moments, "int64").astype(np.float64) / 1000
    times[~present(moments)] = np.nan
    hidden = set(batch.column("_redacted").to_pylist()) if "_redacted" in names else set()
    return _Part(
        numbers=row[there],
        requests=[requests[at] or "" for at in starts],
        callers=[callers[at] or "" for at in starts],
        keys=[keys[at] or "" for at in starts],
        times=times[starts],
        columns={
            name: _column(batch.column(name))[there]
            for name in names
            if _is_of_rows(name) or name.startswith((ANSWER, DIGEST))
        },
        redacted={name for text in hidden if text for name in text.split(",")},
        unread=size_of(batch, meant & unread(batch)),
    )


def summed(parts: Iterable[Unread]) -> Unread:
    """Return the sums of counts."""
    found = list(parts)
    return Unread(sum(one.requests for one in found), sum(one.rows for one in found))


def size_of(batch: RecordBatch, requests: np.ndarray) -> Unread:
    """Count some of the lines, bool [lines], each of which begins a request."""
    rows = whole_numbers(batch.column("_rows"))[requests]
    return Unread(len(rows), int(np.where(np.isnan(rows), 1, rows).sum()))


def unread(batch: RecordBatch) -> np.ndarray:
    """Return which lines are requests that hold rows, and no columns of them, and are no failures: bool [lines]."""
    return others(batch) & ~present(batch.column("_error"))


def others(batch: RecordBatch) -> np.ndarray:
    """Return which lines are requests whose rows have no columns: bool [lines]."""
    if OTHER_INPUTS not in batch.schema.names:
        return np.zeros(batch.num_rows, dtype=bool)
    return present(batch.column(OTHER_INPUTS))


def _unnamed(name: str) -> str:
    return own_name(name) if name.startswith("_") else name


def whole_numbers(array: Array) -> np.ndarray:
    """Return whole numbers as float64, NaN where one is missing."""
    found = values(array, "int32").astype(np.float64)
    found[~present(array)] = np.nan
    return found


def _column(array: Array) -> np.ndarray:
    if array.type == DataType.utf8():
        return np.array(array.to_pylist(), dtype=object)
    found = values(array, "float64").copy()
    found[~present(array)] = np.nan
    return found
