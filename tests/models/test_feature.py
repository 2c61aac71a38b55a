from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.feature import BLANK, LARGEST, Feature, UnacceptableValue, in_32_bits

NUMBER = Feature(name="size")
COUNT = Feature(name="count", kind="integer", minimum=0, maximum=9)
FLAG = Feature(name="flag", kind="boolean")
COLOUR = Feature(name="colour", kind="category", categories=("red", "green", "none", "1"))
EVERY = (NUMBER, COUNT, FLAG, COLOUR, Feature(name="gap", missing="keep"), Feature(name="filled", missing=3.0))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(feature=st.sampled_from(EVERY), value=anything)
def test_any_value_becomes_a_number_or_is_unacceptable(feature: Feature, value: object) -> None:
    try:
        number = feature.encode(value)
    except UnacceptableValue:
        return
    assert isinstance(number, float)
    assert math.isfinite(number) or feature.missing == "keep"


@pytest.mark.parametrize("feature", EVERY)
def test_a_number_too_long_to_be_written_is_refused(feature: Feature) -> None:
    with pytest.raises(UnacceptableValue):
        feature.encode(10**5000)


@given(value=st.floats(-LARGEST, LARGEST) | st.integers(-(2**53), 2**53))
def test_a_number_is_the_same_as_json_and_as_text(value: float) -> None:
    assert NUMBER.encode(repr(value)) == NUMBER.encode(json.loads(json.dumps(value))) == in_32_bits(value)


@given(value=st.booleans())
def test_a_truth_is_the_same_as_json_and_as_text(value: bool) -> None:
    assert FLAG.encode(value) == FLAG.encode(str(value)) == FLAG.encode(json.dumps(value)) == float(value)


def test_a_category_becomes_its_position() -> None:
    assert [COLOUR.encode(value) for value in ("red", " green ", "none", 1, "1", 1.0)] == [0, 1, 2, 3, 3, 3]


@pytest.mark.parametrize("text", ["", "  ", "NA", "NaN", "null", "None"])
def test_a_blank_cell_is_missing(text: str) -> None:
    with pytest.raises(UnacceptableValue, match="is missing; accepted: a finite number"):
        NUMBER.encode(text)


@pytest.mark.parametrize("text", sorted(BLANK - {""}))
def test_a_category_may_be_called_what_is_blank_elsewhere(text: str) -> None:
    assert Feature(name="x", kind="category", categories=("a", text)).encode(text) == 1


def test_a_missing_value_is_kept_or_replaced_as_declared() -> None:
    assert math.isnan(Feature(name="x", missing="keep").encode(None))
    assert Feature(name="x", missing=2.5).encode("") == 2.5
    assert Feature(name="x", kind="category", categories=("a", "b"), missing="b").encode(None) == 1
    assert Feature(name="x", kind="boolean", missing=True).encode(None) == 1


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        (NUMBER, float("nan")),
        (NUMBER, "inf"),
        (NUMBER, True),
        (NUMBER, [1.0]),
        (COUNT, 1.5),
        (COUNT, -1),
        (COUNT, 10),
        (FLAG, 2),
        (FLAG, "maybe"),
        (FLAG, []),
        (COLOUR, "Red"),
        (COLOUR, 2),
        (COLOUR, 1.5),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_is(feature: Feature, value: object) -> None:
    with pytest.raises(UnacceptableValue) as refusal:
        feature.encode(value)
    assert str(refusal.value) == f"is not {feature.accepts}"


@pytest.mark.parametrize("text", ["1_000", "\u0661\u0662", "1,5", "large"])
def test_text_is_told_to_be_text(text: str) -> None:
    with pytest.raises(UnacceptableValue) as refusal:
        NUMBER.encode(text)
    assert str(refusal.value) == "is text; accepted: a finite number"


def test_json_has_types_and_a_client_that_mixes_them_up_is_told() -> None:
    for feature, value, reason in (
        (NUMBER, "1.5", "is text; accepted: a finite number"),
        (FLAG, "true", "is text; accepted: true or false"),
        (COLOUR, 7, f"is not {COLOUR.accepts}"),
    ):
        with pytest.raises(UnacceptableValue) as refusal:
            feature.encode_typed(value)
        assert str(refusal.value) == reason
    assert NUMBER.encode_typed(1.5) == 1.5


def test_bounds_are_told_with_all_of_their_digits() -> None:
    assert Feature(name="n", kind="integer", minimum=0, maximum=16777217).accepts == "a whole number from 0 to 16777217"
    assert Feature(name="n", minimum=0.1, maximum=1e-3).accepts == "a finite number from 0.1 to 0.001"


def test_bounds_are_held_against_the_number_that_the_model_gets() -> None:
    feature = Feature(name="n", minimum=0.7, maximum=16777217)
    assert feature.encode(in_32_bits(0.7)) == feature.encode(0.7) == in_32_bits(0.7) < 0.7
    assert feature.encode(16777217) == 16777216


def test_a_whole_number_is_a_category_also_with_a_decimal_point() -> None:
    feature = Feature(name="plan", kind="category", categories=("1", "2.0", "2"))
    assert [feature.encode(text) for text in ("1", "1.0", " 1.00 ", "2.0", "2")] == [0, 0, 0, 1, 2]


def test_a_category_may_be_the_number_or_the_truth_that_it_names_in_every_format() -> None:
    grade = Feature(name="grade", kind="category", categories=("1", "2", "true"))
    for encode in (grade.encode, grade.encode_typed):
        assert [encode(value) for value in (1, 2.0, True, "2")] == [0, 1, 2, 1]
        for value in (3, 1.5, False, [], {}):
            with pytest.raises(UnacceptableValue, match="is not one of 1, 2, true"):
                encode(value)


def test_a_number_that_32_bits_cannot_hold_is_refused() -> None:
    assert NUMBER.encode(LARGEST) == NUMBER.encode(math.nextafter(LARGEST, math.inf)) == LARGEST
    for value in (3.5e38, -3.5e38, "3.5e38", 10**400):
        with pytest.raises(UnacceptableValue, match="32 bits"):
            NUMBER.encode(value)


def test_a_refusal_never_repeats_the_input() -> None:
    for feature in EVERY:
        with pytest.raises(UnacceptableValue) as refusal:
            feature.encode("secret-4711")
        assert "4711" not in str(refusal.value)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (NUMBER, "a finite number"),
        (COUNT, "a whole number from 0 to 9"),
        (Feature(name="x", minimum=0), "a finite number, 0 or more"),
        (Feature(name="x", maximum=2.5), "a finite number, 2.5 or less"),
        (FLAG, "true or false"),
        (COLOUR, "one of red, green, none, 1"),
    ],
)
def test_what_is_accepted_is_said_in_words(feature: Feature, words: str) -> None:
    assert feature.accepts == words


def test_a_long_list_of_categories_is_cut_short_in_words() -> None:
    feature = Feature(name="x", kind="category", categories=tuple(f"c{i}" for i in range(500)))
    assert feature.accepts.endswith("c19, ... (500 in all)")
