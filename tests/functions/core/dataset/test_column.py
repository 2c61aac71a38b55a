from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from arro3.core import Array, DataType
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.column import Encoding
from functions.core.dataset.number_style import UNCERTAIN, NumberStyle
from models.feature import Feature, UnacceptableValue

FEATURES = (
    Feature(name="x"),
    Feature(name="x", minimum=-1, maximum=1e6),
    Feature(name="x", minimum=0.7, maximum=0.9),
    Feature(name="x", kind="integer", minimum=0),
    Feature(name="x", missing="keep"),
    Feature(name="x", missing=7.0),
    Feature(name="x", kind="boolean"),
    Feature(name="x", kind="category", categories=("a", "b", "1")),
)
cells = st.one_of(
    st.floats(width=32).map(repr),
    st.floats(0.5, 1).map(repr),
    st.integers(-5, 5).map(str),
    st.sampled_from(["", " ", "a", "b", "true", "0", "1.0", "1_0", "nan", "inf", "\u0661", " 2 ", "1e39", "0.7"]),
    st.text(max_size=3).filter(lambda text: "," not in text),
)
values_of_json = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3)
)


def one_by_one(
    feature: Feature, values: Sequence[object], *, typed: bool = False
) -> tuple[list[float], dict[int, str]]:
    numbers, reasons = [], {}
    for position, value in enumerate(values):
        try:
            numbers.append(feature.encode_typed(value) if typed else feature.encode(value))
        except UnacceptableValue as problem:
            numbers.append(math.nan)
            reasons[position] = str(problem)
    return numbers, reasons


def text(values: Sequence[str | None]) -> Array:
    return Array(list(values), type=DataType.string())


@given(feature=st.sampled_from(FEATURES), values=st.lists(cells | st.none(), max_size=8))
def test_a_column_of_text_is_read_as_its_cells_are_one_by_one(feature: Feature, values: list[str | None]) -> None:
    column = Encoding().encode(feature, text(values))
    expected, refused = one_by_one(feature, values)
    assert column.reasons == refused
    np.testing.assert_array_equal(column.numbers, np.array(expected, dtype=np.float32))


@given(feature=st.sampled_from(FEATURES), values=st.lists(values_of_json, max_size=8))
def test_a_column_of_json_is_read_as_a_request_is(feature: Feature, values: list[object]) -> None:
    column = Encoding(typed=True).encode(feature, values)
    expected, refused = one_by_one(feature, values, typed=True)
    assert column.reasons == refused
    np.testing.assert_array_equal(column.numbers, np.array(expected, dtype=np.float32))


