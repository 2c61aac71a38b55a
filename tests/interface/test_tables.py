"""The schema of the tables is one: what each engine calls a column follows from it."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot
from arro3.io import read_parquet, write_parquet

from interface.column_types import TYPES, Engine, rendered
from interface.tables import BY_NAME, TABLES, Column, Kind, Table
from sml.query.arrow import table_of

WORDS = {"duckdb": Engine.DUCKDB, "athena": Engine.GLUE, "bigquery": Engine.BIGQUERY}


def test_a_table_of_every_kind_has_the_words_of_each_engine() -> None:
    every = tuple(Column(name=f"of_{kind}", kind=kind, meaning="") for kind in Kind)
    table = Table(name="every", row="", columns=every)
    assert {engine: list(rendered(table, engine).values()) for engine in Engine} == {
        "duckdb": ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP", "DATE"],
        "parquet": ["UTF8", "INT64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MILLIS", "DATE"],
        "glue": ["string", "bigint", "double", "boolean", "timestamp", "date"],
        "bigquery": ["STRING", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE"],
    }
    assert list(TYPES) == list(Kind)


def test_tables_and_columns_have_names_that_no_engine_needs_quoted_and_say_what_they_hold() -> None:
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert [one for one in (table.name, *names) if not re.fullmatch(r"[a-z][a-z0-9_]*", one)] == []
        assert (len(set(names)), names[:2]) == (len(names), ["day", "model"])
        assert all(column.meaning for column in table.columns)
        for dialect in WORDS:
            asked = f"select {', '.join(names)} from {table.name}"  # noqa: S608 - the names of the schema
            parsed = sqlglot.parse_one(asked, read=dialect)
            assert [one.name for one in parsed.find_all(sqlglot.exp.Column)] == names
    assert list(BY_NAME) == [table.name for table in TABLES]


@pytest.mark.parametrize("dialect", WORDS)
def test_each_table_can_be_made_with_the_words_of_an_engine(dialect: str) -> None:
    for table in TABLES:
        columns = ", ".join(f"{name} {kind}" for name, kind in rendered(table, WORDS[dialect]).items())
        made = sqlglot.parse_one(f"create table {table.name} ({columns})", read=dialect)
        kinds = [one.sql(dialect="duckdb") for one in made.find_all(sqlglot.exp.DataType)]
        # A time in BigQuery is one with a zone, and all times are UTC.
        assert [kind.replace("TIMESTAMPTZ", "TIMESTAMP").replace("TEXT", "VARCHAR") for kind in kinds] == list(
            rendered(table, Engine.DUCKDB).values()
        )


def test_what_is_written_as_parquet_has_the_types_that_the_schema_promises(tmp_path: Path) -> None:
    every = Table(name="every", row="", columns=tuple(Column(name=kind, kind=kind, meaning="") for kind in Kind))
    row = {"text": "a", "whole": 2**40, "number": 0.5, "flag": True, "moment": "2026-11-24T01:02:03.004+02:00"}
    odd = {"text": [], "whole": "1", "number": True, "flag": 1, "moment": "noon", "day": "today"}
    table, written = table_of([{**row, "day": "2026-11-24"}, odd, {}], every), io.BytesIO()
    write_parquet(table, written)
    [first, *others] = zip(*(read_parquet(written).read_all().column(kind).to_pylist() for kind in Kind), strict=True)
    moment = datetime(2026, 11, 23, 23, 2, 3, 4000, tzinfo=UTC)
    assert first == ("a", 2**40, 0.5, True, moment, date(2026, 11, 24))
    assert others == [(None,) * len(Kind)] * 2
    (file := tmp_path / "every.parquet").write_bytes(written.getvalue())
    asked = f"select type, logical_type from parquet_schema('{file}') where type is not null"  # noqa: S608 - a file here
    kinds = [(kind, (said or "").partition("(")[0]) for kind, said in duckdb.connect().execute(asked).fetchall()]
    told = {("BYTE_ARRAY", "StringType"): "UTF8", ("INT64", "TimestampType"): "TIMESTAMP_MILLIS"}
    told |= {("INT32", "DateType"): "DATE"} | {(kind, ""): kind for kind in ("INT64", "DOUBLE", "BOOLEAN")}
    assert [told[kind] for kind in kinds] == list(rendered(every, Engine.PARQUET).values())
