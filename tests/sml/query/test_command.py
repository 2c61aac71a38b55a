"""`sml query`: what it prints, for people and for scripts, and what it refuses, in one sentence each."""

from __future__ import annotations

import csv
import io
import itertools
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.core.registry.captures import folder
from functions.core.storage.objects import Objects, canonical
from sml.query import engine
from tests.functions.core.watching.rows import MODEL as TUMOUR
from tests.functions.core.watching.rows import Service
from tests.sml.query.stocked import DAYS, of
from tests.sml.staged import MODEL, Staged

NOW = datetime.now(UTC)
TODAY = f"{NOW:%Y-%m-%d}"
BY_VERSION = "select version, count(*) as requests, max(time) as latest from captures group by version order by version"


@pytest.fixture
def asked(staged: Staged) -> Staged:
    """A stack with two models, of which one answered three requests today and one yesterday."""
    captures = staged.stores["s3://captures-1"] = Objects.in_memory()
    for at, version in ((NOW, "a1"), (NOW, "a1"), (NOW, "b2"), (NOW - timedelta(days=1), "a1")):
        number = sum(1 for _ in captures.keys(MODEL))
        record = {"time": at.timestamp(), "request": f"r{number}", "version": version, "ms": 1.5, "status": 200}
        captures.put(f"{folder(MODEL, at.timestamp())}/0000-{number}.jsonl", canonical(record))
    return staged


def test_an_answer_is_headed_with_what_was_asked_and_what_it_read(asked: Staged) -> None:
    said = asked.sml("query", BY_VERSION, "--since", "2d")
    yesterday = f"{NOW - timedelta(days=1):%Y-%m-%d}"
    told = said.err.splitlines()
    assert told[0] == f"DuckDB on this machine, over the files of the stack local: {yesterday} to {TODAY}, UTC"
    assert told[1].startswith("captures: 4 objects, 0.3 kB (--most: 1,000 MB)")
    both = asked.sml("query", "select 1 from captures, jobs")
    assert both.err.splitlines()[1].startswith(
        "captures: 4 objects, 0.3 kB; jobs: 0 objects, 0.0 kB; 0.3 kB in all (--most"
    )
    lines = [line.split() for line in said.out.splitlines()]
    assert (lines[0], lines[1][:2], lines[2][:2]) == (["version", "requests", "latest"], ["a1", "3"], ["b2", "1"])
    assert lines[1][2].startswith(TODAY)


def test_for_scripts_the_answer_is_json_or_csv(asked: Staged) -> None:
    document = asked.sml("query", BY_VERSION, "--since", "1d", "--json").document
    assert [one["requests"] for one in document["rows"]] == [2, 1]
    assert document["rows"][0]["latest"].endswith("+00:00")
    assert document["read"] == [{"table": "captures", "objects": 3, "bytes": document["read"][0]["bytes"]}]
    assert (document["engine"], document["since"], document["until"], document["remarks"]) == (
        "duckdb",
        TODAY,
        TODAY,
        [],
    )
    odd = "select [1, null] as l, {'a': date '2026-11-24'} as s, true as b, 'x'::blob as d, 'nan'::double as f, 1 as l"
    [row] = asked.sml("query", odd, "--json").document["rows"]
    assert row == {"l": [1, None], "s": {"a": "2026-11-24"}, "b": True, "d": "78", "f": None, "l_2": 1}
    rows = list(csv.reader(io.StringIO(asked.sml("query", BY_VERSION, "--since", "1d", "--csv").out)))
    assert (rows[0], [row[:2] for row in rows[1:]]) == (["version", "requests", "latest"], [["a1", "2"], ["b2", "1"]])
    assert "pass one of them" in asked.sml("query", BY_VERSION, "--csv", "--json").err


def test_one_model_alone_is_read_where_it_is_named(asked: Staged) -> None:
    said = asked.sml("query", "select count(*) as n from captures", "--model", "whales", "--json").document
    assert (said["rows"], said["read"][0]["objects"]) == ([{"n": 0}], 0)
    assert said["remarks"][0].startswith("captures and predictions: nothing from ")
    assert "there is no model seals" in asked.sml("query", "select 1", "--model", "seals").err


def test_questions_and_tables_are_listed_with_what_each_engine_calls_them(staged: Staged) -> None:
    said = staged.sml("query", "--list")
    assert [line.split()[0] for line in said.out.splitlines()[1:]][:2] == ["agreement-by-day", "slowest-versions"]
    found = {one["name"]: one["sql"] for one in staged.sml("query", "--list", "--json").document}
    assert list(found["slowest-versions"]) == ["duckdb", "athena", "bigquery"]
    columns = staged.sml("query", "--tables", "--json").document
    [ms] = [one for one in columns if (one["table"], one["column"]) == ("captures", "ms")]
    assert [ms[name] for name in ("type", "duckdb", "parquet", "glue", "bigquery")] == [
        "number",
        "DOUBLE",
        "DOUBLE",
        "double",
        "FLOAT64",
    ]
    assert "approx_percentile(ms, 0.95)" in staged.sml("query", "slowest-versions", "--text", "athena").out
    assert f"and date '{TODAY}'" in staged.sml("query", "cost-by-model", "--text", "bigquery").out