@given(
    feature=st.sampled_from(FEATURES),
    values=st.lists(st.floats(allow_nan=False, width=32) | st.integers(-9, 9) | st.none(), max_size=8),
    kind=st.sampled_from([DataType.float64(), DataType.float32()]),
)
def test_a_column_of_numbers_is_read_as_its_values_are_one_by_one(
    feature: Feature, values: list[float | None], kind: DataType
) -> None:
    column = Encoding().encode(feature, Array(values, type=kind))
    expected, refused = one_by_one(feature, [None if value is None else float(value) for value in values])
    assert column.reasons == refused
    np.testing.assert_array_equal(column.numbers, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("values", [text(["1", "1.5", "-1", "4e38"]), Array([1, 1.5, -1, 4e38], DataType.float64())])
def test_each_rule_of_a_feature_holds_where_all_values_are_numbers(values: Array) -> None:
    column = Encoding().encode(Feature(name="x", kind="integer", minimum=0, maximum=9), values)
    assert (column.numbers[0], sorted(column.reasons)) == (1, [1, 2, 3])
    assert sorted(Encoding().encode(Feature(name="x"), values).reasons) == [3]


def test_a_bound_is_held_against_the_number_that_the_model_gets() -> None:
    feature = Feature(name="x", minimum=0.7, maximum=0.9)
    for kind in (DataType.float32(), DataType.float64()):
        assert Encoding().encode(feature, Array([0.7, 0.9], type=kind)).reasons == {}


def test_nan_in_a_parquet_file_is_a_missing_value() -> None:
    column = Encoding().encode(FEATURES[0], Array([1.0, math.nan], DataType.float64()))
    assert column.reasons == {1: "is missing; accepted: a finite number"}


def test_decimals_are_numbers() -> None:
    decimals = Array([3, None], DataType.int64()).cast(DataType.decimal128(12, 2))
    assert Encoding().encode(FEATURES[5], decimals).numbers.tolist() == [3.0, 7.0]
    assert Encoding().encode(FEATURES[0], [Decimal("1.5")]).numbers.tolist() == [1.5]


@pytest.mark.parametrize("feature", FEATURES)
def test_a_date_is_refused_whatever_its_year(feature: Feature) -> None:
    dates = Array([5_000_000_000_000_000_000, 1], DataType.int64()).cast(DataType.timestamp("us"))
    assert set(Encoding().encode(feature, dates).reasons) == {0, 1}


def test_whole_numbers_are_categories_however_they_are_written() -> None:
    feature = Feature(name="plan", kind="category", categories=("1", "2"))
    wanted = [0.0, 1.0]
    for values in (
        text(["1", "2"]),
        text(["1.0", "2.00"]),
        Array([1, 2], DataType.int8()),
        Array([1.0, 2.0], DataType.float64()),
    ):
        assert Encoding().encode(feature, values).numbers.tolist() == wanted


def test_encoded_text_is_read_through_its_dictionary() -> None:
    values = text(["a", None, "b", "a"]).cast(DataType.dictionary(DataType.int16(), DataType.string()))
    column = Encoding().encode(FEATURES[7], values)
    assert (column.numbers[[0, 2, 3]].tolist(), sorted(column.reasons)) == ([0.0, 1.0, 0.0], [1])


def test_zero_has_one_sign() -> None:
    assert not np.signbit(Encoding().encode(FEATURES[0], text(["-0.0", "0"])).numbers).any()


def test_a_whole_number_that_32_bits_cannot_hold_is_told_with_what_it_becomes() -> None:
    column = Encoding().encode(Feature(name="x"), text(["16777216", "16777217", "0.1", "123456789.5"]))
    assert (column.rounded.tolist(), column.before.tolist()) == ([1], [16777217.0])
    wide = Encoding(dtype="float64").encode(Feature(name="x", maximum=16777217), text(["16777217", " 16777217 "]))
    assert (wide.numbers.tolist(), wide.rounded.tolist()) == ([16777217.0, 16777217.0], [])


@given(
    feature=st.sampled_from(FEATURES[:6]),
    values=st.lists(st.text(alphabet="+-0123,. e", max_size=6) | st.none(), max_size=8),
    thousands=st.sampled_from(["", ".", " "]),
)
def test_a_column_with_decimal_commas_is_read_as_its_cells_are_one_by_one(
    feature: Feature, values: list[str | None], thousands: str
) -> None:
    style = NumberStyle(",", thousands)
    column = Encoding(style=style).encode(feature, text(values))
    plain = [value if value is None else style.plain(value) for value in values]
    uncertain = {at for at, value in enumerate(values) if value is not None and plain[at] is None}
    expected, refused = one_by_one(feature, ["x" if at in uncertain else one for at, one in enumerate(plain)])
    assert column.reasons == {at: UNCERTAIN if at in uncertain else reason for at, reason in refused.items()}
    np.testing.assert_array_equal(column.numbers, np.array(expected, dtype=np.float32))


def test_numbers_are_read_in_the_style_of_their_file_and_no_other() -> None:
    values = text(["1,5", "2", "1.5", None])
    commas = Encoding(style=NumberStyle(",", "")).encode(FEATURES[5], values)
    assert (commas.numbers[[0, 1, 3]].tolist(), commas.reasons) == ([1.5, 2.0, 7.0], {2: UNCERTAIN})
    points = Encoding().encode(FEATURES[0], text(["1,5", "1.5"]))
    assert (points.numbers[1], points.reasons) == (1.5, {0: UNCERTAIN})
