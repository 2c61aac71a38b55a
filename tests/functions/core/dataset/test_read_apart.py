"""Whatever a file does to its reader, whoever asked for it lives and can say so."""

from __future__ import annotations

import gzip
import io
import itertools
import threading
from typing import Any

import numpy as np
import pytest
from arro3 import core as arrow
from arro3.core import Array, DataType
from arro3.io import write_parquet

from functions.core.dataset import read_apart, read_here
from functions.core.dataset.encoded_rows import EncodedRows
from functions.core.dataset.read_apart import ReadingProcess, open_rows
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Rows, Wanted
from models.feature import Feature
from tests.functions.core.dataset.tables import csv_file, in_blocks, parquet_file

pytestmark = pytest.mark.integration
WANTED = Wanted(
    features=(Feature(name="size", missing="keep"), Feature(name="colour", kind="category", categories=("red", "é"))),
    others=("who",),
    most_cells=2,
)


def told(rows: Rows) -> list[dict[str, Any]]:
    return [_plain(some) for some in rows]


def _plain(rows: EncodedRows) -> dict[str, Any]:
    refused = {at: (row.location, list(row.faults), list(row.cells)) for at, row in rows.refused.items()}
    rounded = {name: vars(found) for name, found in rows.rounded.items()}
    return {**vars(rows), "numbers": np.nan_to_num(rows.numbers).tolist(), "refused": refused, "rounded": rounded}


def bomb() -> bytes:
    """Return a small file of 2,000 equal texts of a megabyte."""
    file = io.BytesIO()
    batch = arrow.RecordBatch({"size": Array(["x" * 1_000_000] * 100, DataType.string())})
    write_parquet(arrow.RecordBatchReader.from_batches(batch.schema, [batch] * 20), file, compression="zstd(1)")
    return file.getvalue()


def test_a_table_is_read_apart_as_it_is_here() -> None:
    data = csv_file(
        ("size", "colour", "who"), [(1.5, "red", "a"), ("", "é", ""), ("x", "blue", "c"), (20000001, "é", "d")]
    )
    blocks = in_blocks(data, 11)
    with open_rows(iter(blocks), WANTED) as apart, read_here.open_rows(iter(blocks), WANTED) as here:
        assert apart.facts == here.facts
        assert told(apart) == told(here)


def test_a_refusal_is_told_in_the_same_words() -> None:
    with (
        pytest.raises(UnreadableTable, match="line 2: a quotation mark is not closed"),
        open_rows(iter([b'size,who\n1,"a\n']), WANTED) as rows,
    ):
        list(rows)
    with pytest.raises(UnreadableTable, match="the file is empty"):
        open_rows(iter([]), WANTED)


def test_a_parquet_file_that_kills_its_reader_is_refused() -> None:
    good = parquet_file({"size": Array([1.5] * 100, type=DataType.float64())})
    refused = 0
    for position in (4, 20, len(good) // 2, len(good) - 60, len(good) - 30):
        damaged = bytearray(good)
        damaged[position : position + 8] = b"\xff" * 8
        try:
            with open_rows(iter([bytes(damaged)]), WANTED) as rows:
                list(rows)
        except UnreadableTable:
            refused += 1
    assert refused >= 3
    with pytest.raises(UnreadableTable, match="damaged"):
        open_rows(iter([b"PAR1" + b"\0" * 40 + b"PAR1"]), WANTED)


def test_a_file_that_needs_too_much_memory_is_refused() -> None:
    with (
        pytest.raises(UnreadableTable, match="more than 600 MB of memory"),
        open_rows(iter([bomb()]), WANTED, memory_bytes=600_000_000) as rows,
    ):
        list(rows)


def test_a_file_that_takes_too_long_is_refused() -> None:
    endless = itertools.chain([b"size,who\n"], itertools.repeat(b"1,a\n" * 1_000_000))
    with (
        pytest.raises(UnreadableTable, match="cannot be read in 1 seconds"),
        open_rows(endless, WANTED, seconds=1) as rows,
    ):
        list(rows)


def test_a_missing_reader_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_apart.sys, "path", [path for path in read_apart.sys.path if "site-packages" not in path])
    with pytest.raises(RuntimeError, match="cannot be imported"):
        open_rows(iter([b"size\n1\n"]), WANTED)


def test_one_process_reads_one_table_after_another() -> None:
    first, second = csv_file(("size", "who"), [(1.5, "a")]), csv_file(("size", "who"), [(2.5, "b")])
    with ReadingProcess() as reader:
        names = [rows.texts["who"] for data in (first, second) for rows in reader.open(iter([data]), WANTED)]
    assert names == [["a"], ["b"]]


def test_no_process_outlives_its_table() -> None:
    rows = open_rows(iter([gzip.compress(csv_file(("size",), [(1,)] * 10))]), WANTED)
    process = rows._process._process
    with rows:
        assert process.poll() is None
    assert process.poll() is not None


def test_the_time_of_a_table_does_not_pass_while_its_rows_are_used() -> None:
    """A job answers the rows of one batch before it asks for the next."""
    data = csv_file(("size", "colour", "who"), [(1.5, "red", "a")] * 100)
    with open_rows(iter(in_blocks(data, 300)), WANTED) as rows:
        for _ in rows:
            assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
