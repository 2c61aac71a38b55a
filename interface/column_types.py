"""What each engine calls the kinds of columns: four renderings of the one schema."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from interface.tables import Kind

if TYPE_CHECKING:
    from interface.tables import Table


class Engine(StrEnum):
    """What reads or keeps tables."""

    DUCKDB = "duckdb"
    PARQUET = "parquet"
    GLUE = "glue"
    BIGQUERY = "bigquery"


TYPES = {
    # kind: DuckDB, Parquet, Glue, BigQuery
    Kind.TEXT: ("VARCHAR", "UTF8", "string", "STRING"),
    Kind.WHOLE: ("BIGINT", "INT64", "bigint", "INT64"),
    Kind.NUMBER: ("DOUBLE", "DOUBLE", "double", "FLOAT64"),
    Kind.FLAG: ("BOOLEAN", "BOOLEAN", "boolean", "BOOL"),
    # Microseconds are shown by Athena as a far future, and a zone is lost between engines: all times are UTC.
    Kind.MOMENT: ("TIMESTAMP", "TIMESTAMP_MILLIS", "timestamp", "TIMESTAMP"),
    Kind.DAY: ("DATE", "DATE", "date", "DATE"),
}


def type_of(kind: Kind, engine: Engine) -> str:
    """Return what an engine calls a kind of column."""
    return TYPES[kind][list(Engine).index(engine)]


def rendered(table: Table, engine: Engine) -> dict[str, str]:
    """Return the columns of a table with their types, in order, as an engine calls them."""
    return {column.name: type_of(column.kind, engine) for column in table.columns}
