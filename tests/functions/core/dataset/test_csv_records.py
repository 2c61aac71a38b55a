from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.csv_records import UnclosedQuote, cells_of, scan

LETTERS = st.text(alphabet='ab,;"\r\n \té', max_size=30)
CELLS = st.text(alphabet='ab,;"\r\n é', max_size=6)
"""Python's writer puts only those line ends in quotation marks that are its own."""


def records_of(text: bytes, delimiter: str = ",", *, final: bool = True) -> list[list[str]]:
    found = scan(text, delimiter, final=final)
    assert all(
        len(cells_of(text[start:end], delimiter)) == cells
        for start, end, cells in zip(found.starts, found.ends, found.cells, strict=True)
    )
    return [cells_of(text[start:end], delimiter) for start, end in zip(found.starts, found.ends, strict=True)]


def by_csv(text: str, delimiter: str = ",") -> list[list[str]]:
    return [record for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if record]


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    delimiter=st.sampled_from([",", ";"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    everything=st.booleans(),
)
def test_what_was_written_is_found(rows: list[list[str]], delimiter: str, end: str, everything: bool) -> None:
    text = io.StringIO(newline="")
    quoting = (
        csv.QUOTE_ALL
        if everything or any("\n" in one or "\r" in one for row in rows for one in row)
        else csv.QUOTE_MINIMAL
    )
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    assert records_of(text.getvalue().encode(), delimiter) == rows


@given(text=LETTERS)
def test_any_text_is_read_as_pythons_csv_module_reads_it(text: str) -> None:
    try:
        found = records_of(text.encode())
    except UnclosedQuote:
        assert text.count('"')
    else:
        assert found == by_csv(text)


@given(text=LETTERS, cut=st.integers(0, 30))
def test_a_block_is_cut_where_the_next_one_can_go_on(text: str, cut: int) -> None:
    whole = text.encode()
    first = scan(whole[:cut], ",", final=False)
    assert first.size <= len(whole[:cut])
    try:
        expected = records_of(whole)
    except UnclosedQuote:
        return
    head, rest = whole[: first.size], whole[first.size :]
    begun = [cells_of(head[start:end], ",") for start, end in zip(first.starts, first.ends, strict=True)]
    assert [*begun, *records_of(rest)] == expected


def test_lines_are_counted_also_where_a_cell_holds_them() -> None:
    found = scan(b'a,b\n\n"1\r\n2",x\r3,4\r\n\r\n5,6', ",", final=True)
    assert found.lines.tolist() == [0, 2, 4, 6]
    assert found.line_ends == 6


def test_a_quotation_mark_that_is_never_closed_is_found_where_its_record_begins() -> None:
    with pytest.raises(UnclosedQuote) as problem:
        scan(b'a,b\n1,2\n3,"4\n5,6\n', ",", final=True)
    assert problem.value.offset == 8


def test_quotation_marks_inside_of_a_cell_are_letters() -> None:
    assert records_of(b'a,b\n5" pipe,1\n"1"x,2\n') == [["a", "b"], ['5" pipe', "1"], ["1x", "2"]]
