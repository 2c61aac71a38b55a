"""Parquet, read by Arrow. A damaged file may abort the process: it is read in one that may die."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

from arro3.io import read_parquet

from functions.core.dataset.column import plain_values
from functions.core.dataset.table import ACCEPTED, Batch, Table, UnreadableTable, check_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import RecordBatch, RecordBatchReader

    from models.feature import Feature

BATCH_ROWS = 16_384
MAGIC = b"PAR1"


def open_parquet(data: bytes, features: Sequence[Feature], others: Sequence[str]) -> Table:
    """Open a Parquet file. Raise `UnreadableTable`."""
    footer = int.from_bytes(data[-8:-4], "little")
    if len(data) < 12 or not data.endswith(MAGIC) or footer + 12 > len(data):
        raise UnreadableTable("the Parquet file is cut short; upload it again")
    try:
        reader = read_parquet(io.BytesIO(data), batch_size=BATCH_ROWS)
        columns = tuple(reader.schema.names)
    except Exception as problem:
        raise _damaged() from problem
    names = [*(feature.name for feature in features), *others]
    check_header(columns, names)
    used = [name for name in names if name in columns]
    batches = _batches(reader, used, columns)
    return Table(format="Parquet", unit="row", columns=columns, batches=batches, typed=False)


def _batches(reader: RecordBatchReader, used: Sequence[str], columns: Sequence[str]) -> Iterator[Batch]:
    end = 0
    while True:
        try:
            batch = next(reader, None)
        except Exception as problem:
            raise _damaged() from problem
        if batch is None:
            return
        end += batch.num_rows
        yield Batch(
            columns={name: batch.column(name) for name in used},
            rows=batch.num_rows,
            locations=range(end - batch.num_rows + 1, end + 1),
            cells=partial(_cells, batch, columns),
            end=end,
        )


def _cells(batch: RecordBatch, columns: Sequence[str], position: int) -> list[str]:
    return [_cell(batch, at, position) for at in range(len(columns))]


def _cell(batch: RecordBatch, at: int, position: int) -> str:
    """Return one value as a cell of text."""
    [value] = plain_values(batch.column(at).slice(position, 1))
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaN is unlike itself


def _damaged() -> UnreadableTable:
    return UnreadableTable(f"the Parquet file is damaged, or of a kind that is not read; {ACCEPTED}")
