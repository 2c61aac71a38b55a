"""The schema of the tables is one: what each engine calls a column follows from it."""

from __future__ import annotations

import re

import pytest
import sqlglot

from interface.column_types import TYPES, Engine, rendered
from interface.tables import BY_NAME, TABLES, Column, Kind, Table

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
