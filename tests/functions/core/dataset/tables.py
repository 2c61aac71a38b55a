"""Tables written as files in every way that is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from arro3 import core as arrow
from arro3.io import write_parquet

Value = str | float | int | bool | None


def csv_file(
    header: Sequence[str],
    rows: Sequence[Sequence[Value]],
    *,
    delimiter: str = ",",
    end: str = "\n",
    quoted: bool = False,
) -> bytes:
    """Return a table as CSV; a missing value is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    )
    writer.writerow(header)
    writer.writerows([["" if value is None else cell(value) for value in row] for row in rows])
    return text.getvalue().encode()


def cell(value: Value) -> str:
    """Return a value as most programs write it into a cell."""
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def json_lines(header: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    """Return a table as JSON Lines."""
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()


def parquet_file(columns: dict[str, arrow.Array], **options: Any) -> bytes:
    """Return columns as a Parquet file."""
    file = io.BytesIO()
    write_parquet(arrow.Table.from_arrays(list(columns.values()), names=list(columns)), file, **options)
    return file.getvalue()


def parquet_of(
    header: Sequence[str], rows: Sequence[Sequence[Value]], types: Sequence[arrow.DataType], **options: Any
) -> bytes:
    """Return a table as Parquet, its columns of these types."""
    columns = zip(*rows, strict=True) if rows else [[] for _ in header]
    arrays = [arrow.Array(list(column), type=kind) for column, kind in zip(columns, types, strict=True)]
    return parquet_file(dict(zip(header, arrays, strict=True)), **options)


def in_blocks(data: bytes, size: int) -> list[bytes]:
    """Return data in blocks of a size, none of them empty."""
    return [data[at : at + size] for at in range(0, len(data), size)]
