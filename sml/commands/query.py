"""Questions in SQL of what the stack keeps: captures, truths, runs, costs."""

from __future__ import annotations

import csv
import math
import sys
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import Mistake
from sml.options import Seconds
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sml.output import Output
    from sml.query.asking import Asked, Reading
    from sml.query.questions import Question
    from sml.query.source import Days

SHOWN = 200
"""Rows that are shown to people; --csv and --json print all."""
LETTERS, ITEMS = 1_000, 100
"""Of a text, and of a list, that are shown to people."""


@on_stack
def query(  # noqa: PLR0913, PLR0917 - an argument for each option
    session: Session,
    question: Annotated[str | None, typer.Argument(help="One SELECT, or the name of a question.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="One model alone.", metavar="MODEL")] = None,
    since: Annotated[str, typer.Option("--since", help="Days until today, as 7d, or the first day.")] = "7d",
    most: Annotated[float, typer.Option("--most", min=0, help="Megabytes to read at most.", metavar="MB")] = 1_000,
    timeout: Seconds = 60,
    named: Annotated[bool, typer.Option("--list", help="List the questions that have a name.")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="List the tables and their columns.")] = False,
    text: Annotated[
        str | None,
        typer.Option("--text", help="Print a question's SQL for duckdb, athena or bigquery.", metavar="ENGINE"),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Ask in SQL what was captured, what became of runs and jobs, and what it cost."""
    from sml.cost import since as days_since  # noqa: PLC0415 - the stores' client takes long to import
    from sml.query.source import Days  # noqa: PLC0415

    out, days = session.out, Days(all=days_since(since, datetime.now(UTC).date()))
    if named or tables:
        _list(out, days, tables=tables)
        return
    if question is None or not question.strip():
        shown = session.typed("query", "--list")
        raise Mistake(f"a question is missing: one SELECT, or a name of those that `{shown}` shows")
    if as_csv and out.as_json:
        raise Mistake("--csv and --json: pass one of them")
    if text is not None:
        out.result({"sql": (sql := _text(question, text, days))}, sql)
        return
    _ask(session, _sql(question, days), model, days, (most, timeout), as_csv=as_csv)


def _ask(
    session: Session, sql: str, model: str | None, days: Days, bounds: tuple[float, float], *, as_csv: bool
) -> None:
    from sml.query.asking import Asking, size  # noqa: PLC0415

    out, found, (most, seconds) = session.out, session.stack, bounds

    def tell(readings: Sequence[Reading]) -> None:
        total = size(sum(one.bytes for one in readings))
        together = [f"{total} in all"] if len(readings) > 1 else []
        out.say(f"DuckDB on this machine, over the files of the stack {found.name}: {days.first} to {days.last}, UTC")
        if readings:
            out.say(f"{'; '.join([*(one.said for one in readings), *together])} (--most: {most:,g} MB)")

    models = found.models if model is None else [found.model(model)]
    asked = Asking(stack=found, models=models, days=days, most_mb=most, seconds=seconds, tell=tell).ask(sql)
    for remark in asked.remarks:
        out.say(remark)
    if as_csv:
        _write(asked)
    elif out.as_json:
        out.result(_document(found.name, days, asked))
    else:
        _show(out, asked)


def _sql(question: str, days: Days) -> str:
    from sml.query.questions import Dialect  # noqa: PLC0415

    if len(question.split()) > 1:
        return question
    return _named(question).text(Dialect.DUCKDB, days.first, days.last)


def _named(question: str) -> Question:
    from sml.query.questions import QUESTIONS  # noqa: PLC0415

    found = QUESTIONS.get(question.strip())
    if found is None:
        raise Mistake(f"there is no question {question.strip()[:60]!r}; there are: {', '.join(QUESTIONS)}")
    return found


def _text(question: str, engine: str, days: Days) -> str:
    from sml.query.questions import Dialect  # noqa: PLC0415

    if engine not in list(Dialect):
        raise Mistake(f"--text: {engine!r} is no engine; accepted: {', '.join(Dialect)}")
    return _named(question).text(Dialect(engine), days.first, days.last)


def _list(out: Output, days: Days, *, tables: bool) -> None:
    from interface.column_types import Engine, type_of  # noqa: PLC0415
    from interface.tables import TABLES  # noqa: PLC0415
    from sml.query.questions import QUESTIONS, Dialect  # noqa: PLC0415

    if tables:
        rows = [
            {"table": table.name, "column": each.name, "type": each.kind, "meaning": each.meaning}
            | {engine: type_of(each.kind, engine) for engine in Engine}
            for table in TABLES
            for each in table.columns
        ]
        out.table(rows, {name: name for name in ("table", "column", "type", "meaning")}, empty="")
        return
    found = [
        {"name": name, "about": one.about, "sql": {each: one.text(each, days.first, days.last) for each in Dialect}}
        for name, one in QUESTIONS.items()
    ]
    out.table(found, {"name": "question", "about": "what it tells"}, empty="")


def _show(out: Output, asked: Asked) -> None:
    columns = asked.found.columns
    rows = [dict(zip(columns, map(_begun, row), strict=True)) for row in asked.found.rows[:SHOWN]]
    out.table(rows, {each: each for each in columns}, empty="no rows")
    if len(asked.found.rows) > SHOWN:
        out.line(f"the first {SHOWN} of {len(asked.found.rows):,} rows: --csv and --json print all")


def _document(stack: str, days: Days, asked: Asked) -> dict[str, Any]:
    columns = asked.found.columns
    return {
        "engine": "duckdb",
        "stack": stack,
        "since": days.first,
        "until": days.last,
        "read": [{"table": one.table, "objects": one.objects, "bytes": one.bytes} for one in asked.readings],
        "remarks": asked.remarks,
        "columns": list(columns),
        "rows": [dict(zip(columns, map(_plain, row), strict=True)) for row in asked.found.rows],
    }


def _write(asked: Asked) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(asked.found.columns)
    writer.writerows([_cell(_plain(value)) for value in row] for row in asked.found.rows)


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _begun(value: Any) -> Any:
    """Return a value for people: of one that is longer than anybody reads, its beginning."""
    match value:
        case str() if len(value) > LETTERS:
            return f"{value[:LETTERS]}..."
        case list() if len(value) > ITEMS:
            return [*map(_plain, value[:ITEMS]), "..."]
    return _plain(value)


def _plain(value: Any) -> Any:
    """Return a value of the engine as JSON has it: times with their zone, which is UTC."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date() | time_of_day():
            is_bare = isinstance(value, datetime) and value.tzinfo is None
            return (value.replace(tzinfo=UTC) if is_bare else value).isoformat()
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
    return value.hex() if isinstance(value, bytes) else str(value)
