from __future__ import annotations

import io

import numpy as np
import pytest
from arro3 import core as arrow
from arro3.io import write_parquet

from functions.core.dataset import parquet, table
from functions.core.dataset.table import Batch, UnreadableTable, read_table

EXPECTED = ("size", "colour")


def parquet_file(columns: dict[str, arrow.Array]) -> bytes:
    file = io.BytesIO()
    write_parquet(arrow.Table.from_arrays(list(columns.values()), names=list(columns)), file)
    return file.getvalue()


def batches(data: bytes) -> list[Batch]:
    return list(read_table(data, EXPECTED).batches)


def plain(data: bytes) -> dict[str, list[object]]:
    [batch] = batches(data)
    return {name: list(values) for name, values in batch.columns.items()}


PLAIN = b"size,colour\n1,red\n2,blue\n"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        PLAIN.replace(b",", b";"),
        PLAIN.rstrip(b"\n"),
        b'"size","colour"\n"1","red"\n2,"blue"\n',
        b" size , colour\n1,red\n\n2,blue\n\n",
    ],
)
def test_every_way_to_write_a_csv_is_read_alike(data: bytes) -> None:
    assert plain(data) == {"size": ["1", "2"], "colour": ["red", "blue"]}


def test_quotes_hold_delimiters_quotes_and_line_ends() -> None:
    assert plain(b'size,colour\n1,"a, ""b""\nc"\n') == {"size": ["1"], "colour": ['a, "b"\nc']}


def test_a_location_is_the_line_on_which_a_row_begins() -> None:
    [batch] = batches(b'size,colour\n1,"a\nb"\n\n2,c\n3\n4,d\n')
    assert list(batch.locations) == [2, 5, 7]
    [malformed] = batch.malformed
    assert (malformed.location, malformed.reason, malformed.cells) == (6, "has 1 cells, the header 2", ("3",))


def test_locations_go_on_from_batch_to_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BATCH_ROWS", 2)
    read = batches(b"size,colour\n" + b"1,a\n" * 5)
    assert [list(batch.locations) for batch in read] == [[2, 3], [4, 5], [6]]


def test_a_batch_of_malformed_rows_only_is_no_batch_of_rows() -> None:
    [batch] = batches(b"size,colour\n1\n2\n")
    assert (len(batch.locations), len(batch.malformed)) == (0, 2)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\r\n", "the file is empty"),
        (b"size,colour\n1,red\n2,bl\xfc\n", "line 3: the text is not UTF-8"),
        ("size,colour\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04....", "a zip archive or an Excel workbook"),
        (b"\x1f\x8b....", "compressed with gzip"),
        (b"size,colour\n1,\0red\n", "binary data"),
        (b"size,size\n1,2\n", "names 'size' twice"),
        (b'size,colour\n1,"red\n2,blue\n', "line 2: unexpected end of data"),
        (b'size,colour\n1,"red"x\n', "line 2: "),
        (b"PAR1", "the Parquet file is cut short"),
        (b"PAR1" + b"\0" * 40 + b"PAR1", "the Parquet file is damaged"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableTable) as refusal:
        batches(data)
    assert reason in str(refusal.value)


@pytest.mark.integration
def test_a_parquet_file_is_known_by_its_content() -> None:
    data = parquet_file(
        {
            "size": arrow.Array([1.5, 2.0], type=arrow.DataType.float64()),
            "count": arrow.Array([1, None], type=arrow.DataType.int32()),
            "flag": arrow.Array([True, None], type=arrow.DataType.bool()),
            "colour": arrow.Array(["red", None], type=arrow.DataType.string()),
        }
    )
    opened = read_table(data, EXPECTED)
    assert (opened.format, opened.unit, opened.columns) == ("Parquet", "row", ("size", "count", "flag", "colour"))
    [batch] = opened.batches
    assert isinstance(batch.columns["size"], np.ndarray)
    assert {name: list(values) for name, values in batch.columns.items()} == {
        "size": [1.5, 2.0],
        "count": [1, None],
        "flag": [True, None],
        "colour": ["red", None],
    }
    assert list(batch.locations) == [1, 2]


@pytest.mark.integration
def test_a_parquet_file_that_would_kill_its_reader_is_refused() -> None:
    """Bytes in the middle of a page or of the footer make the Rust reader abort; the process that asks lives on."""
    good = parquet_file({"size": arrow.Array([1.5] * 100, type=arrow.DataType.float64())})
    refused = 0
    for position in (20, len(good) // 2, len(good) - 60, len(good) - 30):
        damaged = bytearray(good)
        damaged[position : position + 8] = b"\xff" * 8
        refused += parquet.examine(bytes(damaged)) is not None
    assert refused >= 3
    assert parquet.examine(good) is None


@pytest.mark.integration
def test_a_missing_reader_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    good = parquet_file({"size": arrow.Array([1.5], type=arrow.DataType.float64())})
    monkeypatch.setattr(parquet.sys, "path", [])
    with pytest.raises(RuntimeError, match="arro3-io"):
        parquet.examine(good)
