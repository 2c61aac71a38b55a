from __future__ import annotations

import csv
import io

import pytest

from functions.core.dataset import rejected_rows
from functions.core.dataset.rejected_rows import RejectedRows


def test_reasons_are_counted_and_their_first_locations_named() -> None:
    rejected = RejectedRows("line", ("size",))
    for location in range(2, 32):
        rejected.add(location, [("size", "is missing")], ("",))
    rejected.add(40, [("", "has 2 cells, the header 1")], ("1", "2"))
    assert rejected.rows == 31
    assert rejected.reasons() == [
        {"column": "size", "reason": "is missing", "count": 30, "first_lines": list(range(2, 22))},
        {"column": "", "reason": "has 2 cells, the header 1", "count": 1, "first_lines": [40]},
    ]


def test_the_rows_are_kept_with_location_and_reason() -> None:
    rejected = RejectedRows("row", ("size", "colour"))
    rejected.add(3, [("size", "is missing"), ("colour", "is not one of a, b")], ("", 'x,"y"'))
    rows = list(csv.reader(io.StringIO(rejected.to_csv().decode())))
    assert rows == [
        ["row", "reason", "size", "colour"],
        ["3", "size is missing; colour is not one of a, b", "", 'x,"y"'],
    ]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("+a", "'+a"), ("-a", "'-a"), ("-1.5", "-1.5"), ("+2", "+2"), ("a=b", "a=b")],
)
def test_no_cell_is_a_formula_to_a_spreadsheet(cell: str, shown: str) -> None:
    rejected = RejectedRows("line", ("=size",))
    rejected.add(2, [("size", "is wrong")], (cell,))
    header, row = csv.reader(io.StringIO(rejected.to_csv().decode()))
    assert (header[2], row[2]) == ("'=size", shown)


def test_past_a_bound_rows_are_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected_rows, "KEPT", 2)
    rejected = RejectedRows("line", ("size",))
    for location in range(5):
        rejected.add(location, [("size", "is missing")], ("",))
    assert rejected.full
    assert rejected.rows == rejected.reasons()[0]["count"] == 5
    assert len(rejected.to_csv().splitlines()) == 3
