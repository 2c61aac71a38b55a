"""Whatever file a dataset came in it is one dataset, and whatever bytes come end in a dataset or in a sentence."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence

import pytest
from arro3.core import DataType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.dataset import read_apart, read_here
from functions.core.dataset.read_apart import ReadingProcess
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import validate_dataset
from functions.core.dataset.wanted import Reader
from tests.functions.bench import contract, csv, rows
from tests.functions.core.dataset.tables import Value, csv_file, in_blocks, json_lines, parquet_of

HEADER = ("size", "weight", "colour", "ripe", "note, or not")
TYPES = (DataType.float64(), DataType.int64(), DataType.string(), DataType.string(), DataType.string())
TYPES_IN_32_BITS = (DataType.float32(), DataType.int32(), *TYPES[2:])
some_rows = st.lists(
    st.tuples(
        st.floats(-1, 101, width=32) | st.sampled_from([0.0, -0.0, 100.0, None]),
        st.integers(-(2**31), 2**31 - 1) | st.none(),
        st.sampled_from(["red", "green", "blue", None]),
        st.sampled_from(["yes", "no"]),
        st.text(alphabet="ab ,;\t|'\"é", max_size=5).map(lambda text: f"x{text}"),
    ),
    max_size=8,
)


WAYS = {
    "JSON Lines": lambda table: json_lines(HEADER, table),
    "Parquet": lambda table: parquet_of(HEADER, table, TYPES),
    "Parquet of 32 bits": lambda table: parquet_of(HEADER, table, TYPES_IN_32_BITS, compression="zstd(1)"),
    "columns in another order": lambda table: csv_file(HEADER[::-1], [row[::-1] for row in table]),
}


def known(table: Sequence[Sequence[Value]]) -> list[tuple[Value, ...]]:
    """Return the rows after those that every one of these datasets has."""
    return [*((*row, "x") for row in rows()), *map(tuple, table)]


def outcome(data: bytes, read: Reader = read_here.open_rows, block: int = 10**6) -> tuple[object, ...]:
    """Return what becomes of a file: digest and reasons, or why it is rejected."""
    try:
        dataset = validate_dataset(in_blocks(data, block), contract(quality={"maximum_rejected_share": 0.5}), read)
    except RejectedDataset as problem:
        return (str(problem),)
    reasons = sorted((one["column"], one["reason"], one["count"]) for one in dataset.report["reasons"])
    return dataset.digest, dataset.report["rejected_rows"], reasons


@given(
    table=some_rows,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoted=st.booleans(),
    begin=st.sampled_from([b"", b"\xef\xbb\xbf", b"\n\r\n"]),
    zipped=st.booleans(),
    block=st.integers(50, 5000),
)
@settings(max_examples=30)
def test_a_table_is_one_dataset_in_any_dialect(
    table: list[tuple[Value, ...]], delimiter: str, end: str, quoted: bool, begin: bytes, zipped: bool, block: int
) -> None:
    # Python before 3.13 leaves a line end without quotation marks where it is not that of the file.
    lines = "\n,\r\r\n" if quoted else ""
    written = [(*row[:-1], f"{row[-1]}{lines}") for row in known(table)]
    data = begin + csv_file(HEADER, written, delimiter=delimiter, end=end, quoted=quoted)
    assert outcome(gzip.compress(data) if zipped else data, block=block) == outcome(csv_file(HEADER, known(table)))


@pytest.mark.parametrize("way", WAYS)
@given(table=some_rows)
@settings(max_examples=12)
def test_a_table_is_one_dataset_in_any_format(way: str, table: list[tuple[Value, ...]]) -> None:
    assert outcome(WAYS[way](known(table)))[:2] == outcome(csv_file(HEADER, known(table)))[:2]


@pytest.fixture(scope="module")
def process() -> Iterator[ReadingProcess]:
    with ReadingProcess() as process:
        yield process


BEGINNINGS = {
    "nothing": b"",
    "a header": b"size,weight,colour,ripe\n",
    "rows": csv(),
    "JSON": b'{"size": 1, "weight": 2, "colour": "red", "ripe": "yes"}\n',
    "gzip": gzip.compress(csv(), mtime=0)[:200],
}


@pytest.mark.integration
@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS)
@given(data=st.binary(max_size=300))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_a_dataset_or_in_a_sentence_and_their_reader_lives(
    beginning: bytes, data: bytes, process: ReadingProcess
) -> None:
    assert outcome(beginning + data, process.open)


@pytest.mark.integration
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_a_damaged_parquet_file_ends_in_a_dataset_or_in_a_sentence(at: int, byte: int, cut: int | None) -> None:
    """A damaged one may end its reader, so that each has one of its own."""
    data = bytearray(parquet_of(HEADER, known([]), TYPES))
    data[at % len(data)] = byte
    damaged = bytes(data if cut is None else data[: cut % len(data) or 1])
    assert outcome(damaged, read_apart.open_rows)
