from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.column import as_text, encode_column, rows_without
from functions.core.dataset.table import Column
from models.feature import Feature, UnacceptableValue

FEATURES = (
    Feature(name="x"),
    Feature(name="x", minimum=-1, maximum=1e6),
    Feature(name="x", kind="integer", minimum=0),
    Feature(name="x", missing="keep"),
    Feature(name="x", missing=7.0),
    Feature(name="x", kind="boolean"),
    Feature(name="x", kind="category", categories=("a", "b", "1")),
)
cells = st.one_of(
    st.floats(width=32).map(repr),
    st.integers(-5, 5).map(str),
    st.sampled_from(["", " ", "a", "b", "true", "0", "1_0", "nan", "inf", "\u0661", " 2 ", "1e39"]),
    st.text(max_size=3),
)


def one_by_one(feature: Feature, values: list[object]) -> tuple[list[float], dict[int, str]]:
    numbers, reasons = [], {}
    for position, value in enumerate(values):
        try:
            numbers.append(feature.encode(value))
        except UnacceptableValue as problem:
            numbers.append(math.nan)
            reasons[position] = str(problem)
    return numbers, reasons


@given(feature=st.sampled_from(FEATURES), values=st.lists(cells, max_size=8))
def test_a_column_of_text_is_read_as_its_cells_are_one_by_one(feature: Feature, values: list[object]) -> None:
    numbers, reasons = encode_column(feature, values)
    expected, refused = one_by_one(feature, values)
    assert reasons == refused
    np.testing.assert_array_equal(numbers, np.array(expected, dtype=np.float32))


@given(feature=st.sampled_from(FEATURES), values=st.lists(st.floats(allow_nan=False) | st.integers(-9, 9), max_size=8))
def test_a_column_of_numbers_is_read_as_its_values_are_one_by_one(feature: Feature, values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    numbers, reasons = encode_column(feature, array)
    expected, refused = one_by_one(feature, array.tolist())
    assert reasons == refused
    np.testing.assert_array_equal(numbers, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("values", [["1", "1.5", "-1", "4e38"], np.array([1, 1.5, -1, 4e38])])
def test_each_rule_of_a_feature_holds_where_all_values_are_numbers(values: Column) -> None:
    numbers, reasons = encode_column(Feature(name="x", kind="integer", minimum=0, maximum=9), values)
    assert (numbers[0], sorted(reasons)) == (1, [1, 2, 3])
    assert sorted(encode_column(Feature(name="x"), values)[1]) == [3]


def test_nan_in_a_parquet_file_is_a_missing_value() -> None:
    _, reasons = encode_column(FEATURES[0], np.array([1.0, np.nan]))
    assert reasons == {1: "is missing; accepted: a finite number"}
    numbers, reasons = encode_column(FEATURES[4], [None, float("nan"), Decimal("1.5")])
    assert (numbers.tolist(), reasons) == ([7.0, 7.0, 1.5], {})


def test_zero_has_one_sign() -> None:
    numbers, _ = encode_column(FEATURES[0], ["-0.0", "0"])
    assert not np.signbit(numbers).any()


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (math.nan, ""), (1.5, "1.5"), (np.float32(2), "2.0"), ("a,b", "a,b")]
)
def test_a_value_is_shown_as_a_cell(value: object, text: str) -> None:
    assert as_text([value], 0) == text


def test_rows_are_good_that_no_column_refuses() -> None:
    assert rows_without([{0: "a"}, {}, {2: "b", 0: "c"}], 4).tolist() == [False, True, False, True]
