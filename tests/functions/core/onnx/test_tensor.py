from __future__ import annotations

import array
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from functions.core.onnx.tensor import DATATYPES, SIZES, Tensor
from tests.functions.graphs import DTYPES, memory_of

numeric = st.sampled_from(sorted(SIZES))


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    """Any values, NaN and infinity among them, of any shape: scalars and empty ones too."""
    datatype = draw(numeric)
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    if datatype == "BF16":
        return datatype, draw(hnp.arrays(np.uint16, shape)).view(ml_dtypes.bfloat16)
    return datatype, draw(hnp.arrays(DTYPES[datatype], shape))


def same(actual: tuple[Any, ...], expected: list[Any]) -> bool:
    return len(actual) == len(expected) and all(
        type(a) is type(b) and (a == b or (math.isnan(a) and math.isnan(b)))
        for a, b in zip(actual, expected, strict=True)
    )


def test_every_datatype_has_the_size_of_its_array() -> None:
    assert {name: np.dtype(dtype).itemsize for name, dtype in DTYPES.items()} == SIZES
    assert {*SIZES, "BYTES"} == DATATYPES


@given(arrays())
def test_memory_becomes_the_values_that_numpy_reads_in_it(drawn: tuple[str, np.ndarray]) -> None:
    datatype, content = drawn
    tensor = Tensor.over(datatype, content.shape, content.tobytes())
    assert same(tensor.values(), [float(v) if datatype == "BF16" else v.item() for v in content.ravel()])


@given(arrays())
def test_values_become_the_bytes_that_numpy_writes_for_them(drawn: tuple[str, np.ndarray]) -> None:
    datatype, content = drawn
    values = [float(v) if datatype == "BF16" else v.item() for v in content.ravel()]
    with np.errstate(all="ignore"):
        expected = np.array(values, dtype=DTYPES[datatype])
    written = np.frombuffer(memory_of(Tensor.of(datatype, content.shape, values)), dtype=DTYPES[datatype])
    nan = np.isnan(expected.astype(np.float64))
    assert np.array_equal(nan, np.isnan(written.astype(np.float64)))
    assert written[~nan].tobytes() == expected[~nan].tobytes()


@given(st.floats(width=32, allow_nan=False))
def test_a_value_between_two_of_bf16_becomes_the_nearer_one(value: float) -> None:
    rounded = np.frombuffer(memory_of(Tensor.of("BF16", (), [value])), dtype=np.uint16)
    assert rounded == np.float32(value).astype(ml_dtypes.bfloat16).view(np.uint16)


@pytest.mark.parametrize("memory", [bytes(8), bytearray(8), memoryview(bytes(8)), array.array("f", [0.0, 0.0])])
def test_memory_is_not_copied(memory: Any) -> None:
    assert memory_of(Tensor.over("FP32", (2,), memory)).obj is (
        memory.obj if isinstance(memory, memoryview) else memory
    )


def test_text_and_bytes_are_both_values_of_bytes() -> None:
    tensor = Tensor.of("BYTES", (2, 2), ["ü", b"\xff", b"a\0b", ""])
    assert tensor.data == ["ü".encode(), b"\xff", b"a\0b", b""]
    assert tensor.values() == ("ü", "\ufffd", "a\0b", "")


def test_rows_are_a_part_over_the_same_memory() -> None:
    memory = np.arange(12, dtype=np.int64)
    rows = Tensor.over("INT64", (3, 2, 2), memory.data).rows(1, 3)
    assert (rows.shape, rows.values()) == ((2, 2, 2), tuple(range(4, 12)))
    memory[4] = 77
    assert rows.values()[0] == 77


@pytest.mark.parametrize(
    ("start", "stop", "values"), [(0, 9, ("a", "b")), (1, 1, ()), (2, 1, ()), (1, 2, ("b",)), (-1, 2, ("b",))]
)
def test_rows_are_cut_as_a_list_is(start: int, stop: int, values: tuple[str, ...]) -> None:
    rows = Tensor.of("BYTES", (2,), ["a", "b"]).rows(start, stop)
    assert (rows.shape, rows.values()) == ((len(values),), values)


def test_equal_tensors_are_equal_bit_by_bit() -> None:
    nan = Tensor.of("FP32", (1,), [math.nan])
    assert nan == Tensor.of("FP32", (1,), [math.nan])
    assert Tensor.of("FP32", (1,), [0.0]) != Tensor.of("FP32", (1,), [-0.0])
    assert Tensor.of("FP32", (1, 1), [0.0]) != Tensor.of("FP32", (1,), [0.0])


@pytest.mark.parametrize(
    ("datatype", "value"),
    [("FP32", "1"), ("FP32", None), ("FP32", 1e39), ("FP16", 65520.0), ("BF16", 1e39), ("FP64", 10**400),
     ("INT8", 128), ("UINT8", -1), ("INT64", 1.0), ("INT64", 2**63), ("BOOL", "x"), ("BOOL", 2), ("BOOL", []),
     ("BYTES", 1), ("BYTES", "\ud800")],
)  # fmt: skip
def test_a_value_of_another_datatype_is_refused(datatype: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"a value is no {datatype}"):
        Tensor.of(datatype, (1,), [value])


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there are 1 values; the shape \[2, 3\] takes 6"):
        Tensor.of("FP32", (2, 3), [1.0])


@pytest.mark.parametrize("length", [0, 7, 9])
def test_memory_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=rf"there are {length} bytes; FP32 of the shape \[2\] takes 8"):
        Tensor.over("FP32", (2,), bytes(length))


def test_a_boolean_is_nought_or_one() -> None:
    assert Tensor.over("BOOL", (2,), b"\0\1").values() == (False, True)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        Tensor.over("BOOL", (3,), b"\1\2\0")


def test_what_does_not_lie_in_one_piece_is_refused() -> None:
    with pytest.raises(TypeError):
        Tensor.over("FP32", (2, 2), np.zeros((2, 4), dtype=np.float32)[:, ::2].data)
    with pytest.raises(TypeError, match="BYTES"):
        Tensor.over("BYTES", (1,), b"")
