"""One table is one dataset, whatever file it came in, and any bytes are rows or a refusal."""

from __future__ import annotations

import gzip
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from arro3.core import DataType
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset import table
from functions.core.dataset.encoded_rows import EncodedRows
from functions.core.dataset.read_here import open_rows
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Facts, Wanted
from models.feature import Feature
from tests.functions.core.dataset.tables import Value, csv_file, in_blocks, json_lines, parquet_of

FEATURES = (
    Feature(name="size", minimum=-100, maximum=1e6, missing="keep"),
    Feature(name="count", kind="integer", missing=0),
    Feature(name="colour", kind="category", categories=("red", "a,b", 'the "best"', "é", "1")),
    Feature(name="ripe", kind="boolean", missing="keep"),
)
HEADER = (*(feature.name for feature in FEATURES), "who")
TYPES = (DataType.float64(), DataType.int64(), DataType.string(), DataType.bool(), DataType.string())
WANTED = Wanted(features=FEATURES, others=("who",), most_cells=1000)
rows_of_values = st.lists(
    st.tuples(
        st.none() | st.floats(-1000, 1e7) | st.sampled_from([0.7, 1e6, -100.0]),
        st.none() | st.integers(-(2**40), 2**40),
        st.sampled_from(["red", "a,b", 'the "best"', "é", "1", "blue", None]),
        st.none() | st.booleans(),
        st.text(alphabet="ab ,;'1é", min_size=1, max_size=4).map(lambda text: f"x{text}"),
    ),
    min_size=1,
    max_size=8,
)


def read(data: bytes, wanted: Wanted = WANTED, block: int = 7) -> tuple[Facts, list[EncodedRows]]:
    with open_rows(iter(in_blocks(data, block)), wanted) as opened:
        return opened.facts, list(opened)


def values(data: bytes, wanted: Wanted = WANTED, block: int = 7) -> tuple[list[Any], list[str | None], dict[int, Any]]:
    """Return the numbers of the rows that are accepted, all of their names, and why the others are refused."""
    numbers: list[list[float]] = []
    names: list[str | None] = []
    refused: dict[int, Any] = {}
    before = 0
    for some in read(data, wanted, block)[1]:
        numbers += [row for at, row in enumerate(some.numbers.tolist()) if at not in some.refused]
        names += some.texts["who"]
        refused |= {before + at: list(row.faults) for at, row in some.refused.items()}
        before += len(some.numbers)
    return [[round(one, 9) if one == one else None for one in row] for row in numbers], names, refused  # noqa: PLR0124


WRITERS: dict[str, Callable[[Sequence[Sequence[Value]]], bytes]] = {
    "commas": lambda rows: csv_file(HEADER, rows),
    "semicolons": lambda rows: csv_file(HEADER, rows, delimiter=";"),
    "tabs": lambda rows: csv_file(HEADER, rows, delimiter="\t", end="\r\n"),
    "returns": lambda rows: csv_file(HEADER, rows, end="\r", quoted=True),
    "a mark at the beginning": lambda rows: b"\xef\xbb\xbf" + csv_file(HEADER, rows, quoted=True),
    "two marks at the beginning": lambda rows: b"\xef\xbb\xbf" * 2 + csv_file(HEADER, rows),
    "another order": lambda rows: csv_file(HEADER[::-1], [row[::-1] for row in rows]),
    "empty columns behind it": lambda rows: csv_file((*HEADER, ""), [(*row, None) for row in rows]),
    "JSON Lines": lambda rows: json_lines(HEADER, rows),
    "JSON Lines with numbers": lambda rows: json_lines(
        HEADER, [(*row[:2], 1 if row[2] == "1" else row[2], *row[3:]) for row in rows]
    ),
    "Parquet": lambda rows: parquet_of(HEADER, rows, TYPES),
}


@pytest.mark.parametrize("way", WRITERS)
@given(rows=rows_of_values, block=st.integers(5, 200), zipped=st.booleans())
def test_a_table_is_the_same_however_it_is_written(
    way: str, rows: list[tuple[Value, ...]], block: int, zipped: bool
) -> None:
    data = WRITERS[way](rows)
    assert values(gzip.compress(data) if zipped else data, block=block) == values(WRITERS["commas"](rows), block=10**6)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_refusal(data: bytes) -> None:
    for start in (b"", b"size,count,colour,ripe,who\n", b'{"size": 1}\n', b"\x1f\x8b"):
        try:
            read(start + data)
        except UnreadableTable:
            continue


