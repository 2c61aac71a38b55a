"""Of a file of captures that is large, only the columns are read that a question can be about."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.storage.objects import Objects
from sml.mistake import Mistake
from sml.query import mirror, part_file
from sml.query.part_file import PartFile, Span
from tests.functions.core.watching.rows import MODEL, VERSION, Service, named
from tests.sml.query.stocked import Stocked, compaction, of

REQUESTS = "select count(*), count(distinct request), min(caller), max(variant), sum(epoch_ms(time)) from captures"
ROWS = "select * from predictions order by request limit 3"
QUESTIONS = (
    "select count(*) from captures",
    "select max(c.ms), sum(epoch_ms(time)) from captures c where variant = 'champion'",
    "select round(avg(in_size), 9), count(*) from predictions",
    "select P.IN_SIZE from predictions P order by P.request limit 3",
    "select predicted, count(*) from predictions group by all order by all",
    "select request from predictions order by in_age, out_yes, request limit 3",
    "with p as (select in_visits as v, request as r from predictions) select v, r from p order by r limit 3",
    "with captures as (select in_age from predictions) select count(in_age) from captures",
    "select c.caller, in_colour from captures c join predictions using (request) order by request limit 3",
    "select count(*) from captures natural join predictions",
    "select p from predictions p order by p.request limit 2",
    "select max(columns('in_.*')) from predictions",
    "select predictions.* exclude (time) from predictions order by request limit 2",
    "select f from predictions as p(a, b, c, d, e, f) order by d limit 2",
    "select arg_max(captures, request) from captures",
    "select x from (unpivot predictions on in_size, in_age into name n value x) order by x limit 3",
    "summarize select in_size from predictions",
)
"""Each way in which the text of a question comes to a column."""


@pytest.fixture(scope="module")
def service() -> Service:
    service = Service()
    service.ask(0, 6_000)
    return service


@pytest.fixture(scope="module")
def before(service: Service) -> dict[str, list[tuple[object, ...]]]:
    """The answers to two questions of the objects, which are then made into a file."""
    found = {question: of(service).rows(question) for question in (REQUESTS, ROWS, *QUESTIONS)}
    compaction(service, at_once=10_000).compact(named(0))
    return found


def read(stack: Stocked, question: str) -> tuple[list[tuple[object, ...]], int]:
    stack.told.clear()
    found = stack.rows(question)
    return found, sum(one.bytes for one in stack.told[-1])


def key_of(service: Service) -> str:
    [key] = service.captures.keys(f"{MODEL}/files/version={VERSION}/day={named(0)}")
    return key


def test_a_question_about_requests_reads_no_rows(
    service: Service, before: dict[str, list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "END_BYTES", 100)
    monkeypatch.setattr(part_file, "GAP_BYTES", 0)
    stack, whole = of(service), len(service.captures.get(key_of(service)))
    requests, few = read(stack, REQUESTS)
    rows, many = read(stack, ROWS)
    assert (requests, rows) == (before[REQUESTS], before[ROWS])
    assert few < whole / 2 < many <= whole


def test_however_a_question_comes_to_a_column_it_is_read(
    service: Service, before: dict[str, list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_file, "END_BYTES", 100)
    monkeypatch.setattr(part_file, "GAP_BYTES", 0)
    assert {question: of(service).rows(question) for question in QUESTIONS} == {
        question: before[question] for question in QUESTIONS
    }
    few, some = (read(of(service), question)[1] for question in QUESTIONS[1:3])
    assert few < some < read(of(service), ROWS)[1] / 2


def test_a_column_that_was_not_read_is_never_a_value(
    service: Service, before: dict[str, list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    del before
    monkeypatch.setattr(part_file, "END_BYTES", 100)
    monkeypatch.setattr(mirror, "may_be_read", lambda own, _: own == "_row")
    for column in ("in_size", "out_yes", "request"):
        with pytest.raises(Mistake, match="DuckDB: "):
            of(service).rows(f"select {column} from predictions limit 5")  # noqa: S608 - the names of columns


def test_a_file_that_is_damaged_is_told_and_one_that_is_gone_is_passed_over(
    service: Service, before: dict[str, list[tuple[object, ...]]]
) -> None:
    del before
    key, other = key_of(service), Service()
    for name in service.captures.keys(f"{MODEL}/index"):
        other.captures.put(name, service.captures.get(name))
    stack = of(other)
    assert (stack.rows(REQUESTS)[0][0], stack.ask(REQUESTS).remarks) == (
        0,
        [f"captures and predictions: nothing from {named(-1)} to {named(3)}"],
    )
    content = service.captures.get(key)
    for damaged in (content[:-9], b"PAR1", b""):
        other.captures.put(key, damaged)
        asked = stack.ask(REQUESTS)
        assert asked.remarks[-1] == f"captures: 1 object is damaged, and not read whole: {key}"
        assert asked.found.rows[0][0] == 0


def test_columns_that_are_close_are_read_at_once_and_no_byte_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(part_file, "END_BYTES", 50)
    monkeypatch.setattr(part_file, "GAP_BYTES", 10)
    objects, content = Objects.in_memory(), bytes(range(1, 201)) + (40).to_bytes(4, "little") + b"PAR1"
    objects.put("file", content)
    path = tmp_path / "copy"
    file = PartFile(objects=objects, key="file", size=len(content), path=path)
    file.begin()
    assert file.end == len(content) - 50
    file.take([Span(90, 100), Span(4, 20), Span(25, 30), Span(120, 190), Span(170, 180)])
    assert (file.spans, file.read) == ([Span(4, 30), Span(90, 100), Span(120, 158)], 50 + 26 + 10 + 38)
    file.finish()
    copied = path.read_bytes()
    assert len(copied) == len(content)
    there = [at for at in range(len(content)) if copied[at] == content[at]]
    assert there == [*range(4, 30), *range(90, 100), *range(120, len(content))]
