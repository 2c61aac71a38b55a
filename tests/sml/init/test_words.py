from __future__ import annotations

import pytest

from sml.init.words import is_amount, is_date, is_id, poles, share_of_numbers, target_rank, words_of


@pytest.mark.parametrize("name", ["CustomerID", "customer_id", "customer id", "customerId", "Customer-ID"])
def test_a_name_has_the_same_words_however_it_is_written(name: str) -> None:
    assert words_of(name) == ["customer", "id"]
    assert is_id(name)


def test_words_are_whole() -> None:
    assert not is_id("width")
    assert not is_id("paid")
    assert not is_amount("temperature")
    assert is_amount("petal width (cm)")


def test_names_of_targets_are_ranked() -> None:
    assert target_rank("Target") == 0
    assert target_rank("is_fraud") is not None
    assert target_rank("churn_within_30_days") is not None
    assert target_rank("yearly") is None


@pytest.mark.parametrize(
    "text", ["2020-01-31", "2020-01-31T12:00:00Z", "31.01.2020", "1/31/20", "12:30", "31 Jan 2020", "Jan 31, 2020"]
)
def test_dates_are_known_by_their_look(text: str) -> None:
    assert is_date(text)


@pytest.mark.parametrize("text", ["2020", "1.5", "1-2", "10.20.30.40", "x"])
def test_numbers_are_no_dates(text: str) -> None:
    assert not is_date(text)


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (["1", "-2.5", "1e5"], 1.0),
        (["1,5", "22,75"], 1.0),
        (["1.234,5", "7"], 1.0),
        (["a", "1"], 0.5),
        (["nan", "inf", "1_000", "²"], 0),
    ],
)
def test_numbers_are_known_in_every_style_that_is_read(texts: list[str], share: float) -> None:
    assert share_of_numbers(texts) == share


def test_the_class_that_is_looked_for_is_last() -> None:
    assert poles(["Yes", "No"]) == ("No", "Yes")
    assert poles(["1", "0"]) == ("0", "1")
    assert poles(["red", "blue"]) is None
    assert poles(["0", "1", "2"]) is None