def test_a_block_of_many_bad_rows_sets_aside_only_these() -> None:
    lines = [f"{at / 10},{at},red,true,p{at}" for at in range(60)]
    lines[10] = "1,2,red"
    lines[20] = '2.0,"3"x,red,true,p'
    lines[30] = "3.0,3,red,true,p,too,many"
    lines[40] = "4.0,4,r\udcff,true,p"
    data = ("size,count,colour,ripe,who\n" + "\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    numbers, names, refused = values(data, block=100_000)
    assert (len(numbers), len(names), sorted(refused)) == (56, 60, [10, 20, 30, 40])
    [[rows]] = [read(data, block=100_000)[1]]
    assert vars(rows.refused[10]) == {
        "location": 12,
        "faults": [("", "has 3 cells, the header 5")],
        "cells": ("1", "2", "red"),
    }
    assert rows.refused[20].faults == [("count", "is text; accepted: a whole number")]


@pytest.mark.parametrize("line", [b"1\n", b"{}\n"])
def test_a_block_of_short_bad_rows_is_read_piece_by_piece(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them has a reason, which takes more memory than the row."""
    monkeypatch.setattr(table, "PIECE_BYTES", 300)
    head = b"size,count,colour,ripe,who\n" if line == b"1\n" else b'{"who": "a"}\n'
    found = read(head + line * 500, block=10**9)[1]
    assert max(len(some.numbers) for some in found) <= 300 // len(line) + 1


def test_decimal_commas_are_read_where_nothing_else_is_meant() -> None:
    wanted = Wanted(features=FEATURES[:2], others=("who",))
    facts, [rows] = read(b"size;count;who\n1,5;1;a\n2;1.000;b\n0,25;2;c\n", wanted, 1000)
    assert (facts.delimiter, facts.decimal) == (";", ",")
    assert rows.numbers[[0, 2], 0].tolist() == [1.5, 0.25]
    assert [next(iter(row.faults))[0] for row in rows.refused.values()] == ["count"]


def test_thousands_that_may_be_decimals_are_refused_with_the_reason() -> None:
    _, [rows] = read(b'size,count,who\n"1,234",1,a\n2,2,b\n', Wanted(features=FEATURES[:2], others=("who",)), 1000)
    [refused] = rows.refused.values()
    assert "may separate thousands or decimals" in refused.faults[0][1]


def test_a_part_of_a_file_is_read_as_the_whole_is() -> None:
    table = [(at / 4, at, "red", True, f"p{at}") for at in range(50)]
    data = csv_file(HEADER, table, delimiter=";")
    facts, batches = read(data, block=300)
    middle = batches[1].end
    resumed = Wanted(features=FEATURES, others=("who",), resumed=facts)
    with open_rows(iter([data[middle:]]), resumed) as rest:
        after = np.concatenate([some.numbers for some in rest])
    np.testing.assert_array_equal(after, np.concatenate([some.numbers for some in batches])[-len(after) :])
    assert len(after) < 50


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\r\n", "the file is empty"),
        ("size,who\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04....", "a zip archive or an Excel workbook"),
        (b"\x1f\x8b....", "compressed with gzip, and damaged"),
        (gzip.compress(b"size,who\n1,a\n" * 99, mtime=0)[:-9], "cut short"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"size\0,colour\n1,red\n", "binary data"),
        (b"size,size\n1,2\n", "names 'size' twice"),
        (b'size,who\n1,"red\n2,blue\n', "line 2: a quotation mark is not closed"),
        (b"size," + b",".join(b"c%d" % at for at in range(10_001)) + b"\n", "10002 columns; at most 10000"),
        (b'[{"size": 1}]', "one list of JSON; write one object a line"),
        (b"\xef\xbb\xbf [[1, 2]]", "one list of JSON; write one object a line"),
        (b"PAR1", "the Parquet file is cut short"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableTable) as refusal:
        read(data, block=100_000)
    assert reason in str(refusal.value)


def test_a_row_without_end_is_refused_before_it_fills_the_memory() -> None:
    endless = itertools.chain([b"size,who\n1,"], itertools.repeat(b"x" * 1_000_000))
    with pytest.raises(UnreadableTable, match="line 2: the row has more than 8000000 bytes"):
        list(open_rows(endless, WANTED))


def test_a_small_file_cannot_expand_without_bound() -> None:
    bomb = gzip.compress(b"size,who\n" + b"1,a\n" * 10_000)
    with pytest.raises(UnreadableTable, match="expands to more than 0 MB"):
        list(open_rows(iter([bomb]), Wanted(features=FEATURES, most_bytes=10_000)))


def test_damage_in_the_middle_of_a_compressed_file_is_told() -> None:
    noise = random.Random(0)  # noqa: S311 - a draw, not a secret
    data = bytearray(gzip.compress(b"".join(b"%d,a\n" % noise.getrandbits(60) for _ in range(5000))))
    data[len(data) // 2] ^= 255
    with pytest.raises(UnreadableTable, match="compressed with gzip"):
        list(open_rows(iter(in_blocks(bytes(data), 1000)), WANTED))


def test_a_table_of_one_column_may_have_a_cell_that_is_empty() -> None:
    size = Wanted(features=(Feature(name="size", missing="keep"),))
    for data in (b"size\n1\n,\n2\n", b'size\n1\n"",\n2\n'):
        [some] = read(data, size, 100)[1]
        assert np.isnan(some.numbers[:, 0]).tolist() == [False, True, False]
        assert not some.refused


def test_a_table_of_which_nothing_is_wanted_has_its_names_and_its_rows() -> None:
    for data, names in ((b"a,b\n1,2\n3,4\n", ("a", "b")), (b",\n1,2\n", ())):
        facts, parts = read(data, Wanted(features=()), 100)
        assert facts.columns == names
        assert sum(len(some.numbers) for some in parts) == data.count(b"\n") - 1


def test_a_zero_byte_in_a_cell_of_numbers_sets_aside_its_row_alone() -> None:
    table = b"size,count,colour,ripe,who\n1,2,red,1,ann\n1\x002,3,red,1,bob\n3,4,red,0,cat\n"
    numbers, names, refused = values(table, block=len(table))
    assert [row[0] for row in numbers] == [1, 3]
    assert names == ["ann", "bob", "cat"]
    assert list(refused) == [1]