def test_a_question_by_its_name_is_asked_of_the_days(asked: Staged) -> None:
    rows = asked.sml("query", "slowest-versions", "--json").document["rows"]
    assert [(one["version"], one["requests"], one["p99_ms"]) for one in rows] == [("a1", 3, 1.5), ("b2", 1, 1.5)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "a question is missing: one SELECT, or a name of those that `sml query --list`"),
        (["slowest"], "there is no question 'slowest'; there are: agreement-by-day, "),
        (["slowest", "--text", "duckdb"], "there is no question 'slowest'"),
        (["cost-by-model", "--text", "spark"], "--text: 'spark' is no engine; accepted: duckdb, athena, bigquery"),
        (["select 1", "--since", "x"], "--since: 'x' is not understood"),
        (["show tables"], "--tables lists the tables and their columns; there are: captures, predictions,"),
        (["show all tables"], "--tables lists the tables"),
        (["select * from capture"], "there is no table capture; there are: captures, predictions, "),
        (["selec 1 from captures"], 'DuckDB: Parser Error: syntax error at or near "selec"'),
        (["select tim from captures"], 'Referenced column "tim" not found in FROM clause!'),
        (["select tim from predictions"], 'Referenced column "tim" not found in FROM clause!'),
        (["select 1; select 2"], "that is no question that can be asked here; accepted: one SELECT, as `select day,"),
        (["/* nothing at all */"], "that is no question that can be asked here"),
        (["copy (select 1) to '/tmp/never.csv'"], "that is no question that can be asked here"),
        (["set threads = 1"], "that is no question that can be asked here"),
        (["attach '/tmp/never.db'"], "that is no question that can be asked here"),
        (["install httpfs"], "that is no question that can be asked here"),
        (["select * from read_text('/etc/hostname')"], "a question reads the tables alone: no file, no address and no"),
        (["select * from '/etc/hostname'"], "there is no table /etc/hostname"),
        (["select * from read_parquet('https://127.0.0.1:9/x')"], "a question reads the tables alone"),
        (["select * from glob('/*')"], "a question reads the tables alone"),
        (["select * from duckdb_secrets()"], "a question reads the tables alone"),
        (["select * from query('select * from captures')"], "Table with name captures does not exist"),
        (["select count(*) from captures", "--most", "0.0001"], "more than the 0.0001 MB that --most allows: ask for"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(asked: Staged, arguments: list[str], told: str) -> None:
    said = asked.sml("query", *arguments)
    assert (said.code, told in said.err, said.out) == (1, True, "")
    assert said.err.splitlines()[-1].startswith("sml: ")


def test_a_question_that_takes_too_long_or_too_much_memory_ends_with_what_to_do(
    asked: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "select count(*) from range(100000000000) a, range(1000) b where a.range % 7 = b.range"
    said = asked.sml("query", endless, "--timeout", "1")
    assert (said.code, "no answer within 1 seconds: ask for fewer days (--since)" in said.err) == (4, True)
    monkeypatch.setattr(engine, "CONFIGURATION", {**engine.CONFIGURATION, "memory_limit": "20MB"})
    large = asked.sml("query", "select list(i) from range(20000000) t(i)")
    assert (large.code, "the question needs more than 2,000 MB of memory" in large.err) == (1, True)


def test_rows_that_take_too_long_to_be_fetched_are_no_answer_either(
    asked: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count()
    monkeypatch.setattr(engine.time, "monotonic", lambda: next(times))
    said = asked.sml("query", "select i from range(50000) t(i)", "--timeout", "3")
    assert (said.code, "no answer within 3 seconds" in said.err, said.out) == (4, True, "")


def test_a_question_may_be_given_all_the_time_there_is(asked: Staged) -> None:
    said = asked.sml("query", "select 1 as one", "--timeout", "inf", "--json")
    assert (said.code, said.document["rows"], "Exception" in said.err) == (0, [{"one": 1}], False)


def test_ctrl_c_ends_a_question_without_a_word(asked: Staged) -> None:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        said = asked.sml(
            "query", "select count(*) from range(100000000000) a, range(1000) b where a.range % 7 = b.range"
        )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert (said.code, [line for line in said.err.splitlines() if line.startswith("sml: ")]) == (130, [])


def test_people_get_the_beginning_of_a_long_value(asked: Staged) -> None:
    long = "select repeat('x', 5000) as text, range(5000) as numbers"
    out = asked.sml("query", long).out
    assert (out.count("x") < 1_100, out.count("...") >= 2) == (True, True)
    [row] = asked.sml("query", long, "--json").document["rows"]
    assert (len(row["text"]), len(row["numbers"])) == (5000, 5000)


def test_people_get_the_first_rows_of_many_and_are_told(asked: Staged) -> None:
    said = asked.sml("query", "select i from range(1000) t(i)")
    assert (len(said.out.splitlines()), said.out.splitlines()[-1]) == (
        202,
        "the first 200 of 1,000 rows: --csv and --json print all",
    )
    assert asked.sml("query", "select i from range(1000) t(i)", "--csv").out.count("\n") == 1001


def test_nothing_of_a_question_stays_and_its_copy_lies_where_nobody_else_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = Service()
    service.ask(0, 3)
    stack, seen = of(service), []
    plain = engine.Locked.schemas

    def looked(self: engine.Locked, paths: list[str]) -> dict[str, dict[str, str]]:
        seen.extend(paths)
        return plain(self, paths)

    monkeypatch.setattr(engine.Locked, "schemas", looked)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert stack.ask("select count(*) from captures", days=DAYS).found.rows == [(3,)]
    assert seen
    assert all(path.startswith(f"{tmp_path}/sml-query-") and f"/{TUMOUR}/version=" in path for path in seen)
    assert list(tmp_path.iterdir()) == []
