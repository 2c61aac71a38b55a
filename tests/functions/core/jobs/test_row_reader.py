from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.http.problem import Problem
from functions.core.jobs import row_reader
from functions.core.jobs.row_reader import Lines, Row, csv_header, csv_rows, json_rows, request_rows

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def blocks(data: bytes, size: int = 7) -> Callable[[int], bytes]:
    return lambda start: data[start : start + size]


def lines(data: bytes, at: int = 0, size: int = 7) -> Lines:
    return Lines(blocks(data, size), at)


def values(rows: Iterable[Row]) -> list[Any]:
    """Return each row's value, or why it could not be read."""
    return [row.problem.detail if row.problem else row.value for row in rows]


def read_csv(data: bytes, size: int = 7) -> list[Any]:
    file_lines = lines(data, size=size)
    return values(csv_rows(file_lines, csv_header(file_lines)))


@given(st.lists(VALUES, min_size=1, max_size=6), st.sampled_from([None, 1, "\t"]), st.data())
def test_a_request_is_read_as_json_reads_it_and_from_any_row_on(
    instances: list[Any], indent: Any, data: st.DataObject
) -> None:
    text = json.dumps({"instances": instances}, indent=indent, ensure_ascii=data.draw(st.booleans()))
    rows = list(request_rows(text, 0))
    assert values(rows) == instances
    for index, row in enumerate(rows, start=1):
        assert values(request_rows(text, row.end)) == instances[index:]


@pytest.mark.parametrize(
    ("text", "read", "detail"),
    [
        ("", 0, "not JSON"),
        ("nonsense", 0, "not JSON"),
        ("[]", 0, "the job is not"),
        ('{"instances": []}', 0, "one row or more"),
        ('{"rows": [1]}', 0, "the job is not"),
        ('{"instances": [1], "more": 2}', 0, "no other member"),
        ('{"instances": [1, 2]', 1, "the job is not"),
        ('{"instances": [1, 2', 1, "',' delimiter, line 1 column 20"),
        ('{"instances": [1, ', 1, "Expecting value"),
        ('{"instances": [1,]}', 1, "Expecting value"),
        ('{"instances": [1] } x', 0, "the job is not"),
        ('{"instances": [1, NaN]}', 1, "NaN"),
        ('{"instances": [1, {"a": 1, "a": 2}]}', 1, "twice"),
        ('{"instances": [1, "\\ud800"]}', 1, "surrogate"),
        ('{"instances": [1, ' + "[" * 100_000, 1, "nested too deep"),
        ('{"instances": [1, ' + "9" * 5000 + "]}", 1, "too many digits"),
    ],
)
def test_a_request_that_is_broken_is_read_as_far_as_it_goes_and_then_refused(text: str, read: int, detail: str) -> None:
    rows = []
    with pytest.raises(Problem) as caught:
        rows.extend(request_rows(text, 0))
    assert len(rows) == read
    assert caught.value.status == 400
    assert detail in caught.value.text


@given(st.lists(VALUES, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \r\n"]), st.integers(1, 40))
def test_lines_of_json_are_read_whatever_the_blocks_and_from_any_row_on(
    instances: list[Any], ending: bytes, size: int
) -> None:
    data = ending.join(json.dumps(instance).encode() for instance in instances)
    rows = list(json_rows(lines(data, size=size)))
    assert values(rows) == instances
    for index, row in enumerate(rows, start=1):
        assert values(json_rows(lines(data, row.end, size))) == instances[index:]


def test_a_line_that_cannot_be_read_gets_its_reason() -> None:
    read = values(json_rows(lines(b'\xef\xbb\xbf{"a": 1}\nbad\n{"a": NaN}\n\xff\n7')))
    assert read[0] == {"a": 1}
    assert read[4] == 7
    assert read[1:4] == [
        "the row is not JSON: Expecting value, line 1 column 1",
        "NaN and Infinity are not JSON; accepted: finite numbers",
        "the row is not UTF-8; accepted: a JSON object in UTF-8",
    ]


@given(
    st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 40),
)
def test_csv_is_read_as_pythons_own_module_reads_it_and_from_any_row_on(
    table: list[list[str]], ending: str, size: int
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    data = text.getvalue().encode()
    expected = list(csv.reader(io.StringIO(data.decode(), newline="")))[1:]
    cells = [{"a": a.replace("\r\n", "\n"), "b": b.replace("\r\n", "\n")} for a, b in expected]
    file_lines = lines(data, size=size)
    rows = list(csv_rows(file_lines, csv_header(file_lines)))
    assert values(rows) == cells
    for index, row in enumerate(rows, start=1):
        assert values(csv_rows(lines(data, row.end, size), ["a", "b"])) == cells[index:]


def test_a_row_of_csv_that_cannot_be_read_gets_its_reason() -> None:
    read = read_csv(b'\xef\xbb\xbfa, b\r\n1,2\r\n"x\ny",3\n\n4\n\xff,1\n"a"b,2\n5,6')
    assert (read[0], read[1], read[-1]) == ({"a": "1", "b": "2"}, {"a": "x\ny", "b": "3"}, {"a": "5", "b": "6"})
    assert read[2] == "the row has 1 cells; the header names 2"
    assert read[3] == "the row is not UTF-8"
    assert read[4].startswith("the row is not CSV")
    assert len(read) == 6


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "does not begin with a header"),
        (b"\n\n", "does not begin with a header"),
        (b",\n1,2", "does not begin with a header"),
        (b"a,b,a\n", "names a column twice"),
        (b'a\n"x\ny\n', "a quotation mark is not closed"),
    ],
)
def test_a_file_that_is_no_csv_is_refused(data: bytes, detail: str) -> None:
    with pytest.raises(Problem, match=detail):
        read_csv(data)


@pytest.fixture
def csv_limit() -> Iterator[None]:
    """Restore the field limit of the module csv, which is global to the process."""
    before = csv.field_size_limit()
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("csv_limit")
def test_a_row_is_not_held_beyond_its_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_reader, "LARGEST_ROW", 20)
    reads: list[int] = []

    def endless(start: int) -> bytes:
        reads.append(start)
        return b"x" * 7

    with pytest.raises(Problem, match="more than 20 bytes"):
        list(json_rows(Lines(endless, 0)))
    assert len(reads) < 5
    with pytest.raises(Problem, match="not closed before the end of the file, or for too long"):
        read_csv(b'a\n"' + b"x\n" * 100)
