"""How values are written and drawn, whatever a damaged record holds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sml.console import charts, words
from sml.console.charts import Axis, Frame, Mark
from sml.console.web import NotServed, form_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_every_value_can_be_written(value: Any) -> None:
    for write in (words.number, words.share, words.text, words.moment, words.ago, words.iso, words.size, words.short):
        assert isinstance(write(value), str)
    assert words.kind(value) in ("good", "busy", "wait", "bad")


@pytest.mark.parametrize(
    ("value", "said"),
    [(569, "569"), (124869, "124,869"), (0.99525, "0.9952"), (12345.6, "12,346"), (True, "yes"), (math.nan, "-")],
)
def test_numbers_have_as_many_digits_as_matter(value: object, said: str) -> None:
    assert words.number(value) == said


def test_times_are_near_or_days() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    for before, said in (
        (5, "just now"),
        (300, "5 min ago"),
        (7200, "2 h ago"),
        (172800, "2 d ago"),
        (9e5, "2026-11-20"),
    ):
        assert words.ago((now - timedelta(seconds=before)).isoformat(), now) == said


@given(values=st.lists(st.floats(-1e12, 1e12), max_size=20))
def test_all_values_are_on_their_axis(values: list[float]) -> None:
    axis = Axis.of(values)
    assert axis.low < axis.high
    assert len(axis.ticks) <= 8
    assert all(axis.low <= value <= axis.high for value in values)


@given(rows=st.lists(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), min_size=1, max_size=5))
def test_whatever_experiments_hold_is_drawn_or_left_out(rows: list[dict[str, Any]]) -> None:
    drawn = charts.parallel(rows, ["a", "b", "c"], "<label>")
    assert drawn.count("<polyline") == len(rows)
    assert "<label>" not in drawn
    assert "nan" not in drawn.partition("<text")[0]


def test_marks_have_titles_and_events_are_within_the_time() -> None:
    frame = Frame(x=Axis.of([0, 10]), y=Axis.of([1], high=100.0), x_name="x", y_name="y")
    marks = [Mark(x=1, y=2, title="<one>", name="champion"), Mark(x=2, y=3, name="challenger")]
    drawn = charts.lines(marks, frame, "label", [(5, "a step"), (99, "later")])
    assert "&lt;one&gt;" in drawn
    assert "a step" in drawn
    assert "later" not in drawn
    assert drawn.count('class="path') == 2


def test_forms_are_read_with_their_files() -> None:
    boundary = "multipart/form-data; boundary=b"
    parts = (
        b'--b\r\ncontent-disposition: form-data; name="csrf"\r\n\r\nt\xc3\xa4\r\n'
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n'
        b"a\r\n1\n\xff\r\n--b--\r\n"
    )
    values, files = form_of(boundary, parts)
    assert values == {"csrf": ["tä"]}
    assert (files["file"].name, files["file"].content) == ("a.csv", b"a\r\n1\n\xff")
    for kind in ("application/json", "multipart/form-data"):
        with pytest.raises(NotServed):
            form_of(kind, b"{}")


@given(content=st.binary())
def test_the_bytes_of_a_file_arrive_as_they_are(content: bytes) -> None:
    head = b'--x-7\r\ncontent-disposition: form-data; name="file"; filename="a \xc3\xa4.npy"\r\n\r\n'
    files = form_of('multipart/form-data; boundary="x-7"', head + content + b"\r\n--x-7--\r\n")[1]
    assert files["file"].content == content
