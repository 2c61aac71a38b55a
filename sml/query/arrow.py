"""Rows as an Arrow table with the columns of the schema, each of its kind."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from arro3.core import Array, DataType, Table

from interface.tables import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interface import tables
    from sml.query.source import Row

TYPES = {
    Kind.TEXT: DataType.utf8(),
    Kind.WHOLE: DataType.int64(),
    Kind.NUMBER: DataType.float64(),
    Kind.FLAG: DataType.bool(),
    Kind.MOMENT: DataType.timestamp("ms", tz="UTC"),
    Kind.DAY: DataType.date32(),
}
EPOCH = date(1970, 1, 1)


def table_of(rows: Sequence[Row], table: tables.Table) -> Table:
    """Return rows as a table. What is not of a column's kind is empty: one odd value hides no other."""
    arrays = []
    for column in table.columns:
        read, wanted = READERS[column.kind], TYPES[column.kind]
        found = [None if (value := row.get(column.name)) is None else read(value) for row in rows]
        # Arrow's own array of times and days takes no list.
        plain = {Kind.MOMENT: DataType.int64(), Kind.DAY: DataType.int32()}.get(column.kind)
        arrays.append(Array(found, type=wanted) if plain is None else Array(found, type=plain).cast(wanted))
    return Table.from_arrays(arrays, names=[column.name for column in table.columns])


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or not math.isfinite(number) else int(number)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _moment(value: Any) -> int | None:
    """Return milliseconds since the epoch, of seconds since then or of a text with a zone; without one it is UTC."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        found = found if found.tzinfo is not None else datetime.fromisoformat(f"{value}+00:00")
        return round(found.timestamp() * 1000)
    number = _number(value)
    return None if number is None or not math.isfinite(number) else round(number * 1000)


def _day(value: Any) -> int | None:
    try:
        return (date.fromisoformat(value) - EPOCH).days
    except (TypeError, ValueError):
        return None


READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.MOMENT: _moment,
    Kind.DAY: _day,
}
