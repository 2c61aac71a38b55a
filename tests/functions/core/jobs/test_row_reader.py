from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.http.problem import Problem
from functions.core.jobs import row_reader
from functions.core.jobs.row_reader import Row, json_rows, lines_of, request_rows

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def lines(data: bytes, size: int = 7) -> Iterator[bytes]:
    return lines_of(iter([data[at : at + size] for at in range(0, len(data), size)]))


def values(rows: Iterable[Row]) -> list[Any]:
    """Return each row's value, or why it could not be read."""
    return [row.problem.detail if row.problem else row.value for row in rows]


@given(st.lists(VALUES, min_size=1, max_size=6), st.sampled_from([None, 1, "\t"]), st.data())
def test_a_request_is_read_as_json_reads_it(instances: list[Any], indent: Any, data: st.DataObject) -> None:
    text = json.dumps({"instances": instances}, indent=indent, ensure_ascii=data.draw(st.booleans()))
    assert values(request_rows(text)) == instances


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
        rows.extend(request_rows(text))
    assert len(rows) == read
    assert caught.value.status == 400
    assert detail in caught.value.text


@given(st.lists(VALUES, max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \r\n"]), st.integers(1, 40))
def test_lines_of_json_are_read_whatever_the_blocks(instances: list[Any], ending: bytes, size: int) -> None:
    data = ending.join(json.dumps(instance).encode() for instance in instances)
    assert values(json_rows(lines(data, size=size))) == instances


def test_a_line_that_cannot_be_read_gets_its_reason() -> None:
    read = values(json_rows(lines(b'\xef\xbb\xbf{"a": 1}\nbad\n{"a": NaN}\n\xff\n7')))
    assert read[0] == {"a": 1}
    assert read[4] == 7
    assert read[1:4] == [
        "the row is not JSON: Expecting value, line 1 column 1",
        "NaN and Infinity are not JSON; accepted: finite numbers",
        "the row is not UTF-8; accepted: a JSON object in UTF-8",
    ]


def test_a_row_is_not_held_beyond_its_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_reader, "LARGEST_ROW", 20)
    reads: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            reads.append(1)
            yield b"x" * 7

    with pytest.raises(Problem, match="more than 20 bytes"):
        list(json_rows(lines_of(endless())))
    assert len(reads) < 5
